// The packed tarball, installed in an empty folder, in Node.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { startServer } from "../server/server.mjs";
import { checkOutcome } from "./expected.mjs";
import { install } from "./installed.mjs";

const run = promisify(execFile);
const rows = JSON.parse(readFileSync(new URL("../fixtures/outcomes.json", import.meta.url)));
let user, server;

before(async () => {
  user = install();
  server = await startServer();
});
after(async () => {
  await server?.close();
  user?.remove();
});

/** The package as an ES module, by `require`, and without WebAssembly. */
const packages = {
  esm: () => import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/index.js"))),
  cjs: () => createRequire(join(user.folder, "user.cjs"))("bookmore-sdk"),
  "no-wasm": () => import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/no-wasm.js"))),
};

const fiveLines = {
  "user.mjs": (url) => `import { BookMoreClient } from "bookmore-sdk";
const client = new BookMoreClient({ baseUrl: "${url}", bearerToken: "good-token" });
const usage = await client.getAiChatUsage();
console.log(JSON.stringify(usage));
`,
  "user.cjs": (url) => `const { BookMoreClient } = require("bookmore-sdk");
const client = new BookMoreClient({ baseUrl: "${url}", bearerToken: "good-token" });
client.getAiChatUsage({}, { format: "jsonl" }).then((usage) => {
  console.log(JSON.stringify(usage));
});
`,
};
for (const [file, script] of Object.entries(fiveLines)) {
  it(`returns the usage in the five lines of ${file}`, async () => {
    writeFileSync(join(user.folder, file), script(server.url));
    const { stdout } = await run(process.execPath, [file], { cwd: user.folder });
    assert.deepEqual(JSON.parse(stdout), {
      companyId: "3fa85f64-5717-4562-b3fc-2c963f66afa6",
      tokensUsed: 1234,
      tokenLimit: 100000,
      tokensRemaining: 98766,
      isWithinBudget: true,
      windowDays: 30,
    });
  });
}

for (const [kind, load] of Object.entries(packages)) {
  it(`has the expected outcome for each recorded exchange (${kind})`, async () => {
    const { BookMoreClient } = await load();
    for (const row of rows) {
      const client = new BookMoreClient({ baseUrl: `${server.url}/replay/${row.id}`, maxRetries: 0 });
      const outcome = await client.getAiChatUsage({ companyId: row.companyId }).then(
        (usage) => ({ usage }),
        ({ name, code, status, errorCode, path, message }) => ({
          error: { name, code, status, errorCode, path, message },
        }),
      );
      checkOutcome(row, outcome);
    }
    console.log(`${rows.length} recorded exchanges have their outcome (${kind})`);
    assert.equal(rows.length, 254);
  });
}

describe("in one process", () => {
  it("does nothing when imported", async () => {
    const script = `
      const before = Object.getOwnPropertyNames(globalThis);
      globalThis.fetch = globalThis.TextDecoder = globalThis.WebAssembly = undefined;
      import("bookmore-sdk").then(({ BookMoreClient }) => {
        new BookMoreClient();
        const after = Object.getOwnPropertyNames(globalThis);
        console.log(JSON.stringify(after.filter((name) => !before.includes(name))));
      });`;
    const { stdout, stderr } = await run(process.execPath, ["-e", script], { cwd: user.folder });
    assert.equal(stdout, "[]\n");
    assert.equal(stderr, "");
  });

  it("sends what the contract says", async () => {
    const { BookMoreClient } = await packages.esm();
    const client = new BookMoreClient({
      baseUrl: new URL(`${server.url}/camel/`),
      bearerToken: async () => "good-token",
      apiKey: "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c",
      headers: { "X-Language": "sv" },
    });
    server.requests.length = 0;
    const companyId = "{9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c}";
    await client.getAiChatUsage({ companyId });
    await client.getAiChatUsage({ companyId }, { format: "jsonl", headers: { "x-language": "en" } });
    const sent = server.requests.map(({ method, url, headers }) => [
      method,
      url,
      headers.accept,
      headers.authorization,
      headers["x-api-key"],
      headers["x-language"],
      headers["content-type"],
    ]);
    const path = "/camel/assistant/ai-chat/usage?CompanyId=%7B9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c%7D";
    const credentials = ["Bearer good-token", "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c"];
    assert.deepEqual(sent, [
      ["GET", path, "application/json", ...credentials, "sv", undefined],
      ["GET", path, "text/jsonl", ...credentials, "en", undefined],
    ]);
  });

  it("accepts options in all their forms", async () => {
    const { BookMoreClient } = await packages.esm();
    class Settings {
      get bearerToken() {
        return "good-token";
      }
    }
    const settings = Object.create(new Settings());
    settings.baseUrl = new String(server.url.replace("127.0.0.1", "127.1"));
    settings.headers = new Headers({ "X-Language": "sv" });
    server.requests.length = 0;
    const { tokensUsed } = await new BookMoreClient(settings).getAiChatUsage(
      {},
      { headers: new Map([["X-Other", "1"]]) },
    );
    assert.equal(tokensUsed, 1234);
    const [{ headers }] = server.requests;
    assert.deepEqual(
      [headers.authorization, headers["x-language"], headers["x-other"]],
      ["Bearer good-token", "sv", "1"],
    );
  });

  it("returns the reply's status, headers and request id with the usage", async () => {
    const { BookMoreClient } = await packages.esm();
    const client = new BookMoreClient({ baseUrl: `${server.url}/pascal`, apiKey: "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c", bearerToken: "good-token" });
    const { data, response } = await client.getAiChatUsageWithResponse({
      companyId: "5ca1ab1e-0000-4000-8000-000000000601",
    });
    assert.equal(data.tokensUsed, 9);
    assert.deepEqual(
      [response.status, response.requestId, response.headers["ratelimit-remaining"], response.headers["set-cookie"]],
      [200, "req-7d1f", "41", undefined],
    );
  });
});
