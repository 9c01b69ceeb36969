// The module as text in a script. A frequent byte becomes one character and any
// other two. After brotli this is a fifth smaller than base64 of the gzipped
// module, because the compressor sees bytes and not groups of six bits. Frequent
// printable bytes map to themselves, so that messages remain readable words. And
// it needs no DecompressionStream.
//
// The text is decoded by WebAssembly, too: a small module with a single loop. In
// JavaScript the same loop would run before the engine optimizes it, and would take
// longer than compiling and instantiating this small module. Both modules are
// compiled by `new WebAssembly.Module`, which avoids the detour through another
// thread; that takes longer than compiling.
import binaryen from "binaryen";

// The first of two characters is one of these, in the order of their codes.
const PREFIXES = "{|}~";
// Printable ASCII, except what a string or a template would have to escape.
const ALPHABET = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).filter(
  (character) => !"\"'`\\$".includes(character) && !PREFIXES.includes(character),
);
// The second is one of the 52 from "(" on, which are all in the alphabet.
const FIRST_SECOND = "(".charCodeAt(0);
const SECONDS = 52;
// The decoder's table: the byte of each single character, by its code; the bytes that take two characters, by rank.
const PAIRS = 128;
const TABLE = PAIRS + PREFIXES.length * SECONDS;
const PAGE = 65_536;

/** @param {Buffer} wasm */
export function inlined(wasm) {
  const count = new Array(256).fill(0);
  for (const byte of wasm) count[byte]++;
  const byFrequency = [...count.keys()].sort((a, b) => count[b] - count[a]);
  const frequent = byFrequency.slice(0, ALPHABET.length).sort((a, b) => a - b);

  const table = new Uint8Array(TABLE);
  const free = new Set(ALPHABET);
  const written = [];
  const write = (byte, character) => {
    free.delete(character);
    written[byte] = character;
    table[character.charCodeAt(0)] = byte;
  };
  for (const byte of frequent) if (free.has(String.fromCharCode(byte))) write(byte, String.fromCharCode(byte));
  for (const byte of frequent) if (written[byte] === undefined) write(byte, free.values().next().value);
  const others = [...count.keys()].filter((byte) => written[byte] === undefined);
  others.forEach((byte, rank) => {
    written[byte] = PREFIXES[Math.floor(rank / SECONDS)] + String.fromCharCode(FIRST_SECOND + (rank % SECONDS));
    table[PAIRS + rank] = byte;
  });
  const text = Array.from(wasm, (byte) => written[byte]).join("");
  return `// The bytes of sdk.wasm, see pkg/build/inline.mjs.
const text = ${JSON.stringify(text)};
const decoder = [${decoder(table, text.length)}];
export async function wasm() {
  const { memory, decode } = new WebAssembly.Instance(new WebAssembly.Module(new Uint8Array(decoder))).exports;
  new Uint8Array(memory.buffer).set(new TextEncoder().encode(text));
  decode();
  const bytes = new Uint8Array(memory.buffer, 0, ${wasm.length});
  try {
    return new WebAssembly.Module(bytes);
  } catch (error) {
    // Chrome before 114 refuses more than 4 kB on the main thread.
    if (error?.name !== "RangeError") throw error;
    return WebAssembly.compile(bytes);
  }
}
`;
}

/**
 * The module that decodes a text in place: what is written never overtakes what is read. The text begins at 0, with the table
 * behind it, because some polyfills of WebAssembly ignore where in a buffer a module begins. The memory has a maximum, because
 * some engines reserve 4 GB for one without.
 */
function decoder(table, length) {
  const firstPrefix = PREFIXES.charCodeAt(0);
  const pages = Math.ceil((length + TABLE) / PAGE);
  const module = binaryen.parseText(`(module
    (memory (export "memory") ${pages} ${pages})
    (data (i32.const ${length}) "${Array.from(table, (byte) => `\\${byte.toString(16).padStart(2, "0")}`).join("")}")
    (func (export "decode")
      (local $at i32) (local $end i32) (local $code i32)
      (loop $next
        (local.set $code (i32.load8_u (local.get $at)))
        (if (i32.ge_u (local.get $code) (i32.const ${firstPrefix}))
          (then
            (local.set $at (i32.add (local.get $at) (i32.const 1)))
            (local.set $code
              (i32.add
                (i32.mul (i32.sub (local.get $code) (i32.const ${firstPrefix})) (i32.const ${SECONDS}))
                (i32.add (i32.load8_u (local.get $at)) (i32.const ${PAIRS - FIRST_SECOND}))))))
        (i32.store8 (local.get $end) (i32.load8_u offset=${length} (local.get $code)))
        (local.set $at (i32.add (local.get $at) (i32.const 1)))
        (local.set $end (i32.add (local.get $end) (i32.const 1)))
        (br_if $next (i32.lt_u (local.get $at) (i32.const ${length}))))))`);
  try {
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}
