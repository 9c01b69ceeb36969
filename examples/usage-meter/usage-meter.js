// Shows a company's AI-assistant token usage as a meter.
import { BookMoreClient } from "/pkg/dist/index.js";

const at = (id) => document.getElementById(id);
const number = new Intl.NumberFormat(navigator.languages);
const percent = new Intl.NumberFormat(navigator.languages, { style: "percent", maximumFractionDigits: 1 });
const tokens = (count) => `${number.format(count)} ${count === 1 ? "token" : "tokens"}`;
const days = (count) => `${number.format(count)} ${count === 1 ? "day" : "days"}`;

// ---- Asking ----

let running;

async function load() {
  running?.abort(); // only the latest request may be shown
  const request = (running = new AbortController());
  say("loading", "Loading…");
  try {
    const usage = await ask(request.signal);
    if (request === running) showUsage(usage);
  } catch (error) {
    if (request === running) showError(error);
  }
}

async function ask(signal) {
  const client = new BookMoreClient({
    baseUrl: at("base").value.trim(),
    bearerToken: at("token").value.trim() || undefined,
    format: chosenFormat(),
  });
  const request = { companyId: at("company").value.trim() || undefined };
  at("why").onclick = async () => {
    const { showWhy } = await import("./why.js");
    await showWhy(at("cause"), client, request, signal).catch(() => {}); // given up for a later request
  };
  return client.getAiChatUsage(request, { signal });
}

// ---- Showing ----

function showUsage(usage) {
  const { companyId, tokensUsed, tokenLimit, tokensRemaining, isWithinBudget, windowDays } = usage;
  say(isWithinBudget ? "within" : "exceeded", sentence(usage));

  // With a limit of 0 there is no share, and a meter from 0 to 0 would show a full one.
  at("share").hidden = tokenLimit <= 0;
  if (tokenLimit > 0) {
    Object.assign(at("meter"), {
      min: 0,
      max: tokenLimit,
      low: tokenLimit * 0.75,
      high: tokenLimit * 0.9,
      optimum: 0, // the less used, the better
      value: tokensUsed, // the meter itself stops at its max
      textContent: `${number.format(tokensUsed)} of ${tokens(tokenLimit)}`,
    });
    at("percent").textContent = `${percent.format(tokensUsed / tokenLimit)} of the limit`;
  }

  at("used").textContent = tokens(tokensUsed);
  at("limit").textContent = tokens(tokenLimit);
  at("remaining").textContent = tokens(tokensRemaining);
  at("window").textContent = days(windowDays);
  at("within").textContent = isWithinBudget ? "Yes" : "No";
  at("whose").textContent = companyId ?? "not named by the server";
  const note = usage.responseStatus?.message;
  at("note").hidden = !note;
  at("note-text").textContent = note ?? "";
  at("usage").hidden = false;
}

function sentence({ tokensUsed, tokenLimit, tokensRemaining, isWithinBudget }) {
  if (tokensUsed > tokenLimit) return `Over the limit by ${tokens(tokensUsed - tokenLimit)}.`;
  if (isWithinBudget) return `Within budget: ${tokens(tokensRemaining)} left.`;
  if (tokenLimit <= 0) return "Not within budget: the limit is 0 tokens.";
  if (tokensUsed === tokenLimit) return `The limit is reached: all ${tokens(tokenLimit)} are used.`;
  return `Not within budget, although ${tokens(tokensRemaining)} are left.`;
}

function showError(error) {
  say("error", error.message);
  const kind = [error.name, error.code, error.status && `HTTP ${error.status}`, error.errorCode];
  at("kind").textContent = kind.filter(Boolean).join(" · ");
  at("kind").hidden = false;
  at("why").hidden = error.code !== "network_error";
}

/** Puts the page into a state. The figures before it stay, faded, while it loads. */
function say(state, words) {
  const isLoading = state === "loading";
  at("result").dataset.state = state;
  at("result").ariaBusy = String(isLoading);
  at("status").textContent = words;
  for (const id of ["kind", "why", "cause"]) at(id).hidden = true;
  if (!isLoading) at("usage").hidden = true;
}

// ---- The form ----

function chosenFormat() {
  return document.querySelector("input[name=format]:checked").value;
}

// No base URL from the page's address: a link could have the token sent anywhere.
const parameters = new URLSearchParams(location.search);
at("base").value = location.origin;
at("company").value = parameters.get("company") ?? "";
const format = parameters.get("format") === "jsonl" ? "jsonl" : "json";
document.querySelector(`input[name=format][value=${format}]`).checked = true;

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const shown = new URLSearchParams({ company: at("company").value.trim(), format: chosenFormat() });
  history.replaceState(null, "", `?${shown}`);
  load();
});

load();
