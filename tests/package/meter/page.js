// The functions that ../meter-browser.test.mjs calls in a page: meters with stores that the test sets, and with the fake API,
// under fake timers.
import FakeTimers from "@sinonjs/fake-timers";
import axe from "axe-core";
import { AuthenticationError, NetworkError } from "bookmore-sdk";
import { createFakeBookMore, usage } from "bookmore-sdk/testing";
import { AiChatUsageMeter, addMeterStrings } from "bookmore-sdk/meter";
import { renderToString as renderMeter } from "bookmore-sdk/meter/server";
import "bookmore-sdk/meter/define";
import { h, render } from "preact";
import { createElement } from "react";
import { hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server.browser";
import { STATES, storeOf } from "./states.js";

const ID = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
const OTHER = "11111111-2222-3333-4444-555555555555";
const VARIANTS = ["bar", "ring", "compact"];
const violations = [];
document.addEventListener("securitypolicyviolation", ({ violatedDirective, sourceFile, lineNumber }) => violations.push(`${violatedDirective} ${sourceFile}:${lineNumber}`));

const real = { setTimeout };
const settled = () => new Promise((resolve) => real.setTimeout.call(window, resolve, 20));
let clock, fake, client, shown;
const pass = async (ms) => {
  await clock.tickAsync(ms);
  await settled();
};
const main = document.body.appendChild(document.createElement("main"));
function add(properties = {}, attributes = {}) {
  const meter = document.createElement("ai-chat-usage-meter");
  for (const [name, value] of Object.entries(attributes)) meter.setAttribute(name, value);
  Object.assign(meter, properties);
  main.append(meter);
  return meter;
}
const at = (meter, selector) => meter.shadowRoot.querySelector(selector);
const rangeOf = (node, pattern) => {
  const { index, 0: found } = pattern.exec(node.data);
  const range = document.createRange();
  range.setStart(node, index);
  range.setEnd(node, index + found.length);
  return range;
};
const text = (meter, selector) => (at(meter, selector).closest("[hidden]") ? "" : at(meter, selector).textContent);
const logOf = (meter) => {
  const log = [];
  meter.addEventListener("bookmore-usage-change", ({ detail }) => log.push(detail));
  return log;
};

async function begin() {
  clock?.uninstall();
  main.replaceChildren();
  main.removeAttribute("lang");
  document.documentElement.style.colorScheme = "";
  document.documentElement.dir = "ltr";
  fake = createFakeBookMore();
  fake.set(ID, { share: 0.5 });
  client = fake.client();
  await client.ready();
  clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval"] });
}

/** The contrast ratio of two colours, by WCAG. */
function contrast(one, other) {
  const luminance = (color) => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
    canvas.fillStyle = color;
    canvas.fillRect(0, 0, 1, 1);
    const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map((part) => (part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

const everyState = () => Object.entries(STATES).flatMap(([name, state]) => VARIANTS.map((variant) => [`${name}, ${variant}`, add({ store: storeOf(state), variant, label: `${name}, ${variant}` })]));

const tests = {
  async axe() {
    clock.uninstall();
    const found = [];
    for (const scheme of ["light", "dark"]) {
      document.documentElement.style.colorScheme = scheme;
      main.replaceChildren();
      everyState();
      const { violations, passes } = await axe.run(main, { resultTypes: ["violations"], rules: { region: { enabled: false } } });
      if (!passes.some(({ id }) => id === "color-contrast") || !passes.some(({ id }) => id === "aria-meter-name")) found.push("nothing was checked");
      for (const { id, nodes } of violations) for (const { target, any } of nodes) found.push(`${scheme}: ${id} ${target.join(" ")} ${any[0]?.message ?? ""}`);
    }
    return found;
  },

  marks() {
    const low = [];
    for (const scheme of ["light", "dark"]) {
      document.documentElement.style.colorScheme = scheme;
      main.replaceChildren();
      for (const [name, meter] of everyState()) {
        const style = (selector) => getComputedStyle(at(meter, selector));
        const surface = style(".base").backgroundColor;
        // A line has a stroke; so has a ring.
        const paint = (selector) => style(selector)[at(meter, `${selector}:is(rect)`) ? "fill" : "stroke"];
        const pairs = [[paint(".fill"), paint(".track")], [paint(".fill"), surface], [paint(".overflow"), paint(".track")], [paint(".mark"), paint(".fill")], [style(".level .icon").fill, surface], [style(".error .icon").fill, style(".error").backgroundColor]];
        for (const [index, [one, other]] of pairs.entries()) {
          // The mark is larger than the bar, so its contrast with the surroundings counts as well.
          const ratio = index === 3 ? Math.max(contrast(one, other), contrast(one, surface)) : contrast(one, other);
          if (!(ratio >= 3)) low.push(`${scheme}, ${name}, ${index}: ${one} on ${other}: ${ratio.toFixed(2)}`);
        }
      }
    }
    return low;
  },

  /** What overflows, at any width, in any state. */
  layout() {
    const out = [];
    const words = ["AI assistant usage", "Donaudampfschifffahrtsgesellschaftskapitänsmützenverbrauch in the whole group"];
    for (const [dir, width, label] of [["ltr", words[0]], ["rtl", words[1]]].flatMap(([dir, label]) => [120, 390, 1200].map((width) => [dir, width, label]))) {
      document.documentElement.dir = dir;
      main.replaceChildren();
      main.style.width = `${width}px`;
      for (const [name, meter] of everyState()) {
        meter.label = label;
        meter.connectedMoveCallback();
        const host = meter.getBoundingClientRect();
        if (host.width > width + 0.5 || (meter.variant !== "compact" && host.width < width - 0.5)) out.push(`${name} at ${width}: ${host.width} wide`);
        for (const element of meter.shadowRoot.querySelectorAll(".base *:not(svg *)")) {
          if (!element.checkVisibility() || element.closest(".said") || getComputedStyle(element).clipPath !== "none" || element.parentElement.closest(".details")?.clientWidth === 1) continue;
          const { left, right, width: own } = element.getBoundingClientRect();
          if (own > 0 && (left < host.left - 0.5 || right > host.right + 0.5)) out.push(`${dir} ${width} ${name}: ${element.localName}.${element.getAttribute("class")} ${Math.round(left - host.left)}…${Math.round(right - host.right)}`);
        }
      }
    }
    main.style.width = "";
    return out;
  },

  /** The levels of a compact meter that break inside a word, from the narrowest width to one where everything fits in a row. */
  brokenWords() {
    const german = { warning: "Nahe am Limit", used: (used, limit) => `${used} von ${limit} Token` };
    const meters = Object.values(STATES).flatMap((state) => [{}, german].map((strings) => add({ store: storeOf(state), variant: "compact", strings })));
    const broken = [];
    for (let width = 120; width <= 420; width += 10) {
      main.style.width = `${width}px`;
      for (const meter of meters) {
        const range = document.createRange();
        range.selectNodeContents(at(meter, ".words"));
        const lines = new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size;
        if (lines > text(meter, ".words").split(" ").length) broken.push(`${text(meter, ".words")} at ${width}: ${lines}`);
      }
    }
    main.style.width = "";
    return broken;
  },

  /** For what the driver checks itself. */
  show([state, attributes]) {
    shown = storeOf(STATES[state]);
    add({ store: shown }, attributes);
  },
  /** Sets its state, and returns how often it was refreshed. */
  async shown(state) {
    shown.set({ ...STATES[state] });
    await settled();
    return shown.refreshes;
  },

  texts() {
    return Object.fromEntries(everyState().map(([name, meter]) => [name, ["level", "figures", "share", "left", "window", "message"].map((part) => text(meter, `.${part}`)).join(" | ")]));
  },

  meterAttributes() {
    return Object.fromEntries(
      Object.entries(STATES).map(([name, state]) => {
        const meter = at(add({ store: storeOf(state) }), ".meter");
        return [name, meter.role && ["now", "max", "text"].map((part) => meter.getAttribute(`aria-value${part}`)).join(" | ")];
      }),
    );
  },

  states() {
    return Object.fromEntries(
      Object.entries(STATES).map(([name, state]) => {
        const meter = add({ store: storeOf(state) });
        return [name, ["warning", "critical", "over", "stale"].filter((custom) => meter.matches(`:state(${custom})`)).join(" ")];
      }),
    );
  },

  async announcements() {
    const store = storeOf(STATES.pending);
    const meter = add({ store });
    const log = [];
    const region = at(meter, "[role=status]");
    new MutationObserver(() => log.push(region.textContent)).observe(region, { childList: true, characterData: true, subtree: true });
    const names = ["ok", "unused", "ten digits", "warning", "stale, no network", "stale, no network", "warning", "critical", "reached", "over", "far over", "ok"];
    for (const name of names) {
      const state = STATES[name];
      store.set({ ...state });
      // Numbers alone.
      if (state.usage) store.set({ ...state, updatedAt: 5, usage: { ...state.usage, tokensRemaining: 4_321 } });
      await settled();
    }
    return log;
  },

  async polls() {
    const meter = add({ client }, { "company-id": ID });
    const log = logOf(meter);
    await pass(1_000);
    return { requests: fake.requests.length, shown: text(meter, ".figures"), events: log.map(({ status, share }) => `${status} ${share}`) };
  },

  async moves() {
    const meter = add({ client }, { "company-id": ID });
    await pass(1_000);
    const log = logOf(meter);
    const other = main.appendChild(document.createElement("section"));
    for (let time = 0; time < 20; time++) {
      (time % 2 ? main : other).append(meter);
      await pass(10);
    }
    if (other.moveBefore) {
      for (let time = 0; time < 20; time++) {
        (time % 2 ? main : other).moveBefore(meter, null);
        await pass(10);
      }
    }
    const shown = text(meter, ".figures");
    const moved = fake.requests.length;
    const events = log.length;
    meter.remove();
    await pass(600_000);
    const gone = fake.requests.length;
    main.append(meter);
    const again = text(meter, ".figures");
    await pass(1_000);
    return { shown, moved, events, gone, again, back: fake.requests.length };
  },

  async changes() {
    fake.set(OTHER, { share: 0.7 });
    fake.set(undefined, { share: 0.2 });
    const meter = add({ client }, { "company-id": ID });
    // While it loads.
    await settled();
    const second = createFakeBookMore();
    second.set(ID, { share: 0.9 });
    meter.client = second.client();
    await pass(1_000);
    const shown = [text(meter, ".share")];
    meter.client = client;
    meter.setAttribute("company-id", OTHER);
    await settled();
    shown.push(text(meter, ".share"));
    await pass(1_000);
    shown.push(text(meter, ".share"));
    meter.removeAttribute("company-id");
    await pass(1_000);
    shown.push(text(meter, ".share"));
    meter.client = null;
    await pass(1_000);
    shown.push(text(meter, ".share"), at(meter, ".base").ariaBusy);
    return { shown, urls: fake.requests.map(({ url }) => new URL(url).searchParams.get("CompanyId") ?? "own") };
  },

  /** The property usage of one company, during the request for the next one. */
  async knows() {
    const { companyId, ...unnamed } = usage({ share: 0.83 });
    const meter = add({ client, usage: unnamed }, { "company-id": ID });
    await settled();
    const shown = [text(meter, ".share")];
    await pass(1_000);
    shown.push(text(meter, ".share"));
    meter.companyId = OTHER;
    await settled();
    shown.push(text(meter, ".share"));
    // A usage that is set together with a company belongs to it, in either order.
    meter.usage = { ...unnamed };
    meter.companyId = ID.toUpperCase();
    await settled();
    return [...shown, text(meter, ".share")];
  },

  /** Listeners that change or remove the meter during its first event. */
  async listeners() {
    const heard = (store, listener) => {
      const meter = document.createElement("ai-chat-usage-meter");
      Object.assign(meter, store);
      meter.addEventListener("bookmore-usage-change", () => listener(meter), { once: true });
      main.append(meter);
      return meter;
    };
    const first = storeOf(STATES.ok);
    const given = heard({ store: first }, (meter) => (meter.store = storeOf(STATES.warning)));
    const second = storeOf(STATES.ok);
    heard({ store: second }, (meter) => meter.remove());
    const third = storeOf(STATES.ok);
    const other = main.appendChild(document.createElement("section"));
    const moved = heard({ store: third }, (meter) => other.append(meter));
    await settled();
    third.set(STATES.over);
    return { shown: [given, moved].map((meter) => text(meter, ".share")), listeners: [first, second, third].map(({ listeners }) => listeners) };
  },

  async failures() {
    fake.set(ID, [{ share: 0.83 }, { kind: "network" }, { status: 401 }, { share: 0.84 }]);
    client = fake.client({ maxRetries: 0 });
    const meter = add({ client }, { "company-id": ID });
    await pass(1_000);
    const seen = [];
    let logins = 0;
    main.addEventListener("bookmore-login", ({ target }) => (logins += target === meter ? 1 : 0));
    const look = () => seen.push([text(meter, ".share"), text(meter, ".message"), ...[...meter.shadowRoot.querySelectorAll("button")].filter((button) => button.checkVisibility()).map(({ textContent }) => textContent)].join(" | "));
    look();
    await meter.refresh().catch(() => {});
    look();
    const retry = at(meter, ".retry");
    retry.focus();
    retry.click();
    const busy = [at(meter, ".base").ariaBusy, retry.ariaDisabled];
    retry.click();
    await pass(1_000);
    look();
    const focused = meter.shadowRoot.activeElement.className;
    at(meter, ".login").click();
    client.setBearerToken("another", { sameIdentity: true });
    await pass(2_000);
    look();
    return { seen, busy, focused, logins, requests: fake.requests.length };
  },

  async lazy() {
    const meter = document.createElement("late-meter");
    Object.assign(meter, { client, companyId: ID, variant: "ring", label: "Ours", usage: usage({ share: 0.25 }) });
    main.append(meter);
    customElements.define("late-meter", class extends AiChatUsageMeter {});
    const first = [text(meter, ".label"), text(meter, ".share"), meter.variant, meter.getAttribute("company-id"), Object.keys(meter)];
    await pass(1_000);
    return { first, then: text(meter, ".share") };
  },

  async adopted() {
    const store = storeOf(STATES.warning);
    const meter = add({ store });
    const frame = main.appendChild(document.createElement("iframe"));
    const surface = () => (meter.ownerDocument.defaultView ? meter.ownerDocument.defaultView.getComputedStyle(at(meter, ".base")).borderTopWidth : "");
    const widths = [surface()];
    frame.contentDocument.body.append(meter);
    widths.push(surface());
    store.set(STATES.over);
    const shown = text(meter, ".share");
    new DOMParser().parseFromString("<p>", "text/html").body.append(meter);
    main.append(meter);
    widths.push(surface());
    return { widths, shown, listeners: store.listeners };
  },

  async twice() {
    const { AiChatUsageMeter: Other } = await import("./second.bundle.js");
    const meter = add({ usage: usage({ share: 0.5 }) });
    main.lang = "sv";
    meter.connectedMoveCallback();
    return { isOther: Other !== AiChatUsageMeter, isFirst: meter instanceof AiChatUsageMeter, level: text(meter, ".level") };
  },

  async languages() {
    const meter = add({ usage: { ...usage({ share: 0.123 }), windowDays: 1 } });
    const words = () => [text(meter, ".label"), text(meter, ".figures"), text(meter, ".window")].join(" | ");
    const seen = [];
    for (const locale of ["sv-SE", "de", "es", "fr", "nonsense_locale!", "x"]) {
      meter.locale = locale;
      await settled();
      seen.push(words());
    }
    meter.locale = null;
    main.lang = "fr-CA";
    meter.connectedMoveCallback();
    seen.push(words());
    meter.strings = { label: "Chez nous" };
    await settled();
    seen.push(words());
    // A language that is added later.
    main.lang = "tlh";
    addMeterStrings("tlh", { label: "tlhIngan", used: () => "<b>x</b>", window: () => "jaj" });
    meter.strings = null;
    await settled();
    seen.push(words());
    return seen;
  },

  async nonsense() {
    const good = usage({ share: 0.5 });
    const shown = {};
    const look = async (name, properties, attributes) => {
      const meter = add(properties, attributes);
      await pass(1_000);
      shown[name] = [text(meter, ".figures"), text(meter, ".share"), text(meter, ".left"), text(meter, ".message")].join(" | ");
    };
    await look("NaN", { usage: { ...good, tokensUsed: NaN } });
    await look("absent members", { usage: { tokensUsed: 5 } });
    await look("a string", { usage: "5" });
    await look("no remainder", { usage: { tokensUsed: 5, tokenLimit: 10, isWithinBudget: true, windowDays: 30 } });
    await look("an invalid client", { client: 5 });
    await look("an invalid store", { store: {} });
    await look("a store without refresh", { store: { subscribe: () => () => {} } });
    await look("a stand-in that returns nonsense", { client: { getAiChatUsage: async () => ({ tokensUsed: "many" }) } });
    await look("a stand-in that throws nonsense", { client: { getAiChatUsage: () => Promise.reject(5) } });
    await look("an invalid company id", { client }, { "company-id": "abc" });
    await look("an empty company id", { client }, { "company-id": "" });
    await look("a fraction of a token", { usage: { ...good, tokensUsed: 1.5 } });
    await look("more than 2^53 - 1", { usage: { ...good, tokensUsed: 2 ** 53 } });
    await look("0 as usage", { usage: 0 });
    await look("an invalid usage with a client", { client, usage: { tokensUsed: 5 } });
    await look("false for a client", { client: false });
    await look("false for a store", { store: false });
    await look("an invalid variant and locale", { usage: usage({ tokensUsed: 5, tokenLimit: 10 }) }, { variant: "pie", locale: "xx-invalid" });
    await look("negative", { usage: { ...good, tokensUsed: -5, tokensRemaining: 100_005 } });
    await look("over, but within budget", { usage: { ...good, tokensUsed: 130_000, isWithinBudget: true } });
    await look("a limit of 0 within budget", { usage: { ...good, tokensUsed: 0, tokenLimit: 0, tokensRemaining: 0 } });
    await look("2^53 - 1 of 1", { usage: { ...good, tokensUsed: Number.MAX_SAFE_INTEGER, tokenLimit: 1, isWithinBudget: false } });
    await look("without properties", {});
    await look("invalid strings", { usage: good, strings: { used: undefined, left: "x" } });
    return { shown, requests: fake.requests.length };
  },

  async refreshWithoutClient() {
    const meter = document.createElement("ai-chat-usage-meter");
    return meter.refresh().then(String, ({ code, message }) => [code, message]);
  },

  async initial() {
    fake.set(ID, [{ kind: "network", times: 2 }, { share: 0.6 }]);
    const meter = add({ client, usage: usage({ companyId: ID, share: 0.4 }) }, { "company-id": ID });
    await settled();
    const seen = [text(meter, ".share")];
    await pass(1_000);
    seen.push(text(meter, ".share"), text(meter, ".message"));
    // The previous user's usage is not shown beside the new user's error.
    meter.client = createFakeBookMore({ bearerToken: "x" }).client({ bearerToken: "wrong" });
    await pass(1_000);
    seen.push(text(meter, ".share"), text(meter, ".message"));
    // A usage that is set in the same task belongs to the new user, in either order.
    meter.usage = usage({ companyId: ID, share: 0.7 });
    meter.client = createFakeBookMore({ bearerToken: "x" }).client({ bearerToken: "wrong" });
    await pass(1_000);
    seen.push(text(meter, ".share"));
    return seen;
  },

  /** The announcements when only the language and the label change. */
  async announcedInOtherWords() {
    const meter = add({ usage: usage({ share: 0.29 }) }, { label: "Ours" });
    await settled();
    const said = [];
    const look = async () => {
      await settled();
      said.push(at(meter, ".said").textContent);
    };
    meter.usage = usage({ share: 0.85 });
    await look();
    meter.strings = { warning: "Nahe am Limit" };
    await look();
    meter.usage = usage({ share: 0.96 });
    await look();
    meter.label = "Theirs";
    await look();
    return said;
  },

  /** The buttons for a new client while the previous one does not answer. */
  async otherClientWhileTrying() {
    let calls = 0;
    const meter = add({ client: { getAiChatUsage: () => (calls++ === 0 ? Promise.reject(new NetworkError({ message: "No reply came." })) : new Promise(() => {})) } });
    await pass(1_000);
    at(meter, ".retry").click();
    const disabled = [at(meter, ".retry").ariaDisabled];
    let logins = 0;
    meter.addEventListener("bookmore-login", () => logins++);
    meter.client = { getAiChatUsage: () => Promise.reject(new AuthenticationError({ message: "No.", status: 401 })) };
    await pass(1_000);
    disabled.push(at(meter, ".login").ariaDisabled);
    at(meter, ".login").click();
    let asked = 0;
    meter.client = { getAiChatUsage: () => Promise.reject(new NetworkError({ message: `${asked++}` })) };
    await pass(1_000);
    const before = asked;
    at(meter, ".retry").click();
    await settled();
    return { disabled, logins, calls, askedAgain: asked > before };
  },

  /** The page's language, in two nested shadow trees. */
  async languageAround() {
    addMeterStrings("qaa", { ok: "Goed" });
    main.lang = "qaa";
    let place = main;
    for (let depth = 0; depth < 2; depth++) place = place.appendChild(document.createElement("div")).attachShadow({ mode: "open" });
    const meter = place.appendChild(document.createElement("ai-chat-usage-meter"));
    meter.usage = usage({ share: 0.5 });
    await settled();
    return text(meter, ".level");
  },

  /** Stand-ins for a client that reject with undefined. */
  async rejectsWithNothing() {
    const meter = add({ client: { getAiChatUsage: () => Promise.reject() } });
    await pass(1_000);
    return { shown: [text(meter, ".figures"), text(meter, ".message"), text(meter, ".retry")], busy: at(meter, ".base").ariaBusy, said: at(meter, ".said").textContent };
  },

  /** A meter whose functions throw or return no text, and another one, when a language is added. */
  async brokenStrings() {
    const given = { used: () => { throw new Error("boo"); }, left: () => 7 };
    const figures = { usage: usage({ tokensUsed: 5, tokenLimit: 10 }) };
    const [broken, fine] = [{ ...figures, strings: given }, figures].map((properties) => add(properties, { locale: "qab" }));
    await settled();
    addMeterStrings("qab", { ok: "Gut", left: (tokens) => `noch ${tokens}` });
    await settled();
    return [broken, fine].map((meter) => [text(meter, ".level"), text(meter, ".figures"), text(meter, ".left")].join(" | "));
  },

  clickOnTheRoot() {
    const errors = [];
    const listener = (event) => errors.push(event.reason?.message ?? event.message);
    for (const type of ["error", "unhandledrejection"]) addEventListener(type, listener);
    add({ usage: usage({ share: 0.5 }) }).shadowRoot.dispatchEvent(new Event("click"));
    for (const type of ["error", "unhandledrejection"]) removeEventListener(type, listener);
    return errors;
  },

  /** The previous user's usage, after `setBearerToken` and a store that is set and removed. */
  async givenForTheUserBefore() {
    const meter = add({ client, usage: usage({ companyId: ID, share: 0.29 }) }, { "company-id": ID });
    await pass(1_000);
    const seen = [text(meter, ".share")];
    fake.set(ID, { kind: "network" });
    client.setBearerToken("another");
    await settled();
    meter.store = storeOf(STATES.pending);
    await settled();
    meter.store = null;
    await settled();
    return [...seen, text(meter, ".share")];
  },

  /** In the HTML that React renders on a server, and then hydrates: with a ref, and with the company in either notation. */
  async hydrated() {
    let logins = 0;
    const connect = (meter) => {
      const login = () => logins++;
      meter.client = client;
      meter.addEventListener("bookmore-login", login);
      return () => meter.removeEventListener("bookmore-login", login);
    };
    const shown = [];
    for (const company of ["company-id", "companyId"]) {
      const app = createElement("ai-chat-usage-meter", { ref: connect, [company]: ID, variant: "ring" });
      const root = main.appendChild(document.createElement("div"));
      root.innerHTML = renderToString(app);
      const rendered = hydrateRoot(root, app);
      for (let turn = 0; turn < 50 && !root.firstChild.client; turn++) await pass(20);
      await pass(1_000);
      const meter = root.firstChild;
      shown.push(text(meter, ".share"));
      meter.dispatchEvent(new Event("bookmore-login"));
      meter.companyId = OTHER;
      shown.push(meter.outerHTML);
      rendered.unmount();
    }
    return { shown, logins, companies: [...new Set(fake.requests.map(({ url }) => new URL(url).searchParams.get("CompanyId")))] };
  },

  /** By the page's styles for it in 600 pixels, the sizes of the meter's card; and in a row of 400 pixels, how high its content is. */
  async laidOut() {
    const place = main.appendChild(Object.assign(document.createElement("div"), { style: "inline-size: 600px; font: 16px sans-serif" }));
    const meter = document.createElement("ai-chat-usage-meter");
    meter.usage = usage({ share: 0.3 });
    place.append(meter);
    await settled();
    const size = () => at(meter, ".base").getBoundingClientRect();
    const widths = {};
    for (const display of ["", "block", "flex", "inline-flex", "inline-block", "grid; place-items: center"]) {
      meter.style.cssText = display && `display: ${display}`;
      const { width, height } = size();
      widths[display] = [width, height < 400];
    }
    meter.style.cssText = "";
    place.style.cssText += "; display: grid; block-size: 400px";
    return { widths, content: at(meter, ".details").getBoundingClientRect().bottom - size().top < 200, card: size().height };
  },

  /** The widths of wrappers whose width their content decides, in a page of 300 pixels and in one of 800. */
  async inWrappers() {
    const widths = {};
    for (const page of [300, 800]) {
      for (const [name, css] of Object.entries({ flex: "display: flex", grid: "display: grid; grid-template-columns: 1fr 1fr", block: "", fit: "width: fit-content" })) {
        const area = main.appendChild(document.createElement("div"));
        area.style.cssText = `inline-size: ${page}px; font: 16px sans-serif`;
        const row = area.appendChild(document.createElement("div"));
        row.style.cssText = css;
        const section = row.appendChild(document.createElement("section"));
        row.append(document.createElement("section"));
        section.append(Object.assign(document.createElement("ai-chat-usage-meter"), { usage: usage({ share: 0.29 }) }));
        await settled();
        widths[`${name} ${page}`] = section.getBoundingClientRect().width;
      }
    }
    return widths;
  },

  /** A meter drawn again when its page is looked at again. */
  async lookedAtAgain() {
    addMeterStrings("qac", { ok: "Bra" });
    const meter = add({ usage: usage({ share: 0.3 }) });
    await settled();
    main.lang = "qac";
    const before = text(meter, ".words");
    document.dispatchEvent(new Event("visibilitychange"));
    await settled();
    return [before, text(meter, ".words")];
  },

  /** Of what a server has rendered for one company, the attribute being another's by the time that it is defined. */
  async attributeChangedBefore() {
    const rendered = renderMeter(usage({ share: 0.83 }), { companyId: ID, stylesheetHref: "meter.css" });
    const shown = [];
    for (const company of [ID, ID.toUpperCase().replaceAll("-", ""), OTHER]) {
      // Elements are not defined there.
      const { body } = new DOMParser().parseFromString("<body></body>", "text/html");
      body.setHTMLUnsafe(rendered);
      const [meter] = body.children;
      meter.setAttribute("company-id", company);
      main.append(meter);
      await settled();
      shown.push(text(meter, ".share"));
    }
    // And once it is defined, where no client would find out.
    const given = add({ usage: usage({ companyId: ID, share: 0.3 }) }, { "company-id": ID });
    await settled();
    shown.push(text(given, ".share"));
    given.companyId = OTHER;
    await settled();
    shown.push(text(given, ".share"));
    given.usage = usage({ companyId: ID, share: 0.3 });
    await settled();
    shown.push(text(given, ".message"));
    return shown;
  },

  /** In a page whose own area scrolls: how far the whole page does, and whether Hebrew words begin at the right. */
  async inAScrollingArea() {
    const area = main.appendChild(document.createElement("div"));
    area.style.cssText = "block-size: 100px; overflow: auto";
    area.append(Object.assign(document.createElement("div"), { style: "block-size: 9000px" }));
    for (const variant of VARIANTS) area.append(Object.assign(document.createElement("ai-chat-usage-meter"), { variant, usage: usage({ share: 0.29 }) }));
    await settled();
    return document.documentElement.scrollHeight < 9000;
  },
  async fromRightToLeft() {
    addMeterStrings("he", { used: (used, limit) => `${used} מתוך ${limit}` });
    const meter = add({ variant: "compact", usage: usage({ share: 0.29 }) }, { locale: "he" });
    await settled();
    const [start, strong] = at(meter, ".figures").childNodes;
    return [at(meter, ".base").lang, start.textContent, strong.getBoundingClientRect().right > at(meter, ".figures").getBoundingClientRect().right - 2];
  },

  /** By Preact, which sets the empty text where the app says null. */
  async withoutAnyInPreact() {
    const root = main.appendChild(document.createElement("div"));
    const show = async (properties) => {
      render(h("ai-chat-usage-meter", { client: null, store: null, usage: null, strings: null, ...properties }), root);
      await pass(1_000);
      return text(root.firstChild, ".share") + text(root.firstChild, ".message");
    };
    return [await show({}), await show({ usage: usage({ share: 0.3 }) }), await show({ client, "company-id": ID }), await show({})];
  },

  /** The widths, in pixels, at which the digits of a large figure are torn apart. */
  async tornFigures() {
    const torn = [];
    for (const variant of ["bar", "ring", "compact"]) {
      const meter = add({ variant, usage: usage({ tokensUsed: 1_234_567_890, tokenLimit: 2_147_483_647 }) }, { locale: "en" });
      await settled();
      const limit = rangeOf(at(meter, ".figures").lastChild, /\d\S*\d/);
      main.style.wordBreak = "break-all";
      for (const size of [14, 16, 18]) {
        for (let width = 120; width <= 480; width += 4) {
          meter.style.cssText = `font: ${size}px sans-serif; inline-size: ${width}px`;
          const lines = [at(meter, ".figures strong"), limit].map((figure) => figure.getClientRects().length);
          if (Math.max(...lines) > 1) torn.push(`${variant}, ${size}px, ${width}`);
        }
      }
    }
    return torn;
  },

  /** Where an extension of the browser has put its styles into the meter: whether its elements and the focus stay. */
  async besideOtherStyles() {
    const meter = add({ store: storeOf(STATES["stale, no network"]) });
    await settled();
    const styles = document.createElement("style");
    meter.shadowRoot.prepend(styles);
    const nodes = [at(meter, ".base"), at(meter, "[role=status]"), at(meter, ".retry")];
    nodes[2].focus();
    meter.store.set(STATES["stale, quota"]);
    await settled();
    const isSame = nodes[0] === at(meter, ".base") && nodes[1] === at(meter, "[role=status]");
    return [isSame, meter.shadowRoot.activeElement === nodes[2], meter.shadowRoot.firstChild === styles, meter.shadowRoot.querySelectorAll(".box").length];
  },

  /** What an element that is not in the page yet shows of a usage once its company has changed. */
  async companyBeforeThePage() {
    const meter = Object.assign(document.createElement("ai-chat-usage-meter"), { companyId: ID, usage: usage({ companyId: ID, share: 0.3 }) });
    await settled();
    meter.companyId = OTHER;
    main.append(meter);
    await settled();
    return text(meter, ".share");
  },

  /** The events where the browser refuses the names of states, as Chromium 124 does. */
  async withoutStates() {
    const { add: adds } = CustomStateSet.prototype;
    CustomStateSet.prototype.add = () => {
      throw new DOMException("The specified value must start with '--'.", "SyntaxError");
    };
    try {
      const store = storeOf(STATES.ok);
      const meter = add({ store });
      const log = logOf(meter);
      for (const name of ["warning", "stale, no network", "ok"]) {
        store.set(STATES[name]);
        await settled();
      }
      return log.map(({ status }) => status);
    } finally {
      CustomStateSet.prototype.add = adds;
    }
  },

  /** A server-rendered page before any property is set. */
  rendered() {
    const meter = document.querySelector("#rendered");
    return { share: text(meter, ".share"), asOf: text(meter, ".as-of"), updatedAt: meter.state.updatedAt, level: meter.matches(":state(warning)"), styles: meter.shadowRoot.querySelectorAll("style, link").length, border: getComputedStyle(at(meter, ".base")).borderTopWidth };
  },
  async renderedThen() {
    const meter = document.querySelector("#rendered");
    const nodes = [at(meter, ".base"), at(meter, ".fill")];
    const { updatedAt } = meter.state;
    const log = logOf(meter);
    fake.set(ID, [{ kind: "network" }, { share: 0.83 }, { share: 0.83 }, { share: 0.9 }]);
    meter.client = client;
    await pass(1_000);
    const seen = [text(meter, ".share"), text(meter, ".message"), text(meter, ".as-of").slice(0, 5), meter.state.updatedAt === updatedAt];
    await meter.refresh();
    seen.push(text(meter, ".share"), text(meter, ".message"), meter.state.updatedAt === updatedAt);
    await meter.refresh();
    await meter.refresh();
    seen.push(text(meter, ".share"));
    return { seen, events: log.map(({ status, share }) => `${status} ${share}`), isSame: nodes[0] === at(meter, ".base") && nodes[1] === at(meter, ".fill") };
  },

  /** A page rendered for one company that switches to another. */
  async renderedForAnother() {
    const meter = document.querySelector("#rendered");
    const seen = [text(meter, ".share")];
    meter.companyId = OTHER;
    await settled();
    return [...seen, text(meter, ".share")];
  },

  violations: () => violations,
};

window.act = async (name, argument) => {
  if (!["violations", "rendered", "shown"].includes(name)) await begin();
  return tests[name](argument);
};
document.title = "ready";
