// The fake behind HTTP: its failures happen on the connection, and requests can control it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { after, before, beforeEach, it, mock } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "./server.mjs";

const PATH = "/assistant/ai-chat/usage";
const OWN = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const GOOD = { Accept: "application/json", Authorization: "Bearer good-token" };

let server;
before(async () => {
  mock.method(console, "error", () => {}); // the fake prints why it refuses a request
  server = await startServer();
});
after(() => server.close());
beforeEach(() => drive("reset"));

const ask = (query = "", init) => fetch(server.url + PATH + query, { headers: GOOD, ...init });
const usage = async (query) => (await ask(query)).json();
async function drive(method, ...args) {
  const reply = await fetch(`${server.url}/fake/${method}`, { method: "POST", body: JSON.stringify(args) });
  return { status: reply.status, text: (await reply.text()).trim() };
}

it("the usage changes as requests record it and time passes", async () => {
  assert.equal((await usage()).TokensUsed, 1234);
  assert.deepEqual(await drive("record", null, 500), { status: 200, text: "ok" });
  assert.equal((await usage()).TokensUsed, 1734);
  await drive("advance", 31 * 86_400_000);
  assert.equal((await usage()).TokensUsed, 0);
  assert.ok(Math.abs(Date.parse((await ask()).headers.get("date")) - Date.now() - 31 * 86_400_000) < 60_000);
  await drive("reset");
  assert.equal((await usage()).TokensUsed, 1234);
});

it("every recorded scenario is available from the start, and a failure can be set", async () => {
  const reply = await ask("?CompanyId=5ca1ab1e-0000-4000-8000-000000000429");
  assert.deepEqual([reply.status, reply.statusText, reply.headers.get("retry-after")], [429, "RateLimitExceeded", "7"]);
  await drive("set", OWN, [{ status: 503, times: 1 }, { share: 0.83 }]);
  assert.equal((await ask()).status, 503);
  assert.equal((await usage()).TokensUsed, 83_000);
});

it("impossible values are refused with a sentence", async () => {
  for (const [method, args, status, sentence] of [
    ["set", [null, { kind: "netwrk" }], 400, /did you mean "network"/],
    ["record", ["abc", 1], 400, /must be a Guid/],
    ["advance", [-1], 400, /0 or more/],
    ["client", [], 404, /There are POST \/fake\/set/],
  ]) {
    const answer = await drive(method, ...args);
    assert.equal(answer.status, status, method);
    assert.match(answer.text, sentence);
  }
  for (const body of ["{", "{}"]) assert.equal((await fetch(`${server.url}/fake/set`, { method: "POST", body })).status, 400);
});

it("credentials count; cookies of a server on another port do not", async () => {
  const status = async (headers) => (await ask("", { headers: { Accept: "application/json", ...headers } })).status;
  assert.equal(await status({}), 401);
  assert.equal(await status({ Authorization: "Bearer other" }), 401);
  assert.equal(await status({ Cookie: "theme=dark" }), 401);
  assert.equal(await status({ Cookie: "theme=dark; ss-id=1" }), 200);
  assert.equal(await status({ "x-api-key": "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c" }), 200);
});

it("pages of any origin have access", async () => {
  const headers = { Origin: "https://app.example", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization" };
  const preflight = await ask("", { method: "OPTIONS", headers });
  assert.equal(preflight.status, 200);
  assert.match(preflight.headers.get("access-control-allow-headers"), /Authorization,x-api-key/);
  for (const init of [{}, { headers: { Accept: "application/json" } }]) {
    assert.equal((await ask("", init)).headers.get("access-control-allow-origin"), "*");
  }
});

it("a mismatched request is a 404 that names the difference", async () => {
  for (const [path, init, difference] of [
    ["/nope", {}, /the path is \/nope, not \/assistant/],
    [`${PATH}?company=x`, {}, /no parameter "company"; did you mean "CompanyId"/],
    [PATH, { method: "POST", body: "{}" }, /the method is POST, not GET; it has a body/],
  ]) {
    const reply = await fetch(server.url + path, { headers: GOOD, ...init });
    assert.equal(reply.status, 404, path);
    assert.match(await reply.text(), difference);
  }
  const log = await (await fetch(`${server.url}/fake/requests`)).json();
  assert.equal(log.length, 3);
  assert.match(log[0].mismatch, /the path is/);
  assert.equal(log[0].headers.authorization, "Bearer [secret]");
});

it("connections break, stall and drip", async () => {
  server.fake.set(OWN, { kind: "network" });
  await assert.rejects(ask(), TypeError);
  server.fake.set(OWN, { kind: "truncated" });
  const cut = await ask();
  await assert.rejects(cut.text(), TypeError);
  server.fake.set(OWN, { kind: "truncated", end: "clean" });
  const half = await (await ask()).text();
  assert.ok(half.startsWith('{"CompanyId"') && !half.endsWith("}"));
  server.fake.set(OWN, { kind: "slow", byteMs: 1 });
  assert.equal((await usage()).TokensUsed, 1234);
});

it("a cancelled request is recorded", { timeout: 10_000 }, async () => {
  server.fake.set(OWN, { kind: "hang" });
  const socket = connect(server.port, "127.0.0.1");
  await once(socket, "connect");
  socket.write(`GET ${PATH} HTTP/1.1\r\nHost: x\r\nAccept: application/json\r\n\r\n`);
  while (server.fake.requests.length === 0) await sleep(5);
  assert.equal(server.fake.requests[0].aborted, false);
  socket.destroy();
  while (!server.fake.requests[0].aborted) await sleep(5);
});
