// The crate as a JavaScript module: the output of `wasm-pack build` for each target, called in Node and in browsers with
// the same tables as the npm package.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { By } from "selenium-webdriver";
import { BINDINGS_DECLARATIONS, bindingsDeclarations } from "../../pkg/build/bindings.mjs";
import { lockedPackages } from "../matrix/packed.mjs";
import { snippet } from "../readme.mjs";
import { startServer } from "../server/server.mjs";
import { BROWSERS } from "./browser-drivers.mjs";
import { byName } from "./by-name.mjs";
import { CASES } from "./call-cases.mjs";
import { install } from "./installed.mjs";
import { mismatch } from "./virtual-world.mjs";
import { wasmPack } from "./wasm-pack.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const root = at("../..");
const TABLE = JSON.parse(readFileSync(at("../fixtures/scenarios.json"), "utf8"));
const ROWS = JSON.parse(readFileSync(at("../fixtures/outcomes.json"), "utf8"));
// In a Worker the npm package has a driver for each call. The Rust client has a single one, and does not support Workers.
const scenarios = TABLE.scenarios.filter(({ client }) => !client?.isolated);
const PATIENCE = 30_000; // ms for a case; the machine may be busy

const PAGE = '<!doctype html><meta charset="utf-8"><output></output><script type="module" src=';
// Each runs the tables and shows the results.
const SCRIPTS = {
  "web.js": 'import init, * as module from "./web/bookmore_sdk.js";\nimport { play } from "./play.mjs";\nawait init();\nawait play(module);\n',
  "bundler.js": 'import * as module from "./bundler/bookmore_sdk.js";\nimport { play } from "./play.mjs";\nawait play(module);\n',
};
const WEBPACK = `export default {
  mode: "production",
  experiments: { asyncWebAssembly: true },
  entry: "./bundler.js",
  output: { path: import.meta.dirname + "/webpack" },
  performance: { hints: false },
};
`;

let folder, server;
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "bookmore-sdk-bindings-"));
  const pkg = join(folder, "pkg"); // where the server expects it
  for (const target of ["web", "nodejs", "bundler"]) cpSync(wasmPack(target), join(pkg, target), { recursive: true });
  for (const file of ["by-name.mjs", "call-cases.mjs", "play.mjs", "virtual-world.mjs"]) cpSync(at(file), join(pkg, file));
  for (const [file, text] of Object.entries(SCRIPTS)) writeFileSync(join(pkg, file), text);
  writeFileSync(join(pkg, "scenarios.json"), JSON.stringify({ ...TABLE, scenarios }));
  writeFileSync(join(pkg, "web.html"), `${PAGE}"web.js"></script>`);
  writeFileSync(join(pkg, "webpack.html"), `${PAGE}"webpack/main.js"></script>`);
  writeFileSync(join(pkg, "package.json"), '{ "private": true, "type": "module" }\n');
  writeFileSync(join(pkg, "webpack.config.js"), WEBPACK);
  const webpack = join(await lockedPackages("webpack"), "webpack-cli/bin/cli.js");
  execFileSync(process.execPath, [webpack], { cwd: pkg, stdio: ["ignore", "ignore", "inherit"] });
  server = await startServer({ root: folder });
});
after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true, force: true });
});

const nodejs = () => createRequire(import.meta.url)(join(folder, "pkg/nodejs/bookmore_sdk.js"));

