// bookmore-sdk/testing of the packed tarball, as an app's tests use it: with the real client and without.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it, mock } from "node:test";
import { pathToFileURL } from "node:url";
import FakeTimers from "@sinonjs/fake-timers";
import { install } from "./installed.mjs";

const ID = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
const PATH = "https://api.bookmore.com/assistant/ai-chat/usage";
const DAY = 86_400_000;

let user, sdk, kit, printed;
before(async () => {
  user = install();
  const load = (path) => import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist", path)));
  [sdk, kit] = await Promise.all([load("index.js"), load("testing/index.js")]);
  await new sdk.BookMoreClient().ready(); // compiling takes real time, which fake timers do not wait for
  printed = mock.method(console, "error", () => {}).mock;
});
after(() => user?.remove());

const create = (options) => kit.createFakeBookMore(options);
const used = async (fake, id = ID) => (await fake.client().getAiChatUsage({ companyId: id })).tokensUsed;
const failureOf = (fake, options) =>
  fake.client({ maxRetries: 0, ...options }).getAiChatUsage({ companyId: ID }).then(
    (usage) => assert.fail(`a usage: ${JSON.stringify(usage)}`),
    (error) => error,
  );
const throwing = (run) => {
  try {
    run();
  } catch (error) {
    assert.ok(error instanceof TypeError, String(error));
    return error.message;
  }
  return assert.fail("nothing was thrown");
};

describe("usage", () => {
  it("is completed from the given members", () => {
    const whole = { tokensUsed: 0, tokenLimit: 100_000, tokensRemaining: 100_000, isWithinBudget: true, windowDays: 30 };
    assert.deepEqual(kit.usage(), whole);
    assert.deepEqual(kit.usage({ share: 0.83 }), { ...whole, tokensUsed: 83_000, tokensRemaining: 17_000 });
    assert.deepEqual(kit.usage({ share: 1.2, tokenLimit: 10 }), { tokensUsed: 12, tokenLimit: 10, tokensRemaining: 0, isWithinBudget: false, windowDays: 30 });
    assert.deepEqual(kit.usage({ isWithinBudget: false }), { ...whole, tokensUsed: 100_000, tokensRemaining: 0, isWithinBudget: false });
    assert.deepEqual(kit.usage({ tokensUsed: 3, tokensRemaining: 7 }), { tokensUsed: 3, tokenLimit: 10, tokensRemaining: 7, isWithinBudget: true, windowDays: 30 });
    assert.equal(kit.usage({ tokensRemaining: 1 }).tokensUsed, 99_999);
    assert.equal(kit.usage({ share: 0.9999999, tokenLimit: 10 }).isWithinBudget, true);
    assert.deepEqual(kit.usage({ tokenLimit: 0 }).isWithinBudget, false);
    assert.equal(kit.usage({ companyId: ID, windowDays: 7 }).companyId, ID);
    // Its result is a valid argument.
    assert.deepEqual(kit.usage(kit.usage({ share: 0.5 })), kit.usage({ share: 0.5 }));
  });

  for (const [members, sentence] of [
    [{ shar: 1 }, /has no member "shar"; did you mean "share"/],
    [{ share: -1 }, /share must be/],
    [{ share: NaN }, /share must be/],
    [{ tokensUsed: 1.5 }, /tokensUsed must be an integer/],
    [{ tokensUsed: 2 ** 53 }, /beyond 2\^53 - 1, a bigint/],
    [{ tokensUsed: 2n ** 60n }, /give the members to set\(\)/],
    [{ tokenLimit: 2 ** 31 }, /tokenLimit must be an integer from 0 to 2147483647/],
    [{ windowDays: 0 }, /windowDays must be an integer from 1/],
    [{ tokensUsed: 3, tokenLimit: 4, tokensRemaining: 3 }, /cannot have tokensRemaining 3: it is 1/],
    [{ share: 0.5, isWithinBudget: false }, /cannot have isWithinBudget false: it is true/],
    [{ share: 0.5, tokensUsed: 3 }, /cannot have the share 0.5/],
    ["0.83", /must be an object/],
  ]) {
    it(`refuses ${typeof members === "string" ? members : Object.keys(members)}`, () => {
      assert.match(throwing(() => kit.usage(members)), sentence);
    });
  }
});

