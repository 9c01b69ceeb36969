// Calls with hostile surroundings: callbacks that throw, odd replies, useless tokens, replaced globals.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { install } from "./installed.mjs";

const TOKEN = "t0ken-s3cret-9f2c7b1a";
const USAGE = '{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}';

let user, sdk, slim, entryOf;
before(() => {
  user = install();
  const require = createRequire(join(user.folder, "user.cjs"));
  sdk = require("bookmore-sdk");
  entryOf = (name) => require(`bookmore-sdk/${name}`);
  slim = entryOf("slim");
});
after(() => user?.remove());

const reply = (body = USAGE, status = 200, headers = {}) =>
  new Response(body, { status, headers: { "content-type": "application/json", ...headers } });
const failure = (promise) => promise.then((value) => assert.fail(`it gave ${JSON.stringify(value)}`), (error) => error);
const revoked = () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

it("a proxy trap that throws does no harm", async () => {
  for (const make of [revoked, () => new Proxy({}, { getPrototypeOf: () => { throw new Error("trap"); } })]) {
    let sends = 0;
    const client = new sdk.BookMoreClient({ fetch: async () => { sends++; throw make(); } });
    const error = await failure(client.getAiChatUsage());
    assert.deepEqual([error.code, sends], ["fetch_error", 1]);
    assert.equal(sdk.isBookMoreError(make()), false);
  }
});

