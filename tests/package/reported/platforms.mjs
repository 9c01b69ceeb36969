// Objects of other realms, old signals, mocked clocks and random numbers, prerendering, and stack traces.
import { COMPANIES, USAGE, client, each, failure, holds, never, otherRealm, pause, replaced, reply, same, scripted } from "./rows.mjs";

const BUSY = async () => reply("", 503);

/** Like npm's abort-controller 3, which React Native bundles: without reason and throwIfAborted. */
function oldController() {
  const target = new EventTarget();
  const signal = Object.assign(target, { aborted: false, onabort: null });
  return {
    signal,
    abort() {
      signal.aborted = true;
      signal.dispatchEvent(new Event("abort"));
    },
  };
}

const OLD_SIGNALS = [
  ["abort-controller 3", oldController], // react/react-native#50015
  ["a signal without removeEventListener", () => {
    const listeners = [];
    const signal = { aborted: false, addEventListener: (_, listener) => listeners.push(listener) };
    return { signal, abort: () => { signal.aborted = true; listeners.forEach((listener) => listener({ type: "abort" })); } };
  }],
  ["a signal whose reason is undefined", () => {
    const controller = new AbortController();
    Object.defineProperty(controller.signal, "reason", { value: undefined });
    return { signal: controller.signal, abort: () => controller.abort() };
  }],
  ["a signal without throwIfAborted", () => { // sindresorhus/ky#588
    const controller = new AbortController();
    Object.defineProperty(controller.signal, "throwIfAborted", { value: undefined });
    return { signal: controller.signal, abort: () => controller.abort() };
  }],
  ["another realm's signal", async () => {
    const { AbortController: Foreign } = await otherRealm();
    return new (Foreign ?? AbortController)();
  }],
];

const isAbort = (thrown) => thrown?.name === "AbortError";

/** Clocks and random numbers as tests and mocks leave them. */
const NUMBERS = [
  ["Math.random gives NaN", Math, { random: () => NaN }],
  ["Math.random gives nothing", Math, { random: () => undefined }],
  ["Math.random gives 1", Math, { random: () => 1 }],
  ["Math.random gives 0", Math, { random: () => 0 }],
  ["Math.random gives a negative number", Math, { random: () => -1 }],
  ["Math.random gives infinity", Math, { random: () => Infinity }],
  ["Date.now stands still", Date, { now: () => 1_700_000_000_000 }],
  ["Date.now gives nothing", Date, { now: () => undefined }],
  ["Date.now jumps back", Date, { now: ((at) => () => (at -= 60_000))(1_700_000_000_000) }],
  ["Date.now gives NaN", Date, { now: () => NaN }],
  ["performance.now jumps back", globalThis.performance, { now: ((at) => () => (at -= 1000))(1e9) }],
  ["performance.now gives NaN", globalThis.performance, { now: () => NaN }],
  ["performance.now stands still", globalThis.performance, { now: () => 5 }],
];

/** Counts reads of the clock and of random numbers before `fetch` has been called. */
async function looksBefore(run) {
  let looks;
  // The timer of another row's client, such as one whose provider hangs, may look meanwhile: what a call does itself it
  // does each time.
  for (let turn = 0; turn < 3 && looks?.length !== 0; turn++) looks = await looksOnceBefore(run);
  return looks;
}

async function looksOnceBefore(run) {
  const looks = [];
  let hasSent = false;
  const look = (name, value) => (...given) => {
    if (!hasSent) looks.push(name);
    return value(...given);
  };
  const { Date: RealDate } = globalThis;
  const FakeDate = new Proxy(RealDate, {
    construct: (target, given, own) => {
      if (given.length === 0 && !hasSent) looks.push("new Date()");
      return Reflect.construct(target, given, own);
    },
    get: (target, name, own) => (name === "now" ? look("Date.now()", RealDate.now) : Reflect.get(target, name, own)),
  });
  const fetch = async () => ((hasSent = true), reply());
  await replaced(Math, { random: look("Math.random()", Math.random) }, () => replaced(globalThis, { Date: FakeDate }, () => run(fetch)));
  return looks;
}

