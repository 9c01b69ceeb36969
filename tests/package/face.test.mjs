// What an app sees: errors, clients in proxies and subclasses, many calls with one signal, both module formats.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { reactive, readonly } from "@vue/reactivity";
import { install } from "./installed.mjs";

const USAGE = '{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}';
const ASKED = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
const OTHER = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

let user, sdk, esm;
before(async () => {
  user = install();
  sdk = createRequire(join(user.folder, "user.cjs"))("bookmore-sdk");
  esm = await import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/index.js")));
});
after(() => user?.remove());

const reply = (body = USAGE, status = 200, headers = {}) =>
  new Response(body, { status, headers: { "content-type": "application/json", ...headers } });

async function failure({ request, ...options }) {
  const client = new sdk.BookMoreClient({ maxRetries: 0, ...options });
  try {
    await client.getAiChatUsage(request);
  } catch (error) {
    return error;
  }
  return assert.fail("it succeeded");
}

describe("errors", () => {
  const STATUS = {
    ErrorCode: "Forbidden", Message: "Not yours, t0ken-s3cret.", StackTrace: "at t0ken-s3cret",
    Errors: [{ ErrorCode: "NotEqual", FieldName: "CompanyId", Message: "No." }], Meta: { a: "b" },
  };

  it("have the server's message and its whole ResponseStatus, without secrets", async () => {
    const fetch = async () => reply(JSON.stringify({ ResponseStatus: STATUS }), 403);
    const error = await failure({ fetch, bearerToken: "t0ken-s3cret" });
    assert.equal(error.code, "permission_denied");
    assert.deepEqual([error.status, error.errorCode, error.serverMessage], [403, "Forbidden", "Not yours, [REDACTED]."]);
    assert.deepEqual(error.fieldErrors, [{ errorCode: "NotEqual", fieldName: "CompanyId", message: "No." }]);
    const { stackTrace } = error.responseStatus;
    assert.equal(stackTrace, "at [REDACTED]");
    assert.deepEqual({ ...error.responseStatus }, {
      errorCode: "Forbidden", message: "Not yours, [REDACTED].", errors: error.fieldErrors, meta: { a: "b" },
    });
    assert.doesNotMatch(JSON.stringify(error), /stackTrace|t0ken/);
  });

  for (const [what, status, body, errorCode, serverMessage] of [
    ["OAuth's", 401, { error: "invalid_token", error_description: "The token has expired." }, "invalid_token", "The token has expired."],
    ["OAuth's description-less", 400, { error: "invalid_request" }, "invalid_request", undefined],
    ["RFC 9457's", 403, { type: "about:blank", title: "Forbidden", status: 403, detail: "Ask for ai:read." }, undefined, "Ask for ai:read."],
    ["a gateway's", 429, { error: { code: "slow_down", message: "Not so fast." } }, "slow_down", "Not so fast."],
    ["a gateway's list", 400, { errors: [{ message: "The first." }, { message: "Another." }] }, undefined, "The first."],
    ["a text", 403, "No access.", undefined, "No access."],
    ["an unknown", 403, { fault: 17 }, undefined, undefined],
  ]) {
    it(`read the message from ${what} body`, async () => {
      const error = await failure({ fetch: async () => reply(JSON.stringify(body), status) });
      assert.deepEqual([error.errorCode, error.serverMessage, error.responseStatus], [errorCode, serverMessage, undefined]);
      assert.ok(error.message.includes(serverMessage ?? `(${status}`), error.message);
      assert.doesNotMatch(error.message, /proxy/);
    });
  }

  it("contain no secret of such bodies", async () => {
    const quoted = { error: "invalid_token", error_description: "No s3cret-t0ken here.", title: "s3cret-t0ken" };
    const error = await failure({ fetch: async () => reply(JSON.stringify(quoted), 401), bearerToken: "s3cret-t0ken" });
    assert.deepEqual([error.errorCode, error.serverMessage], ["invalid_token", "No [REDACTED] here."]);
    assert.doesNotMatch(JSON.stringify(error) + error.message, /s3cret/);
  });

  it("say whether a retry may succeed", async () => {
    for (const [status, isRetryable] of [[503, true], [429, true], [408, true], [400, false], [403, false], [501, false]]) {
      assert.equal((await failure({ fetch: async () => reply("", status) })).isRetryable, isRetryable, `${status}`);
    }
    const lost = await failure({ fetch: async () => { throw new TypeError("fetch failed"); } });
    assert.deepEqual([lost.code, lost.isRetryable], ["network_error", true]);
  });

  it("have their name, code, message and data in JSON, but no cause", async () => {
    const fetch = async () => reply(USAGE.replace("{", `{"companyId":"${OTHER}",`));
    const error = await failure({ fetch, request: { companyId: ASKED } });
    const { attempts, elapsedMs, ...rest } = JSON.parse(JSON.stringify(error));
    assert.deepEqual(rest, {
      name: "UnexpectedResponseError", code: "company_mismatch", message: error.message, isRetryable: false, status: 200,
      requestedCompanyId: ASKED, receivedCompanyId: OTHER,
    });
    assert.deepEqual([attempts.length, typeof elapsedMs], [1, "number"]);
    const thrown = Object.assign(new TypeError("fetch failed"), { big: "x".repeat(10) });
    const lost = await failure({ fetch: async () => { throw thrown; } });
    assert.equal(lost.cause, thrown);
    assert.deepEqual(Object.keys(JSON.parse(JSON.stringify(lost))).sort(), ["attempts", "code", "elapsedMs", "isRetryable", "message", "name"]);
  });

  it("created by a test are like those of calls", () => {
    const made = new sdk.RateLimitError({ message: "Busy.", status: 429, retryAfterMs: 2_000, retryAt: Date.UTC(2030, 0) });
    assert.ok(sdk.isBookMoreError(made) && made instanceof sdk.ApiError && made instanceof Error);
    assert.deepEqual([made.code, made.name, made.isRetryable, made.fieldErrors], ["rate_limited", "RateLimitError", false, []]);
    assert.equal(made.retryAt.toISOString(), "2030-01-01T00:00:00.000Z");
    assert.equal(JSON.parse(JSON.stringify(made)).retryAt, "2030-01-01T00:00:00.000Z");
    const mismatch = { message: "Other.", status: 200, code: "company_mismatch", requestedCompanyId: ASKED, receivedCompanyId: OTHER };
    assert.equal(new sdk.UnexpectedResponseError(mismatch).code, "company_mismatch");
    assert.equal(new sdk.UnexpectedResponseError({ message: "HTML.", status: 200 }).code, "unexpected_response");
  });

  it("name the function that made the call in their stack", async () => {
    const client = new sdk.BookMoreClient({ fetch: async () => reply("", 404) });
    async function theCaller() {
      await client.getAiChatUsage();
    }
    const errors = await Promise.all([theCaller(), theCaller()].map((call) => call.catch((error) => error)));
    for (const { stack } of errors) assert.match(stack, /at async theCaller/);
    assert.notEqual(errors[0], errors[1]);
  });
});