describe("the rolling window", () => {
  it("counts recorded tokens until they are older than the window", async () => {
    const fake = create();
    assert.equal(await used(fake), 0);
    fake.record(ID, 500);
    fake.advance(10 * DAY);
    fake.record(ID.replaceAll("-", "").toUpperCase(), 7);
    assert.equal(await used(fake), 507);
    fake.advance(20 * DAY - 1000);
    assert.equal(await used(fake), 507);
    fake.advance(1000);
    assert.equal(await used(fake), 7);
    fake.advance(10 * DAY);
    assert.equal(await used(fake), 0);
  });

  it("keeps the tokens used when the limit or the window changes", async () => {
    const fake = create();
    fake.record(ID, 60_000);
    fake.set(ID, { tokenLimit: 50_000 });
    const over = await fake.client().getAiChatUsage({ companyId: ID });
    assert.deepEqual([over.tokensUsed, over.tokensRemaining, over.isWithinBudget], [60_000, 0, false]);
    fake.set(ID, { windowDays: 7 });
    fake.advance(8 * DAY);
    assert.deepEqual(await fake.client().getAiChatUsage({ companyId: ID }), kit.usage({ companyId: ID, tokenLimit: 50_000, windowDays: 7 }));
  });

  it("is separate for each company, one of which is the user's own", async () => {
    const fake = create({ companyId: ID });
    fake.record(undefined, 5);
    assert.equal(fake.companyId, ID);
    assert.deepEqual(await fake.client().getAiChatUsage(), kit.usage({ companyId: ID, tokensUsed: 5 }));
    assert.equal(await used(fake, "11111111-2222-3333-4444-555555555555"), 0);
    const zero = await fake.client().getAiChatUsage({ companyId: "00000000-0000-0000-0000-000000000000" });
    assert.deepEqual(zero, kit.usage({ tokensUsed: 5 }));
  });
});

