import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import binaryen from "binaryen";

// What runs only to tell the words of a panic. A panic ends in a trap with or
// without words, and nobody could read them: there is no stderr in a browser.
// Our own code formats nothing (`clippy.toml` and the lints see to the panics).
const PANIC_WORDS = new RegExp(
  [
    /panicking|panic_fmt|slice_error|capacity_overflow|handle_alloc_error/,
    /_fail(ed)?(\b|$|::|_)/,
    /(core|alloc)(\[\w*\])?::fmt::/,
  ]
    .map((pattern) => pattern.source)
    .join("|"),
);

// Where in the sources a panic happened: only those words name a source file.
const SOURCE_PATH = /[\w./-]+\.rs(?![\w.])/g;

/**
 * Makes the module of wasm-bindgen small.
 *
 * @param {Uint8Array} wasm
 * @param {string} pkg the folder with node_modules
 * @returns {{ wasm: Buffer, renamed: Map<string, string> }} `renamed`: what
 *   imports and exports are called now
 */
export function shrink(wasm, pkg) {
  const folder = mkdtempSync(join(tmpdir(), "bookmore-sdk-"));
  try {
    const input = join(folder, "in.wasm");
    const output = join(folder, "out.wasm");
    writeFileSync(input, withoutPanicWords(wasm));
    const told = execFileSync(
      process.execPath,
      [
        join(pkg, "node_modules/binaryen/bin/wasm-opt"),
        // No feature flags: --all-features emits modules that Node 20 rejects.
        ...["--flatten", "--rereloop", "-Oz", "-Oz"],
        // Functions that are called once stay apart when large: the copies of
        // their locals cost more than the call.
        ...["--one-caller-inline-max-function-size=20", "--low-memory-unused"],
        "--minify-imports-and-exports-and-modules",
        ...[input, "-o", output],
      ],
      { encoding: "utf8", maxBuffer: 1 << 24 },
    );
    const { imports, exports } = JSON.parse(told);
    const renamed = new Map(
      [...imports.map(([, name, short]) => [name, short]), ...exports],
    );
    return { wasm: readFileSync(output), renamed };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function withoutPanicWords(wasm) {
  const module = binaryen.readBinary(wasm);
  let emptied = 0;
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const reference = module.getFunctionByIndex(index);
    const { name, module: importedFrom } = binaryen.getFunctionInfo(reference);
    if (!importedFrom && PANIC_WORDS.test(name)) {
      binaryen.Function(reference).body = module.unreachable();
      emptied++;
    }
  }
  // A new compiler may name things otherwise; then nothing would be found.
  if (emptied < 10) throw new Error(`only ${emptied} functions with panic words found`);
  binaryen.setDebugInfo(false);
  const text = Buffer.from(module.emitBinary()).toString("latin1");
  return Buffer.from(text.replace(SOURCE_PATH, (path) => "\0".repeat(path.length)), "latin1");
}
