// Rust web apps that depend on the crate, built for wasm32: with the locked, newest versions, and run in Node; and with the
// oldest.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer } from "../server/server.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const out = `${root}/target/wasm-bindgen-example`;
let server, app;

before(async () => {
  const run = (command, ...args) => execFileSync(command, args, { cwd: root, stdio: ["ignore", "ignore", "inherit"] });
  run("cargo", "build", "--locked", "--no-default-features", "--quiet", "--example", "usage", "--target", "wasm32-unknown-unknown");
  const wasm = "target/wasm32-unknown-unknown/debug/examples/usage.wasm";
  run("wasm-bindgen", "--target", "nodejs", "--out-dir", out, wasm);
  app = createRequire(import.meta.url)(`${out}/usage.js`);
  server = await startServer();
});
after(() => server?.close());

it("shows a usage", async () => {
  assert.equal(await app.describe_usage(server.url, "good-token"), "1234 of 100000 tokens used");
});

it("has int64 values that JavaScript numbers cannot represent", async () => {
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

it("has none of the crate's JavaScript exports", () => {
  const exported = Object.keys(app).filter((name) => !name.startsWith("__"));
  assert.deepEqual(exported, ["describe_usage"]);
});

it("builds in an app that pins the oldest versions that the crate allows", () => {
  const cargo = (...args) => execFileSync("cargo", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const app = "tests/oldest-versions";
  const lock = readFileSync(`${root}/${app}/Cargo.lock`, "utf8");
  const { packages } = JSON.parse(cargo("metadata", "--no-deps", "--locked", "--format-version=1"));
  const required = packages[0].dependencies.filter(({ kind, optional }) => kind === null && !optional);
  assert.ok(required.length >= 8);
  for (const { name, req } of required) {
    assert.match(req, /^\^/, name);
    assert.ok(lock.includes(`name = "${name}"\nversion = "${req.slice(1)}"`), `${app} does not pin ${name} ${req.slice(1)}`);
  }
  const wasm32 = ["--target", "wasm32-unknown-unknown", "--target-dir", "target/oldest-versions"];
  cargo("build", "--locked", "--quiet", "--manifest-path", `${app}/Cargo.toml`, ...wasm32);
});
