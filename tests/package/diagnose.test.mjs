// bookmore-sdk/diagnose of the packed package in Node.js: options, aborts, timeouts, stand-ins for clients, secrets.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { pathToFileURL } from "node:url";
import { inspect, promisify } from "node:util";
import FakeTimers from "@sinonjs/fake-timers";
import { jwt, SECRETS } from "./diagnose/causes.mjs";
import { spellings } from "./diagnose/spellings.mjs";
import { install } from "./installed.mjs";

let user, sdk, kit, diagnose;
before(async () => {
  user = install();
  const load = (path) => import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist", path)));
  [sdk, kit, { diagnose }] = await Promise.all([load("index.js"), load("testing/index.js"), load("diagnose/index.js")]);
  await new sdk.BookMoreClient().ready();
});
after(() => user?.remove());

const codes = ({ findings }) => findings.map(({ code }) => code);
const names = ({ steps }) => steps.map(({ name }) => name);

it("the result prints, and survives JSON", async () => {
  const fake = kit.createFakeBookMore();
  const fine = await diagnose(fake.client());
  assert.deepEqual([fine.ok, String(fine), names(fine)], [true, "✔ The call returned a usage.", ["runtime", "options", "reachability", "call"]]);
  fake.set(undefined, { kind: "login-page" });
  const found = await diagnose(fake.client());
  assert.match(String(found), /^✘ .*\(html_reply\)\n {2}1\. .*\(login_page\)\n {7}new BookMoreClient\(.*\)\n {2}2\. .*\(permission_denied\)\n {2}3\. .*\(server_error\)\n {2}4\. .*\(content_type\)\n {2}5\. .*\(blocked_reply\)\n .*$/);
  assert.deepEqual(JSON.parse(JSON.stringify(found)), { ok: false, findings: found.findings, steps: found.steps });
  assert.deepEqual(structuredClone({ ...found }).findings, found.findings);
});

it("makes one call, for the company, and shares it with no other", async () => {
  const fake = kit.createFakeBookMore();
  const companyId = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
  const client = fake.client();
  await Promise.all([client.getAiChatUsage({ companyId }), diagnose(client, { companyId })]);
  assert.deepEqual(fake.requests.map((request) => [request.companyId, "authorization" in request.headers]), [[companyId, true], [undefined, false], [companyId, true]]);
});

it("does not retry, but refreshes a refused token as every call does", async () => {
  const fake = kit.createFakeBookMore({ bearerToken: "new" });
  fake.set(undefined, { status: 503 });
  assert.deepEqual(codes(await diagnose(fake.client({ maxRetries: 5 }))), ["server_error"]);
  assert.equal(fake.requests.length, 2);
  fake.set(undefined, {});
  assert.deepEqual(codes(await diagnose(fake.client({ bearerToken: ({ forceRefresh }) => (forceRefresh ? "new" : "old") }))), []);
});

it("a call that the client holds back, because an earlier reply asks to wait", async () => {
  for (const status of [429, 503]) {
    const reply = () => new Response("", { status, headers: { "Retry-After": "60" } });
    const client = new sdk.BookMoreClient({ bearerToken: "s3cret-token", maxRetries: 0, fetch: async () => reply() });
    await client.getAiChatUsage().catch(() => {});
    const { findings: [finding], steps } = await diagnose(client);
    assert.match(finding.message, /Wait 60 s before asking again\.( A gateway .*)? That is the reply to an earlier call: /);
    assert.ok(!finding.candidates?.some(({ code }) => code === "credentials_missing"), JSON.stringify(finding));
    assert.match(steps.at(-1).detail, new RegExp(`\\(${status}\\), not sent again$`));
  }
});

it("calls onStep after each step, and listeners change nothing", async () => {
  const told = [];
  const { steps } = await diagnose(kit.createFakeBookMore().client(), undefined, {
    onStep(step) {
      told.push({ ...step });
      step.name = "another";
      if (told.length % 2) throw new Error("x");
      return Promise.reject(new Error("x"));
    },
  });
  assert.deepEqual(told, steps);
});

