// The crate as `cargo publish` would upload it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const cargo = (...args) => execFileSync("cargo", args, { cwd: root, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
const below = (folder, depth) =>
  readdirSync(`${root}/${folder}`, depth)
    .map((path) => `${folder}/${path}`)
    .filter((path) => /\.(rs|d\.ts)$/.test(path));

it("contains the sources, the examples, the README and the licence, and nothing else", () => {
  const listed = cargo("package", "--list", "--allow-dirty", "--quiet").trim().split("\n");
  const expected = [
    ".cargo_vcs_info.json", // these four are cargo's own
    "Cargo.lock",
    "Cargo.toml",
    "Cargo.toml.orig",
    "README.md",
    ...below("examples"), // not the apps in folders, which are packages of their own
    ...below("src", { recursive: true }),
    "LICENSE",
  ];
  assert.deepEqual(listed.sort(), expected.sort());
  assert.ok(listed.includes("src/lib.rs") && listed.includes("examples/usage.rs"));
});

it("compiles for wasm32 on its own", () => {
  cargo("package", "--allow-dirty", "--quiet", "--locked", "--target", "wasm32-unknown-unknown");
});