describe("failures", () => {
  for (const [what, failure, properties, options] of [
    ["401", { status: 401 }, { code: "authentication_error", errorCode: "Unauthorized" }],
    ["401 without a body", { status: 401, body: "empty" }, { code: "authentication_error", errorCode: undefined }],
    ["403", { status: 403, message: "Not yours" }, { code: "permission_denied", errorCode: "Forbidden", message: /Not yours/ }],
    ["404", { status: 404 }, { code: "api_error", status: 404 }],
    ["429 in seconds", { status: 429, retryAfter: 90 }, { code: "rate_limited", retryAfterMs: 90_000 }],
    ["429 in milliseconds", { status: 429, retryAfterMs: 1500 }, { code: "rate_limited", retryAfterMs: 1500 }],
    ["429 with Retry-After: soon", { status: 429, retryAfter: "soon" }, { code: "rate_limited", retryAfterMs: undefined }],
    ["quota", { kind: "quota" }, { code: "rate_limited", errorCode: "insufficient_quota" }],
    ["503 of a proxy", { status: 503, body: "html" }, { code: "server_error", status: 503 }],
    ["503 without a body", { status: 503, body: "empty" }, { code: "server_error", status: 503 }],
    ["204", { status: 204 }, { code: "unexpected_response", status: 204 }],
    ["fields", { status: 400, errors: [{ errorCode: "X", fieldName: "CompanyId", message: "No" }] }, { code: "api_error", fieldErrors: [{ errorCode: "X", fieldName: "CompanyId", message: "No" }] }],
    ["an error at 200", { share: 0.5, responseStatus: { errorCode: "Closed", message: "Closed" } }, { code: "api_error", status: 200 }],
    ["a login page", { kind: "login-page" }, { code: "unexpected_response" }],
    ["words", { status: 200, body: { text: "words" } }, { code: "decode_error" }],
    ["another company", { kind: "other-company" }, { code: "company_mismatch" }],
    ["a given other company", { kind: "other-company", companyId: "11111111222233334444555555555555" }, { code: "company_mismatch", receivedCompanyId: /^11111111/ }],
    ["a number too large", { tokensUsed: 2n ** 53n }, { code: "decode_error", path: "tokensUsed" }],
    ["no network", { kind: "network" }, { code: "network_error" }],
    ["a sign-in redirect", { kind: "login-redirect" }, { code: "unexpected_response", status: 302, location: "https://api.bookmore.com/login" }],
    ["moved", { kind: "moved" }, { code: "unexpected_response", status: 301, location: "https://api.bookmore.com/moved/assistant/ai-chat/usage" }],
    ["moved to a given URL", { kind: "moved", to: "https://v2.example/" }, { code: "unexpected_response", message: /Set the base URL to https:\/\/v2\.example\.$/ }],
    ["an expired token", { kind: "expired" }, { code: "authentication_error", status: 401, message: /The token expired/ }],
    ["truncated", { kind: "truncated" }, { code: "network_error" }],
    ["truncated without an error", { kind: "truncated", end: "clean", bytes: 1 }, { code: "decode_error" }],
    ["hanging", { kind: "hang" }, { code: "timeout", phase: "headers" }, { attemptTimeoutMs: 20 }],
    ["hanging in the body", { kind: "hang", phase: "body" }, { code: "timeout", phase: "body" }, { attemptTimeoutMs: 20 }],
    ["slow", { kind: "slow", delayMs: 10_000 }, { code: "timeout", phase: "headers" }, { attemptTimeoutMs: 20 }],
  ]) {
    it(`${what}`, async () => {
      const fake = create();
      fake.set(ID, failure);
      for (const format of ["json", "jsonl"]) {
        const error = await failureOf(fake, { format, ...options });
        for (const [name, value] of Object.entries(properties)) {
          if (value instanceof RegExp) assert.match(error[name], value);
          else assert.deepEqual(error[name], value, name);
        }
      }
    });
  }

  it("Retry-After as a date is relative to the server's clock", async () => {
    const fake = create();
    fake.advance(365 * DAY);
    fake.set(ID, { status: 503, retryAfter: new Date(Date.now() + 365 * DAY + 90_000) });
    const { retryAfterMs } = await failureOf(fake);
    assert.ok(retryAfterMs > 85_000 && retryAfterMs <= 91_000, String(retryAfterMs));
  });

  it("come in the order of the list, each its number of times, and then the usage", async () => {
    const fake = create();
    fake.set(ID, [{ status: 503, times: 2, retryAfterMs: 1 }, { share: 0.83 }]);
    assert.equal(await used(fake), 83_000);
    assert.deepEqual(fake.requests.map(({ status }) => status), [503, 503, 200]);
    fake.record(ID, 1);
    assert.equal(await used(fake), 83_001);

    fake.set(ID, [{ tokensUsed: 1 }, { tokensUsed: 2 }, { status: 403 }]);
    assert.equal(await used(fake), 1);
    assert.equal(await used(fake), 2);
    for (let time = 0; time < 3; time++) assert.equal((await failureOf(fake)).status, 403);

    fake.set(ID, { status: 500, times: 1, retryAfterMs: 1 });
    assert.equal(await used(fake), 2);
  });

  it("slow bytes arrive one by one, and completely", async () => {
    const fake = create();
    fake.set(ID, [{ kind: "slow", byteMs: 1 }, { share: 0.5 }]);
    const { body } = await fake.fetch(`${PATH}?CompanyId=${ID}`, { headers: { Accept: "text/jsonl", Authorization: "Bearer x" } });
    let bytes = 0;
    for await (const chunk of body) bytes += assert.equal(chunk.length, 1) ?? 1;
    assert.equal(bytes, `{"CompanyId":"${ID}","TokensUsed":0,"TokenLimit":100000,"TokensRemaining":100000,"IsWithinBudget":true,"WindowDays":30}`.length);
    assert.equal(await used(fake), 50_000);
  });

  for (const [answers, sentence] of [
    [{ kind: "netwrk" }, /no failure of the kind "netwrk"; did you mean "network"/],
    [{ kind: "hang", phse: "body" }, /has no member "phse"; did you mean "phase"/],
    [{ kind: "hang", phase: "token" }, /phase must be/],
    [{ kind: "truncated", end: "abrupt" }, /end must be/],
    [{ kind: "moved", to: "v2" }, /to must be the http\(s\) URL/],
    [{ status: 429, retryafter: 1 }, /has no member "retryafter"; did you mean "retryAfter"/],
    [{ status: 429, retryAfter: -1 }, /retryAfter must be an integer of at least 0/],
    [{ status: 429, retryAfter: new Date("soon") }, /invalid Date/],
    [{ status: 429, retryAfter: true }, /seconds, a Date or a string/],
    [{ status: 99 }, /status must be/],
    [{ status: "403" }, /status must be/],
    [{ status: 403, body: "none" }, /body must be/],
    [{ status: 403, body: { txt: "" } }, /did you mean "text"/],
    [{ status: 403, times: 0 }, /times must be/],
    [{ status: 403, message: 3 }, /message must be a string/],
    [{ status: 403, errors: {} }, /errors must be an array/],
    [{ status: 403, headers: { "X-Id": "a\nb" } }, /HTTP cannot carry/],
    [{ status: 403, body: { text: "", contentType: "ä→" } }, /HTTP cannot carry/],
    [{ status: 429, retryAfter: "\n1" + "\n2" }, /HTTP cannot carry/],
    [{ kind: "other-company", companyId: "x" }, /must be a Guid/],
    ["share", /must be an object/],
    [{ statuss: 403 }, /did you mean "status"/],
    [[], /needs one at least/],
    [[{ share: 0.5 }, null], /must be an object/],
    [null, /must be an object/],
    [{ companyId: "11111111222233334444555555555555", share: 1 }, /is set for 9f2c7b1a/],
    [[{ share: 0.5 }, { tokensUsed: -1 }], /tokensUsed must be/],
  ]) {
    it(`refuses ${JSON.stringify(answers)}`, () => {
      assert.match(throwing(() => create().set(ID, answers)), sentence);
    });
  }

  it("refuses other invalid values", () => {
    assert.match(throwing(() => create().set("abc", { status: 403 })), /must be a Guid/);
    assert.match(throwing(() => create().record(ID, -1)), /tokens must be an integer/);
    assert.match(throwing(() => create().advance("1")), /0 or more/);
    assert.match(throwing(() => create({ baseURL: "x" })), /did you mean "baseUrl"/);
    assert.match(throwing(() => create({ baseUrl: "x" })), /http\(s\) URL/);
    assert.match(throwing(() => create({ host: "endpoint" })), /did you mean "endpoints"/);
    assert.match(throwing(() => create({ cors: "wildcard" })), /no CORS policy "wildcard"; known are/);
    assert.match(throwing(() => create({ companyId: "x" })), /must be a Guid/);
    for (const bearerToken of [5, "", "a b"]) assert.match(throwing(() => create({ bearerToken })), /bearerToken must be a string of visible/);
    for (const apiKey of [5, "", "not-guid"]) assert.match(throwing(() => create({ apiKey })), /apiKey must be a Guid/);
  });
});

