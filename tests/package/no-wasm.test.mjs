// bookmore-sdk/no-wasm of the packed tarball: the translated module decides as the module does, and the client works
// without WebAssembly. The tables run in scenarios.test.mjs, calls.test.mjs and node.test.mjs.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { execFile } from "node:child_process";
import { bodyBytes, loadExchanges } from "../server/exchanges.mjs";
import { startServer } from "../server/server.mjs";
import { install } from "./installed.mjs";
import { played } from "./schedules.mjs";

const run = promisify(execFile);
const SCHEDULES = Number(process.env.SCHEDULES ?? 2_000);
/** The first of them, so that a million can be divided among processes. */
const FIRST_SCHEDULE = Number(process.env.FIRST_SCHEDULE ?? 0);

let user, dist;
before(() => {
  user = install();
  dist = (file) => import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist", file)));
});
after(() => user?.remove());

/** An instance of the module, and one of its translation. */
async function both() {
  const [core, inline, noWasmCore, noWasm] = await Promise.all(
    ["core.js", "wasm-inline.js", "no-wasm-core.js", "no-wasm-module.js"].map(dist),
  );
  const module = core.glue();
  await module({ module_or_path: await inline.wasm() });
  const translated = noWasmCore.glue(undefined, {
    Module: Object,
    Instance: function (_, imports) {
      return { exports: noWasm.instantiate(imports) };
    },
  });
  translated.initSync({ module: {} });
  return { module, translated };
}

it(`${SCHEDULES} random schedules have the same outputs`, async () => {
  const bodies = loadExchanges().map(bodyBytes);
  const { module, translated } = await both();
  let lines = 0;
  for (let count = 1; count <= SCHEDULES; count++) {
    const seed = FIRST_SCHEDULE + count - 1;
    const [one, other] = [module, translated].map((glue) => played(seed, glue, bodies));
    assert.equal(other, one, `seed ${seed}`);
    lines += one.split("\n").length;
    if (count % 50_000 === 0 || count === SCHEDULES) console.log(`no-wasm: ${count} of ${SCHEDULES} schedules had the same ${lines} lines of output`);
  }
});

const USAGE = '{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}';
const JSON_TYPE = ["content-type", "application/json"];
/** A Response of a platform without streams: no body, and iterable headers. */
const plain = (headers = [JSON_TYPE], body = USAGE) => ({ status: 200, headers, text: async () => body });
const failure = (promise) => promise.then((value) => assert.fail(`it gave ${JSON.stringify(value)}`), (error) => error);
const own = () => createRequire(join(user.folder, "user.cjs"))("bookmore-sdk/no-wasm");

/** The JSON that a script prints, in a Node.js process with the package. */
async function told(script, flags = []) {
  const text = `const { BookMoreClient } = require("bookmore-sdk/no-wasm");\n${script}`;
  const { stdout } = await run(process.execPath, [...flags, "-e", text], { cwd: user.folder });
  return JSON.parse(stdout);
}

it("a body of any length, in one piece, fails only its own call", async () => {
  const { BookMoreClient } = own();
  let answer;
  const other = new BookMoreClient({ fetch: () => new Promise((resolve) => (answer = resolve)) }).getAiChatUsage();
  while (!answer) await new Promise(setImmediate);
  const reply = { ...plain(), text: async () => " ".repeat(20 * 2 ** 20) };
  const error = await failure(new BookMoreClient({ fetch: async () => reply, maxRetries: 0 }).getAiChatUsage());
  assert.equal(error.code, "decode_error");
  assert.match(error.message, /longer than the client reads/);
  answer(plain());
  assert.equal((await other).tokensUsed, 5);
});

