// The functions that ../watch-browser.test.mjs calls in a page: apps of the three frameworks with the fake API and fake
// timers. Everything else, such as hiding the page, is done by the browser.
import FakeTimers from "@sinonjs/fake-timers";
import { StrictMode, createElement, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot, hydrateRoot } from "react-dom/client";
import { renderToString } from "react-dom/server";
import { createFakeBookMore, usage } from "bookmore-sdk/testing";
import { BookMoreProvider, useAiChatUsage } from "bookmore-sdk/react";
import { provideBookMore, useAiChatUsage as useVueUsage } from "bookmore-sdk/vue";
import { watchAiChatUsage } from "bookmore-sdk/watch";
import { createApp, createSSRApp, h, KeepAlive, ref } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";
import { hydrate, mount as mountSvelte, unmount as unmountSvelte, flushSync as flushSvelte } from "svelte";
import SvelteUsage from "./usage.svelte";
import SvelteLate from "./late.svelte";
import ServerLate from "./late.svelte?server";
import SvelteSwitch from "./switch.svelte";
import ServerUsage from "./usage.svelte?server";
import { render as renderSvelte } from "svelte/server";

const ID = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
const OTHER = "11111111-2222-3333-4444-555555555555";
const SECOND = 1_000;
const OPTIONS = { intervalMs: 5_000, idleIntervalMs: 5_000 };
const initialUsage = usage({ companyId: ID, share: 0.83 });

const complaints = [];
for (const name of ["error", "warn"]) console[name] = (...words) => complaints.push(words.join(" "));

/** The module's memories, and the listeners left on page and document. */
const memories = [];
const { instantiate } = WebAssembly;
WebAssembly.instantiate = async (...given) => {
  const made = await instantiate(...given);
  memories.push(...Object.values((made.instance ?? made).exports).filter((value) => value instanceof WebAssembly.Memory));
  return made;
};
let listeners = 0;
for (const target of [window, document]) {
  const { addEventListener, removeEventListener } = target;
  const isOurs = (name) => ["visibilitychange", "online", "offline", "pageshow"].includes(name);
  target.addEventListener = (name, ...rest) => ((listeners += isOurs(name)), addEventListener.call(target, name, ...rest));
  target.removeEventListener = (name, ...rest) => ((listeners -= isOurs(name)), removeEventListener.call(target, name, ...rest));
}

const real = { setTimeout };
let clock, fake, client;
const pass = async (ms) => {
  await clock.tickAsync(ms);
  // React and Vue have their own schedulers.
  await new Promise((resolve) => real.setTimeout.call(window, resolve, 20));
};
const requests = () => fake.requests.length;
const place = () => document.body.appendChild(document.createElement("main"));

async function begin() {
  clock?.uninstall();
  document.body.replaceChildren();
  complaints.length = 0;
  fake = createFakeBookMore();
  fake.set(ID, { share: 0.5 });
  client = fake.client();
  await client.ready();
  clock = FakeTimers.install({ shouldClearNativeTimers: true, toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] });
  Math.random = () => 0.5;
}

function Usage({ request = { companyId: ID }, options = OPTIONS }) {
  const { status, share, level } = useAiChatUsage(request, options);
  return <p>{`${status} ${share} ${level}`}</p>;
}
const react = (children) => <StrictMode><BookMoreProvider client={client}>{children}</BookMoreProvider></StrictMode>;

