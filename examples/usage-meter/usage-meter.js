// The meter of a company's AI-assistant token usage, with the stand-in server, and the contents of the reply.
import { BookMoreClient } from "bookmore-sdk";
import "bookmore-sdk/meter/define";

const at = (id) => document.getElementById(id);
const hero = at("hero");
const number = new Intl.NumberFormat(navigator.languages);
const tokens = (count) => `${number.format(count)} ${count === 1 ? "token" : "tokens"}`;
const days = (count) => `${number.format(count)} ${count === 1 ? "day" : "days"}`;
const companyId = () => at("company").value.trim() || null;

// ---- Asking ----

function load() {
  say("loading", "Loading…");
  hero.companyId = companyId();
  try {
    hero.client = new BookMoreClient({
      baseUrl: at("base").value.trim(),
      bearerToken: at("token").value.trim() || undefined,
      format: chosen("format"),
    });
    hero.store = null;
  } catch (error) {
    // The form's values are invalid, so there is no client, and the meter shows why.
    hero.store = {
      subscribe: (run) => (run({ status: "stopped", error }), () => {}),
      refresh: async () => {
        throw error;
      },
    };
  }
}

// ---- Showing ----

/** Ends the diagnosis when there is something else to show. */
let looking = new AbortController();

hero.addEventListener("bookmore-usage-change", ({ detail: { status, usage, error } }) => {
  looking.abort();
  looking = new AbortController();
  at("cause").hidden = true;
  at("why").hidden = error?.code !== "network_error";
  if (status === "pending") return say("loading", "Loading…");
  at("usage").hidden = !usage;
  if (usage) showFigures(usage);
  if (error) say("error", error.message);
  else say(usage.isWithinBudget ? "within" : "exceeded", sentence(usage));
  at("error").hidden = !error;
  if (error) at("kind").textContent = [error.name, error.code, error.status && `HTTP ${error.status}`, error.errorCode].filter(Boolean).join(" · ");
});

at("why").addEventListener("click", async () => {
  const { signal } = looking;
  const { showWhy } = await import("./why.js");
  await showWhy(at("cause"), hero.client, { companyId: companyId() ?? undefined }, signal).catch(() => {}); // aborted
});

function showFigures({ companyId, tokensUsed, tokenLimit, tokensRemaining, isWithinBudget, windowDays, responseStatus }) {
  at("used").textContent = tokens(tokensUsed);
  at("limit").textContent = tokens(tokenLimit);
  at("remaining").textContent = tokens(tokensRemaining);
  at("window").textContent = days(windowDays);
  at("within").textContent = isWithinBudget ? "Yes" : "No";
  at("whose").textContent = companyId ?? "not named by the server";
  const note = responseStatus?.message;
  at("note").hidden = !note;
  at("note-text").textContent = note ?? "";
  if (tokenLimit > 0) showShare(Math.round((100 * tokensUsed) / tokenLimit));
}

function sentence({ tokensUsed, tokenLimit, tokensRemaining, isWithinBudget }) {
  if (tokensUsed > tokenLimit) return `Over the limit by ${tokens(tokensUsed - tokenLimit)}.`;
  if (isWithinBudget) return `Within budget: ${tokens(tokensRemaining)} left.`;
  if (tokenLimit <= 0) return "Not within budget: the limit is 0 tokens.";
  if (tokensUsed === tokenLimit) return `The limit is reached: all ${tokens(tokenLimit)} are used.`;
  return `Not within budget, although ${tokens(tokensRemaining)} are left.`;
}

/** Sets the state of the reply. The previous figures stay, faded, while it loads. */
function say(state, words) {
  at("result").dataset.state = state;
  at("result").ariaBusy = String(state === "loading");
  at("status").textContent = words;
  if (state === "loading") at("error").hidden = true;
}

// ---- Driving the stand-in server ----

/** Sets the stand-in server's answers for the company, and refreshes the meter. */
async function drive(answers) {
  at("try-error").textContent = "";
  try {
    const response = await fetch("/fake/set", { method: "POST", body: JSON.stringify([companyId(), answers]) });
    if (!response.ok) throw new Error(await response.text());
  } catch (error) {
    at("try-error").textContent = `The stand-in server did not accept this: ${error.message}`;
    return;
  }
  await hero.refresh().catch(() => {}); // the meter shows it
}

const share = () => ({ share: at("share").value / 100 });

function showShare(percent) {
  at("share").value = percent;
  at("share-text").textContent = `${at("share").value} %`;
}

at("share").addEventListener("input", () => (at("share-text").textContent = `${at("share").value} %`));
at("share").addEventListener("change", () => drive(share()));
at("failures").addEventListener("click", ({ target }) => {
  const { answers } = target.dataset;
  if (answers !== undefined) drive(answers ? JSON.parse(answers) : share());
});
// An app would log in here.
hero.addEventListener("bookmore-login", () => drive(share()));
for (const radio of document.querySelectorAll("input[name=variant]")) {
  radio.addEventListener("change", () => (hero.variant = chosen("variant")));
}

// ---- The form ----

function chosen(name) {
  return document.querySelector(`input[name=${name}]:checked`).value;
}

// No base URL from the page's URL, because a link could then send the token anywhere.
const parameters = new URLSearchParams(location.search);
at("base").value = location.origin;
at("company").value = parameters.get("company") ?? "";
const format = parameters.get("format") === "jsonl" ? "jsonl" : "json";
document.querySelector(`input[name=format][value=${format}]`).checked = true;

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const shown = new URLSearchParams({ company: at("company").value.trim(), format: chosen("format") });
  history.replaceState(null, "", `?${shown}`);
  load();
});

load();