it("headers that do not fit into memory end all calls with an InternalError, and the next call works", async () => {
  const { BookMoreClient, InternalError } = own();
  const replies = [new Promise(() => {}), plain([JSON_TYPE, ["x-long", "x".repeat(20 * 2 ** 20)]]), plain()];
  const seen = new Set();
  const client = new BookMoreClient({ fetch: async () => replies.shift(), onEvent: ({ callId }) => seen.add(callId) });
  const errors = await Promise.all([failure(client.getAiChatUsage()), failure(client.getAiChatUsage({}, { coalesce: false }))]);
  for (const error of errors) {
    assert.ok(error instanceof InternalError, String(error));
    // wasm2js's translation of `unreachable`.
    assert.deepEqual([error.code, error.cause.message], ["internal_error", "abort"]);
  }
  assert.notEqual(errors[0], errors[1]);
  assert.equal((await client.getAiChatUsage()).tokensUsed, 5);
  assert.equal(seen.size, 3, "each call has an id of its own");
});

it("a base URL that does not fit into memory is an InternalError, and the next client works", async () => {
  const script = `
    globalThis.URL = undefined;
    const made = (baseUrl) => { try { new BookMoreClient({ baseUrl }); return "made"; } catch ({ code }) { return code ?? "no BookMoreError"; } };
    console.log(JSON.stringify([made("https://a.example"), made("https://a.example/" + "x".repeat(10 * 2 ** 20)), made("https://a.example")]));`;
  assert.deepEqual(await told(script), ["made", "internal_error", "made"]);
});

