// Builds the WebAssembly module and its JavaScript glue with unmodified tools:
//   cargo → wasm-bindgen → wasm-opt
import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const TARGET = "wasm32-unknown-unknown";

/** Builds the crate in `root` into `core.js` and `sdk.wasm` in `out`; `run` runs a command. */
export function buildModule(root, out, run) {
  checkBindgenVersion(root);
  const target = join(root, "target");
  run(
    "cargo",
    // Building an rlib at the same time leaves two kilobytes of unused code in the module.
    [
      ...["rustc", "--release", "--lib", "--crate-type", "cdylib", "--locked", "--no-default-features", "--features", "npm"],
      ...["--target", TARGET, "--target-dir", target],
    ],
    { CARGO_ENCODED_RUSTFLAGS: rustFlags(root).join("\x1f") },
  );
  const linked = join(target, TARGET, "release/bookmore_sdk.wasm");
  run("wasm-bindgen", ["--target", "no-modules", "--no-typescript", "--out-dir", out, "--out-name", "core", linked]);
  run(process.execPath, [
    join(root, "pkg/node_modules/binaryen/bin/wasm-opt"),
    // No feature flags: --all-features emits modules that Node 20 rejects.
    ...["-Oz", "--strip-debug", "--strip-producers", "--strip-target-features"],
    ...[join(out, "core_bg.wasm"), "-o", join(out, "sdk.wasm")],
  ]);
}

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
