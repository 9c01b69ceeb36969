// Without an --out-dir, `wasm-pack build` overwrites pkg/ with its own package. This module detects that, explains how to
// restore ours, and exits. Run as a script it does the same, before anything reads pkg/package.json.
import { existsSync, readFileSync } from "node:fs";

const at = (path) => new URL(`../${path}`, import.meta.url);
const { devDependencies } = JSON.parse(readFileSync(at("package.json"), "utf8"));

if (devDependencies === undefined || existsSync(at("bookmore_sdk_bg.wasm"))) {
  console.error(`build: wasm-pack has written its package over the one in pkg/, its default folder. Get that back with

  git checkout -- pkg/package.json pkg/README.md && rm -f pkg/.gitignore pkg/bookmore_sdk*

and give wasm-pack a folder of its own: wasm-pack build --target web --out-dir target/web`);
  process.exit(1);
}
