// The module as text in a script. Measured as what travels, a string in which
// the frequent bytes are one character and the others two beats base64 of the
// gzipped module (by a fifth under brotli): brotli and gzip see the bytes, not
// base64's groups of six bits. Frequent bytes that are printable stay what they
// are, so that sentences stay words. And it needs no DecompressionStream.
//
// It is read from the bytes of the text, by a typed table: a search for each
// character takes three times as long. `new WebAssembly.Module` saves the way
// through another thread, which takes longer than compiling does.

// Printable ASCII without what a string or a template would escape.
const ALPHABET = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).filter(
  (character) => !"\"'`\\$".includes(character),
);
const PREFIXES = 4;
// The second of two characters: "(" and what follows, a run of the alphabet.
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
// How each byte is written; the first of the prefixes where it takes two characters.
const table = ${JSON.stringify(table)};
const prefixes = ${JSON.stringify(prefixes)};
export async function wasm() {
  const written = new TextEncoder().encode(text);
  // By the code of a character: the byte, or 256 and more for a prefix.
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
    // On a page, some browsers compile only a few kilobytes this way.
    if (error?.name !== "RangeError") throw error;
    return WebAssembly.compile(bytes);
  }
}
`;
}
