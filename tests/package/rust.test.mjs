// A Rust web app that depends on the crate: built for wasm32, run in Node.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer } from "../server/server.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const out = `${root}/target/wasm-bindgen-example`;
let server, app;

before(async () => {
  const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  run("cargo", "build", "--locked", "--quiet", "--example", "usage", "--target", "wasm32-unknown-unknown");
  const wasm = "target/wasm32-unknown-unknown/debug/examples/usage.wasm";
  run("wasm-bindgen", "--target", "nodejs", "--out-dir", out, wasm);
  app = createRequire(import.meta.url)(`${out}/usage.js`);
  server = await startServer();
});
after(() => server?.close());

it("shows a usage", async () => {
  assert.equal(await app.describe_usage(server.url, "good-token"), "1234 of 100000 tokens used");
});

it("holds int64 where JavaScript numbers cannot", async () => {
  const company = "5ca1ab1e-0000-4000-8000-000000000003";
  assert.equal(
    await app.describe_usage(server.url, "good-token", company),
    "9007199254740993 of 2147483647 tokens used",
  );
});

it("shows a failure", async () => {
  assert.equal(
    await app.describe_usage(server.url, "bad-token"),
    "HTTP 401: The server refused the request (401 Unauthorized): Not Authenticated. Pass a valid bearer token or API key.",
  );
});

it("has no JavaScript exports of ours", () => {
  const exported = Object.keys(app).filter((name) => !name.startsWith("__"));
  assert.deepEqual(exported, ["describe_usage"]);
});