it("an abort rejects with the signal's reason, before, in a probe and in the call", async () => {
  const reason = new Error("enough");
  const fake = kit.createFakeBookMore();
  await assert.rejects(diagnose(fake.client(), undefined, { signal: AbortSignal.abort(reason) }), reason);
  assert.equal(fake.requests.length, 0);
  for (const times of [1, 2]) {
    fake.reset();
    fake.set(undefined, { kind: "hang" });
    const controller = new AbortController();
    let count = 0;
    const fetch = (...given) => {
      if (++count === times) queueMicrotask(() => controller.abort(reason));
      else if (count < times) return kit.createFakeBookMore().fetch(...given);
      return fake.fetch(...given);
    };
    await assert.rejects(diagnose(fake.client({ fetch }), undefined, { signal: controller.signal }), reason);
    assert.ok(fake.requests.every(({ aborted }) => aborted));
  }
});

for (const [options, callMs] of [[{}, 10_000], [{ totalTimeoutMs: 3000 }, 3000], [{ attemptTimeoutMs: null, totalTimeoutMs: null }, 10_000]]) it(`a server that hangs takes ten seconds for a probe, and the call ${callMs} ms with ${JSON.stringify(options)}`, async () => {
  const fake = kit.createFakeBookMore();
  fake.set(undefined, { kind: "hang" });
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  let found;
  try {
    const run = diagnose(fake.client(options));
    run.then((diagnosis) => (found = diagnosis));
    for (let second = 0; second < 25 && !found; second++) await clock.tickAsync(1000);
    await run;
  } finally {
    clock.uninstall();
  }
  assert.deepEqual(codes(found), ["timeout"]);
  const limit = found.steps.filter(({ name }) => name === "reachability" || name === "call").map(({ ms }) => ms);
  assert.deepEqual(limit, [10_000, callMs]);
  assert.equal(/the client waits longer/.test(found.findings[0].message), options.attemptTimeoutMs === null);
  assert.ok(fake.requests.every(({ aborted }) => aborted));
});

