import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import binaryen from "binaryen";

// What runs only to tell the words of a panic. A panic ends in a trap with or
// without words, and nobody could read them: there is no stderr in a browser.
// Our own code formats nothing (the lints in src/lib.rs see to the panics).
const PANIC_WORDS = new RegExp(
  [
    /panicking|panic_fmt|slice_error|capacity_overflow|handle_alloc_error/,
    // The same for wasm-bindgen, which throws instead.
    /wasm_bindgen::(__rt::throw_null|throw_str)/,
    /_fail(ed)?(\b|$|::|_)/,
    /(core|alloc)(\[\w*\])?::fmt::/,
  ]
    .map((pattern) => pattern.source)
    .join("|"),
);

// What js-sys keeps in the table of functions for futures and closures, of which
// this module has none.
const NEVER_CALLED = /js_sys::futures|wasm_bindgen::convert::closures|^__externref_table/;

// The words themselves: of the standard library, of wasm-bindgen, and the
// source files. Ours are sentences and name no Rust.
const WORDS = new RegExp(
  [
    /assertion `left \S+ right` failed\n  left: \S+\n right: /,
    /finish: \w+ should be \w+|attempted to take ownership of Rust value while it was borrowed/,
    /recursive use of an object detected which would lead to unsafe aliasing in rust/,
    /FnOnce called more than once|called `\w+::unwrap_throw\(\)` on an? `\w+` value/,
    /capacity overflow|(0x)?0123456789ABCDEF|0123456789abcdef|0001020304\d+/,
    /LazyCell instance has previously been poisoned|`async fn` resumed after completion/,
    /RefCell already (mutably )?borrowed|closure invoked recursively or after being dropped/,
    /internal error: entered unreachable code|null pointer passed to rust/,
    /Tried to shrink to a larger capacity|[\w./-]+\.rs(?![\w.])/,
  ]
    .map((pattern) => pattern.source)
    .join("|"),
  "g",
);

// Exports that the glue, as it is reshaped, does not call: no JavaScript value
// crosses, so there is no table of them to be filled at the start.
const UNUSED_EXPORTS = [
  "__wbindgen_start", "__wbindgen_externrefs", "__wbindgen_realloc", "__abort_handler", "__instance_terminated",
];

/**
 * Makes the module of wasm-bindgen small.
 *
 * @param {Uint8Array} wasm
 * @param {string} pkg the folder with node_modules
 * @returns {{ wasm: Buffer, renamed: Map<string, string> }} `renamed`: what
 *   exports are called now
 */
export function shrink(wasm, pkg) {
  const folder = mkdtempSync(join(tmpdir(), "bookmore-sdk-"));
  try {
    const input = join(folder, "in.wasm");
    const output = join(folder, "out.wasm");
    writeFileSync(input, pruned(wasm));
    const told = execFileSync(
      process.execPath,
      [
        join(pkg, "node_modules/binaryen/bin/wasm-opt"),
        // No feature flags: --all-features emits modules that Node 20 rejects.
        ...["--flatten", "--rereloop", "-Oz", "-Oz"],
        // Functions that are called once stay apart when large: the copies of
        // their locals cost more than the call.
        ...["--one-caller-inline-max-function-size=20", "--low-memory-unused"],
        ...["--strip-producers", "--strip-target-features"],
        "--minify-imports-and-exports-and-modules",
        ...[input, "-o", output],
      ],
      { encoding: "utf8", maxBuffer: 1 << 24 },
    );
    const { imports, exports } = JSON.parse(told);
    if (imports.length > 0) throw new Error(`the module imports ${imports.map(([, name]) => name)}`);
    return { wasm: readFileSync(output), renamed: new Map(exports) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

// What is ours, whatever it is called; the exports have no path.
const isLibrary = (name) => name.includes("::") && !name.includes("bookmore_sdk");

function pruned(wasm) {
  const module = binaryen.readBinary(wasm);
  let emptied = 0;
  for (let index = 0; index < module.getNumFunctions(); index++) {
    const reference = module.getFunctionByIndex(index);
    const { name, module: importedFrom } = binaryen.getFunctionInfo(reference);
    const isUnneeded = (isLibrary(name) && PANIC_WORDS.test(name)) || NEVER_CALLED.test(name);
    if (!importedFrom && isUnneeded) {
      binaryen.Function(reference).body = module.unreachable();
      emptied++;
    }
  }
  for (const name of UNUSED_EXPORTS) module.removeExport(name);
  // A new compiler may name things otherwise; then nothing would be found.
  if (emptied < 10) throw new Error(`only ${emptied} functions with panic words found`);
  binaryen.setDebugInfo(false);
  const text = Buffer.from(module.emitBinary()).toString("latin1");
  return Buffer.from(text.replace(WORDS, (words) => "\0".repeat(words.length)), "latin1");
}