const tests = {
  async manyComponents() {
    const main = place();
    const root = createRoot(main);
    const count = 50;
    flushSync(() => root.render(react(Array.from({ length: count }, (_, at) => <Usage key={at} />))));
    await pass(SECOND);
    const atMount = requests();
    const shown = [...main.children].filter(({ textContent }) => textContent === "ok 0.5 ok").length;
    await pass(20 * SECOND);
    const after20 = requests();
    flushSync(() => root.render(react(null)));
    await pass(60 * SECOND);
    return { atMount, shown, after20, left: requests() };
  },

  async manyMounts(count) {
    const root = createRoot(place());
    for (let at = 0; at < count; at += 100) {
      flushSync(() => root.render(react(Array.from({ length: 100 }, (_, of) => <Usage key={at + of} />))));
      await clock.tickAsync(10);
    }
    root.unmount();
    await pass(2 * SECOND);
    return { requests: requests(), listeners, timers: clock.countTimers(), bytes: memories.at(-1).buffer.byteLength };
  },

  /** When requests are sent, in seconds, and the store's last state. */
  async failures() {
    const told = {};
    for (const [name, answers, time] of [
      ["403", { status: 403 }, 600],
      ["503", [{ status: 503, times: 3 }, { share: 0.5 }], 82],
      ["Retry-After", [{ status: 429, retryAfter: 60 }, { share: 0.5 }], 62],
    ]) {
      await begin();
      fake.set(ID, answers);
      const store = watchAiChatUsage(client, { companyId: ID }, OPTIONS);
      const leave = store.subscribe(() => {});
      const start = Date.now();
      await pass(time * SECOND);
      told[name] = { seconds: fake.requests.map(({ at }) => Math.round((at - start) / 1_000)), status: store.getSnapshot().status };
      leave();
    }
    return told;
  },
  async thresholds() {
    const told = [];
    const store = watchAiChatUsage(client, { companyId: ID }, { ...OPTIONS, onThreshold: ({ threshold }) => told.push(threshold) });
    fake.set(ID, { share: 0.79 });
    store.subscribe(() => {});
    await pass(SECOND);
    for (const share of [0.96, 0.7, 0.85]) {
      fake.set(ID, { share });
      await pass(5 * SECOND);
    }
    return told;
  },

  // Between two of these the test hides and shows the page.
  async listen() {
    const store = watchAiChatUsage(client, { companyId: ID }, OPTIONS);
    store.subscribe(() => {});
    await pass(SECOND);
    return requests();
  },
  async pass(ms) {
    await pass(ms);
    return { requests: requests(), visibility: document.visibilityState };
  },
  async toggle(events) {
    for (let time = 0; time < 20; time++) {
      for (const event of events) {
        if (event === "hidden" || event === "visible") {
          Object.defineProperty(document, "visibilityState", { value: event, configurable: true });
          document.dispatchEvent(new Event("visibilitychange"));
        } else {
          window.dispatchEvent(new Event(event));
        }
        await clock.tickAsync(10);
      }
    }
    delete document.visibilityState;
    await pass(SECOND);
    return requests();
  },
  async backForward() {
    await pass(SECOND);
    window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    await pass(SECOND);
    return requests();
  },
  focusIsNothing() {
    for (const name of ["focus", "blur", "focus"]) window.dispatchEvent(new Event(name));
    return pass(SECOND).then(requests);
  },

  async reactHydrates() {
    const app = react(<Usage options={{ ...OPTIONS, initialUsage }} />);
    const main = place();
    main.innerHTML = renderToString(app);
    const html = main.textContent;
    const onServer = requests();
    // Another part of the page already has a newer usage; the late one must start with the server's.
    const early = createRoot(place());
    flushSync(() => early.render(react(<Usage />)));
    await pass(SECOND);
    const recovered = [];
    hydrateRoot(main, app, { onRecoverableError: (error) => recovered.push(error.message) });
    await pass(SECOND);
    // React hydrates when it has time, which a busy machine gives it late.
    for (let turns = 0; turns < 250 && main.textContent === html; turns++) await pass(0);
    return { html, onServer, shown: main.textContent, recovered, requests: requests(), complaints };
  },
  async reactFollows() {
    fake.set(OTHER, { share: 0.7 });
    let show;
    const thresholds = [];
    function App() {
      const [request, set] = useState(null);
      show = set;
      // A new object in each render is not a new request.
      return <Usage request={request && { ...request }} options={{ ...OPTIONS, thresholds: [0.6], onThreshold: ({ threshold }) => thresholds.push(threshold) }} />;
    }
    const main = place();
    const root = createRoot(main);
    flushSync(() => root.render(react(<App />)));
    await pass(SECOND);
    const texts = [main.textContent];
    for (const companyId of [ID, OTHER]) {
      flushSync(() => show({ companyId }));
      await pass(SECOND);
      texts.push(main.textContent);
    }
    return { texts, thresholds, requests: requests() };
  },
  /** An app that collects a history of its usages, and passes it in each render. */
  async reactKeepsHistory() {
    const thresholds = [];
    function App() {
      const [history, setHistory] = useState([]);
      const { usage, updatedAt, trend } = useAiChatUsage({ companyId: ID }, { ...OPTIONS, history, onThreshold: ({ threshold }) => thresholds.push(threshold) });
      const last = history.at(-1);
      if (usage && updatedAt && updatedAt !== last?.at) setHistory([...history, { at: updatedAt, tokensUsed: usage.tokensUsed }]);
      return <p>{`${history.length} ${trend?.spanMs > 0}`}</p>;
    }
    const main = place();
    flushSync(() => createRoot(main).render(react(<App />)));
    for (const share of [0.85, 0.86, 0.87]) {
      fake.set(ID, { share });
      await pass(5 * SECOND);
    }
    return { thresholds, text: main.textContent };
  },
  async reactWithoutProvider() {
    const caught = [];
    const root = createRoot(place(), { onUncaughtError: (error) => caught.push(`${error.code}: ${error.message}`) });
    flushSync(() => root.render(<Usage />));
    return caught;
  },

  async vue() {
    const request = ref({ companyId: ID });
    fake.set(OTHER, { share: 0.7 });
    const Inner = {
      setup() {
        const { state } = useVueUsage(request, { ...OPTIONS, initialUsage });
        return () => h("p", `${state.value.status} ${state.value.share}`);
      },
    };
    const App = { setup: () => (provideBookMore(client), () => [h(Inner), h(Inner)]) };
    const html = await renderVue(createSSRApp(App));
    const onServer = requests();
    const main = place();
    main.innerHTML = html;
    const app = createSSRApp(App);
    app.mount(main);
    await pass(SECOND);
    const texts = [html.replaceAll(/<.*?>/g, ""), main.textContent];
    const one = requests();
    request.value = { companyId: OTHER };
    await pass(SECOND);
    texts.push(main.textContent);
    app.unmount();
    await pass(60 * SECOND);
    return { texts, onServer, one, left: requests(), complaints };
  },

  /** A refresh in the task in which the request changes, and an invalid request. */
  async vueChanges() {
    const request = ref({ companyId: ID });
    fake.set(OTHER, { share: 0.7 });
    let usage;
    const Inner = { setup: () => ((usage = useVueUsage(request, { ...OPTIONS, client })), () => h("p", `${usage.state.value.status} ${usage.state.value.share}`)) };
    const main = place();
    const app = createApp(Inner);
    const caught = [];
    app.config.errorHandler = ({ code }) => caught.push(code);
    app.mount(main);
    await pass(SECOND);
    request.value = { companyId: OTHER };
    const [refreshed] = await Promise.all([usage.refresh(), pass(SECOND)]);
    const texts = [main.textContent];
    const asked = requests();
    request.value = { companyId: 5 };
    await pass(20 * SECOND);
    texts.push(main.textContent);
    // Not awaited, as in a click handler.
    const refused = await usage.refresh().catch(({ code }) => code);
    const idle = requests() - asked;
    request.value = { companyId: ID };
    await pass(SECOND);
    texts.push(main.textContent);
    app.unmount();
    return { of: refreshed.companyId, texts, caught, idle, refused };
  },

  /** Each framework: an invalid request after the logged-in user's own. */
  async refusedLater() {
    fake.set(undefined, { share: 0.9 });
    const codes = [];
    for (const refused of [ID, { companyID: ID }, { companyId: null }, 0, ""]) {
      let show;
      function App() {
        const [request, set] = useState(undefined);
        show = set;
        return <p>{useAiChatUsage(request, OPTIONS).status}</p>;
      }
      const root = createRoot(place(), { onUncaughtError: ({ code }) => codes.push(code) });
      flushSync(() => root.render(<BookMoreProvider client={client}><App /></BookMoreProvider>));
      await pass(SECOND);
      flushSync(() => show(refused));
      root.unmount();

      const request = ref(undefined);
      const app = createApp({ setup: () => (useVueUsage(request, { ...OPTIONS, client }), () => h("p")) });
      app.config.errorHandler = ({ code }) => codes.push(code);
      app.mount(place());
      request.value = refused;
      await pass(SECOND);
      app.unmount();

      const svelte = mountSvelte(SvelteSwitch, { target: place(), props: { client, companyId: undefined, options: OPTIONS } });
      svelte.show(refused && refused.companyId === null ? null : { toString: () => "no id" });
      try {
        flushSvelte();
      } catch ({ code }) {
        codes.push(code);
      }
      unmountSvelte(svelte);
    }
    return codes;
  },

  async vueKeepsAlive() {
    const request = ref({ companyId: ID });
    const isShown = ref(true);
    fake.set(OTHER, { share: 0.7 });
    const Inner = {
      setup() {
        const { state } = useVueUsage(request, OPTIONS);
        return () => h("p", `${state.value.status} ${state.value.share}`);
      },
    };
    const App = { setup: () => (provideBookMore(client), () => h(KeepAlive, () => (isShown.value ? h(Inner) : h("i")))) };
    const main = place();
    createApp(App).mount(main);
    await pass(SECOND);
    const counts = [requests()];
    isShown.value = false;
    await pass(10 * SECOND);
    request.value = { companyId: OTHER };
    await pass(30 * SECOND);
    counts.push(requests());
    isShown.value = true;
    await pass(SECOND);
    return { counts: [...counts, requests()], text: main.textContent, complaints };
  },

  /** Each framework: the first company's usage, during and after the request for the next one. */
  async anotherCompany() {
    clock.setSystemTime(Date.UTC(2026, 0));
    const { companyId, ...unnamed } = initialUsage;
    const week = [9, 6, 3].map((days) => ({ at: Date.now() - days * 86_400_000, tokensUsed: 40_000 - days * 1_000 }));
    const options = { ...OPTIONS, initialUsage: unnamed, history: week };
    fake.set(OTHER, { kind: "slow", delayMs: 2 * SECOND });
    const text = ({ status, share, trend }) => `${status} ${share} ${trend?.spanMs > 86_400_000}`;

    let show;
    const Shown = ({ companyId }) => <p>{text(useAiChatUsage({ companyId }, options))}</p>;
    function App() {
      const [companyId, set] = useState(ID);
      show = set;
      return <Shown companyId={companyId} />;
    }
    const reactMain = place();
    flushSync(() => createRoot(reactMain).render(react(<App />)));

    const request = ref({ companyId: ID });
    const vueMain = place();
    const Inner = {
      setup() {
        const { state } = useVueUsage(request, { ...options, client });
        return () => h("p", text(state.value));
      },
    };
    createApp(Inner).mount(vueMain);

    const svelteMain = place();
    const svelte = mountSvelte(SvelteSwitch, { target: svelteMain, props: { client, companyId: ID, options, text } });

    const seen = [];
    const look = async (ms) => {
      flushSvelte();
      await pass(ms);
      flushSvelte();
      seen.push([reactMain, vueMain, svelteMain].map(({ textContent }) => textContent));
    };
    await look(SECOND);
    flushSync(() => show(OTHER));
    request.value = { companyId: OTHER };
    svelte.show(OTHER);
    await look(SECOND);
    await look(4 * SECOND);
    return seen;
  },

  // Each framework: twenty companies in a second; the last one is shown.
  async quickChanges() {
    const ids = Array.from({ length: 20 }, (_, at) => `00000000-0000-4000-8000-${String(at + 1).padStart(12, "0")}`);
    ids.forEach((id, at) => fake.set(id, [{ kind: "slow", delayMs: 500 - 20 * at }, { share: at / 100 }]));
    const texts = {};

    let show;
    function App() {
      const [companyId, set] = useState(ids[0]);
      show = set;
      return <Usage request={{ companyId }} />;
    }
    const reactMain = place();
    flushSync(() => createRoot(reactMain).render(react(<App />)));

    const companyId = ref(ids[0]);
    const vueMain = place();
    const Inner = {
      setup() {
        const { state } = useVueUsage(() => ({ companyId: companyId.value }), { ...OPTIONS, client });
        return () => h("p", `${state.value.status} ${state.value.share}`);
      },
    };
    createApp(Inner).mount(vueMain);

    const svelteMain = place();
    const svelte = mountSvelte(SvelteSwitch, { target: svelteMain, props: { client, companyId: ids[0], options: OPTIONS } });

    for (const id of ids) {
      flushSync(() => show(id));
      companyId.value = id;
      svelte.show(id);
      flushSvelte();
      await pass(50);
    }
    await pass(10 * SECOND);
    flushSvelte();
    const before = requests();
    await pass(5 * SECOND);
    return { texts: [reactMain, vueMain, svelteMain].map(({ textContent }) => textContent), perInterval: requests() - before, complaints };
  },

  /** An island that is hydrated when another one already has the usage. */
  async svelteIsLate() {
    const props = { client, request: { companyId: ID }, options: OPTIONS };
    const { body } = renderSvelte(ServerLate, { props });
    const early = place();
    mountSvelte(SvelteUsage, { target: early, props });
    flushSvelte();
    await pass(SECOND);
    const main = place();
    main.innerHTML = body;
    const html = main.textContent.trim();
    hydrate(SvelteLate, { target: main, props });
    await pass(10);
    // Created in the page, it has the known usage at once.
    const fresh = place();
    mountSvelte(SvelteLate, { target: fresh, props });
    flushSvelte();
    await Promise.resolve();
    flushSvelte();
    return { html, texts: [early, main, fresh].map(({ textContent }) => textContent.trim()), requests: requests(), complaints };
  },

  async svelte() {
    const props = { client, request: { companyId: ID }, options: { ...OPTIONS, initialUsage } };
    const { body } = renderSvelte(ServerUsage, { props });
    const onServer = requests();
    const main = place();
    main.innerHTML = body;
    const hydrated = hydrate(SvelteUsage, { target: main, props });
    const other = mountSvelte(SvelteUsage, { target: place(), props });
    flushSvelte();
    await pass(SECOND);
    flushSvelte();
    const texts = [body.replaceAll(/<.*?>/g, ""), ...[...document.querySelectorAll("main")].map(({ textContent }) => textContent)];
    const one = requests();
    await pass(10 * SECOND);
    const later = requests();
    await unmountSvelte(hydrated);
    await unmountSvelte(other);
    await pass(60 * SECOND);
    return { texts, onServer, one, later, left: requests(), complaints };
  },
};

window.act = async (name, argument) => {
  if (name !== "pass" && name !== "toggle" && name !== "backForward" && name !== "focusIsNothing") await begin();
  return tests[name](argument);
};
document.title = "ready";