it("refuses calls while memory is full, answers all others, and has room again after they have ended", async () => {
  const { BookMoreClient } = own();
  // Each as long as many servers allow, so that few calls fill the memory.
  const headers = { "x-long": "y".repeat(7_000) };
  const counts = [];
  const clients = [];
  for (let round = 0; round < 3; round++) {
    const waiting = [];
    const client = new BookMoreClient({ fetch: () => new Promise((resolve) => waiting.push(resolve)), totalTimeoutMs: null, attemptTimeoutMs: null });
    const other = new BookMoreClient({ fetch: async () => plain() });
    clients.push(client, other);
    await client.ready();
    const all = [];
    let refused;
    for (let count = 0; !refused && count < 5_000; count++) {
      all.push(client.getAiChatUsage({}, { coalesce: false, headers }).catch((error) => void (refused = error)));
      await null;
    }
    await new Promise(setImmediate);
    for (const error of [refused, await failure(other.getAiChatUsage())]) {
      assert.equal(error.code, "internal_error");
      assert.match(error.message, /^The SDK's memory is full, and cannot grow without WebAssembly/);
      assert.equal(error.isRetryable, true);
    }
    counts.push(waiting.length);
    for (const answer of waiting) answer(plain());
    const answered = (await Promise.all(all)).filter((usage) => usage?.tokensUsed === 5);
    assert.equal(answered.length, waiting.length);
    assert.equal((await other.getAiChatUsage()).tokensUsed, 5);
    const again = client.getAiChatUsage();
    await new Promise(setImmediate);
    waiting.at(-1)(plain());
    assert.equal((await again).tokensUsed, 5);
  }
  assert.ok(Math.min(...counts) > 100, `${counts} in flight`);
  // A client takes some kilobytes, which are freed.
  assert.ok(counts[0] - counts[2] < 10, `${counts} in flight`);
});

it("a company id of any length is refused, and harms no other call", async () => {
  for (const name of ["bookmore-sdk", "bookmore-sdk/no-wasm"]) {
    const { BookMoreClient } = createRequire(join(user.folder, "user.cjs"))(name);
    let answer;
    const other = new BookMoreClient({ fetch: () => new Promise((resolve) => (answer = resolve)) }).getAiChatUsage();
    while (!answer) await new Promise(setImmediate);
    const error = await failure(new BookMoreClient({ fetch: async () => plain() }).getAiChatUsage({ companyId: "ü".repeat(6e6) }));
    assert.equal(error.code, "config_error", name);
    answer(plain());
    assert.equal((await other).tokensUsed, 5, name);
  }
});

it("pauses of any number of companies leave room for other calls", async () => {
  const { BookMoreClient } = own();
  const reply = { status: 503, headers: [["retry-after", "60"]], text: async () => "" };
  const client = new BookMoreClient({ fetch: async () => reply, maxRetries: 0 });
  const companies = Array.from({ length: 25_000 }, (_, at) => String(at + 1).padStart(32, "0"));
  const codes = new Set();
  for (const companyId of companies) codes.add((await failure(client.getAiChatUsage({ companyId }))).code);
  assert.deepEqual([...codes], ["server_error"]);
  assert.equal((await new BookMoreClient({ fetch: async () => plain() }).getAiChatUsage()).tokensUsed, 5);
});

it("without a FinalizationRegistry, only closed clients are freed", async () => {
  const script = (clients, close, soon = "") => `
    globalThis.Request; // Node.js creates it on first access, with a registry
    globalThis.FinalizationRegistry = undefined;
    const fetch = async () => ({ status: 200, headers: [["content-type", "application/json"]], text: async () => '${USAGE}' });
    (async () => {
      const apiKey = "k".repeat(10_000);
      const came = { ok: 0 };
      for (let count = 0; count < ${clients}; count++) {
        const client = new BookMoreClient({ fetch, apiKey });
        const call = client.getAiChatUsage().then(() => came.ok++, (error) => (came.error ??= error.message));
        ${soon}
        await call;
        ${close}
      }
      console.log(JSON.stringify(came));
    })();`;
  assert.deepEqual(await told(script(3_000, "client.close();")), { ok: 3_000 });
  // Before there is an engine.
  assert.deepEqual(await told(script(3_000, "", "client.close();")), { ok: 3_000 });
  assert.match((await told(script(1_500, ""))).error, /The SDK's memory is full, and cannot grow without WebAssembly/);
});

it("a closed client ends with its calls, and starts as a new one when it is called again", async () => {
  for (const name of ["bookmore-sdk", "bookmore-sdk/no-wasm"]) {
    const { BookMoreClient } = createRequire(join(user.folder, "user.cjs"))(name);
    const sends = [];
    let asked = 0;
    const bearerToken = () => ({ token: `t0ken-${++asked}`, expiresAt: Date.now() + 3_600_000 });
    const client = new BookMoreClient({ bearerToken, fetch: () => new Promise((resolve) => sends.push(resolve)) });
    client.close();
    for (let round = 1; round <= 2; round++) {
      const usage = client.getAiChatUsage();
      while (sends.length === 0) await new Promise(setImmediate);
      client.close();
      client.close();
      sends.pop()(plain());
      assert.equal((await usage).tokensUsed, 5, name);
      assert.equal(asked, round, name);
    }
  }
});

it("call ids continue after close()", async () => {
  for (const name of ["bookmore-sdk", "bookmore-sdk/no-wasm"]) {
    const { BookMoreClient } = createRequire(join(user.folder, "user.cjs"))(name);
    const seen = new Set();
    const client = new BookMoreClient({ fetch: async () => plain(), onEvent: ({ callId }) => seen.add(callId) });
    for (let round = 1; round <= 3; round++) {
      await client.getAiChatUsage();
      assert.equal(seen.size, round, name);
      client.close();
    }
  }
});

it("in Workers, too, calls of a closed client use a token that is set afterwards", async () => {
  const script = `
    Object.defineProperty(globalThis, "navigator", { value: { userAgent: "Cloudflare-Workers" } });
    const refusal = { status: 401, headers: [], text: async () => "" };
    const usage = { status: 200, headers: [["content-type", "application/json"]], text: async () => '${USAGE}' };
    (async () => {
      const told = [];
      for (const Client of [BookMoreClient, require("bookmore-sdk").BookMoreClient]) {
        const sent = [];
        let answer;
        const fetch = (_, { headers }) => {
          sent.push(headers.Authorization ?? headers.authorization);
          return sent.length === 1 ? new Promise((resolve) => (answer = resolve)) : Promise.resolve(usage);
        };
        const client = new Client({ bearerToken: "old", fetch });
        const call = client.getAiChatUsage();
        while (!answer) await new Promise(setImmediate);
        client.close();
        client.setBearerToken("new", { sameIdentity: true });
        answer(refusal);
        await call;
        client.close();
        await client.getAiChatUsage();
        told.push(sent);
      }
      console.log(JSON.stringify(told));
    })();`;
  const expected = ["Bearer old", "Bearer new", "Bearer new"];
  assert.deepEqual(await told(script), [expected, expected]);
});

it("works in Node.js without WebAssembly, with a fetch over node:http", async () => {
  const server = await startServer();
  try {
    const script = `
      const { get } = require("node:http");
      const fetch = (url, { headers, signal }) => new Promise((resolve, reject) => {
        get(url, { headers, signal }, (reply) => {
          const chunks = [];
          reply.on("data", (chunk) => chunks.push(chunk)).on("error", reject).on("end", () =>
            resolve({ status: reply.statusCode, headers: Object.entries(reply.headers), text: async () => String(Buffer.concat(chunks)) }));
        }).on("error", reject);
      });
      const client = new BookMoreClient({ baseUrl: "${server.url}", bearerToken: "good-token", fetch });
      client.getAiChatUsage().then((usage) => console.log(JSON.stringify([typeof WebAssembly, usage.tokensUsed])));`;
    assert.deepEqual(await told(script, ["--jitless"]), ["undefined", 1234]);
  } finally {
    await server.close();
  }
});

it("parses a base URL if the platform's URL cannot", async () => {
  const { good, bad } = JSON.parse(readFileSync(new URL("../fixtures/base-urls.json", import.meta.url), "utf8"));
  // React Native's URL: properties return what was passed in, or are missing.
  const script = `
    const cases = { none: undefined, old: class { get origin() { throw new Error("not implemented"); } }, verbatim: class {
      constructor(url) { [, this.origin, this.pathname] = /^(\\w+:\\/\\/[^/]*)(.*)/.exec(url) ?? []; }
    } };
    const { fetch, ...told } = {};
    (async () => {
      for (const [name, URL] of Object.entries(cases)) {
        globalThis.URL = URL;
        told[name] = [];
        for (const baseUrl of ${JSON.stringify([...good.map(([given]) => given), ...bad])}) {
          try {
            const client = new BookMoreClient({ baseUrl, allowInsecureHttp: true, bearerToken: "t0ken", maxRetries: 0, fetch: async (url) => { throw new Error(url); } });
            const { cause } = await client.getAiChatUsage().catch((error) => error);
            told[name].push(cause.message.replace(/\\/assistant\\/ai-chat\\/usage$/, ""));
          } catch (error) {
            told[name].push(error.code);
          }
        }
      }
      console.log(JSON.stringify(told));
    })();`;
  const expected = [...good.map(([, written]) => written), ...bad.map(() => "config_error")];
  assert.deepEqual(await told(script), { none: expected, old: expected, verbatim: expected });
});

it("replaces the default entry under the condition react-native, for every sub-entry", async () => {
  const script = `
    const { createFakeBookMore } = require("bookmore-sdk/testing");
    const { getManyAiChatUsage } = require("bookmore-sdk/many");
    const { watchAiChatUsage } = require("bookmore-sdk/watch");
    const plain = require("bookmore-sdk");
    (async () => {
      const fake = createFakeBookMore();
      fake.set(undefined, { share: 0.83 });
      const client = fake.client();
      const { tokensRemaining } = await client.getAiChatUsage();
      const standIn = { getAiChatUsage: () => client.getAiChatUsage() };
      const many = await getManyAiChatUsage(standIn, [fake.companyId]);
      const store = watchAiChatUsage(client);
      const alive = setTimeout(() => {}, 60_000); // polls do not keep Node.js alive
      const level = await new Promise((resolve) => {
        const leave = store.subscribe((state) => state.status === "ok" && (setTimeout(() => leave()), resolve(state.level)));
      });
      clearTimeout(alive);
      const isNamed = plain.BookMoreClient === BookMoreClient && client instanceof BookMoreClient;
      console.log(JSON.stringify([isNamed, tokensRemaining, many[0].usage.tokensRemaining, level]));
    })();`;
  assert.deepEqual(await told(script, ["-C", "react-native"]), [true, 17_000, 17_000, "warning"]);
});
