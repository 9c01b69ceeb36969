// The recorder against the replayed recordings, and the differences that it finds.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { loadExchanges } from "../server/exchanges.mjs";
import { CREDENTIALS } from "../server/scenarios.mjs";
import { startServer } from "../server/server.mjs";
import { ask, isLoopback } from "./ask.mjs";
import { differences } from "./differences.mjs";
import { drift } from "./shape.mjs";

const program = fileURLToPath(new URL("record.mjs", import.meta.url));
const exchanges = loadExchanges();
const get = (id) => structuredClone(exchanges.find((exchange) => exchange.id === id));

let server;
before(async () => (server = await startServer({ replay: true })));
after(() => server.close());

function record(...args) {
  return new Promise((resolve) => {
    execFile(process.execPath, [program, ...args], (error, stdout, stderr) => resolve({ code: error?.code ?? 0, stdout, stderr }));
  });
}

describe("the command", () => {
  it("finds the replayed recordings equal, all of them", async () => {
    const { code, stdout, stderr } = await record(`${server.url}/{host}`, "--compare");
    assert.deepEqual([code, stderr], [0, ""]);
    console.log(stdout.trim().split("\n").pop());
    assert.match(stdout, /^254 of 254 equal$/m);
  });

  it("reports where another host differs", async () => {
    const { code, stdout } = await record(server.url, "--host", "cors-open", "--compare");
    assert.equal(code, 1);
    assert.match(stdout, /^cors-open\/[\w-]+\n  access-control-allow-headers\n    recorded "Content-Type,Authorization,x-api-key,x-language"\n    now      "Content-Type"$/m);
  });

  it("writes what it compares", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "recording-"));
    t.after(() => rmSync(folder, { recursive: true }));
    const { code } = await record(`${server.url}/{host}`, "--host", "gzip", "--host", "cookie", "--out", folder);
    assert.equal(code, 0);
    for (const host of ["gzip", "cookie"]) {
      const text = readFileSync(join(folder, `${host}.json`), "utf8");
      const written = JSON.parse(text);
      assert.equal(text.split("\n").length, written.length + 3, "an exchange a line");
      assert.deepEqual(written.flatMap((exchange) => differences(get(exchange.id), exchange)), []);
    }
  });

  it("compares the shape", async () => {
    const { code, stdout } = await record(server.url, "--shape");
    assert.deepEqual([code, stdout], [0, "The host and the crate have the same members.\n"]);
  });

  it("refuses bad input with a sentence", async (t) => {
    const silent = createServer((_, res) => res.writeHead(404).end());
    await new Promise((resolve) => silent.listen(0, "127.0.0.1", resolve));
    t.after(() => silent.close());
    const other = `http://127.0.0.1:${silent.address().port}`;
    for (const [args, code, sentence] of [
      [[], 2, /^The URL of the host is missing; see --help\.$/m],
      [["nowhere"], 2, /^"nowhere" is not an http or https URL; give one such as/m],
      [["http://u:p@127.0.0.1"], 2, /no user, query or fragment/],
      [[server.url, "--compere"], 2, /^Unknown option '--compere'; see --help\.$/m],
      [[server.url, "--compare", "--shape"], 2, /exclude each other/],
      [[server.url, "--host", "x"], 2, /^No host named "x" was recorded; choose one of camel, /m],
      [["http://127.0.0.1:1", "--compare"], 3, /^pascal\/ok-json: no answer from .* \(ECONNREFUSED\)\. Start the host/m],
      [[other, "--shape"], 3, /^The host answered 404 to \/types\/metadata/m],
    ]) {
      const ended = await record(...args);
      assert.equal(ended.code, code, ended.stderr);
      assert.match(ended.stderr, sentence);
    }
    assert.match((await record("--help")).stdout, /^Usage: /);
  });
});

