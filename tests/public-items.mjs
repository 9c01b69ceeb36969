// The public items of the crate, by cargo-public-api. It reads rustdoc's JSON, which a stable toolchain writes only
// with RUSTC_BOOTSTRAP. Toolchain and tool are both pinned, so their formats match.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const TARGET = "wasm32-unknown-unknown"; // has all that the host has, and `fetch`
const folder = join(root, "target/public-items");

/** One line for each item. */
export function publicItems() {
  const run = (env, ...args) =>
    execFileSync("cargo", args, { cwd: root, encoding: "utf8", env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "inherit"], maxBuffer: 2 ** 24 });
  const features = ["--features", "testing,uuid", "--target", TARGET, "--target-dir", folder];
  run({ RUSTC_BOOTSTRAP: "1" }, "rustdoc", "--lib", "--locked", "--quiet", ...features, "--", "-Z", "unstable-options", "--output-format", "json");
  return run({}, "public-api", "-sss", "--rustdoc-json", join(folder, TARGET, "doc/bookmore_sdk.json"));
}
