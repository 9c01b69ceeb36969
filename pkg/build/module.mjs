// Builds the WebAssembly module and its JavaScript glue with unmodified tools:
//   cargo → wasm-bindgen → wasm-opt, and → wasm2js where there is to be no WebAssembly.
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const TARGET = "wasm32-unknown-unknown";

/** Builds the crate in `root` into `core.js` and `sdk.wasm` in `out`; `run` runs a command. */
export function buildModule(root, out, run) {
  checkBindgenVersion(root);
  bindgen(link(root, "npm", run), out, run);
  // No feature flags: --all-features emits modules that Node 20 rejects.
  wasmOpt(root, [...SMALL, join(out, "core_bg.wasm"), "-o", join(out, "sdk.wasm")], run);
}

/** Makes `core.js` and `module.js` in `out`: the same without WebAssembly. Its script is another one, see below. */
export function buildTranslation(root, out, run) {
  const [lowered, plain, small] = ["lowered", "plain", "small"].map((name) => join(out, `${name}.wasm`));
  mkdirSync(out, { recursive: true });
  // wasm2js reads WebAssembly 1.0 alone: newer instructions are replaced.
  wasmOpt(root, [...LOWERED, "--strip-target-features", link(root, "no-wasm", run), "-o", lowered], run);
  // The features written into the module tell wasm-bindgen that a function has one result: it returns a text by a pointer.
  wasmOpt(root, ["--mvp-features", "--enable-mutable-globals", "--emit-target-features", lowered, "-o", plain], run);
  bindgen(plain, out, run);
  wasmOpt(root, [...SMALL, join(out, "core_bg.wasm"), "-o", small], run);
  // In this form it is a function that makes an instance.
  run(process.execPath, [binaryen(root, "wasm2js"), "-O3", "--emscripten", small, "-o", join(out, "module.js")]);
}

const SMALL = ["-Oz", "--strip-debug", "--strip-producers", "--strip-target-features"];
const LOWERED = ["--llvm-memory-copy-fill-lowering", "--llvm-nontrapping-fptoint-lowering", "--signext-lowering"];

/** Links the crate with a feature. Gives the module, which the next one replaces. */
function link(root, feature, run) {
  const target = join(root, "target");
  run(
    "cargo",
    // Building an rlib at the same time leaves two kilobytes of unused code in the module.
    [
      ...["rustc", "--release", "--lib", "--crate-type", "cdylib", "--locked", "--no-default-features", "--features", feature],
      ...["--target", TARGET, "--target-dir", target],
    ],
    { CARGO_ENCODED_RUSTFLAGS: rustFlags(root).join("\x1f") },
  );
  return join(target, TARGET, "release/bookmore_sdk.wasm");
}

const bindgen = (module, out, run) =>
  run("wasm-bindgen", ["--target", "no-modules", "--no-typescript", "--out-dir", out, "--out-name", "core", module]);

const binaryen = (root, command) => join(root, "pkg/node_modules/binaryen/bin", command);

const wasmOpt = (root, args, run) => run(process.execPath, [binaryen(root, "wasm-opt"), ...args]);

/**
 * The messages of panics contain source paths. Remapped, the module has the same bytes in any folder and for any user,
 * with and without the component rust-src, which changes the standard library's paths. The flags are in the environment to
 * apply to all crates, and encoded because a path may contain a space.
 */
function rustFlags(root) {
  const told = (command, ...args) =>
    execFileSync(command, args, { cwd: root, encoding: "utf8", maxBuffer: 2 ** 26, stdio: ["ignore", "pipe", "inherit"] });
  const { packages } = JSON.parse(told("cargo", "metadata", "--locked", "--format-version=1", "--filter-platform", TARGET));
  const commit = /^commit-hash: (.+)$/m.exec(told("rustc", "-vV"))[1];
  const renamed = packages.map(({ name, version, manifest_path }) => [dirname(manifest_path), `/${name}-${version}`]);
  renamed.push([join(told("rustc", "--print", "sysroot").trim(), "lib/rustlib/src/rust"), `/rustc/${commit}`]);
  return renamed.map(([from, to]) => `--remap-path-prefix=${from}=${to}`);
}

/** The script and the module must come from the same version of wasm-bindgen. */
function checkBindgenVersion(root) {
  const locked = /name = "wasm-bindgen"\nversion = "(.+)"/.exec(readFileSync(join(root, "Cargo.lock"), "utf8"))[1];
  const told = spawnSync("wasm-bindgen", ["--version"], { encoding: "utf8" }).stdout;
  const installed = told?.trim().split(" ").pop() ?? "none";
  if (installed === locked) return;
  console.error(`build: wasm-bindgen ${locked} is needed, found ${installed}. Run: make setup`);
  process.exit(1);
}
