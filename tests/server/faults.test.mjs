// Each fault does what its name says, seen over node:http.
import assert from "node:assert/strict";
import { request as httpRequest } from "node:http";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { startServer } from "./server.mjs";

const USAGE = "/assistant/ai-chat/usage";
const OK =
  '{"CompanyId":"3fa85f64-5717-4562-b3fc-2c963f66afa6","TokensUsed":1234,"TokenLimit":100000,"TokensRemaining":98766,"IsWithinBudget":true,"WindowDays":30}';
const HALF = OK.slice(0, OK.length / 2);

let server;
before(async () => (server = await startServer()));
after(() => server.close());

// The outcome of one request: `{ status, headers, body, chunks, ended, error }`. `ended` is how the
// reply ended: "properly", "cut off", or "never" within `patience`; without a status there was no
// reply at all.
function send(path, { method = "GET", headers = {}, patience = 3000 } = {}) {
  return new Promise((resolve) => {
    const outcome = { body: "", chunks: 0, ended: "never" };
    const bytes = [];
    const request = httpRequest(new URL(path, server.url), { method, headers, agent: false }, (response) => {
      outcome.status = response.statusCode;
      outcome.headers = response.headers;
      response.on("data", (chunk) => (bytes.push(chunk), outcome.chunks++));
      response.on("end", () => finish("properly"));
      response.on("error", (error) => finish("cut off", error));
    });
    const timer = setTimeout(() => (finish("never"), request.destroy()), patience);
    let done = false;
    function finish(ended, error) {
      if (done) return;
      done = true;
      clearTimeout(timer);
      resolve(Object.assign(outcome, { ended, error, bytes: Buffer.concat(bytes), body: String(Buffer.concat(bytes)) }));
    }
    request.on("error", (error) => finish("cut off", error));
    request.end();
  });
}

const fault = (name, key, options) => send(`/faults/${name}/${key}${USAGE}`, options);
const logOf = async (name, key) => JSON.parse((await send(`/faults-log/${name}/${key}`)).body);

describe("replies that do not arrive", () => {
  test("stall-headers never answers", async () => {
    const { status, ended } = await fault("stall-headers", "a", { patience: 150 });
    assert.deepEqual([status, ended], [undefined, "never"]);
    assert.equal((await logOf("stall-headers", "a")).length, 1);
  });

  test("stall-body sends half and then nothing", async () => {
    const { status, headers, body, ended } = await fault("stall-body", "a", { patience: 150 });
    assert.deepEqual([status, headers["content-length"], body, ended], [200, String(OK.length), HALF, "never"]);
  });

  test("truncated sends half of what it promised", async () => {
    const { status, headers, body, ended } = await fault("truncated", "a");
    assert.deepEqual([status, headers["content-length"], body, ended], [200, String(OK.length), HALF, "cut off"]);
  });

  test("truncated-clean sends half and ends properly", async () => {
    const { status, headers, body, ended } = await fault("truncated-clean", "a");
    assert.deepEqual([status, headers["transfer-encoding"], body, ended], [200, "chunked", HALF, "properly"]);
  });

  test("reset resets, each time", async () => {
    for (let n = 0; n < 2; n++) {
      const { status, error } = await fault("reset", "a");
      assert.deepEqual([status, error.code], [undefined, "ECONNRESET"]);
    }
  });

  test("slow-drip sends everything, one byte at a time", async () => {
    const started = Date.now();
    const { body, chunks, ended } = await fault("slow-drip", "a");
    assert.deepEqual([body, ended], [OK, "properly"]);
    assert.ok(chunks > OK.length / 3, `${chunks} chunks`);
    assert.ok(Date.now() - started > 500);
  });
});

describe("the first request fails, the second does not", () => {
  for (const [name, status, header, value] of [
    ["503-then-200", 503, "retry-after", undefined],
    ["retry-after-seconds", 503, "retry-after", "1"],
    ["retry-after-ms", 503, "retry-after-ms", "700"],
    ["retry-after-0", 503, "retry-after", "0"],
    ["retry-after-malformed", 503, "retry-after", "soon"],
    ["429-then-200", 429, "retry-after", "1"],
  ]) {
    test(name, async () => {
      const first = await fault(name, "a");
      assert.deepEqual([first.status, first.headers[header], first.ended], [status, value, "properly"]);
      const second = await fault(name, "a");
      assert.deepEqual([second.status, second.body], [200, OK]);
    });
  }

  test("reset-then-200", async () => {
    assert.equal((await fault("reset-then-200", "a")).error.code, "ECONNRESET");
    assert.equal((await fault("reset-then-200", "a")).body, OK);
  });

  for (const [name, ahead] of [["retry-after-date", 0], ["retry-after-skewed", 3_600_000]]) {
    test(name, async () => {
      const { status, headers } = await fault(name, "a");
      assert.equal(status, 503);
      assert.equal(Date.parse(headers["retry-after"]) - Date.parse(headers.date), 2000);
      const skew = Date.parse(headers.date) - Date.now();
      assert.ok(Math.abs(skew - ahead) < 3000, `${skew} ms`);
      assert.equal((await fault(name, "a")).body, OK);
    });
  }

  test("401-then-200 accepts any Authorization but the first", async () => {
    const statuses = [];
    for (const token of ["a", "a", "b", "a"]) {
      const Authorization = `Bearer ${token}`;
      statuses.push((await fault("401-then-200", "a", { headers: { Authorization } })).status);
    }
    assert.deepEqual(statuses, [401, 401, 200, 401]);
  });
});

