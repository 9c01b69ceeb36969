// The module as text in a script. A frequent byte becomes one character and any
// other two. After brotli this is a fifth smaller than base64 of the gzipped
// module, because the compressor sees bytes and not groups of six bits. Frequent
// printable bytes map to themselves, so that messages remain readable words. And
// it needs no DecompressionStream.
//
// Decoding runs on the encoded bytes with a typed table, because searching a
// string for each character is much slower. `new WebAssembly.Module` avoids the
// detour through another thread, which takes longer than compiling.

// Printable ASCII, except what a string or a template would have to escape.
const ALPHABET = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).filter(
  (character) => !"\"'`\\$".includes(character),
);
const PREFIXES = 4;
// The second of two characters is one of the 52 from "(" on, which are all in the alphabet.
const FIRST = "(".charCodeAt(0);
const SECONDS = 52;

/** @param {Buffer} wasm */
export function inlined(wasm) {
  const count = new Array(256).fill(0);
  for (const byte of wasm) count[byte]++;
  const byFrequency = [...count.keys()].sort((a, b) => count[b] - count[a]);
  const frequent = byFrequency.slice(0, ALPHABET.length - PREFIXES).sort((a, b) => a - b);

  const free = new Set(ALPHABET);
  const written = [];
  for (const byte of frequent) {
    const character = String.fromCharCode(byte);
    if (free.delete(character)) written[byte] = character;
  }
  const characters = free.values();
  for (const byte of frequent) written[byte] ??= characters.next().value;
  const prefixes = [...characters].join("");
  const table = Array.from({ length: 256 }, (_, byte) => written[byte] ?? prefixes[0]).join("");
  const others = [...count.keys()].filter((byte) => written[byte] === undefined);
  others.forEach((byte, rank) => {
    written[byte] = prefixes[Math.floor(rank / SECONDS)] + String.fromCharCode(FIRST + (rank % SECONDS));
  });
  const text = Array.from(wasm, (byte) => written[byte]).join("");
  return `// The bytes of sdk.wasm, see pkg/build/inline.mjs.
const text = ${JSON.stringify(text)};
// The character of each byte; the first prefix if it takes two characters.
const table = ${JSON.stringify(table)};
const prefixes = ${JSON.stringify(prefixes)};
export async function wasm() {
  const written = new TextEncoder().encode(text);
  // By character code: the byte, or 256 plus the number of a prefix.
  const read = new Uint16Array(128);
  const others = [];
  for (let byte = 0; byte < 256; byte++) {
    if (table[byte] === prefixes[0]) others.push(byte);
    else read[table.charCodeAt(byte)] = byte;
  }
  for (let i = 0; i < ${PREFIXES}; i++) read[prefixes.charCodeAt(i)] = 256 + i;
  const bytes = new Uint8Array(${wasm.length});
  for (let at = 0, end = 0; at < written.length; at++) {
    const byte = read[written[at]];
    bytes[end++] = byte < 256 ? byte : others[(byte - 256) * ${SECONDS} + written[++at] - ${FIRST}];
  }
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
