// Timeouts cover everything that a call waits for, and a promise passed as an option never causes an unhandled rejection.
import { COMPANIES, client, each, failure, holds, never, pause, replaced, reply, same, scripted, unheard } from "./rows.mjs";

const slimClient = (slim, wasm, options) =>
  new slim.BookMoreClient({ wasm, baseUrl: "https://api.example", fetch: async () => reply(), ...options });

const hanging = () => new Response(new ReadableStream(), { headers: { "content-type": "application/wasm" } });

/** Replaces the global fetch, with which slim loads the module. */
const fetchingBy = (fetch, run) => replaced(globalThis, { fetch }, run);

const HANGING_MODULES = [
  ["a URL", () => "https://cdn.example/sdk.wasm"],
  ["a URL object", () => new URL("https://cdn.example/sdk.wasm")],
  ["a Response whose body never ends", hanging],
  ["a promise", never],
  ["a promise of a Response whose body never ends", async () => hanging()],
  ["a function such as Vite's ?init", () => never],
];

export const LIMITS = {
  ...each("a module that never comes is a TimeoutError", HANGING_MODULES, ({ slim }, [, make]) =>
    fetchingBy(never, async () => {
      const error = await failure(slimClient(slim, make(), { totalTimeoutMs: 60 }).getAiChatUsage());
      same([error.code, error.phase, error.scope, error.timeoutMs], ["timeout", "module", "total", 60]);
    }),
  ),
  ...each("an abort ends the wait for a module", HANGING_MODULES, ({ slim }, [, make]) =>
    fetchingBy(never, async () => {
      const controller = new AbortController();
      const failed = failure(slimClient(slim, make(), { totalTimeoutMs: null }).getAiChatUsage({}, { signal: controller.signal }));
      await pause(5);
      controller.abort("left");
      same(await failed, "left");
    }),
  ),
  "a module whose compilation blocks the thread past the timeout is a TimeoutError, too": async ({ slim, bytes }) => {
    const wasm = async (imports) => {
      const { instance } = await WebAssembly.instantiate(bytes, imports);
      for (const end = performance.now() + 60; performance.now() < end; );
      return instance;
    };
    const error = await failure(slimClient(slim, wasm, { totalTimeoutMs: 50 }).getAiChatUsage());
    same([error.code, error.phase, error.scope, error.timeoutMs], ["timeout", "module", "total", 50]);
  },
  "a load as old as a call's timeout is replaced, and its signal aborts": async ({ slim, bytes }) => {
    const signals = [];
    const fetch = (_, { signal }) => (signals.push(signal), signals.length === 1 ? never() : Promise.resolve(new Response(bytes)));
    await fetchingBy(fetch, async () => {
      const own = slimClient(slim, "https://cdn.example/sdk.wasm", { totalTimeoutMs: 500 });
      same((await failure(own.getAiChatUsage())).code, "timeout");
      same((await own.getAiChatUsage()).tokensUsed, 5);
      same(signals.map(({ aborted }) => aborted), [true, false]);
    });
  },
  "calls that wait longer get the module of the new load": async ({ slim, bytes }) => {
    let asked = 0;
    const fetch = (_, { signal }) =>
      asked++ === 0
        ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
        : Promise.resolve(new Response(bytes));
    await fetchingBy(fetch, async () => {
      const own = slimClient(slim, "https://cdn.example/sdk.wasm", { totalTimeoutMs: null });
      const patient = own.getAiChatUsage();
      await pause(550);
      same((await own.getAiChatUsage({ companyId: COMPANIES[0] }, { totalTimeoutMs: 500 })).tokensUsed, 5);
      same((await patient).tokensUsed, 5);
      same(asked, 2);
    });
  },
  "calls without a timeout share one load": async ({ slim, bytes }) => {
    let asked = 0;
    await fetchingBy(async () => (asked++, await pause(20), new Response(bytes)), async () => {
      const own = slimClient(slim, "https://cdn.example/sdk.wasm", { totalTimeoutMs: null });
      await Promise.all([own.ready(), own.getAiChatUsage(), own.getAiChatUsage({ companyId: COMPANIES[0] })]);
      same(asked, 1);
    });
  },
  "the timeout covers a body that never ends": async ({ sdk }) => {
    const fetch = async () => new Response(new ReadableStream(), { headers: { "content-type": "application/json" } });
    const error = await failure(client(sdk, fetch, { totalTimeoutMs: 1_000 }).getAiChatUsage());
    same([error.code, error.phase, error.scope], ["timeout", "body", "total"]);
  },
  "the timeout covers a text() that never ends": async ({ sdk }) => {
    const error = await failure(client(sdk, async () => ({ status: 200, text: never }), { totalTimeoutMs: 1_000 }).getAiChatUsage());
    same([error.code, error.phase], ["timeout", "body"]);
  },

  ...each(
    "a promise that was rejected before the first call fails only that call",
    [
      ["with an Error", () => Promise.reject(new Error("no such file")), /no such file/],
      ["with words", () => Promise.reject("gone"), /gone/],
      ["with nothing", () => Promise.reject(undefined), /was rejected/],
      ["a thenable", () => ({ then: (_, reject) => reject(new Error("no such file")) }), /no such file/],
      ["later", () => pause(5).then(() => Promise.reject(new Error("late"))), /late/],
      ["an async function's", () => (async () => { throw new TypeError("broken"); })(), /broken/],
    ],
    async ({ slim }, [, make, words]) => {
      let own;
      same(await unheard(async () => { own = slimClient(slim, make()); await pause(20); }), []);
      const errors = [await failure(own.getAiChatUsage()), await failure(own.getAiChatUsage()), await failure(own.ready())];
      for (const error of errors) {
        holds(error instanceof slim.ConfigError, String(error));
        holds(words.test(error.message) && /pass the module/.test(error.message), error.message);
      }
      holds(errors[0] !== errors[2], "each has an error of its own");
    },
  ),
  ...each(
    "what fails after everybody has left causes no unhandled rejection",
    [
      ["a provider", (sdk, late) => client(sdk, async () => reply(), { bearerToken: late, totalTimeoutMs: 20 })],
      ["a fetch", (sdk, late) => client(sdk, late, { totalTimeoutMs: 20 })],
      ["a listener", (sdk, late) => client(sdk, never, { onEvent: late, totalTimeoutMs: 20 })],
      ["text()", (sdk, late) => client(sdk, async () => ({ status: 200, text: late }), { totalTimeoutMs: 20 })],
      ["cancel()", (sdk, late) => client(sdk, async () => ({ status: 200, body: { getReader: () => ({ read: never, cancel: late }) } }), { totalTimeoutMs: 20 })],
    ],
    async ({ sdk }, [, make]) => {
      const late = () => pause(40).then(() => Promise.reject(new Error("late")));
      same(await unheard(async () => { same((await failure(make(sdk, late).getAiChatUsage())).code, "timeout"); await pause(60); }), []);
    },
  ),
  ...each(
    "leaves no timer behind", // angular/angular#38795
    [
      ["a usage", async () => reply()],
      ["an error", async () => reply("", 404)],
      ["a network that is down", async () => { throw new TypeError("Failed to fetch"); }, { maxRetries: 1 }],
      ["a fault of the fetch", async () => { throw new Error("x"); }],
      ["control flow", async () => { throw new Response(); }],
      ["no Response", async () => 5],
      ["no time for a retry", async () => reply("", 429, { "retry-after": "50" }), { totalTimeoutMs: 20 }],
      ["a limit", never, { totalTimeoutMs: 20 }],
      ["an abort", never, {}, () => { const controller = new AbortController(); setTimeout(() => controller.abort(), 20); return { signal: controller.signal }; }],
      ["a provider that fails", never, { bearerToken: async () => { throw new Error("x"); } }],
    ],
    async ({ sdk }, [, fetch, options, call = () => ({})]) => {
      const own = client(sdk, fetch, options);
      await own.ready();
      const open = new Set();
      const { setTimeout: start, clearTimeout: stop } = globalThis;
      const timers = {
        setTimeout: (run, ...given) => { const id = start(() => (open.delete(id), run()), ...given); return open.add(id), id; },
        clearTimeout: (id) => { open.delete(id); stop(id); },
      };
      await replaced(globalThis, timers, () => own.getAiChatUsage({}, call()).catch(() => {}));
      same(open.size, 0, "timers:");
    },
  ),
  "many calls with one signal leave no listener behind": async ({ sdk }) => { // nodejs/undici#5285
    const { signal } = new AbortController();
    const listeners = new Set();
    for (const [name, note] of [["addEventListener", "add"], ["removeEventListener", "delete"]]) {
      signal[name] = (type, listener, ...rest) => { listeners[note](listener); EventTarget.prototype[name].call(signal, type, listener, ...rest); };
    }
    const own = client(sdk, async () => reply());
    const failing = client(sdk, async () => reply("", 404));
    for (let count = 0; count < 20; count++) {
      await Promise.all([own.getAiChatUsage({}, { signal }), own.getAiChatUsage({}, { signal }), failure(failing.getAiChatUsage({}, { signal }))]);
    }
    same(listeners.size, 0, "listeners:");
  },
  ...each(
    "a Retry-After that makes no sense neither hurries nor stops a retry", // anomalyco/opencode#41424
    [["retry-after", "-1"], ["retry-after-ms", "-1"], ["retry-after", "NaN"], ["retry-after", "1e309"], ["retry-after", ""], ["retry-after-ms", "Infinity"], ["retry-after", "Wed, 21 Oct 2015 07:28:00 GMT"]].map(([name, value]) => [`${name}: ${value}`, { [name]: value }]),
    async ({ sdk }, [, headers]) => {
      const waits = [];
      const fetch = scripted(async () => reply("", 503, headers), async () => reply());
      const own = client(sdk, fetch, { onEvent: (event) => event.type === "retry" && waits.push(event.waitMs) });
      same((await own.getAiChatUsage()).tokensUsed, 5);
      holds(waits.length === 1 && waits[0] >= 200 && waits[0] < 2000, `waits: ${waits}`);
    },
  ),
};