describe("always the same", () => {
  for (const [name, status, type, body, extra = {}] of [
    ["retry-after-3600", 503, undefined, /^$/, { "retry-after": "3600" }],
    ["503-forever", 503, undefined, /^$/, { "retry-after": undefined }],
    ["429-quota", 429, "application/json; charset=utf-8", /"ErrorCode":"insufficient_quota"/],
    ["zero-filled-500", 500, "application/json; charset=utf-8", /^{"TokensUsed":0,.*"ErrorCode":/],
    ["401-empty", 401, undefined, /^$/, { "www-authenticate": "Bearer" }],
    ["401-body", 401, "application/json; charset=utf-8", /"ErrorCode":"Unauthorized"/],
    ["html-200", 200, "text/html", /^<!doctype html>/],
    ["empty-200", 200, "application/json; charset=utf-8", /^$/],
    ["wrong-types", 200, "application/json; charset=utf-8", /"TokensUsed":"a lot"/],
    ["big-int", 200, "application/json; charset=utf-8", /"TokensUsed":9007199254740993\b/],
    ["error-200", 200, "application/json; charset=utf-8", /"ErrorCode":"BudgetClosed"/],
    ["other-company", 200, "application/json; charset=utf-8", /"TokensUsed":77/],
    ["camel-case", 200, "application/json; charset=utf-8", /"companyId":"3fa85f6457174562b3fc2c963f66afa6","tokensUsed":1234/],
    ["jsonl-crlf", 200, "text/jsonl", /}\r\n$/],
    ["other-origin", 200, "application/json; charset=utf-8", /"TokensUsed":1234/],
  ]) {
    test(name, async () => {
      for (let n = 0; n < 3; n++) {
        const reply = await fault(name, "a");
        assert.deepEqual([reply.status, reply.headers["content-type"], reply.ended], [status, type, "properly"]);
        assert.match(reply.body, body);
        for (const [header, value] of Object.entries(extra)) assert.equal(reply.headers[header], value);
        assert.ok(Math.abs(Date.parse(reply.headers.date) - Date.now()) < 3000);
      }
    });
  }

  test("gzip", async () => {
    const { headers, bytes } = await fault("gzip", "a");
    assert.equal(headers["content-encoding"], "gzip");
    assert.equal(String(gunzipSync(bytes)), OK);
  });
});

describe("redirects", () => {
  test("redirect-other-origin leads to another port, which logs its requests", async () => {
    const { status, headers } = await fault("redirect-other-origin", "b");
    const location = new URL(headers.location);
    assert.equal(status, 302);
    assert.equal(location.hostname, "127.0.0.1");
    assert.notEqual(location.port, String(server.port));
    assert.equal(location.pathname, `/faults/other-origin/b${USAGE}`);
    assert.deepEqual(await logOf("other-origin", "b"), []);
    const reply = await send(headers.location, { headers: { "x-api-key": "leaked" } });
    assert.deepEqual([reply.status, reply.body], [200, OK]);
    assert.equal((await logOf("other-origin", "b"))[0].headers["x-api-key"], "leaked");
    const again = await fault("redirect-other-origin", "c");
    assert.equal(new URL(again.headers.location).port, location.port);
  });

  test("redirect-login leads to a page with status 200", async () => {
    const { status, headers } = await fault("redirect-login", "a");
    assert.equal(status, 302);
    const page = await send(headers.location);
    assert.deepEqual([page.status, page.headers["content-type"]], [200, "text/html"]);
  });

  test("the other port closes with the server", async () => {
    const own = await startServer();
    const { headers } = await send(`${own.url}/faults/redirect-other-origin/a${USAGE}`);
    await own.close();
    await sleep(20);
    assert.equal((await send(headers.location)).error.code, "ECONNREFUSED");
  });
});

describe("keys and the log", () => {
  test("keys do not affect each other", async () => {
    const statuses = await Promise.all(["k1", "k2", "k3"].map(async (key) => (await fault("503-then-200", key)).status));
    assert.deepEqual(statuses, [503, 503, 503]);
    assert.equal((await fault("503-then-200", "k2")).status, 200);
  });

  test("the log has each attempt with its time and headers", async () => {
    assert.deepEqual(await logOf("503-forever", "fresh"), []);
    const started = Date.now();
    for (const n of ["1", "2"]) await fault("503-forever", "fresh", { headers: { "X-Try": n } });
    const log = await logOf("503-forever", "fresh");
    assert.deepEqual(log.map(({ headers }) => headers["x-try"]), ["1", "2"]);
    assert.ok(log[0].at >= started && log[1].at >= log[0].at && log[1].at <= Date.now());
  });

  test("the key may be left out, and a preflight is not an attempt", async () => {
    await send(`/faults/503-forever${USAGE}`);
    const preflight = await send(`/faults/503-forever${USAGE}`, { method: "OPTIONS" });
    assert.deepEqual([preflight.status, preflight.headers["access-control-allow-origin"]], [204, "*"]);
    assert.equal(JSON.parse((await send("/faults-log/503-forever")).body).length, 1);
  });

  test("the list names every fault, and an unknown fault is a 404", async () => {
    const { body } = await send("/faults");
    const names = [...body.matchAll(/^\/faults\/(\S+) +\S/gm)].map(([, name]) => name);
    assert.ok(names.length > 30 && names.includes("stall-headers") && names.includes("jsonl-crlf"));
    for (const path of ["/faults/nope/a/assistant", "/faults-log/nope", "/faults/toString/a"]) {
      const reply = await send(path);
      assert.equal(reply.status, 404, path);
      assert.match(reply.body, /^There is no fault "\w+"; \/faults lists them\n$/);
    }
  });
});