it("an error that could reveal more than was inspected is not attached", async () => {
  class Holder extends Error {
    #init;
    constructor(init) {
      super("failed");
      this.#init = init;
    }
    get request() { return this.#init; }
    toJSON() { return this.#init; }
    [inspect.custom]() { return this.#init; }
  }
  const own = (init) => Object.assign(new Error("failed"), { toString: () => JSON.stringify(init) });
  for (const make of [(init) => new Holder(init), own]) {
    const client = new sdk.BookMoreClient({ bearerToken: TOKEN, fetch: async (_, init) => { throw make(init); } });
    const error = await failure(client.getAiChatUsage());
    const shown = [inspect(error), inspect(error.cause), JSON.stringify(error.cause), String(error.cause), inspect(error.cause.request)];
    assert.ok(!shown.join().includes(TOKEN), shown.join());
    assert.equal(error.cause.message, "failed");
  }
});

it("large causes take little time and memory", async () => {
  for (const data of [new Array(5e6), Object.fromEntries(Array.from({ length: 5e4 }, (_, at) => [at, at])), "x".repeat(2e7)]) {
    const client = new sdk.BookMoreClient({ fetch: async () => { throw Object.assign(new Error("x".repeat(1e6)), { data }); } });
    const error = await failure(client.getAiChatUsage());
    assert.ok(error.message.length < 20_000 && error.cause.message.length < 20_000);
    assert.equal(error.cause.data, undefined);
  }
});

it("a Response made of odd parts is read as text", async () => {
  const odd = [
    { status: 200, redirected: true, url: new URL("https://api.bookmore.com/x"), headers: new Headers(), text: async () => USAGE },
    { status: 200, headers: {}, text: async () => USAGE },
    { status: 200, headers: [["x-count", 5], ["x-forged", "a\nx-request-id: forged"]], text: async () => USAGE },
  ];
  for (const response of odd) {
    const { data, response: told } = await new sdk.BookMoreClient({ fetch: async () => response }).getAiChatUsageWithResponse();
    assert.equal(data.tokensUsed, 5);
    assert.equal(told.requestId, undefined);
  }
});

it("a secret with a percent sign is found however it is quoted", async () => {
  const apiKey = "key%with%25percent";
  for (const quoted of [apiKey, encodeURIComponent(apiKey)]) {
    const body = JSON.stringify({ ResponseStatus: { ErrorCode: "X", Message: `No: ${quoted}` } });
    const error = await failure(new sdk.BookMoreClient({ apiKey, fetch: async () => reply(body, 400) }).getAiChatUsage());
    assert.match(error.message, /No: \[REDACTED\]\.$/);
  }
});

it("a new user does not get what the server told the previous one", async () => {
  const words = JSON.stringify({ ResponseStatus: { ErrorCode: "TooMany", Message: "alice has used her share" } });
  let sends = 0;
  const fetch = async () => (sends++ === 0 ? reply(words, 429, { "retry-after": "30" }) : reply());
  const client = new sdk.BookMoreClient({ bearerToken: "alice-token", fetch, maxRetries: 0 });
  await failure(client.getAiChatUsage());
  assert.match((await failure(client.getAiChatUsage({}, { totalTimeoutMs: 5000 }))).message, /alice/);
  client.setBearerToken("bob-token");
  assert.equal((await client.getAiChatUsage({}, { totalTimeoutMs: 5000 })).tokensUsed, 5);
});

it("useless refreshes are not repeated", async () => {
  for (const renewed of [() => null, (asked) => `new-token-${asked}`]) {
    let forced = 0;
    let asked = 0;
    const bearerToken = ({ forceRefresh }) => (forceRefresh ? (forced++, renewed(++asked)) : "old-token");
    const client = new sdk.BookMoreClient({ bearerToken, fetch: async () => reply("", 401) });
    for (let call = 0; call < 20; call++) assert.equal((await failure(client.getAiChatUsage())).status, 401);
    assert.equal(forced, 1);
  }
});

it("headers in another order make equal calls", async () => {
  let sends = 0;
  const fetch = () => (sends++, new Promise((resolve) => setTimeout(() => resolve(reply()), 5)));
  const client = new sdk.BookMoreClient({ fetch });
  await Promise.all([{ "X-A": "1", "X-B": "2" }, { "x-b": "2", "x-a": "1" }].map((headers) => client.getAiChatUsage({}, { headers })));
  assert.equal(sends, 1);
});

it("expiresAt in another unit is refused", async () => {
  const now = Date.now();
  for (const [expiresAt, words] of [[3600, /seconds/], [now / 1000, /seconds/], [now * 1000, /finer unit/], [null, /must be a Date/], [true, /must be a Date/]]) {
    const client = new sdk.BookMoreClient({ bearerToken: () => ({ token: "t0ken", expiresAt }), fetch: async () => reply() });
    const error = await failure(client.getAiChatUsage());
    assert.equal(error.code, "token_provider_error");
    assert.match(error.message, words, String(expiresAt));
  }
});

it("no call reads the wall clock or a random number before it has sent its request", async () => {
  const client = new sdk.BookMoreClient({ bearerToken: async () => "t0ken", fetch: async () => (looked.push("fetch"), reply()) });
  let looked = [];
  const { now } = Date;
  const { random } = Math;
  Date.now = () => (looked.push("Date.now"), now());
  Math.random = () => (looked.push("Math.random"), random());
  try {
    for (let call = 0; call < 3; call++) {
      looked = [];
      await client.getAiChatUsage();
      assert.equal(looked[0], "fetch", `call ${call}`);
      looked = [];
      client.setBearerToken("other");
      client.setBearerToken(async () => "t0ken");
      assert.deepEqual(looked, []);
    }
  } finally {
    Object.assign(Date, { now });
    Object.assign(Math, { random });
  }
});

it("a clock that throws is a RuntimeUnsupportedError", async () => {
  const client = new sdk.BookMoreClient({ fetch: async () => reply() });
  await client.getAiChatUsage();
  const { now } = performance;
  Object.defineProperty(performance, "now", { configurable: true, writable: true, value: () => { throw new Error("no clock"); } });
  try {
    const error = await failure(client.getAiChatUsage());
    assert.deepEqual([error.code, error.cause.message], ["runtime_unsupported", "no clock"]);
  } finally {
    performance.now = now;
  }
  assert.equal((await client.getAiChatUsage()).tokensUsed, 5);
});

it("a timer that throws ends the call with a typed error, and the next one works", async () => {
  const client = new sdk.BookMoreClient({ fetch: async () => reply() });
  await client.ready();
  const { setTimeout } = globalThis;
  globalThis.setTimeout = () => { throw new Error("no timer"); };
  let error;
  try {
    error = await failure(client.getAiChatUsage());
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert.ok(sdk.isBookMoreError(error), inspect(error));
  assert.equal(error.cause.message, "no timer");
  assert.equal((await client.getAiChatUsage()).tokensUsed, 5);
});

it("an array is not accepted as options", async () => {
  const client = new sdk.BookMoreClient({ fetch: async () => reply() });
  assert.throws(() => new sdk.BookMoreClient([]), { code: "config_error" });
  assert.throws(() => client.setBearerToken("t0ken", []), { code: "config_error" });
  for (const given of [[[]], [{}, []]]) assert.equal((await failure(client.getAiChatUsage(...given))).code, "config_error");
});

it("each member is read once, so that the checked value is the one used", async () => {
  const ID = "5ca1ab1e-0000-4000-8000-000000000601";
  /** An object whose members have one value when first read, and another one later. */
  const flipping = (members) => {
    const object = {};
    for (const [name, [first, other]] of Object.entries(members)) {
      let reads = 0;
      Object.defineProperty(object, name, { enumerable: true, get: () => (reads++ ? other : first) });
    }
    return object;
  };
  const sent = [];
  const fetch = async (url, { headers }) => {
    sent.push(`${url} ${headers.Authorization}`);
    return Object.defineProperty(reply(USAGE.replace("{", `{"companyId":"${ID}",`)), "status", flippingStatus());
  };
  const flippingStatus = () => Object.getOwnPropertyDescriptor(flipping({ status: [200, 5n] }), "status");
  const other = new sdk.BookMoreClient({ fetch });
  const waiting = other.getAiChatUsage();
  const client = new sdk.BookMoreClient(flipping({ baseUrl: ["https://one.example", "https://two.example"], bearerToken: [TOKEN, 5], fetch: [fetch, 5] }));
  const { signal } = new AbortController();
  for (const companyId of [5, undefined]) {
    const usage = await client.getAiChatUsage(flipping({ companyId: [ID, companyId] }), flipping({ signal: [signal, 5], maxRetries: [0, "x"] }));
    assert.equal(usage.companyId, ID);
  }
  await waiting;
  assert.deepEqual(sent.slice(1), Array(2).fill(`https://one.example/assistant/ai-chat/usage?CompanyId=${ID} Bearer ${TOKEN}`));
});

it("an error of a getter, an iterator or a proxy is the cause of a ConfigError, in every entry", async () => {
  const thrown = new Error("not to be read");
  const fails = () => { throw thrown; };
  const getter = (name) => Object.defineProperty({}, name, { enumerable: true, get: fails });
  const refuses = async (sentence, run) => {
    const error = await failure((async () => run())());
    assert.equal(error.code, "config_error", `${sentence} ${error.stack}`);
    assert.equal(error.message, `${sentence} cannot be read: see the cause of this error.`);
    assert.equal(error.cause, thrown);
  };
  const client = new sdk.BookMoreClient({ fetch: async () => reply() });
  const proxy = new Proxy({}, { ownKeys: fails });
  for (const entry of [(options) => new sdk.BookMoreClient(options), (options) => new slim.BookMoreClient({ wasm: {}, ...Object(options) })]) {
    await refuses("headers", () => entry({ headers: { [Symbol.iterator]: fails } }));
    await refuses("baseUrl", () => entry({ baseUrl: { toString: fails } }));
  }
  await refuses("bearerToken", () => new sdk.BookMoreClient(getter("bearerToken")));
  await refuses("The options", () => new sdk.BookMoreClient(proxy));
  await refuses("wasm", () => new slim.BookMoreClient(getter("wasm")));
  await refuses("sameIdentity", () => client.setBearerToken("t0ken", getter("sameIdentity")));
  await refuses("companyId", () => client.getAiChatUsage(getter("companyId")));
  await refuses("maxRetries", () => client.getAiChatUsage({}, getter("maxRetries")));
  await refuses("signal", () => client.getAiChatUsageWithResponse({}, { signal: getter("addEventListener") }));
  await refuses("The request options", () => client.getAiChatUsage({}, proxy));
  const { getManyAiChatUsage } = entryOf("many");
  await refuses("rounds", () => getManyAiChatUsage(client, [], getter("rounds")));
  await refuses("companyIds", () => getManyAiChatUsage(client, getter(Symbol.iterator)));
  await refuses("client", () => getManyAiChatUsage(getter("getAiChatUsage"), []));
  const { watchAiChatUsage } = entryOf("watch");
  await refuses("intervalMs", () => watchAiChatUsage(client, {}, getter("intervalMs")));
  await refuses("companyId", () => watchAiChatUsage(client, getter("companyId")));
  await refuses("client", () => watchAiChatUsage(getter("getAiChatUsage")));
  await refuses("An option", () => watchAiChatUsage(client, {}, { initialUsage: getter("tokensUsed") }));
  const { diagnose } = entryOf("diagnose");
  await refuses("onStep", () => diagnose(client, {}, getter("onStep")));
  await refuses("client", () => diagnose(getter("getAiChatUsageWithResponse")));
});

it("a signal whose removeEventListener throws does no harm", async () => {
  const client = new sdk.BookMoreClient({ fetch: async () => reply() });
  const fails = () => { throw new Error("no listeners"); };
  for (const methods of [{ addEventListener() {} }, { addEventListener() {}, removeEventListener: fails }, { addEventListener: fails }]) {
    assert.equal((await client.getAiChatUsage({}, { signal: { aborted: false, ...methods } })).tokensUsed, 5);
  }
  // An unhandled rejection would end this process.
  await new Promise((resolve) => setTimeout(resolve));
});

it("an endless body of empty pieces is cancelled at the timeout", async () => {
  const endless = () => new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array(0)) });
  const client = new sdk.BookMoreClient({ fetch: async () => reply(endless()) });
  const { code, phase } = await failure(client.getAiChatUsage({}, { totalTimeoutMs: 50 }));
  assert.deepEqual([code, phase], ["timeout", "body"]);
});

it("a provider that calls setBearerToken whenever it runs ends with an error", async () => {
  let asked = 0;
  const provider = () => {
    if (++asked > 5_000) throw new Error("without end");
    client.setBearerToken(provider);
    return TOKEN;
  };
  const client = new sdk.BookMoreClient({ bearerToken: provider, fetch: async () => reply() });
  const { code, message } = await failure(client.getAiChatUsage({}, { totalTimeoutMs: null }));
  assert.equal(code, "token_provider_error");
  assert.match(message, /sets another one whenever it is asked/);
});

describe("timers", () => {
  let clock, timers;
  /** Timers and a clock that the test controls. */
  const start = (now) => {
    timers = new Map();
    clock = { now: 0, setTimeout: globalThis.setTimeout, clearTimeout: globalThis.clearTimeout };
    globalThis.setTimeout = (run, ms = 0) => timers.set(run, clock.now + ms) && run;
    globalThis.clearTimeout = (run) => timers.delete(run);
    Object.defineProperty(performance, "now", { configurable: true, value: now });
  };
  afterEach(() => {
    Object.assign(globalThis, { setTimeout: clock.setTimeout, clearTimeout: clock.clearTimeout });
    delete performance.now;
  });
  /** Runs the first timer, this many milliseconds early. */
  const step = async (early) => {
    const [run, at] = [...timers].sort(([, a], [, b]) => a - b)[0];
    timers.delete(run);
    clock.now = Math.max(clock.now, at - early);
    run();
    await new Promise(setImmediate);
  };
  const hanging = () => new sdk.BookMoreClient({ fetch: () => new Promise(() => {}) });

  it("that fire early do not move the clock", async () => {
    const client = hanging();
    await client.ready();
    start(() => clock.now);
    const long = failure(client.getAiChatUsage({}, { totalTimeoutMs: 5_000, attemptTimeoutMs: null, coalesce: false }));
    while (clock.now < 4_500) {
      const short = failure(client.getAiChatUsage({}, { totalTimeoutMs: 9, coalesce: false }));
      let isOver = false;
      short.then(() => (isOver = true));
      while (!isOver) await step(0.6);
    }
    while (timers.size > 0) await step(0.6);
    const { elapsedMs } = await long;
    assert.ok(elapsedMs >= 5_000 && clock.now >= 5_000, `${elapsedMs} ms by its own clock, ${clock.now} by the platform's`);
  });

  it("move the clock if the test fakes only timers", async () => {
    const client = hanging();
    await client.ready();
    start(() => 0);
    const over = failure(client.getAiChatUsage({}, { totalTimeoutMs: 10_000, attemptTimeoutMs: null }));
    await new Promise(setImmediate);
    await step(0);
    assert.equal((await over).elapsedMs, 10_000);
    assert.equal(timers.size, 0);
  });
});

it("recognises network failures in a hardened realm", () => {
  const script = `
    const { BookMoreClient } = require("bookmore-sdk");
    let sends = 0;
    const fetch = async () => {
      if (sends++ === 0) throw new TypeError("Failed to fetch");
      return new Response(${JSON.stringify(USAGE)}, { headers: { "content-type": "application/json" } });
    };
    new BookMoreClient({ fetch }).getAiChatUsage().then((usage) => console.log(usage.tokensUsed, sends), console.log);`;
  const args = ["--frozen-intrinsics", "--no-warnings", "-e", script];
  assert.equal(execFileSync(process.execPath, args, { cwd: user.folder, encoding: "utf8" }), "5 2\n");
});

it("a refused token that is set repeatedly is not sent repeatedly", async () => {
  let sends = 0;
  const client = new sdk.BookMoreClient({
    bearerToken: TOKEN,
    maxRetries: 0,
    fetch: async () => {
      client.setBearerToken(sends++ % 2 === 0 ? TOKEN : `another-${sends}`);
      return reply("{}", 401);
    },
  });
  assert.equal((await failure(client.getAiChatUsage())).code, "authentication_error");
  assert.equal(sends, 1);
  let count = 0;
  const rotating = new sdk.BookMoreClient({
    bearerToken: TOKEN,
    maxRetries: 0,
    fetch: async () => {
      rotating.setBearerToken(`another-token-${++count}`);
      return reply("{}", 401);
    },
  });
  assert.equal((await failure(rotating.getAiChatUsage())).code, "authentication_error");
  assert.ok(count > 1 && count < 20, `${count} requests`);
});

it("accepts an expiresAt that means never, or is long ago", async () => {
  for (const expiresAt of [new Date("9999-12-31T23:59:59Z"), new Date(0), -1]) {
    const client = new sdk.BookMoreClient({ bearerToken: () => ({ token: TOKEN, expiresAt }), fetch: async () => reply() });
    assert.equal((await client.getAiChatUsage()).tokensUsed, 5);
  }
});