it("a stand-in for a client that hangs takes eleven seconds, or until the signal aborts", async () => {
  const hanging = { getAiChatUsageWithResponse: () => new Promise(() => {}) };
  const controller = new AbortController();
  const reason = new Error("enough");
  const aborted = diagnose(hanging, undefined, { signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(aborted, reason);
  const clock = FakeTimers.install({ toFake: ["setTimeout", "clearTimeout", "performance", "Date"] });
  let found;
  try {
    diagnose(hanging).then((diagnosis) => (found = diagnosis));
    for (let second = 0; second < 15 && !found; second++) await clock.tickAsync(1000);
  } finally {
    clock.uninstall();
  }
  assert.deepEqual(codes(found), ["stand_in"]);
  assert.equal(found.steps.at(-1).ms, 11_000);
});

it("calls a stand-in for a client, and sends nothing else", async () => {
  const like = (getAiChatUsageWithResponse) => ({ ready: async () => {}, setBearerToken() {}, getAiChatUsage() {}, getAiChatUsageWithResponse });
  assert.equal((await diagnose(like(async () => ({ data: kit.usage(), response: {} })))).ok, true);
  for (const given of [undefined, {}, { data: { tokensUsed: "5" } }]) assert.deepEqual(codes(await diagnose(like(async () => given))), ["stand_in"]);
  const hostile = { get code() { throw new Error("x"); } };
  for (const response of [{ headers: { "content-type": Symbol("x"), date: Symbol("x") } }, { headers: 1 }, null]) {
    assert.deepEqual((await diagnose(like(async () => ({ data: kit.usage(), response })))).findings, []);
  }
  for (const own of [hostile, { message: undefined }, { attempts: 1 }]) {
    const error = Object.defineProperties(new sdk.RateLimitError({ message: "Busy.", status: 429 }), Object.getOwnPropertyDescriptors(own));
    const odd = await diagnose(like(async () => { throw error; }));
    assert.deepEqual(codes(odd), ["stand_in"]);
    assert.deepEqual(JSON.parse(JSON.stringify(odd)).findings, odd.findings);
  }
  const foreign = await diagnose(like(async () => { throw new Error(SECRETS[0]); }));
  assert.deepEqual([codes(foreign), String(foreign).includes(SECRETS[0])], [["stand_in"], false]);
  const refused = await diagnose(like(async () => { throw new sdk.RateLimitError({ message: "Busy.", status: 429 }); }));
  assert.deepEqual(codes(refused), ["rate_limited"]);
});

it("refuses invalid arguments", async () => {
  const client = kit.createFakeBookMore().client();
  for (const [given, sentence] of [
    [[undefined], /^client must be a BookMoreClient/],
    [[{}], /^client must be a BookMoreClient/],
    [[client, {}, { onstep() {} }], /^The options of diagnose cannot have "onstep"/],
    [[client, {}, { onStep: 1 }], /^onStep must be a function/],
    [[client, {}, { signal: "stop" }], /^signal must be an AbortSignal/],
    [[client, {}, null], /must be an object/],
  ]) {
    await assert.rejects(diagnose(...given), ({ code, message }) => code === "config_error" && sentence.test(message));
  }
  // An invalid request is found by the call.
  assert.deepEqual(codes(await diagnose(client, { companyId: "abc" })), ["config_error"]);
  assert.deepEqual(codes(await diagnose(client, { company: "abc" })), ["config_error"]);
});

it("a fetch that throws anything", async () => {
  const hostile = new Proxy({}, { get: () => { throw new Error("x"); } });
  for (const thrown of [undefined, null, "text", 0, hostile, Object.create(null), { get code() { throw 1; } }]) {
    const client = new sdk.BookMoreClient({ bearerToken: SECRETS[0], maxRetries: 0, fetch: async () => { throw thrown; } });
    assert.equal((await diagnose(client)).ok, false);
  }
  for (const given of [undefined, {}, { status: 200 }, "text"]) {
    const client = new sdk.BookMoreClient({ bearerToken: SECRETS[0], maxRetries: 0, fetch: async () => given });
    assert.equal((await diagnose(client)).ok, false);
  }
});

it("the result contains no token, key or header value, whatever the server says", async () => {
  const [token, , , key, value] = SECRETS;
  const quoted = `${token} ${key} ${value}`;
  const replies = [
    [401, quoted, {}], [401, JSON.stringify({ ResponseStatus: { ErrorCode: "X", Message: quoted } }), { "content-type": "application/json" }],
    [302, "", { location: `https://id.example/${token}?${quoted}` }], [200, quoted, { "content-type": `text/${key}` }], [500, quoted, {}],
    [404, quoted, {}], [200, "{", { "content-type": "application/json", date: quoted }],
  ];
  for (const [status, body, headers] of replies) {
    const client = new sdk.BookMoreClient({ bearerToken: token, apiKey: key, headers: { "x-tenant": value }, maxRetries: 0, fetch: async () => new Response(body, { status, headers }) });
    const told = [];
    const diagnosis = await diagnose(client, undefined, { onStep: (step) => told.push(step) });
    const text = [String(diagnosis), JSON.stringify(diagnosis), inspect(diagnosis, { depth: Infinity, showHidden: true }), JSON.stringify(told)].join("\n");
    for (const spelling of [token, key].flatMap(spellings)) assert.ok(!text.includes(spelling), `${status} shows ${spelling}: ${text}`);
  }
});

it("a redirect to a URL without an origin", async () => {
  for (const location of ["app:callback?token=s3cret", "javascript:0", "mailto:a@b.example", "about:blank", "app://callback", "//[", "http://", "%"]) {
    const client = new sdk.BookMoreClient({ maxRetries: 0, fetch: async () => new Response(null, { status: 302, headers: { location } }) });
    const diagnosis = await diagnose(client);
    assert.match(codes(diagnosis)[0], /^(sign_in_redirect|redirected)$/);
    assert.doesNotMatch(String(diagnosis) + JSON.stringify(diagnosis), /null|s3cret/);
  }
});

it("a secret in the path of a redirect that only a probe could see is not shown", async () => {
  const [bearerToken, apiKey] = ["t0ken-of-the-test", "k3y-of-the-test"];
  // As in a page, which is not told where a call is redirected to.
  const hidden = { status: 0, ok: false, type: "opaqueredirect", url: "", redirected: false, headers: new Headers(), body: null };
  for (const secret of [bearerToken, apiKey, "tenant-of-the-test"]) {
    const fetch = async (_, { headers }) => ("Authorization" in headers || "authorization" in headers ? hidden : new Response(null, { status: 302, headers: { location: `https://id.example/${secret}/login` } }));
    const diagnosis = await diagnose(new sdk.BookMoreClient({ bearerToken, apiKey, headers: { "x-tenant": "tenant-of-the-test" }, maxRetries: 0, fetch }));
    assert.match(String(diagnosis), / to https:\/\/id\.example\/\[REDACTED\] instead/);
    assert.ok(!JSON.stringify(diagnosis).includes(secret));
  }
});

it("a handmade signal, and a call that fails", async () => {
  const signal = { aborted: false, addEventListener() {}, removeEventListener() {} };
  const fake = kit.createFakeBookMore();
  fake.set(undefined, { status: 500 });
  assert.deepEqual(codes(await diagnose(fake.client(), undefined, { signal })), ["server_error"]);
});

it("a client with a method that the app replaced", async () => {
  const withMember = (member) => Object.assign(kit.createFakeBookMore().client(), { getAiChatUsageWithResponse: member });
  for (const [member, words] of [
    [async () => { throw new TypeError(SECRETS[0]); }, "threw TypeError, which is not a BookMoreError"],
    [async () => { throw { name: SECRETS[0] }; }, "threw something, which is not a BookMoreError"],
    [async () => ({ data: {} }), "returned something that is not a usage"],
  ]) {
    const found = await diagnose(withMember(member));
    assert.deepEqual(codes(found), ["stand_in"]);
    assert.ok(found.findings[0].message.includes(words), found.findings[0].message);
    assert.ok(!String(found).includes(SECRETS[0]));
  }
});

it("says nothing of what was sent if that is unknown", async () => {
  const refusing = kit.createFakeBookMore({ bearerToken: "another" });
  // A fetch that adds credentials, and a stand-in for a client that has some.
  const adding = refusing.client({ bearerToken: undefined, fetch: (url, init) => refusing.fetch(url, { ...init, headers: { ...init.headers, authorization: "Bearer x" } }) });
  const real = refusing.client({ bearerToken: "stale" });
  const standIn = { getAiChatUsageWithResponse: (...given) => real.getAiChatUsageWithResponse(...given) };
  for (const client of [adding, standIn]) {
    const { findings } = await diagnose(client);
    assert.deepEqual(findings.map(({ code, fix }) => [code, fix]), [["credentials_refused", undefined]]);
    assert.doesNotMatch(findings[0].message, /was sent/);
  }
});

it("a concurrent call of the same client is not mistaken for its own", async () => {
  const refusing = kit.createFakeBookMore({ bearerToken: "another" });
  let token = "stale";
  const client = refusing.client({
    bearerToken: () => token,
    fetch: async (url, init) => {
      if (token && "Authorization" in init.headers) {
        token = null;
        await client.getAiChatUsage({}, { coalesce: false }).catch(() => {});
      }
      return refusing.fetch(url, init);
    },
  });
  const { code, message } = (await diagnose(client)).findings[0];
  assert.equal(code, "credentials_refused");
  assert.doesNotMatch(message, /has neither/);
});

it("reads a handmade reply as the client does", async () => {
  const bytes = new TextEncoder().encode(JSON.stringify({ TokensUsed: 1, TokenLimit: 10, TokensRemaining: 9, IsWithinBudget: true, WindowDays: 30 }));
  const headers = [["content-type", "application/json"], ["date", new Date(Date.now() + 3_600_000).toUTCString()]];
  const client = new sdk.BookMoreClient({ fetch: async () => ({ status: 200, headers, arrayBuffer: async () => bytes }) });
  const { steps, findings } = await diagnose(client);
  assert.deepEqual([steps.find(({ name }) => name === "reachability").outcome, findings.map(({ code }) => code)], ["ok", ["clock_skew"]]);
});

it("a cached reply's date is as old as its age", async () => {
  const date = new Date(Date.now() - 600_000).toUTCString();
  const found = async (headers) => codes(await diagnose(new sdk.BookMoreClient({ fetch: async () => Response.json(kit.usage(), { headers }) })));
  assert.deepEqual([await found({ date }), await found({ date, age: "0" }), await found({ date, age: "600" })], [["clock_skew"], ["clock_skew"], []]);
});

it("a token function that fails: where its error is, and why it was called", async () => {
  const refusing = kit.createFakeBookMore({ bearerToken: "another" });
  const client = refusing.client({ bearerToken: ({ forceRefresh }) => { if (forceRefresh) throw new Error("x"); return "stale"; } });
  const [{ code, message }] = (await diagnose(client)).findings;
  assert.equal(code, "token_provider_error");
  assert.match(message, /^The bearerToken function failed\. A call's error has the function's error as its cause\. It was called with forceRefresh because the server refused the first token \(401\)\.$/);
});

it("a call that gets no reply after a probe did", async () => {
  const fetch = async (_, { headers }) => {
    if (!new Headers(headers).has("authorization")) return new Response(null, { status: 401 });
    throw Object.assign(new TypeError("fetch failed"), { cause: { code: "ECONNRESET" } });
  };
  const [{ code, message, doctor }] = (await diagnose(new sdk.BookMoreClient({ bearerToken: "x", fetch }))).findings;
  assert.deepEqual([code, doctor], ["no_reply", "npx bookmore-sdk doctor"]);
  assert.equal(message, "api.bookmore.com answered a probe, but not the call that followed (ECONNRESET).");
});

it("shows only codes that look like the system's", async () => {
  for (const [code, shown] of [["ECONNRESET", true], [`E ${SECRETS[0]}`, false], [SECRETS[3], false]]) {
    const fetch = async () => { throw Object.assign(new TypeError("fetch failed"), { cause: { code } }); };
    const { findings, steps } = await diagnose(new sdk.BookMoreClient({ fetch }));
    assert.equal(JSON.stringify([findings, steps]).includes(JSON.stringify(code).slice(1, -1)), shown);
  }
});

it("does not call Node.js's fetch without WebAssembly, which it needs", async () => {
  const script = `
    import { BookMoreClient } from "bookmore-sdk";
    import { diagnose } from "bookmore-sdk/diagnose";
    const { findings, steps } = await diagnose(new BookMoreClient({ baseUrl: "http://127.0.0.1:9" }));
    console.log(JSON.stringify([findings.map(({ code }) => code), steps.at(-1).outcome]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--jitless", "--input-type=module", "-e", script], { cwd: user.folder });
  assert.equal(stdout.split("\n").at(-2), '[["wasm_missing"],"skipped"]');
});

it("names a port that fetch blocks", async () => {
  const [{ message }] = (await diagnose(new sdk.BookMoreClient({ baseUrl: "http://127.0.0.1:6667" }))).findings;
  assert.match(message, /fetch blocks this port/);
});

it("a framework's redirect, thrown by the client's fetch", async () => {
  const flow = Object.assign(new Error("NEXT_REDIRECT"), { digest: "NEXT_REDIRECT;push;/x;307;" });
  assert.deepEqual(codes(await diagnose(new sdk.BookMoreClient({ fetch: async () => { throw flow; } }))), ["control_flow"]);
});

it("malformed tokens are not JWTs", async () => {
  for (const bearerToken of ["a.b.c", "a.bnVsbA.c", "a.W10.c", "a..c", ".", jwt({ exp: 1e300 }), jwt({ exp: -1e300, aud: ["a", "b"] }), jwt({ aud: { a: 1 }, iss: ["a", { b: 1 }] })]) {
    const fake = kit.createFakeBookMore({ bearerToken: "another" });
    const [finding] = (await diagnose(fake.client({ bearerToken }))).findings;
    assert.match(finding.code, /^token_(refused|expired)$/);
    assert.doesNotMatch(finding.message, /NaN|undefined|Infinity|object Object/);
  }
});

it("reads which sign-in a 401 wants, and whether it is the API's", async () => {
  const api = JSON.stringify({ ResponseStatus: { ErrorCode: "Unauthorized" } });
  const found = async (body, headers, options) => codes(await diagnose(new sdk.BookMoreClient({ bearerToken: "s3cret", fetch: async () => new Response(body, { status: 401, headers }), ...options })));
  for (const [body, headers, code] of [
    ["", { "www-authenticate": 'Basic realm="Staging"' }, "credentials_refused"],
    ["", { "www-authenticate": "Negotiate, NTLM" }, "credentials_refused"],
    ["<p>No", { "content-type": "text/html" }, "credentials_refused"],
    ["", { "www-authenticate": 'Bearer, Basic realm="x"' }, "token_refused"],
    ["", { "www-authenticate": 'Credentials realm="basic"' }, "token_refused"],
    [api, { "www-authenticate": 'Basic realm="x"', "content-type": "application/json" }, "token_refused"],
  ]) assert.deepEqual(await found(body, headers), [code], JSON.stringify(headers));
});

it("reads what a page shows, and the message of JSON alone", async () => {
  const HTML = "text/html";
  // At a port for TLS.
  const plainHttp = async (body) => {
    const client = new sdk.BookMoreClient({ baseUrl: "http://localhost:5000", bearerToken: "s3cret-token", fetch: async () => new Response(body, { status: 400, headers: { "content-type": HTML } }) });
    const { findings: [{ candidates = [] }] } = await diagnose(client);
    return candidates[0]?.code;
  };
  for (const words of ["The plain HTTP request was sent to HTTPS port", "You're speaking plain HTTP to an SSL-enabled server port.", "Client sent an HTTP request to an HTTPS server.", "This combination of host and port requires TLS."]) {
    assert.equal(await plainHttp(`<title>${words}</title>`), "needs_https", words);
  }
  assert.notEqual(await plainHttp("<title>Bad Request</title>"), "needs_https");
  for (const words of ["Bad Request - Invalid Hostname", "</h2><h1>Bad Request (400)</h1>", 'Blocked request. This host ("api.test") is not allowed.']) assert.equal(await plainHttp(`<h2>${words}</h2>`), "base_url", words);
  const login = async (script) => {
    const client = new sdk.BookMoreClient({ fetch: async () => new Response(`<script>${script}</script><input type="password">`, { headers: { "content-type": HTML } }) });
    const { findings: [{ candidates }] } = await diagnose(client);
    return candidates[0].code;
  };
  for (const script of ["", '{"message":"Welcome"}', '{"message":"It\\\'s you"}']) assert.equal(await login(script), "login_page", script);
});

it("quotes the title of a page", async () => {
  const server = createServer((_, res) => res.writeHead(502, { "content-type": "text/html" }).end("<titlebar>x</titlebar><title lang=en>\n502 Bad\n Gateway &amp; co</title><svg><title>y</title></svg>"));
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { findings: [{ message }] } = await diagnose(new sdk.BookMoreClient({ baseUrl: `http://127.0.0.1:${server.address().port}` }));
  server.close();
  assert.ok(message.endsWith(' The page\'s title: "502 Bad Gateway & co".'), message);
});

it("a JWT as the key, and a Guid as the token", async () => {
  const given = async (options) => (await diagnose(new sdk.BookMoreClient({ fetch: async () => new Response('{"ResponseStatus":{"ErrorCode":"Unauthorized","Message":"Not Authenticated"}}', { status: 401, headers: { "content-type": "application/json" } }), ...options }))).findings[0];
  assert.match((await given({ apiKey: jwt({}) })).message, /An API key was sent; it is a JWT, which is a token, not a key\.$/);
  assert.match((await given({ bearerToken: "6b1f4a3e-9c1d-4d5e-8a77-1b2c3d4e5f60" })).candidates[0].message, /it is a Guid, as keys are\.$/);
});

it("reads a JWT's times in milliseconds as such", async () => {
  const ms = (claims) => `e30.${Buffer.from(JSON.stringify(claims)).toString("base64url")}.x`;
  const now = Date.now();
  const fetch = async () => new Response(null, { status: 401 });
  for (const [claims, code, words] of [
    [{ nbf: now - 1000 }, "token_not_yet_valid", /^The token's nbf is in milliseconds\. /],
    [{ exp: now + 1000, iat: now }, "token_refused", /Its times \(exp, iat\) are in milliseconds/],
    [{ exp: Math.round(now / 1000) + 60 }, "token_refused", /has not expired\.$/],
  ]) {
    const [found] = (await diagnose(new sdk.BookMoreClient({ bearerToken: ms(claims), fetch }))).findings;
    assert.equal(found.code, code);
    assert.match(found.message, words);
  }
});

it("says what a token or a key looks like that is none, and quotes nothing of it", async () => {
  for (const [secret, words] of [
    ['"s3cret"', "begins with a quotation mark"],
    ['{"access_token":"s3cret"}', "begins with a bracket, as JSON does"],
    ["Bearer", "begins with the word Bearer, which is no part of it"],
    ["$s3cret", "begins like a variable or a placeholder that was not replaced"],
    ["undefined", "is a word such as undefined or null"],
    ["s3cret", undefined],
  ]) {
    const fetch = async () => new Response(null, { status: 401 });
    const messageOf = async (options) => (await diagnose(new sdk.BookMoreClient({ fetch, ...options }))).findings[0].message;
    const [token, key] = [await messageOf({ bearerToken: secret }), await messageOf({ apiKey: secret })];
    assert.ok(token.endsWith(` The token that was sent ${words ?? "is no JWT, or cannot be read as one"}.`), token);
    assert.ok(key.endsWith(` An API key was sent${words ? `; it ${words}` : ""}.`), key);
    assert.doesNotMatch(token + key, /s3cret/);
  }
});