describe("in Node", () => {
  it("exports the client and a guard, and nothing else", () => {
    assert.deepEqual(Object.keys(nodejs()).sort(), ["BookMoreClient", "isBookMoreError"]);
  });

  for (const scenario of scenarios) {
    it(scenario.name, async () => assert.equal(await mismatch(byName(nodejs()), TABLE.companies, scenario), undefined));
  }

  for (const [name, run] of Object.entries(CASES)) {
    it(name, { timeout: PATIENCE }, () => run({ sdk: byName(nodejs()), url: server.url }));
  }

  it("has the npm package's outcome for each recorded reply", async (t) => {
    const user = install();
    t.after(user.remove);
    const npm = createRequire(join(user.folder, "user.cjs"))("bookmore-sdk");
    let failures = 0;
    for (const { id, companyId } of ROWS) {
      const told = async ({ BookMoreClient }) => {
        const client = new BookMoreClient({ baseUrl: `${server.url}/replay/${id}`, bearerToken: "good-token", maxRetries: 0 });
        return client.getAiChatUsage({ companyId }).then((usage) => ({ usage }), (error) => ({ error: members(error) }));
      };
      const [own, npms] = [await told(nodejs()), await told(npm)];
      assert.deepEqual(own, npms, id);
      if (own.error) failures++;
    }
    assert.ok(ROWS.length === 254 && failures > 100 && failures < 254, `${failures} failures`);
  });

  for (const [options, sentence] of [
    [{ baseURL: "https://api.example" }, 'The options cannot have "baseURL". Did you mean baseUrl?'],
    [{ retries: 1 }, 'The options cannot have "retries". Did you mean maxRetries?'],
    [{ maxRetries: 1.5 }, "maxRetries must be an integer from 0 to 10."],
    [{ maxRetries: 11 }, "maxRetries must be an integer from 0 to 10."],
    [{ maxRetries: null }, "maxRetries must be an integer from 0 to 10."],
    [{ totalTimeoutMs: "5" }, "totalTimeoutMs must be an integer from 1 to 2147483647, or null for no limit."],
    [{ maxBodyBytes: 0 }, "maxBodyBytes must be an integer from 1 to 4294967295."],
    [{ headers: { a: 5 } }, 'headers["a"] must be a string.'],
    [{ headers: ["a"] }, "headers must be an object, or iterate as pairs of a name and a value."],
    [{ headers: { ACCEPT: "text/html" } }, "The header accept cannot be set here; use the SDK's options."],
    [{ headers: { Cookie: "a=b" } }, "The header cookie is the platform's own and cannot be set."],
    [{ headers: { "Sec-Fetch-Mode": "cors" } }, "The header sec-fetch-mode is the platform's own and cannot be set."],
    [{ headers: { "X-HTTP-Method": "POST" } }, "The header x-http-method is the platform's own and cannot be set."],
    [{ format: "xml" }, 'format must be one of "json", "jsonl".'],
    [{ coalesce: 1 }, "coalesce must be a boolean."],
    [{ fetch: "fetch" }, "fetch must be a function."],
    [{ bearerToken: 5 }, "bearerToken must be a string, a function or null."],
    [{ baseUrl: 5 }, "baseUrl must be a string or a URL."],
    [{ get apiKey() { throw 5; } }, "apiKey cannot be read: its getter throws."],
    ["https://api.example", "The options must be an object."],
    [null, "The options must be an object."],
  ]) {
    it(`refuses with the sentence: ${sentence}`, () => {
      const { BookMoreClient, isBookMoreError } = nodejs();
      assert.throws(() => new BookMoreClient(options), (error) => {
        assert.ok(error instanceof Error && isBookMoreError(error));
        assert.deepEqual([error.name, error.code, error.message], ["ConfigError", "config_error", sentence]);
        return true;
      });
    });
  }

  it("accepts every option, and header names in any case", async () => {
    const { BookMoreClient } = nodejs();
    let sent;
    const fetch = async (url, init) => {
      sent = { url, ...init };
      return new Response("{}", { status: 404 });
    };
    const client = new BookMoreClient({
      baseUrl: new URL("https://API.example:443/base/"),
      bearerToken: "t0ken",
      apiKey: "key",
      credentials: "include",
      fetch,
      retryPacing: false,
      allowInsecureHttp: false,
      onEvent: () => {},
      format: "jsonl",
      headers: new Headers({ "X-Tenant": "sweden", "x-other": "a" }),
      maxRetries: 0,
      attemptTimeoutMs: 5000,
      totalTimeoutMs: null,
      coalesce: false,
      maxBodyBytes: 1000,
    });
    await assert.rejects(client.getAiChatUsage({}, { headers: { "X-OTHER": "b", "x-none": undefined } }), { status: 404 });
    assert.equal(sent.url, "https://api.example/base/assistant/ai-chat/usage");
    assert.equal(sent.credentials, "include");
    assert.deepEqual(sent.headers, {
      Accept: "text/jsonl", Authorization: "Bearer t0ken", "x-api-key": "key", "x-other": "b", "x-tenant": "sweden",
    });
  });

  it("accepts null for no headers", () => {
    const { BookMoreClient } = nodejs();
    assert.ok(new BookMoreClient({ headers: null }));
  });

  it("rejects with an AbortError if a signal has no reason, also on a page that froze Error.prototype", () => {
    const script = `
      Object.freeze(Error.prototype);
      const { BookMoreClient } = require(${JSON.stringify(join(folder, "pkg/nodejs/bookmore_sdk.js"))});
      const signal = { aborted: true, addEventListener() {}, removeEventListener() {} };
      new BookMoreClient().getAiChatUsage({}, { signal }).catch(({ name, message }) => console.log(name, message));
    `;
    const { stdout, stderr } = spawnSync(process.execPath, ["-e", script], { encoding: "utf8" });
    assert.equal(stdout, "AbortError This operation was aborted\n", stderr);
  });

  it("treats expiresAt as the npm package does", async (t) => {
    const user = install();
    t.after(user.remove);
    const npm = createRequire(join(user.folder, "user.cjs"))("bookmore-sdk");
    const noTime = "expiresAt must be a Date, or a number of milliseconds since 1970.";
    const seconds = "The end of the provider's token cannot be used: it can only be seconds where milliseconds are needed.";
    const finer = "The end of the provider's token cannot be used: it is in a finer unit than milliseconds since 1970.";
    for (const [expiresAt, sentence] of [
      ...[null, "soon", NaN, new Date(NaN)].map((end) => [end, noTime]),
      ...[2e9, new Date(2e9)].map((end) => [end, seconds]),
      [2e15, finer],
      ...[undefined, Infinity, 2e12, new Date(2e12), new Date("9999-12-31T23:59:59Z")].map((end) => [end, undefined]),
      // Long expired: it is sent nevertheless, and the next call asks for another one.
      ...[0, -1, -Infinity].map((end) => [end, undefined]),
    ]) {
      for (const { BookMoreClient } of [npm, nodejs()]) {
        const fetch = async () => new Response("", { status: 404 });
        const bearerToken = () => ({ token: "t0ken", expiresAt });
        const error = await new BookMoreClient({ fetch, bearerToken }).getAiChatUsage().catch((error) => error);
        const came = [error.code, sentence && error.message];
        assert.deepEqual(came, [sentence ? "token_provider_error" : "api_error", sentence], String(expiresAt));
      }
    }
  });

  it("reports times in whole milliseconds", async () => {
    const { BookMoreClient } = nodejs();
    const times = [];
    const onEvent = ({ waitMs, elapsedMs }) => times.push(waitMs, elapsedMs);
    const fetch = async () => new Response("", { status: 503 });
    const error = await new BookMoreClient({ fetch, onEvent, maxRetries: 1 }).getAiChatUsage().catch((error) => error);
    times.push(error.elapsedMs, ...error.attempts.flatMap(({ ms, waitMs }) => [ms, waitMs]));
    assert.deepEqual(times.filter((ms) => ms !== undefined && !Number.isInteger(ms)), []);
  });

  it("passes on a framework's control flow that a provider throws", async () => {
    for (const flow of [Object.assign(new Error("NEXT_REDIRECT"), { digest: "NEXT_REDIRECT;/login" }), { $$typeof: Symbol.for("react.postpone") }]) {
      for (const bearerToken of [() => Promise.reject(flow), () => { throw flow; }]) {
        const client = new (nodejs().BookMoreClient)({ bearerToken, fetch: () => assert.fail("nothing may be sent") });
        assert.equal(await client.getAiChatUsage().catch((thrown) => thrown), flow);
      }
    }
  });

  it("names a missing fetch", async () => {
    const { fetch } = globalThis;
    delete globalThis.fetch;
    try {
      const error = await new (nodejs().BookMoreClient)().getAiChatUsage().catch((error) => error);
      assert.deepEqual([error.name, error.code], ["RuntimeUnsupportedError", "runtime_unsupported"]);
    } finally {
      globalThis.fetch = fetch;
    }
  });

  it("keeps a provider's error as the cause, unless it contains a token", async () => {
    class Marked extends Error {
      get [Symbol.for("undici.error.UND_ERR")]() {
        return true;
      }
    }
    for (const [thrown, isShown] of [
      [new Error("no session"), true],
      [new Marked("no session"), true],
      [new Error("cannot renew s3cret-t0ken"), false],
      [Object.assign(new Error("no session"), { request: { headers: { Authorization: "Bearer s3cret-t0ken" } } }), false],
      [Object.assign(new Error("no session"), { toJSON: () => "s3cret-t0ken" }), false],
    ]) {
      let asked = 0;
      const client = new (nodejs().BookMoreClient)({
        bearerToken: () => {
          if (asked++ > 0) throw thrown;
          return "s3cret-t0ken";
        },
        fetch: async () => new Response("", { status: 401 }),
      });
      const error = await client.getAiChatUsage().catch((error) => error);
      assert.deepEqual([error.code, error.cause === thrown], ["token_provider_error", isShown]);
      assert.equal(error.cause.message, thrown.message.replace("s3cret-t0ken", "[REDACTED]"));
    }
  });
});

