// The crate as a JavaScript module, as `wasm-pack build` makes it.
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
// Apart from the npm package, which has the same name.
const CARGO_TARGET_DIR = join(root, "target/wasm-pack");

/**
 * Builds it for `web`, `nodejs` or `bundler`.
 *
 * @returns {string} the folder
 */
export function wasmPack(target) {
  const folder = join(CARGO_TARGET_DIR, target);
  execFileSync("wasm-pack", ["--log-level", "warn", "build", "--no-opt", "--target", target, "--out-dir", folder, "--", "--locked"], {
    cwd: root,
    env: { ...process.env, CARGO_TARGET_DIR },
    stdio: ["ignore", "ignore", "inherit"],
  });
  return folder;
}