describe("a difference", () => {
  const changed = (change) => {
    const exchange = get("pascal/too-many-retry-after-json");
    change(exchange.response);
    return differences(get("pascal/too-many-retry-after-json"), exchange).map(({ what }) => what);
  };
  const header = ({ headers }, name) => headers.find(([own]) => own === name);

  it("is a status, a header that was added, removed or changed, and a body", () => {
    assert.deepEqual(changed(() => {}), []);
    assert.deepEqual(changed((r) => (r.status = 503)), ["status"]);
    assert.deepEqual(changed((r) => (header(r, "Retry-After")[1] = "8")), ["retry-after"]);
    assert.deepEqual(changed((r) => (r.headers = r.headers.filter(([name]) => name !== "Vary"))), ["vary"]);
    assert.deepEqual(changed((r) => r.headers.push(["Vary", "Origin"])), ["vary"]);
    assert.deepEqual(changed((r) => (r.body = r.body.replace("Too", "too"))), ["body"]);
  });

  it("is not a date, a session or framing", () => {
    assert.deepEqual(changed((r) => (header(r, "Date")[1] = "Mon, 04 Jan 2027 10:00:00 GMT")), []);
    assert.deepEqual(changed((r) => (header(r, "Set-Cookie")[1] = header(r, "Set-Cookie")[1].replace("scrubbed", "abc"))), []);
    assert.deepEqual(changed((r) => (r.headers = r.headers.filter(([name]) => name !== "Transfer-Encoding"))), []);
    assert.deepEqual(changed((r) => (header(r, "Set-Cookie")[1] = "ss-id=abc; path=/; secure")), ["set-cookie"]);
  });
});

describe("the shape", () => {
  const metadata = () => JSON.parse(readFileSync(new URL("../fixtures/metadata.json", import.meta.url), "utf8"));
  const drifted = (change) => {
    const changed = metadata();
    change(changed.Operations[0]);
    return drift(changed);
  };
  const property = ({ Response }, name) => Response.Properties.find(({ Name }) => Name === name);

  it("is compared member by member", () => {
    assert.deepEqual(drift(metadata()), []);
    assert.deepEqual(drifted((o) => o.Response.Properties.push({ Name: "NeverHeardOf", Type: "DateTime" })), [
      "AiChatUsageResponse.NeverHeardOf was added: DateTime at the host",
    ]);
    assert.deepEqual(drifted((o) => o.Response.Properties.splice(1, 1)), ["AiChatUsageResponse.tokensUsed was removed: the host does not have it"]);
    assert.deepEqual(drifted((o) => (property(o, "TokenLimit").Type = "Int64")), [
      "AiChatUsageResponse.TokenLimit changed its type: Int32 here, Int64 at the host",
    ]);
    assert.deepEqual(drifted((o) => Object.assign(property(o, "WindowDays"), { Type: "Nullable`1", GenericArgs: ["Int32"] })), [
      "AiChatUsageResponse.WindowDays may be absent at the host, and is required here",
    ]);
    assert.deepEqual(drifted((o) => o.Request.Properties.pop()), ["GetAiChatUsage.companyId was removed: the host does not have it"]);
    assert.deepEqual(drifted((o) => (o.Actions = ["POST"])), ["GetAiChatUsage is sent by POST, no longer by GET"]);
    assert.throws(() => drift({ operations: [] }), /describes no operation GetAiChatUsage/);
  });

  it("may be described in camelCase", () => {
    const camel = JSON.stringify(metadata()).replaceAll(/"(\w)(\w*)":/g, (_, first, rest) => `"${first.toLowerCase()}${rest}":`);
    assert.deepEqual(drift(JSON.parse(camel)), []);
  });
});

it("a host's secrets are sent but not written", async (t) => {
  const arrived = [];
  const host = createServer((req, res) => {
    arrived.push([req.headers.authorization, req.headers["x-api-key"], req.headers.host]);
    res.statusMessage = `Not for ${req.headers.authorization}`;
    res.setHeader("set-cookie", "ss-id=secret; path=/");
    res.setHeader("x-asked", `${req.headers.authorization} ${req.headers["x-api-key"]}`);
    res.end(`You sent ${req.headers.authorization} and ${req.headers["x-api-key"]}.`);
  });
  await new Promise((resolve) => host.listen(0, "127.0.0.1", resolve));
  t.after(() => host.close());
  const base = new URL(`http://127.0.0.1:${host.address().port}/`);
  const exchange = get("pascal/ok-json");
  exchange.request.headers["X-Api-Key"] = CREDENTIALS.apiKey;
  const now = await ask(base, exchange, { bearerToken: "real-token", apiKey: "real-key" });
  assert.deepEqual(arrived, [["Bearer real-token", "real-key", "api.bookmore.com"]]);
  assert.doesNotMatch(JSON.stringify(now), /secret|real-/);
  assert.equal(now.response.body, `You sent Bearer ${CREDENTIALS.bearerToken} and ${CREDENTIALS.apiKey}.`);
  assert.ok(isLoopback(base) && isLoopback(new URL("http://[::1]:1")) && !isLoopback(new URL("https://127.example.com")));
});