for (const { name, start } of BROWSERS) {
  describe(`in ${name}`, { timeout: 300_000 }, () => {
    let browser;
    before(async () => {
      browser = await start();
    });
    after(() => browser?.stop());

    for (const [page, target] of [["web", "web"], ["webpack", "bundler, by webpack"]]) {
      it(`${target}: every scenario and every case passes, as in Node`, async () => {
        const { driver } = browser;
        await driver.get(`${server.url}/pkg/${page}.html`);
        const output = driver.findElement(By.css("output"));
        const text = await driver.wait(() => output.getText(), 120_000);
        const played = JSON.parse(text);
        console.log(`${name}, ${target}: ${played.scenarios} scenarios, ${played.cases} cases`);
        assert.deepEqual(played, { scenarios: scenarios.length, cases: Object.keys(CASES).length, failures: [] });
      });
    }
  });
}

it("the README's snippet", async (t) => {
  const text = snippet("js", "./target/web/bookmore_sdk.js")
    .replace("./target/web/", "./web/")
    .replace("new BookMoreClient({", `new BookMoreClient({ baseUrl: "${server.url}",`);
  const before = 'const session = { token: async () => "good-token" };\n';
  const after = 'document.querySelector("output").textContent = tokensRemaining;\n';
  writeFileSync(join(folder, "pkg/snippet.js"), before + text + after);
  writeFileSync(join(folder, "pkg/snippet.html"), `${PAGE}"snippet.js"></script>`);
  const { driver, stop } = await BROWSERS[0].start();
  t.after(stop);
  await driver.get(`${server.url}/pkg/snippet.html`);
  const output = driver.findElement(By.css("output"));
  assert.equal(await driver.wait(() => output.getText(), PATIENCE), "98766");
});