export const PLATFORMS = {
  "another realm's Date tells when a token ends": async ({ sdk }) => {
    const { Date: Foreign } = await otherRealm();
    let asked = 0;
    const bearerToken = () => ({ token: `t0ken${asked++}`, expiresAt: new Foreign(Date.now() + 3_600_000) });
    const own = client(sdk, async () => reply(), { bearerToken });
    await own.getAiChatUsage();
    await own.getAiChatUsage({ companyId: COMPANIES[0] });
    same(asked, 1);
  },
  "another realm's objects are options, headers and lists": async ({ sdk }) => {
    const { Object: ForeignObject, Map: ForeignMap, Array: ForeignArray } = await otherRealm();
    const fetch = scripted(async () => reply());
    const options = Object.assign(new ForeignObject(), { baseUrl: "https://api.example", fetch });
    const own = new sdk.BookMoreClient(options);
    const pair = ForeignArray.from(["x-tag", "one"]);
    await own.getAiChatUsage(new ForeignObject(), { headers: new ForeignMap([["x-tag", "one"]]) });
    await own.getAiChatUsage({}, { headers: ForeignArray.from([pair]) });
    same(fetch.inits.map(({ headers }) => headers["x-tag"]), ["one", "one"]);
  },
  "another realm's URL is a base URL": async ({ sdk }) => {
    const { URL: Foreign = URL } = await otherRealm();
    let url;
    await new sdk.BookMoreClient({ baseUrl: new Foreign("https://api.example/v2/"), fetch: async (to) => ((url = to), reply()) }).getAiChatUsage();
    same(url, "https://api.example/v2/assistant/ai-chat/usage");
  },
  "another realm's bytes are a body": async ({ sdk }) => {
    const { Uint8Array: Foreign } = await otherRealm();
    const bytes = () => Foreign.from(USAGE, (character) => character.charCodeAt(0));
    for (const response of [
      { status: 200, arrayBuffer: async () => bytes().buffer },
      { status: 200, arrayBuffer: async () => bytes() },
      { status: 200, body: new ReadableStream({ start: (stream) => (stream.enqueue(bytes()), stream.close()) }) },
    ]) {
      same((await client(sdk, async () => response).getAiChatUsage()).tokensUsed, 5);
    }
  },
  "another realm's errors are the network's, and its causes are kept": async ({ sdk }) => {
    const { TypeError: Foreign, Error: ForeignError } = await otherRealm();
    const lost = new Foreign("Failed to fetch");
    const error = await failure(client(sdk, () => Promise.reject(lost), { maxRetries: 0 }).getAiChatUsage());
    holds(error.code === "network_error" && error.cause === lost, String(error.cause));
    const own = new ForeignError("no session");
    const other = await failure(client(sdk, () => Promise.reject(own)).getAiChatUsage());
    holds(other.code === "fetch_error" && other.cause === own, String(other.cause));
  },
  "another realm's DOMException is the network's": async ({ sdk }) => {
    const { DOMException: Foreign } = await otherRealm();
    if (!Foreign) return;
    const fetch = scripted(() => Promise.reject(new Foreign("cut off", "NetworkError")));
    const error = await failure(client(sdk, fetch, { maxRetries: 1 }).getAiChatUsage());
    same([error.code, fetch.inits.length], ["network_error", 2]);
  },
  "another realm's promise is waited for": async ({ sdk }) => {
    const { Promise: Foreign } = await otherRealm();
    const own = client(sdk, () => Foreign.resolve(reply()), { bearerToken: () => Foreign.resolve("t0ken") });
    same((await own.getAiChatUsage()).tokensUsed, 5);
  },

  ...each("an abort never rejects with undefined", OLD_SIGNALS, async ({ sdk }, [, make]) => {
    for (const [options, at] of [[{ fetch: never }, 5], [{ fetch: BUSY }, 30], [{ fetch: never, bearerToken: never }, 5], [{ fetch: never }, -1]]) {
      const { signal, abort } = await (async () => { const made = await make(); return { signal: made.signal, abort: () => made.abort() }; })();
      if (at < 0) abort();
      const failed = failure(new sdk.BookMoreClient({ baseUrl: "https://api.example", ...options }).getAiChatUsage({}, { signal }));
      if (at >= 0) await pause(at), abort();
      const thrown = await Promise.race([failed, pause(2000)]);
      holds(isAbort(thrown), String(thrown));
    }
  }),
  ...each("a limit is a TimeoutError beside a signal of old make", OLD_SIGNALS, async ({ sdk }, [, make]) => {
    const { signal } = await make();
    const error = await failure(client(sdk, never, { totalTimeoutMs: 30 }).getAiChatUsage({}, { signal }));
    holds(error instanceof sdk.TimeoutError, String(error));
  }),
  "limits need neither AbortSignal.any nor AbortSignal.timeout": ({ sdk }) =>
    replaced(AbortSignal, { any: undefined, timeout: undefined }, () =>
      replaced(AbortSignal.prototype, { reason: undefined, throwIfAborted: undefined }, async () => {
        const { signal } = new AbortController();
        for (const options of [{ totalTimeoutMs: 30 }, { attemptTimeoutMs: 30, maxRetries: 0 }]) {
          const error = await failure(client(sdk, never, options).getAiChatUsage({}, { signal }));
          holds(error instanceof sdk.TimeoutError, String(error));
        }
      }),
    ),

  ...each("every limit ends", NUMBERS, ({ sdk }, [, of, members]) =>
    replaced(of, members, async () => {
      const ends = [];
      for (const [fetch, options] of [
        [never, { totalTimeoutMs: 40 }],
        [never, { attemptTimeoutMs: 20, maxRetries: 1 }],
        [BUSY, { totalTimeoutMs: 400, maxRetries: 5 }],
        [async () => new Response(new ReadableStream()), { attemptTimeoutMs: 20, maxRetries: 0 }],
        [async () => reply(), { totalTimeoutMs: 40, bearerToken: never }],
      ]) {
        ends.push(Promise.race([failure(client(sdk, fetch, options).getAiChatUsage()), pause(8000)]));
      }
      for (const error of await Promise.all(ends)) holds(sdk.isBookMoreError(error), `it is ${String(error)}`);
      same((await client(sdk, scripted(BUSY, async () => reply())).getAiChatUsage()).tokensUsed, 5);
    }),
  ),

  ...each(
    "nothing undetermined is looked at before the first fetch",
    [
      ["a token", { bearerToken: "t0ken" }], // code-hike/lighter#51
      ["a provider", { bearerToken: async () => "t0ken" }], // c15t/c15t#1107
      ["a key and headers", { apiKey: "key", headers: { "x-tag": "a" }, format: "jsonl" }],
      ["a listener", { onEvent: () => {} }],
      ["no limits", { attemptTimeoutMs: null, totalTimeoutMs: null, maxRetries: 0 }], // gilbarbara/react-inlinesvg#253
    ],
    async ({ slim, bytes }, [, options]) => {
      const looks = await looksBefore((fetch) =>
        new slim.BookMoreClient({ wasm: bytes, baseUrl: "https://api.example", fetch, ...options }).getAiChatUsage({ companyId: COMPANIES[0] }),
      );
      same(looks, []);
    },
  ),
  // As Next renders a page twice with a client of the module.
  "a later call looks at nothing before its own fetch": async ({ sdk }) => {
    let send = async () => reply();
    const own = client(sdk, (...given) => send(...given), { bearerToken: async () => "t0ken" });
    await own.getAiChatUsage();
    own.setBearerToken(async () => "new");
    const looks = await looksBefore((fetch) => ((send = fetch), own.getAiChatUsage()));
    same(looks, []);
  },
  "the clock is looked at where a token tells its end": async ({ sdk }) => {
    const looks = await looksBefore((fetch) =>
      client(sdk, fetch, { bearerToken: () => ({ token: "t0ken", expiresAt: 4e12 }) }).getAiChatUsage(),
    );
    holds(looks.includes("Date.now()") && !looks.includes("Math.random()"), looks.join());
  },

  ...each(
    "the caller's function stands in the stack",
    [
      ["of a ConfigError", ({ sdk }) => client(sdk, never).getAiChatUsage({ companyId: "abc" })],
      ["of an ApiError", ({ sdk }) => client(sdk, async () => reply("", 404)).getAiChatUsage()],
      ["of a NetworkError", ({ sdk }) => client(sdk, () => Promise.reject(new TypeError("Failed to fetch")), { maxRetries: 1 }).getAiChatUsage()],
      ["of a FetchError", ({ sdk }) => client(sdk, () => { throw new Error("x"); }).getAiChatUsage()],
      ["of a TimeoutError", ({ sdk }) => client(sdk, never, { totalTimeoutMs: 20 }).getAiChatUsageWithResponse()],
      ["of a TokenProviderError", ({ sdk }) => client(sdk, never, { bearerToken: () => { throw new Error("x"); } }).getAiChatUsage()],
      ["of a DecodeError", ({ sdk }) => client(sdk, async () => reply("{}")).getAiChatUsageWithResponse()],
      ["of a module's ConfigError", ({ slim }) => new slim.BookMoreClient({ wasm: {} }).getAiChatUsage()],
      ["of ready()", ({ slim }) => new slim.BookMoreClient({ wasm: {} }).ready()],
    ],
    async (context, [, run]) => {
      const stackOf = async (call) => {
        async function loadTheDashboard() {
          await pause(0);
          return await call();
        }
        return (await failure(loadTheDashboard())).stack ?? "";
      };
      // As far as the platform has it for what fails behind an await.
      const usual = await stackOf(async () => { await pause(0); throw new Error("usual"); });
      if (usual.includes("loadTheDashboard")) holds((await stackOf(() => run(context))).includes("loadTheDashboard"), await stackOf(() => run(context)));
    },
  ),
  "each of the callers that share a request stands in the stack of his own error": async ({ sdk }) => {
    const own = client(sdk, async () => (await pause(10), reply("", 404)));
    const errors = [];
    async function firstCaller() { try { await own.getAiChatUsage(); } catch (error) { errors.push(["firstCaller", error]); } }
    async function secondCaller() { try { await own.getAiChatUsage(); } catch (error) { errors.push(["secondCaller", error]); } }
    await Promise.all([firstCaller(), secondCaller()]);
    holds(errors[0][1] !== errors[1][1], "each has an error of its own");
    async function usual() { try { await (async () => { await pause(0); throw new Error("x"); })(); } catch (error) { return error.stack; } }
    // As far as the platform has it: V8 follows what is awaited.
    const stack = await usual();
    if (stack.includes("usual") && /\n {4}at /.test(stack)) for (const [name, { stack }] of errors) holds(stack.includes(name), stack);
  },
};
