#!/usr/bin/env node
// Builds the npm package into pkg/dist:
//   cargo → wasm-bindgen → the module made small → the glue reshaped → TypeScript.
// Usage: node build/build.mjs [--if-missing]
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transformSync } from "esbuild";
import { reshape } from "./glue.mjs";
import { inlined } from "./inline.mjs";
import { shrink } from "./shrink.mjs";
import { printSizes } from "./sizes.mjs";

const pkg = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(pkg);
const dist = join(pkg, "dist");
const bindgenOut = join(root, "target/wasm-bindgen");

if (process.argv.includes("--if-missing") && existsSync(join(dist, "slim.cjs"))) process.exit(0);

const step = (text) => console.log(`build: ${text}`);
const run = (command, args, cwd = root) => execFileSync(command, args, { cwd, stdio: ["ignore", "inherit", "inherit"] });

step("cargo rustc --release --target wasm32-unknown-unknown --features npm");
run("cargo", [
  "rustc", "--release", "--lib", "--locked", "--target", "wasm32-unknown-unknown", "--features", "npm",
  // Made along with an rlib, the module keeps two kilobytes that nothing uses.
  "--crate-type", "cdylib",
  // Below a megabyte the addresses of data are a byte shorter. The deepest
  // recursion, 64 levels of JSON, stays far from it.
  "--", "-C", "link-arg=-zstack-size=524288",
]);

step("wasm-bindgen");
checkBindgenVersion();
run("wasm-bindgen", [
  "--target", "web", "--omit-default-module-path", "--no-typescript",
  "--out-dir", bindgenOut, "--out-name", "core",
  join(root, "target/wasm32-unknown-unknown/release/bookmore_sdk.wasm"),
]);

step("wasm-opt");
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const { wasm, renamed } = shrink(readFileSync(join(bindgenOut, "core_bg.wasm")), pkg);
writeFileSync(join(dist, "sdk.wasm"), wasm);
const glue = reshape(readFileSync(join(bindgenOut, "core.js"), "utf8"), renamed);
writeFileSync(join(dist, "core.js"), transformSync(glue, { minify: true, format: "esm", target: "es2022" }).code);
writeFileSync(join(dist, "wasm-inline.js"), inlined(wasm));

step("tsc and esbuild");
run(process.execPath, [join(pkg, "node_modules/typescript/bin/tsc"), "-p", pkg]);
commonJsTypes();
await Promise.all([
  entry("index", "esm", "index.js"),
  entry("index", "esm", "index.workerd.js", "wasm-workerd.ts"),
  entry("index", "esm", "index.edge-light.js", "wasm-edge-light.ts"),
  entry("index", "cjs", "index.cjs"),
  entry("slim", "esm", "slim.js"),
  entry("slim", "cjs", "slim.cjs"),
]);
cpSync(join(root, "README.md"), join(pkg, "README.md"));

await printSizes(dist);

/**
 * Bundles an entry. ES modules share the generated files, CommonJS has them
 * inside. `wasm`: the source that stands in for the inlined module.
 */
function entry(name, format, outfile, wasm) {
  const generated = ({ path }) => {
    if (wasm && path === "./wasm-inline.js") return { path: join(pkg, "src", wasm) };
    return format === "esm" ? { path, external: true } : { path: join(dist, path) };
  };
  return build({
    absWorkingDir: pkg,
    entryPoints: [`src/${name}.ts`],
    outfile: `dist/${outfile}`,
    format,
    bundle: true,
    target: "es2022",
    platform: "neutral",
    logLevel: "warning",
    plugins: [{
      name: "generated",
      setup({ onResolve }) {
        onResolve({ filter: /^\.\/(core|wasm-inline)\.js$/ }, generated);
        onResolve({ filter: /^\.\/sdk\.wasm/ }, ({ path }) => ({ path, external: true }));
      },
    }],
  });
}

/** Glue and module must come from the same version of wasm-bindgen. */
function checkBindgenVersion() {
  const locked = /name = "wasm-bindgen"\nversion = "(.+)"/.exec(readFileSync(join(root, "Cargo.lock"), "utf8"))[1];
  let installed;
  try {
    installed = execFileSync("wasm-bindgen", ["--version"], { encoding: "utf8" }).trim().split(" ").pop();
  } catch {
    installed = "none";
  }
  if (installed !== locked) {
    console.error(
      `build: wasm-bindgen ${locked} is needed, found ${installed}. Run: cargo install wasm-bindgen-cli --version ${locked} --debug`,
    );
    process.exit(1);
  }
}

/** The same declarations for `require`, which reads `.d.cts`. */
function commonJsTypes() {
  for (const file of readdirSync(dist).filter((name) => name.endsWith(".d.ts"))) {
    const text = readFileSync(join(dist, file), "utf8").replaceAll(/(from "\.\/[\w-]+)\.js"/g, '$1.cjs"');
    writeFileSync(join(dist, file.replace(/\.ts$/, ".cts")), text);
  }
}
