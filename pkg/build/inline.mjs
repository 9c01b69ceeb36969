// The module as text in a script. Measured as what travels, a string in which
// the frequent bytes are one character and the others two beats base64 of the
// gzipped module (by a tenth under brotli, by a hundredth under gzip): brotli
// and gzip see the bytes, not base64's groups of six bits. And it needs no
// DecompressionStream.

// Printable ASCII without what a string or a template would escape.
const ALPHABET = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index)).filter(
  (character) => !"\"'`\\$".includes(character),
);
const PREFIXES = 2;
const SINGLES = ALPHABET.length - PREFIXES;

/** @param {Buffer} wasm */
export function inlined(wasm) {
  const count = new Array(256).fill(0);
  for (const byte of wasm) count[byte]++;
  const byFrequency = [...count.keys()].sort((a, b) => count[b] - count[a]);
  const ascending = (a, b) => a - b;
  const frequent = byFrequency.slice(0, SINGLES).sort(ascending);
  const others = byFrequency.slice(SINGLES).sort(ascending);
  const written = [];
  frequent.forEach((byte, rank) => (written[byte] = ALPHABET[rank]));
  others.forEach((byte, rank) => {
    written[byte] =
      ALPHABET[SINGLES + Math.floor(rank / ALPHABET.length)] + ALPHABET[rank % ALPHABET.length];
  });
  const text = Array.from(wasm, (byte) => written[byte]).join("");
  // Which bytes are frequent, a bit each, as hexadecimal digits.
  const isFrequent = new Set(frequent);
  const digits = Array.from({ length: 64 }, (_, four) =>
    [0, 1, 2, 3].reduce((sum, bit) => sum + (isFrequent.has(four * 4 + bit) ? 1 << bit : 0), 0).toString(16),
  ).join("");
  return `// The bytes of sdk.wasm, see pkg/build/inline.mjs.
const alphabet = ${JSON.stringify(ALPHABET.join(""))};
const frequent = "${digits}";
const text = ${JSON.stringify(text)};
export function wasm() {
  const bytes = new Uint8Array(${wasm.length});
  const order = [[], []];
  for (let byte = 0; byte < 256; byte++) order[(parseInt(frequent[byte >> 2], 16) >> (byte & 3)) & 1].push(byte);
  for (let at = 0, end = 0; at < text.length; at++) {
    const rank = alphabet.indexOf(text[at]);
    const other = (rank - ${SINGLES}) * ${ALPHABET.length};
    bytes[end++] = other < 0 ? order[1][rank] : order[0][other + alphabet.indexOf(text[++at])];
  }
  return bytes;
}
`;
}