describe("a client", () => {
  const options = () => ({ fetch: async () => reply(), bearerToken: "t0ken-s3cret", apiKey: "k3y-s3cret" });

  for (const [what, wrap] of [
    ["Vue's reactive", (client) => reactive({ client }).client],
    ["Vue's readonly", (client) => readonly({ client }).client],
    ["a Proxy", (client) => new Proxy(client, {})],
    ["a Proxy whose methods get the proxy", (client) => new Proxy(client, { get: (of, name, proxy) => Reflect.get(of, name, proxy) })],
  ]) {
    it(`works inside ${what}`, async () => {
      const client = wrap(new sdk.BookMoreClient(options()));
      await client.ready();
      client.setBearerToken("other-s3cret");
      assert.equal((await client.getAiChatUsage()).tokensUsed, 5);
      assert.equal((await client.getAiChatUsageWithResponse()).response.status, 200);
      assert.ok(sdk.isBookMoreClient(client));
    });
  }

  it("has methods that work detached", async () => {
    const { getAiChatUsage, ready } = new sdk.BookMoreClient(options());
    await ready();
    assert.equal((await getAiChatUsage()).tokensUsed, 5);
  });

  it("shows no secret", async () => {
    const { inspect } = await import("node:util");
    const client = new sdk.BookMoreClient(options());
    await client.ready();
    const seen = [client];
    // Everything reachable without running getters and functions.
    for (const value of seen) {
      for (const key of Reflect.ownKeys(value)) {
        const own = Object.getOwnPropertyDescriptor(value, key)?.value;
        if (Object(own) === own && !seen.includes(own) && seen.length < 1_000) seen.push(own);
        assert.doesNotMatch(String(key) + (typeof own === "string" ? own : ""), /s3cret/);
      }
    }
    assert.doesNotMatch(inspect(client, { depth: 9, showHidden: true }) + JSON.stringify(client), /s3cret/);
  });

  it("can be subclassed, and its methods spied on", async () => {
    class Own extends sdk.BookMoreClient {
      async getAiChatUsage(...given) {
        return { ...(await super.getAiChatUsage(...given)), isOwn: true };
      }
    }
    assert.equal((await new Own(options()).getAiChatUsage()).isOwn, true);
    const { prototype } = sdk.BookMoreClient;
    assert.equal(typeof prototype.getAiChatUsage, "function");
  });

  it("serves thirty calls with one signal without a warning, and removes its listeners", async () => {
    const script = `
      const { BookMoreClient } = require("bookmore-sdk");
      const { getEventListeners } = require("node:events");
      const client = new BookMoreClient({ fetch: async () => new Response('${USAGE}', { headers: { "content-type": "application/json" } }) });
      const { signal } = new AbortController();
      const calls = Array.from({ length: 30 }, () => client.getAiChatUsage({}, { signal, coalesce: false }));
      Promise.all(calls).then((all) => console.log(all.length, getEventListeners(signal, "abort").length));`;
    writeFileSync(join(user.folder, "thirty.cjs"), script);
    const { stdout, stderr } = await promisify(execFile)(process.execPath, ["thirty.cjs"], { cwd: user.folder });
    assert.deepEqual([stdout, stderr], ["30 0\n", ""]);
  });
});

describe("a sub-entry", () => {
  const CALLS = Symbol.for("bookmore-sdk.calls.1");

  it("reaches the internals of a client of either module format", async () => {
    for (const { BookMoreClient } of [sdk, esm]) {
      const client = reactive({ client: new BookMoreClient({ fetch: async () => reply() }) }).client;
      assert.equal((await client[CALLS]().getAiChatUsage()).tokensUsed, 5);
      assert.deepEqual(Object.keys(client), []);
    }
  });

  it("contains no code of the client", async () => {
    const { ENTRIES, scripts } = await import("../../pkg/build/entries.mjs");
    const { readFileSync } = await import("node:fs");
    const others = ENTRIES.filter(({ name }) => !["index", "slim", "no-wasm"].includes(name)).flatMap(scripts);
    assert.ok(others.length > 1);
    for (const { file } of others) {
      const text = readFileSync(fileURLToPath(new URL(`../../pkg/dist/${file}`, import.meta.url)), "utf8");
      assert.doesNotMatch(text, /bookmore-sdk\.client\b|class (BookMoreError|Driver)\b/, file);
    }
  });
});
