/**
 * Reshapes the glue of `wasm-bindgen --target web` into a function, so that
 * importing it does nothing (the stock glue makes a TextDecoder, which breaks
 * jsdom), it can be tree-shaken, and a trap can be followed by a fresh instance.
 *
 * It is a transformation of text: each step must find what it replaces, so
 * that another version of wasm-bindgen fails here and not at a user's.
 *
 * @param {string} glue
 * @param {Map<string, string>} renamed what exports are called now
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
  const everywhere = (what, by) => {
    if (!text.match(what)) throw new Error(`glue: not found: ${what}`);
    text = text.replaceAll(what, by);
  };
  everywhere(/^export class /gm, "class ");
  // A call is freed where it ends.
  everywhere(/^ *CallFinalization\..*\n/gm, "");
  cut("const CallFinalization", "const CoreFinalization");
  cut("const CoreFinalization = (typeof", "    : new FinalizationRegistry");
  replace("    : new FinalizationRegistry", "const CoreFinalization = new FinalizationRegistry");
  // The registry frees a Core that nothing holds; nobody else does.
  const core = text.indexOf("class Core {");
  const destroy = text.indexOf("    __destroy_into_raw() {", core);
  text = text.slice(0, destroy) + text.slice(text.indexOf("    /**", destroy));
  everywhere(/^if \(Symbol\.dispose\).*\n/gm, "");
  everywhere(/^    (?:get )?\w+\(.*\) \{\n[^]*?^    \}\n/gm, plainer);
  replace("return decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));", `
    const text = decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));
    wasm.__wbindgen_free(ptr, len, 1);
    return text;`);
  // No text is long.
  everywhere(/(passStringToWasm0\([^)]*?), wasm\.__wbindgen_realloc\)/g, "$1)");
  replace("passStringToWasm0(arg, malloc, realloc)", "passStringToWasm0(arg, malloc)");
  cut("    if (realloc === undefined) {", "        const buf = cachedTextEncoder.encode(arg);");
  cut("    }\n\n    let len = arg.length;", "}\n\nlet cachedTextDecoder");
  // Every runtime of ES2022 has it.
  cut("if (!('encodeInto' in cachedTextEncoder)) {", "let WASM_VECTOR_LEN");
  replace("const buf = cachedTextEncoder.encode(arg);", "if (arg === undefined) return 0;\nconst buf = cachedTextEncoder.encode(arg);");
  cut("function isLikeNone", "function passArray8ToWasm0");
  // Safari forgets how to decode after 2 GB; a decoder for each text is cheap.
  cut("let cachedTextDecoder = new TextDecoder", "const cachedTextEncoder");
  replace("= decodeText(", "= new TextDecoder('utf-8', { ignoreBOM: true }).decode(");
  cut("let wasmModule, wasmInstance, wasm;");
  cut("function __wbg_get_imports", "const CoreFinalization");
  // What `plainer` should have found.
  const left = /deferred\d|isLikeNone|\bval\d/.exec(text);
  if (left) throw new Error(`glue: not made plain: ${left[0]}`);
  text = withNames(text, renamed);
  return `export function glue() {
    let wasm;
    ${text}
    function start(exports) {
      wasm = exports;
    }
    return { start, Core };
  }`;
}

/**
 * A method without what cannot happen. TypeScript sees to it that numbers are
 * numbers, a text that was not given is passed as none in one place, and only a
 * trap can come between taking memory and freeing it: nothing is freed after one.
 */
function plainer(method) {
  let text = method
    .replace(/ *let ptr\d, [^;]*;\n *try \{\n((?: *ptr.*\n| *len.*\n)+) *\} catch \(e\) \{\n(?:.*\n)*? *throw e;\n *\}\n/, (_, lines) =>
      lines.replaceAll(/^ *(?=ptr|len)/gm, "var "),
    )
    .replaceAll(/isLikeNone\(\w+\) \? 0 : passString/g, "passString")
    .replace(
      /let (deferred\d+_0);\s*let (deferred\d+_1);\s*try \{\n([^]*?) *\1 = ret\[0\];\s*\2 = ret\[1\];\s*(return getString.*\n)[^]*\} finally \{[^]*?\}/,
      "$3$4",
    );
  for (const [line, name, value] of method.matchAll(/ *const (val\d+) = \+(\w+|\(.*\));\n/g)) {
    text = text.replace(line, "").replace(new RegExp(`\\b${name}\\b`), () => value);
  }
  return text;
}

/** Calls the exports by the names that wasm-opt gave them. */
function withNames(text, renamed) {
  const property = /(?<=\bwasm\.)\w+/g;
  const unknown = new Set();
  const named = text.replace(property, (name) => {
    const short = renamed.get(name);
    if (short === undefined) unknown.add(name);
    return short ?? name;
  });
  if (unknown.size > 0) throw new Error(`glue: not exported: ${[...unknown]}`);
  return named;
}
