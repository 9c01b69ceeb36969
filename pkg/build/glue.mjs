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
  cut("if (Symbol.dispose) Core.prototype", "function __wbg_get_imports");
  cut("let wasmModule, wasmInstance, wasm;");
  replace('"./core_bg.js": import0,', `${JSON.stringify(moduleName(renamed))}: import0,`);
  text = withNames(text, renamed);
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

/** wasm-opt calls every module of imports "a". */
function moduleName() {
  return "a";
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
