// Classes 1 and 2: a limit covers everything that a call waits for; a promise given as an option is observed at once.
import { COMPANIES, client, each, failure, holds, never, pause, replaced, reply, same, unheard } from "./rows.mjs";

const slimClient = (slim, wasm, options) =>
  new slim.BookMoreClient({ wasm, baseUrl: "https://api.example", fetch: async () => reply(), ...options });

const hanging = () => new Response(new ReadableStream(), { headers: { "content-type": "application/wasm" } });

/** The global fetch, which slim takes the module by, replaced. */
const fetchingBy = (fetch, run) => replaced(globalThis, { fetch }, run);

const HANGING_MODULES = [
  ["a URL", () => "https://cdn.example/sdk.wasm"],
  ["a URL object", () => new URL("https://cdn.example/sdk.wasm")],
  ["a Response whose body never ends", hanging],
  ["a promise", never],
  ["a promise of a Response whose body never ends", async () => hanging()],
  ["a function as Vite's ?init", () => never],
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
  "a load as old as a call's limit is superseded, its signal aborted": async ({ slim, bytes }) => {
    const signals = [];
    const fetch = (_, { signal }) => (signals.push(signal), signals.length === 1 ? never() : Promise.resolve(new Response(bytes)));
    await fetchingBy(fetch, async () => {
      const own = slimClient(slim, "https://cdn.example/sdk.wasm", { totalTimeoutMs: 80 });
      same((await failure(own.getAiChatUsage())).code, "timeout");
      same((await own.getAiChatUsage()).tokensUsed, 5);
      same(signals.map(({ aborted }) => aborted), [true, false]);
    });
  },
  "who waits longer gets what came after the superseded load": async ({ slim, bytes }) => {
    let asked = 0;
    const fetch = (_, { signal }) =>
      asked++ === 0
        ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
        : Promise.resolve(new Response(bytes));
    await fetchingBy(fetch, async () => {
      const own = slimClient(slim, "https://cdn.example/sdk.wasm", { totalTimeoutMs: null });
      const patient = own.getAiChatUsage();
      await pause(60);
      same((await own.getAiChatUsage({ companyId: COMPANIES[0] }, { totalTimeoutMs: 50 })).tokensUsed, 5);
      same((await patient).tokensUsed, 5);
      same(asked, 2);
    });
  },
  "calls without a limit share one load": async ({ slim, bytes }) => {
    let asked = 0;
    await fetchingBy(async () => (asked++, await pause(20), new Response(bytes)), async () => {
      const own = slimClient(slim, "https://cdn.example/sdk.wasm", { totalTimeoutMs: null });
      await Promise.all([own.ready(), own.getAiChatUsage(), own.getAiChatUsage({ companyId: COMPANIES[0] })]);
      same(asked, 1);
    });
  },
  "a provider whose first answer never comes is asked anew by later calls": async ({ sdk }) => {
    const told = [];
    const bearerToken = ({ signal }) => (told.push(signal), told.length === 1 ? never() : "t0ken");
    const own = client(sdk, async () => reply(), { bearerToken, totalTimeoutMs: 150 });
    const ids = Array.from({ length: 10 }, (_, at) => COMPANIES[0].replace(/.$/, at));
    const outcomes = [];
    for (const companyId of ids) {
      outcomes.push(own.getAiChatUsage({ companyId }).then(() => "usage", ({ code }) => code));
      await pause(40);
    }
    const all = await Promise.all(outcomes);
    holds(all.at(-1) === "usage" && all.filter((one) => one === "usage").length >= 5, all.join());
    holds(told.length >= 2 && told[0].aborted, `asked ${told.length} times`);
  },
  "a limit covers a body that never ends": async ({ sdk }) => {
    const fetch = async () => new Response(new ReadableStream(), { headers: { "content-type": "application/json" } });
    const error = await failure(client(sdk, fetch, { totalTimeoutMs: 60 }).getAiChatUsage());
    same([error.code, error.phase, error.scope], ["timeout", "body", "total"]);
  },
  "a limit covers text() that never ends": async ({ sdk }) => {
    const error = await failure(client(sdk, async () => ({ status: 200, text: never }), { totalTimeoutMs: 60 }).getAiChatUsage());
    same([error.code, error.phase], ["timeout", "body"]);
  },

  ...each(
    "a promise that has failed before the first call fails that call, and nothing else",
    [
      ["with an Error", () => Promise.reject(new Error("no such file")), /no such file/],
      ["with words", () => Promise.reject("gone"), /gone/],
      ["with nothing", () => Promise.reject(undefined), /failed/],
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
    "what fails when nobody waits any more is heard by somebody",
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
};
