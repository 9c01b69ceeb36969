// A hundred thousand calls in one process: nothing grows.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { install } from "./installed.mjs";

const CALLS = 100_000;
const WARM_UP = 5_000;

if (process.argv[2] === "child") {
  await child(process.argv[3]);
} else {
  let user;
  before(() => (user = install()));
  after(() => user?.remove());

  it(`${CALLS} calls leave nothing behind`, { timeout: 240_000 }, () => {
    const args = ["--expose-gc", fileURLToPath(import.meta.url), "child", join(user.folder, "node_modules/bookmore-sdk/dist/index.js")];
    const { before, after } = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
    console.log(`${WARM_UP} calls: ${figures(before)}; ${CALLS} more: ${figures(after)}`);
    assert.equal(after.wasm, before.wasm);
    assert.deepEqual(after.tables, before.tables);
    // A leak of one number a call would be 800 kB.
    assert.ok(after.heap - before.heap < 400_000, `the heap grew by ${after.heap - before.heap} bytes`);
    assert.equal(after.timers, 0);
  });
}

function figures({ wasm, tables, heap }) {
  return `wasm memory ${wasm / 1024} KiB, tables ${JSON.stringify(tables)}, heap ${Math.round(heap / 1024)} KiB`;
}

async function child(path) {
  const exported = [];
  const { instantiate } = WebAssembly;
  WebAssembly.instantiate = async (...given) => {
    const instance = await instantiate.apply(WebAssembly, given);
    exported.push(...Object.values(instance.exports));
    return instance;
  };
  const { BookMoreClient } = await import(path);
  const body = '{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}';
  const headers = { "content-type": "application/json" };
  // Handmade, because creating a Response for each call would take most of the time.
  const reply = (status, more = {}) => async () => ({ status, headers: Object.entries({ ...headers, ...more }), body: undefined, text: async () => (status === 200 ? body : "") });
  const options = { maxRetries: 0, onEvent: () => {}, bearerToken: async () => "t0ken" };
  const clients = [
    new BookMoreClient({ ...options, fetch: reply(200) }),
    new BookMoreClient({ ...options, fetch: reply(401) }),
    new BookMoreClient({ ...options, fetch: async () => Promise.reject(new TypeError("lost")) }),
    new BookMoreClient({ ...options, fetch: () => new Promise(() => {}) }),
    new BookMoreClient({ ...options, fetch: reply(503, { "retry-after": "60" }) }),
  ];
  let companies = 0;
  const round = async (count) => {
    for (let call = 0; call < count; call += 10) {
      const calls = Array.from({ length: 10 }, (_, at) => {
        const client = clients[at < 3 ? 0 : at < 5 ? 4 : at < 7 ? 1 : at < 9 ? 2 : 3];
        // Pauses belong to companies.
        const request = client === clients[4] ? { companyId: String(++companies).padStart(32, "0") } : {};
        const controller = new AbortController();
        const { signal } = controller;
        if (client === clients[3]) setImmediate(() => controller.abort());
        return client.getAiChatUsage(request, { signal, coalesce: at % 2 === 0 }).catch(() => {});
      });
      await Promise.all(calls);
    }
    // Clients come and go as well.
    for (let at = 0; at < 100; at++) await new BookMoreClient({ ...options, fetch: reply(200) }).getAiChatUsage();
    for (let at = 0; at < 5; at++) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      globalThis.gc();
    }
    return {
      wasm: exported.find((value) => value instanceof WebAssembly.Memory).buffer.byteLength,
      tables: exported.filter((value) => value instanceof WebAssembly.Table).map(({ length }) => length),
      heap: process.memoryUsage().heapUsed,
      timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout").length,
    };
  };
  const before = await round(WARM_UP);
  const after = await round(CALLS);
  process.stdout.write(JSON.stringify({ before, after }));
}
