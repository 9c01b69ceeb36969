/**
 * Reshapes the glue of `wasm-bindgen --target web` into a function, so that
 * importing it does nothing (the stock glue makes a TextDecoder, which breaks
 * jsdom), it can be tree-shaken, and a trap can be followed by a fresh instance.
 *
 * It is a transformation of text: each step must find what it replaces, so
 * that another version of wasm-bindgen fails here and not at a user's.
 *
 * @param {string} glue
 * @param {Map<string, string>} renamed what imports and exports are called now
 */
export function reshape(glue, renamed) {
  let text = glue;
  const replace = (what, by) => {
    const found = text.split(what).length - 1;
    if (found !== 1) throw new Error(`glue: ${found} times instead of once: ${what}`);
    text = text.replace(what, () => by);
  };
  const cut = (from, to) => {
    const start = text.indexOf(from);
    const end = to === undefined ? text.length : text.indexOf(to, start);
    if (start < 0 || end < 0) throw new Error(`glue: not found: ${from}`);
    text = text.slice(0, start) + text.slice(end);
  };
  replace("export class Core {", "class Core {");
  // The registry frees a Core that nothing holds; nobody else does.
  cut("    __destroy_into_raw() {", "    /**\n     * Gives `{ data");
  cut("if (Symbol.dispose) Core.prototype", "function __wbg_get_imports");
  // Every caller names it.
  cut("    if (realloc === undefined) {", "    let len = arg.length;");
  // Every runtime of ES2022 has it.
  cut("if (!('encodeInto' in cachedTextEncoder)) {", "let WASM_VECTOR_LEN");
  // What a memory had before it grew is another object than what it has.
  replace(
    "cachedDataViewMemory0.buffer.detached === true || (cachedDataViewMemory0.buffer.detached === undefined && cachedDataViewMemory0.buffer !== wasm.memory.buffer)",
    "cachedDataViewMemory0.buffer !== wasm.memory.buffer",
  );
  cut("let wasmModule, wasmInstance, wasm;");
  // wasm-opt calls every module of imports so.
  replace('"./core_bg.js": import0,', "a: import0,");
  text = withNames(withoutUnused(text, renamed), renamed);
  return `export function glue() {
    let wasm;
    ${text}
    function start(exports) {
      wasm = exports;
      wasm.${renamed.get("__wbindgen_start")}();
    }
    return { imports: __wbg_get_imports(), start, Core };
  }`;
}

/** wasm-opt drops the imports that nothing calls. */
function withoutUnused(text, renamed) {
  const entry = /^ {8}(\w+): function.*\n(?: {9,}.*\n)* {8}\}.*\n/gm;
  return text.replace(entry, (whole, name) => (renamed.has(name) ? whole : ""));
}

function withNames(text, renamed) {
  const property = /(?<=^        )\w+(?=: function)|(?<=\bwasm\.)\w+/gm;
  const unknown = new Set();
  const named = text.replace(property, (name) => {
    const short = renamed.get(name);
    if (short === undefined) unknown.add(name);
    return short ?? name;
  });
  if (unknown.size > 0) throw new Error(`glue: neither imported nor exported: ${[...unknown]}`);
  return named;
}
