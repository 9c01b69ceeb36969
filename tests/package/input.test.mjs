// Arguments of clients and calls: unknown names, base URLs, headers, modules.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runInNewContext } from "node:vm";
import { install } from "./installed.mjs";

const BASES = JSON.parse(readFileSync(new URL("../fixtures/base-urls.json", import.meta.url), "utf8"));
const USAGE = '{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}';

let user, sdk, slim, sent;
before(() => {
  user = install();
  const require = createRequire(join(user.folder, "user.cjs"));
  sdk = require("bookmore-sdk");
  slim = require("bookmore-sdk/slim");
});
after(() => user?.remove());

/** A client whose requests are recorded in `sent`. */
function client(options) {
  sent = [];
  const fetch = async (url, init) => {
    sent.push({ url, ...init });
    return new Response(USAGE, { headers: { "content-type": "application/json" } });
  };
  return new sdk.BookMoreClient({ baseUrl: "https://api.example", fetch, ...options });
}

/** Asserts that `run` throws, or rejects with, a ConfigError with this message, and sends nothing. */
async function refuses(run, sentence) {
  sent = [];
  await assert.rejects(async () => run(), (error) => {
    assert.ok(error instanceof sdk.ConfigError || error instanceof slim.ConfigError, String(error));
    assert.equal(error.message, sentence);
    return true;
  });
  assert.deepEqual(sent, []);
}

describe("an unknown name", () => {
  for (const [name, meant] of [
    ["baseURL", "baseUrl"], ["BaseUrl", "baseUrl"], ["baseurl", "baseUrl"], ["url", "baseUrl"], ["token", "bearerToken"], ["cache", undefined],
    ["bearertoken", "bearerToken"], ["bearer_token", "bearerToken"], ["apikey", "apiKey"], ["header", "headers"],
    ["timeoutMs", "totalTimeoutMs"], ["maxRetry", "maxRetries"], ["onevent", "onEvent"], ["retryPaceing", "retryPacing"],
    ["signal", undefined], ["wasm", undefined],
  ]) {
    it(`is refused in a client: ${name}`, () => {
      const known = "baseUrl, bearerToken, apiKey, credentials, fetch, retryPacing, allowInsecureHttp, onEvent, format, headers, maxRetries, attemptTimeoutMs, totalTimeoutMs";
      const advice = meant ? `Did you mean ${meant}?` : `There are ${known}.`;
      return refuses(() => client({ [name]: undefined }), `The options cannot have "${name}". ${advice}`);
    });
  }
  for (const [name, meant] of [["Signal", "signal"], ["maxretries", "maxRetries"], ["coalese", "coalesce"], ["refresh", "fresh"]]) {
    it(`is refused in a call: ${name}`, () =>
      refuses(() => client().getAiChatUsage({}, { [name]: 1 }), `The request options cannot have "${name}". Did you mean ${meant}?`));
  }
  for (const name of ["CompanyId", "companyid", "companyID", "company", "CompanyID"]) {
    it(`is refused in a request: ${name}`, () => {
      const sentence = `The request cannot have "${name}". Did you mean companyId?`;
      return refuses(() => client().getAiChatUsage({ [name]: "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c" }), sentence);
    });
  }
  it("is refused in a request, with its only member", () =>
    refuses(() => client().getAiChatUsage({ zebra: 1 }), 'The request cannot have "zebra". There is only companyId.'));
  it("is refused in setBearerToken", () =>
    refuses(() => client().setBearerToken("t0ken", { sameidentity: true }), 'The options of setBearerToken cannot have "sameidentity". Did you mean sameIdentity?'));
  it("is refused by slim, which has one more option", () =>
    refuses(() => new slim.BookMoreClient({ wasm: "/sdk.wasm", Wasm: 1 }), 'The options cannot have "Wasm". Did you mean wasm?'));
});

describe("baseUrl", () => {
  for (const [given, base] of BASES.good) {
    it(JSON.stringify(given), async () => {
      await client({ baseUrl: given }).getAiChatUsage();
      assert.equal(sent[0].url, `${base}/assistant/ai-chat/usage`);
    });
  }
  for (const given of BASES.bad) {
    it(`refuses ${JSON.stringify(given)}`, () =>
      refuses(() => client({ baseUrl: given }), "baseUrl must be an http(s) URL without user name, query, fragment or broken escapes, such as https://api.bookmore.com."));
  }

  /** Simulates a page with this URL. */
  async function at(href, run) {
    Object.defineProperty(globalThis, "location", { value: { href }, configurable: true });
    try {
      await run();
    } finally {
      delete globalThis.location;
    }
  }
  for (const [given, base] of [
    ["/api", "https://app.example/api"], ["/", "https://app.example"], ["./api/", "https://app.example/shop/api"],
    ["../api", "https://app.example/api"], ["//gateway.example/v1", "https://gateway.example/v1"],
  ]) {
    it(`resolves ${given} against location`, () =>
      at("https://app.example/shop/index.html?q#f", async () => {
        await client({ baseUrl: given, bearerToken: "t0ken" }).getAiChatUsage();
        assert.equal(sent[0].url, `${base}/assistant/ai-chat/usage`);
      }));
  }
  it("refuses secrets if the page itself was loaded by http", () =>
    at("http://app.example/", () =>
      refuses(() => client({ baseUrl: "/api", bearerToken: "t0ken" }), "A token or an API key must not go over plain http; use an https baseUrl, or allowInsecureHttp.")));
  const nowhere = "baseUrl is relative, and there is no location here to resolve it against; pass a whole URL, such as https://api.bookmore.com.";
  it("refuses a relative one without a location", () => refuses(() => client({ baseUrl: "/api" }), nowhere));
  it("refuses a relative one in a document without a URL", () =>
    at("about:srcdoc", () => refuses(() => client({ baseUrl: "/api" }), nowhere)));
});