describe("credentials", () => {
  it("any token is accepted, none is a 401", async () => {
    const fake = create();
    assert.equal(await used(fake), 0);
    assert.equal((await failureOf(fake, { bearerToken: null })).status, 401);
    await fake.client({ bearerToken: null, apiKey: "any" }).getAiChatUsage();
  });

  it("only the configured one is accepted, so that a login can expire", async () => {
    const fake = create({ bearerToken: "fresh", apiKey: "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c" });
    const provider = ({ forceRefresh }) => (forceRefresh ? "fresh" : "stale");
    await fake.client({ bearerToken: provider }).getAiChatUsage();
    assert.deepEqual(fake.requests.map(({ status }) => status), [401, 200]);
    assert.equal(await used(fake), 0);
    assert.equal((await failureOf(fake, { bearerToken: null, apiKey: "nope" })).status, 403);
    assert.equal((await failureOf(fake, { bearerToken: null, apiKey: "11111111-2222-3333-4444-555555555555" })).status, 401);
    await fake.client({ apiKey: "0B6F2F2E-6a7c-4d5e-9c56-2f1f3f0a1b2c" }).getAiChatUsage();
    await fake.client({ bearerToken: null, credentials: "include" }).getAiChatUsage();
  });

  it("appear nowhere", async () => {
    const secret = "s3cret-token";
    const fake = create();
    const headers = { "X-Session-Token": secret, "X-Language": "sv" };
    await fake.client({ bearerToken: secret, apiKey: secret, headers }).getAiChatUsage();
    await fake.fetch(`${PATH}?access_token=${secret}`, { headers: { Cookie: secret } }).catch(() => {});
    assert.doesNotMatch(JSON.stringify(fake.requests), new RegExp(secret));
    assert.doesNotMatch(JSON.stringify(printed.calls.at(-1).arguments), new RegExp(secret));
    const [{ headers: shown }] = fake.requests;
    assert.deepEqual(shown, {
      "accept": "application/json", "authorization": "Bearer [secret]", "x-api-key": "[secret]",
      "x-language": "sv", "x-session-token": "[secret]",
    });
  });
});

