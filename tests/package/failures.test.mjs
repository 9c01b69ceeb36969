// Invalid input, invalid replies, aborts and traps: each has a typed error with a
// sentence, and leaves nothing behind.
import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { pathToFileURL } from "node:url";
import { startServer } from "../server/server.mjs";
import { install } from "./installed.mjs";
import { trapping } from "./trap.mjs";

const USAGE =
  '{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}';
let user, server, sdk, fresh;

before(async () => {
  user = install();
  server = await startServer();
  const url = pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/index.cjs"));
  // A fresh module for each test that breaks something.
  fresh = async () => {
    const { createRequire } = await import("node:module");
    const require = createRequire(url);
    const path = require.resolve(url.pathname);
    delete require.cache[path];
    return require(path);
  };
  sdk = await fresh();
});
after(async () => {
  await server?.close();
  user?.remove();
});

const json = (body, init) => async () =>
  new Response(body, { headers: { "content-type": "application/json" }, ...init });

async function failure(call) {
  try {
    await call();
  } catch (error) {
    return error;
  }
  assert.fail("it succeeded");
}

/** [what, the call, class, code, sentence] */
const failures = [
  ["an empty company id", () => client().getAiChatUsage({ companyId: "" }),
    "ConfigError", "config_error", "The company id is empty; leave it out to ask for the caller's own company."],
  ["a blank company id", () => client().getAiChatUsage({ companyId: " \t" }),
    "ConfigError", "config_error", "The company id is empty; leave it out to ask for the caller's own company."],
  ["a company id that is not a Guid", () => client().getAiChatUsage({ companyId: "abc" }),
    "ConfigError", "config_error", "The company id is not a Guid; pass it as 32 hexadecimal digits, with or without dashes."],
  ["a company id that is not a string", () => client().getAiChatUsage({ companyId: null }),
    "ConfigError", "config_error", "companyId must be a string."],
  ["a request that is not an object", () => client().getAiChatUsage("abc"),
    "ConfigError", "config_error", "The request must be an object."],
  ["a bad base URL", () => client({ baseUrl: "ftp://api.example" }),
    "ConfigError", "config_error", "baseUrl must be an http(s) URL without user name, query, fragment or broken escapes, such as https://api.bookmore.com."],
  ["a newline in the token", () => client({ bearerToken: "a\nb" }),
    "ConfigError", "config_error", "bearerToken must be a string of visible ASCII characters, without spaces or line breaks, and without the word Bearer, or a function that gives one."],
  ["a promise of a token", () => client({ bearerToken: Promise.resolve("t0ken") }),
    "ConfigError", "config_error", "bearerToken must be a string of visible ASCII characters, without spaces or line breaks, and without the word Bearer, or a function that gives one."],
  ["a newline in the token of a function", () => client({ bearerToken: () => "a\nb" }).getAiChatUsage(),
    "TokenProviderError", "token_provider_error", "The bearerToken function must give a token alone, without the word Bearer: a string of visible ASCII characters, without spaces or line breaks; or { token, expiresAt } with such a token; or null to send none."],
  ["a token function that throws", () => client({ bearerToken: () => { throw new Error("no session"); } }).getAiChatUsage(),
    "TokenProviderError", "token_provider_error", "The bearerToken function failed; its error is the cause."],
  ["a token function that returns a number", () => client({ bearerToken: async () => 5 }).getAiChatUsage(),
    "TokenProviderError", "token_provider_error", "The bearerToken function must give a token alone, without the word Bearer: a string of visible ASCII characters, without spaces or line breaks; or { token, expiresAt } with such a token; or null to send none."],
  ["a token function that returns an invalid expiresAt", () => client({ bearerToken: async () => ({ token: "t0ken", expiresAt: "soon" }) }).getAiChatUsage(),
    "TokenProviderError", "token_provider_error", "expiresAt must be a Date, or a number of milliseconds since 1970."],
  ["a token over plain http", () => client({ baseUrl: "http://api.example", bearerToken: "t0ken" }),
    "ConfigError", "config_error", "A token or an API key must not go over plain http; use an https baseUrl, or allowInsecureHttp."],
  ["an API key over plain http", () => client({ baseUrl: "http://127.0.0.1.example", apiKey: "key" }),
    "ConfigError", "config_error", "A token or an API key must not go over plain http; use an https baseUrl, or allowInsecureHttp."],
  ["a token set later, over plain http", () => client({ baseUrl: "http://api.example" }).setBearerToken("t0ken"),
    "ConfigError", "config_error", "A token or an API key must not go over plain http; use an https baseUrl, or allowInsecureHttp."],
  ...[0, 1.5, -1, 2 ** 31, NaN, Infinity, "10"].map((ms) =>
    [`a timeout of ${JSON.stringify(ms)}`, () => client({ attemptTimeoutMs: ms }),
      "ConfigError", "config_error", "attemptTimeoutMs must be an integer from 1 to 2147483647, or null for no limit."]),
  ["a total timeout of 0", () => client().getAiChatUsage({}, { totalTimeoutMs: 0 }),
    "ConfigError", "config_error", "totalTimeoutMs must be an integer from 1 to 2147483647, or null for no limit."],
  ["eleven retries", () => client({ maxRetries: 11 }),
    "ConfigError", "config_error", "maxRetries must be an integer from 0 to 10."],
  ["a listener that is not a function", () => client({ onEvent: "log" }),
    "ConfigError", "config_error", "onEvent must be a function."],
  ["a header that the SDK sets", () => client().getAiChatUsage({}, { headers: { Accept: "text/html" } }),
    "ConfigError", "config_error", "The header Accept cannot be set here; use the SDK's options."],
  ["a header that would turn it into a POST", () => client().getAiChatUsage({}, { headers: { "X-HTTP-Method-Override": "POST" } }),
    "ConfigError", "config_error", "The header X-HTTP-Method-Override cannot be set here; use the SDK's options."],
  ["a base URL that is not a string", () => client({ baseUrl: 5 }),
    "ConfigError", "config_error", "baseUrl must be an http(s) URL without user name, query, fragment or broken escapes, such as https://api.bookmore.com."],
  ["a base URL with an impossible host", () => client({ baseUrl: "http://1.2.3.256" }),
    "ConfigError", "config_error", "baseUrl must be an http(s) URL without user name, query, fragment or broken escapes, such as https://api.bookmore.com."],
  ["a thrown message that quotes the token", () => client({ bearerToken: "t0ken-s3cret", fetch: async (_, init) => { throw new Error(JSON.stringify(init)); } }).getAiChatUsage(),
    "FetchError", "fetch_error", /^The fetch function failed by itself: .*"Authorization":"Bearer \[REDACTED\]".*\. Its error is the cause/],
  ["a mock with json() only", () => client({ fetch: async () => ({ ok: true, status: 200, json: async () => ({}) }) }).getAiChatUsage(),
    "ConfigError", "config_error", "The fetch function returned an object with neither body nor arrayBuffer() nor text(); return an unread Response, as fetch does, or an object like one with status, headers and a body."],
  ["headers that are not pairs", () => client({ headers: [1] }),
    "ConfigError", "config_error", "headers must be an object, or iterate as pairs of a name and a value."],
  ["a header name that is not a string", () => client({ headers: new Map([[1, "x"]]) }),
    "ConfigError", "config_error", "headers must be an object, or iterate as pairs of a name and a value."],
  ["a header value that is not a string", () => client({ headers: { "X-A": 5 } }),
    "ConfigError", "config_error", 'headers["X-A"] must be a string.'],
  ["an unknown format", () => client({ format: "xml" }),
    "ConfigError", "config_error", 'format must be "json" or "jsonl".'],
  ["an HTML reply", () => client({ fetch: json("<html>", { headers: { "content-type": "text/html" } }) }).getAiChatUsage(),
    "UnexpectedResponseError", "unexpected_response", "The server answered with text/html instead of JSON, perhaps a login page. Check the base URL and the credentials."],
  ["a truncated reply", () => client({ fetch: json(USAGE.slice(0, 40)) }).getAiChatUsage(),
    "DecodeError", "decode_error", "The reply cannot be read as a usage: the text ends too early (at byte 40)."],
  ["2^53 + 1", () => client({ fetch: json(USAGE.replace("5", "9007199254740993")) }).getAiChatUsage(),
    "DecodeError", "decode_error", "The reply cannot be read as a usage: tokensUsed: the number is beyond 2^53 - 1, a JavaScript number cannot hold it exactly (at byte 14)."],
  ["no server", () => client({ baseUrl: "http://127.0.0.1:9" , fetch: undefined }).getAiChatUsage(),
    "NetworkError", "network_error", /^No reply came from http:\/\/127\.0\.0\.1:9\/assistant\/ai-chat\/usage: fetch failed.*\. Check the network and the base URL\. A browser also says this of a reply without CORS headers, such as a proxy's 401 or 429; bookmore-sdk\/diagnose tells which it is\.$/],
  ["another company's usage", () => client({ fetch: json(USAGE.replace("{", '{"companyId":"3fa85f6457174562b3fc2c963f66afa6",')) }).getAiChatUsage({ companyId: "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c" }),
    "UnexpectedResponseError", "company_mismatch", "The server answered for company 3fa85f6457174562b3fc2c963f66afa6 although company 9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c was asked for. Check that the credentials give access to it."],
  ["an empty 401", () => client({ fetch: json("", { status: 401, headers: {} }) }).getAiChatUsage(),
    "AuthenticationError", "authentication_error", "The server refused the request (401) without saying why. Pass a valid bearer token or API key."],
  ["a signal that is not one", () => client().getAiChatUsage({}, { signal: "stop" }),
    "ConfigError", "config_error", "signal must be an AbortSignal."],
];

function client(options) {
  const refuse = () => assert.fail("nothing may be sent");
  return new sdk.BookMoreClient({ baseUrl: "https://api.example", fetch: refuse, maxRetries: 0, ...options });
}

for (const [what, call, name, code, sentence] of failures) {
  it(`${what} is a ${name}`, async () => {
    const error = await failure(call);
    if (typeof sentence === "string") assert.equal(error.message, sentence);
    else assert.match(error.message, sentence);
    assert.deepEqual([error.name, error.code], [name, code]);
    assert.ok(error instanceof sdk[name] && error instanceof sdk.BookMoreError);
  });
}

it("accepts 2^53 - 1", async () => {
  const fetch = json(USAGE.replace("5", "9007199254740991"));
  assert.equal((await client({ fetch }).getAiChatUsage()).tokensUsed, Number.MAX_SAFE_INTEGER);
});

it("recognises clients and errors of another copy of the package", async () => {
  const other = await fresh();
  const stranger = new other.BookMoreClient({ fetch: json("", { status: 404 }) });
  const error = await failure(() => stranger.getAiChatUsage());
  assert.ok(!(error instanceof sdk.BookMoreError) && !(stranger instanceof sdk.BookMoreClient));
  assert.ok(sdk.isBookMoreError(error) && sdk.isBookMoreClient(stranger));
  for (const value of [null, undefined, {}, new Error("x"), "words", stranger, () => {}]) assert.ok(!sdk.isBookMoreError(value));
  for (const value of [null, {}, error]) assert.ok(!sdk.isBookMoreClient(value));
});

it("keeps the original error as the cause", async () => {
  const thrown = new TypeError("Failed to fetch");
  const error = await failure(() => client({ fetch: () => Promise.reject(thrown) }).getAiChatUsage());
  assert.equal(error.cause, thrown);
});

const listeners = (signal) => getEventListeners(signal, "abort").length;

it("an aborted signal rejects with its reason and sends nothing", async () => {
  const reason = { any: "value" };
  const signal = AbortSignal.abort(reason);
  assert.equal(await failure(() => client().getAiChatUsage({}, { signal })), reason);
});

for (const [phase, fetch] of [
  ["in flight", (_, { signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))],
  ["in flight, when fetch ignores it", () => new Promise(() => {})],
  ["while the body is read", async (_, { signal }) =>
    new Response(new ReadableStream({ start: (stream) => signal.addEventListener("abort", () => stream.error(signal.reason)) }), {
      headers: { "content-type": "application/json" },
    })],
]) {
  it(`an abort ${phase} rejects with the reason, aborts the request and leaves no listener`, async () => {
    const controller = new AbortController();
    let inner;
    const call = client({ fetch: (url, init) => { inner = init.signal; return fetch(url, init); } })
      .getAiChatUsage({}, { signal: controller.signal });
    const failed = failure(() => call);
    await new Promise((resolve) => setTimeout(resolve, 30));
    assert.equal(inner.aborted, false);
    assert.notEqual(inner, controller.signal);
    const reason = new Error("left the page");
    controller.abort(reason);
    assert.equal(await failed, reason);
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(inner.aborted, true);
    assert.equal(listeners(controller.signal), 0);
  });
}

it("a finished call leaves no listener and does not abort its request", async () => {
  const { signal } = new AbortController();
  let inner;
  const fetch = (_, init) => ((inner = init.signal), json(USAGE)());
  await client({ fetch }).getAiChatUsage({}, { signal });
  assert.equal(listeners(signal), 0);
  assert.equal(inner.aborted, false);
});

it("a trap rejects the calls of its instance and the next call gets a fresh one", async () => {
  let traps = false;
  const restore = trapping("core_body", () => traps);
  try {
    const { BookMoreClient, InternalError } = await fresh();
    let answer;
    const replies = [new Promise((resolve) => (answer = resolve)), json(USAGE)(), json(USAGE)()];
    const client = new BookMoreClient({ fetch: () => replies.shift() });
    const pending = failure(() => client.getAiChatUsage());
    await new Promise((resolve) => setTimeout(resolve, 50));
    traps = true;
    const trapped = await failure(() => client.getAiChatUsage({}, { coalesce: false }));
    traps = false;
    answer(await json(USAGE)());
    for (const error of [await pending, trapped]) {
      assert.ok(error instanceof InternalError, String(error));
      assert.equal(error.code, "internal_error");
      assert.match(error.message, /^The SDK stopped because of an internal fault/);
      assert.ok(error.cause instanceof WebAssembly.RuntimeError);
    }
    assert.equal((await client.getAiChatUsage()).tokensUsed, 5);
  } finally {
    restore();
  }
});

it("says what to do if WebAssembly is missing or forbidden", async () => {
  const { BookMoreClient } = await fresh();
  const restore = compilingBy({
    Module: function () {
      throw new WebAssembly.CompileError("blocked by CSP");
    },
  });
  const client = new BookMoreClient({ fetch: json(USAGE) });
  const refused = await failure(() => client.ready());
  restore();
  assert.deepEqual([refused.name, refused.code], ["RuntimeUnsupportedError", "runtime_unsupported"]);
  assert.match(refused.message, /add 'wasm-unsafe-eval' to its script-src, or import bookmore-sdk\/no-wasm instead\.$/);
  // The failure is forgotten.
  await client.ready();
  assert.equal((await client.getAiChatUsage()).tokensUsed, 5);
});

it("compiles asynchronously if a page may compile only small modules synchronously", async () => {
  const { BookMoreClient } = await fresh();
  const { Module, compile } = WebAssembly;
  const came = [];
  const restore = compilingBy({
    Module: function (bytes) {
      if (bytes.length <= 4096) return new Module(bytes);
      came.push("at once");
      throw new RangeError("WebAssembly.Compile is disallowed on the main thread, if the buffer size is larger than 4KB.");
    },
    compile: (bytes) => (came.push("elsewhere"), compile(bytes)),
  });
  try {
    const client = new BookMoreClient({ fetch: json(USAGE) });
    assert.equal((await client.getAiChatUsage()).tokensUsed, 5);
    assert.deepEqual(came, ["at once", "elsewhere"]);
  } finally {
    restore();
  }
});

it("a module that has been loaded takes none of a call's time", async () => {
  const { BookMoreClient } = await fresh();
  const client = new BookMoreClient({ fetch: json(USAGE) });
  await client.ready();
  const call = client.getAiChatUsage({}, { totalTimeoutMs: 1 });
  // As on a busy machine.
  for (const started = performance.now(); performance.now() - started < 5; );
  // Whether it succeeds is another matter.
  assert.notEqual((await call.catch((error) => error)).phase, "module");
});

it("a module begins where its buffer does, since some polyfills read it from there", async () => {
  const { BookMoreClient } = await fresh();
  const { Module } = WebAssembly;
  const offsets = [];
  const restore = compilingBy({ Module: function (bytes) { return offsets.push(bytes.byteOffset), new Module(bytes); } });
  try {
    assert.equal((await new BookMoreClient({ fetch: json(USAGE) }).getAiChatUsage()).tokensUsed, 5);
    assert.deepEqual(offsets, [0, 0]);
  } finally {
    restore();
  }
});

/** Replaces functions of WebAssembly. Returns a function that restores them. */
function compilingBy(functions) {
  const before = Object.fromEntries(Object.keys(functions).map((name) => [name, WebAssembly[name]]));
  // The script checks whether something is a module.
  if (functions.Module) functions.Module.prototype = WebAssembly.Module.prototype;
  Object.assign(WebAssembly, functions);
  return () => Object.assign(WebAssembly, before);
}