it("has the types of the npm package; if a change is intended, run make api", () => {
  assert.equal(readFileSync(join(root, BINDINGS_DECLARATIONS), "utf8"), bindingsDeclarations(root));
});

it("is typed, and its client is accepted by code that takes the npm package's", (t) => {
  const user = install();
  t.after(user.remove);
  cpSync(at("types/bindings.ts"), join(user.folder, "bindings.ts"));
  cpSync(join(folder, "pkg/nodejs"), join(user.folder, "nodejs"), { recursive: true });
  const flags = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--target", "es2022", "--lib", "es2022,esnext.disposable,dom"];
  const tsc = join(root, "pkg/node_modules/typescript/bin/tsc");
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...flags, "--module", "nodenext", "--typeRoots", "none", "bindings.ts"], {
    cwd: user.folder,
    encoding: "utf8",
  });
  assert.equal(status, 0, stdout);
});

it("make build recognises a pkg/ that wasm-pack overwrote, and says how to restore it", (t) => {
  const clone = mkdtempSync(join(tmpdir(), "bookmore-sdk-written-over-"));
  t.after(() => rmSync(clone, { recursive: true, force: true }));
  const run = (command, ...args) => spawnSync(command, args, { cwd: clone, encoding: "utf8" });
  assert.equal(run("git", "clone", "--quiet", "--shared", root, ".").status, 0);
  // As they are in this working tree, committed or not.
  for (const path of ["Makefile", "tests/setup.sh", "pkg/build"]) cpSync(join(root, path), join(clone, path), { recursive: true });
  const before = run("git", "status", "--porcelain", "--ignored").stdout;
  cpSync(join(folder, "pkg/bundler"), join(clone, "pkg"), { recursive: true });

  const { status, stderr } = run("make", "build");
  assert.notEqual(status, 0);
  assert.match(stderr, /wasm-pack has written its package over the one in pkg\//);
  const [, command] = /^  (git checkout .*)$/m.exec(stderr);
  assert.equal(run("sh", "-c", command).status, 0);
  const left = run("git", "status", "--porcelain", "--ignored").stdout;
  assert.equal(left.replace("!! pkg/LICENSE\n", ""), before); // which the build writes, too
  assert.equal(run(process.execPath, "pkg/build/written-over.mjs").status, 0);
});

/** The members of an error, without times. */
function members({ name, message, elapsedMs, retryAt, attempts, cause, ...members }) {
  const failed = attempts.map(({ status, error }) => ({ status, error }));
  return { name, message, attempts: failed, hasCause: cause !== undefined, waits: retryAt instanceof Date, ...members };
}