describe("requests", () => {
  it("are recorded in order", async () => {
    const fake = create({ host: "camelCase", baseUrl: "https://gateway.example/api/" });
    assert.equal(fake.baseUrl, "https://gateway.example/api");
    const before = Date.now();
    fake.advance(DAY);
    await fake.client({ format: "jsonl" }).getAiChatUsage({ companyId: `{${ID.toUpperCase()}}` });
    const [{ at, headers, url, ...rest }] = fake.requests;
    assert.ok(at >= before + DAY && at <= Date.now() + DAY);
    assert.equal(headers.accept, "text/jsonl");
    assert.match(url, /^https:\/\/gateway\.example\/api\/assistant\/ai-chat\/usage\?CompanyId=/);
    assert.deepEqual(rest, { method: "GET", companyId: ID, format: "jsonl", status: 200, aborted: false });
    fake.record(ID, 1);
    fake.set(ID, { status: 403 });
    fake.reset();
    assert.deepEqual(fake.requests, []);
    assert.equal(await used(fake), 0);
  });

  it("that were cancelled are marked", async () => {
    const fake = create();
    for (const failure of [{ kind: "hang" }, { kind: "hang", phase: "body" }, { kind: "slow", delayMs: 60_000 }, { kind: "slow", byteMs: 60_000 }]) {
      fake.reset();
      fake.set(ID, failure);
      const controller = new AbortController();
      const call = fake.client().getAiChatUsage({ companyId: ID }, { signal: controller.signal });
      while (fake.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      controller.abort(new Error("gone"));
      await assert.rejects(call, /gone/);
      assert.equal(fake.requests[0].aborted, true, JSON.stringify(failure));
    }
    fake.reset();
    const controller = new AbortController();
    await fake.client().getAiChatUsage({ companyId: ID }, { signal: controller.signal });
    controller.abort();
    assert.equal(fake.requests[0].aborted, false, "it was read to its end before");
    await assert.rejects(fake.fetch(PATH, { signal: AbortSignal.abort(new Error("before")) }), /before/);
    assert.equal(fake.requests.length, 1);
  });

  const SENT = { headers: { Accept: "application/json", Authorization: "Bearer x" } };
  for (const [what, url, init, difference] of [
    ["another host", "https://api.example/assistant/ai-chat/usage", {}, /it goes to https:\/\/api\.example, not https:\/\/api\.bookmore\.com/],
    ["another path", `${PATH}s`, {}, /the path is \/assistant\/ai-chat\/usages, not \/assistant\/ai-chat\/usage/],
    ["another method", PATH, { method: "post" }, /the method is POST, not GET/],
    ["a body", PATH, { method: "POST", body: "{}" }, /it has a body/],
    ["no Accept", PATH, { headers: {} }, /a request without Accept makes the server write HTML/],
    ["another Accept", PATH, { headers: { Accept: "*/*" } }, /"Accept: \*\/\*" makes the server write HTML/],
    ["a parameter", `${PATH}?companyGuid=1`, {}, /no parameter "companyGuid"; did you mean "CompanyId"/],
    ["an empty company", `${PATH}?CompanyId=`, {}, /CompanyId is empty/],
    ["a relative address", "/assistant/ai-chat/usage", {}, /no absolute URL/],
  ]) {
    it(`that do not match the API are refused: ${what}`, async () => {
      const fake = create();
      printed.resetCalls();
      await assert.rejects(fake.fetch(url, { ...SENT, ...init }), (error) => {
        assert.ok(error instanceof kit.RequestMismatchError);
        assert.equal(error.name, "RequestMismatchError");
        assert.match(error.message, difference);
        assert.deepEqual(printed.calls.map((call) => call.arguments), [[error.message]]);
        if (url.startsWith("http")) assert.equal(fake.requests[0].mismatch, error.message);
        return true;
      });
    });
  }

  it("can be a Request, a URL, or any form that the server accepts", async () => {
    const fake = create();
    for (const given of [
      [new Request(PATH, SENT)],
      [new URL(PATH), SENT],
      [`${PATH.toUpperCase().replace("HTTPS://API.BOOKMORE.COM", "https://api.bookmore.com")}/`, SENT],
      [`${PATH}.jsonl?companyid={${ID}}&v=1`, { headers: { authorization: "Bearer x" } }],
    ]) {
      const reply = await fake.fetch(...given);
      assert.equal(reply.status, 200);
      assert.equal((await reply.json()).TokensUsed, 0);
    }
    const bad = await fake.fetch(`${PATH}?CompanyId=abc`, SENT);
    assert.equal(bad.status, 400);
    assert.equal((await bad.json()).ResponseStatus.ErrorCode, "SerializationException");
  });
});

describe("fake timers", () => {
  const kinds = {
    "Node's": () => {
      mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"], now: Date.now() });
      return { pass: async (ms) => mock.timers.tick(ms), end: () => mock.timers.reset() };
    },
    "sinon's, everything": () => {
      const clock = FakeTimers.install();
      return { pass: (ms) => clock.tickAsync(ms), end: () => clock.uninstall() };
    },
  };
  const settle = async () => {
    for (let turn = 0; turn < 50; turn++) await null;
  };
  for (const [name, install] of Object.entries(kinds)) {
    it(`${name}: answers take no time, retries and slow replies exactly theirs`, async () => {
      const fake = create();
      const client = fake.client();
      const { pass, end } = install();
      try {
        assert.equal((await client.getAiChatUsage()).tokensUsed, 0);
        fake.set(undefined, [{ status: 429, retryAfter: 20 }, { kind: "slow", delayMs: 5000 }, { share: 0.5 }]);
        let usage;
        client.getAiChatUsage().then((value) => (usage = value));
        await settle();
        for (const [ms, requests] of [[19_000, 1], [2000, 2], [4000, 2]]) {
          await pass(ms);
          await settle();
          assert.equal(fake.requests.length, 1 + requests);
          assert.equal(usage, undefined);
        }
        await pass(1500);
        await settle();
        assert.equal(usage?.tokensUsed, 0);
        const { at } = fake.requests[1];
        fake.advance(31 * DAY);
        await client.getAiChatUsage();
        assert.ok(fake.requests.at(-1).at >= at + 31 * DAY + 25_000, "the fake's clock is that of the test");
      } finally {
        end();
      }
    });
  }
});

it("CommonJS has the same, with the same client", () => {
  const require = createRequire(join(user.folder, "user.cjs"));
  const { createFakeBookMore } = require("bookmore-sdk/testing");
  assert.ok(createFakeBookMore().client() instanceof require("bookmore-sdk").BookMoreClient);
  assert.ok(create().client() instanceof sdk.BookMoreClient);
});

describe("cors: what a page of another origin would see", () => {
  const came = (reply) => reply.then(({ status, type }) => (type === "opaque" ? type : status), ({ name, message }) => `${name}: ${message}`);
  const FAILED = "TypeError: Failed to fetch";
  for (const [cors, plain, withToken, withCookies] of [
    ["servicestack-default", 401, FAILED, FAILED],
    ["open", 401, 200, FAILED],
    ["allow-list", FAILED, FAILED, FAILED],
    ["none", FAILED, FAILED, FAILED],
    ["wildcard-with-credentials", 401, 200, FAILED],
    ["preflight-405", 401, FAILED, FAILED],
  ]) {
    it(cors, async () => {
      const { fetch } = create({ cors });
      const headers = { Accept: "application/json" };
      const token = { ...headers, Authorization: "Bearer any" };
      assert.equal(await came(fetch(PATH, { mode: "no-cors", headers })), "opaque");
      assert.equal(await came(fetch(PATH, { headers })), plain);
      assert.equal(await came(fetch(PATH, { headers: token })), withToken);
      assert.equal(await came(fetch(PATH, { headers, credentials: "include" })), withCookies);
      // Behind HTTP the browser decides.
      assert.equal(await came(fetch(PATH, { headers: token, mode: "same-origin" })), 200);
      const preflight = await fetch(PATH, { method: "OPTIONS" });
      assert.equal(preflight.status, cors === "preflight-405" ? 405 : cors === "none" ? 404 : 200);
    });
  }

  it("replies of something in front of the API have no CORS headers", async () => {
    const fake = create({ cors: "open" });
    for (const failure of [{ kind: "login-redirect" }, { kind: "moved" }, { kind: "expired" }, { status: 503, body: "html" }]) {
      fake.set(ID, failure);
      assert.equal((await failureOf(fake)).code, "network_error", JSON.stringify(failure));
    }
    fake.set(ID, { status: 503 });
    assert.equal((await failureOf(fake)).code, "server_error");
  });
});