describe("headers", () => {
  for (const [what, headers] of [
    ["pairs", [["X-Tag", "one"], ["x-tag", "two"]]],
    ["Headers", new Headers([["X-Tag", "one"], ["x-tag", "two"]])],
    ["an object", { "X-Tag": "one", "x-tag": "two" }],
  ]) {
    it(`given twice are joined as fetch does: ${what}`, async () => {
      await client({ headers }).getAiChatUsage();
      assert.equal(sent[0].headers["x-tag"], "one, two");
    });
  }
  it("of the call replace the client's", async () => {
    await client({ headers: { "X-Tag": "client", "X-Other": "kept" } }).getAiChatUsage({}, { headers: { "x-tag": "call" } });
    assert.deepEqual([sent[0].headers["x-tag"], sent[0].headers["x-other"]], ["call", "kept"]);
  });
  it("that are undefined are left out", async () => {
    await client({ headers: { "X-A": undefined, "X-B": "b" } }).getAiChatUsage({}, { headers: [["X-C", undefined]] });
    assert.deepEqual(Object.keys(sent[0].headers).filter((name) => /^x-/i.test(name)), ["x-b"]);
  });
  for (const name of [
    "Accept-Encoding", "Connection", "Content-Length", "Cookie", "Date", "Host", "Origin", "Referer", "TE",
    "Transfer-Encoding", "Upgrade", "Via", "Proxy-Authorization", "Sec-Fetch-Mode", "X-HTTP-Method",
  ]) {
    it(`that only the platform may set are refused: ${name}`, () =>
      refuses(() => client({ headers: { [name]: "x" } }), `The header ${name} is the platform's own and cannot be set.`));
  }
});

it("null means no token and no key", async () => {
  await client({ apiKey: null, bearerToken: null }).getAiChatUsage();
  assert.deepEqual(Object.keys(sent[0].headers).map((name) => name.toLowerCase()), ["accept"]);
});

describe("wasm", () => {
  const needed = "pass the module bookmore-sdk/sdk.wasm, its bytes, a Response or its URL.";
  for (const wasm of [undefined, null, "", 0]) {
    it(`that is missing: ${JSON.stringify(wasm)}`, () => refuses(() => new slim.BookMoreClient({ wasm }), `wasm is missing: ${needed}`));
  }
  for (const wasm of [5, true, Symbol("s")]) {
    it(`of type ${typeof wasm}`, () => refuses(() => new slim.BookMoreClient({ wasm }), `wasm is of type ${typeof wasm}: ${needed}`));
  }
  for (const [what, wasm] of [["an object", {}], ["a promise of a number", Promise.resolve(5)]]) {
    it(`that is not a module: ${what}`, () =>
      refuses(() => new slim.BookMoreClient({ wasm }).ready(), `The value passed as wasm is not a WebAssembly module: ${needed}`));
  }
});

describe("an object that is not plain", () => {
  const ID = "5ca1ab1e-0000-4000-8000-000000000601";
  class Asked {
    companyId = ID;
  }
  class Inherited extends Asked {}
  const odd = {
    "a promise": Promise.resolve({ companyId: ID }),
    "a Map": new Map([["companyId", ID]]),
    "a URLSearchParams": new URLSearchParams({ companyId: ID }),
    "a Date": new Date(0),
    "an object of a class": new (class Other {})(),
    "a signal": AbortSignal.abort(),
  };
  for (const [what, given] of Object.entries(odd)) {
    it(`is refused as a request: ${what}`, () =>
      refuses(() => client().getAiChatUsage(given), "The request must be a plain object, or one with companyId; await a promise first."));
    it(`is refused as options: ${what}`, async () => {
      const needed = /^The (request options|options|options of setBearerToken) must be a plain object, or one with .+; await a promise first\.$/;
      for (const run of [() => client().getAiChatUsage({}, given), () => new sdk.BookMoreClient(given), () => client().setBearerToken(null, given)]) {
        await assert.rejects(async () => run(), (error) => error.code === "config_error" && needed.test(error.message));
      }
    });
  }
  for (const [what, headers] of [["a promise", odd["a promise"]], ["a Date", odd["a Date"]]]) {
    it(`is refused as headers: ${what}`, () =>
      refuses(() => client({ headers }), "headers must be an object, or iterate as pairs of a name and a value."));
  }
  const inherits = Object.create({ companyId: ID });
  const elsewhere = runInNewContext(`({ companyId: "${ID}" })`);
  for (const given of [new Asked(), new Inherited(), inherits, elsewhere, Object.assign(Object.create(null), { companyId: ID })]) {
    it("is accepted if it has a member", async () => {
      await client().getAiChatUsage(given);
      assert.match(sent[0].url, new RegExp(`CompanyId=${ID}$`));
    });
  }
});

it("a header can have any name", async () => {
  await client({ headers: [["__proto__", "a"]] }).getAiChatUsage({}, { headers: [["constructor", "b"]] });
  assert.deepEqual(Object.entries(sent[0].headers).filter(([name]) => /_/.test(name) || name === "constructor"), [["__proto__", "a"], ["constructor", "b"]]);
});
