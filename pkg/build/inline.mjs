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
  const byFrequency = [...count.keys()].sort((a, b) => count[b] - count[a] || a - b);
  const written = [];
  byFrequency.forEach((byte, rank) => {
    const rest = rank - SINGLES;
    written[byte] =
      rest < 0
        ? ALPHABET[rank]
        : ALPHABET[SINGLES + Math.floor(rest / ALPHABET.length)] + ALPHABET[rest % ALPHABET.length];
  });
  const text = Array.from(wasm, (byte) => written[byte]).join("");
  const code = `// The bytes of sdk.wasm, see pkg/build/inline.mjs.
const alphabet = ${JSON.stringify(ALPHABET.join(""))};
const order = ${JSON.stringify(String.fromCharCode(...byFrequency.map((byte) => byte + 256)))};
const text = ${JSON.stringify(text)};
export function wasm() {
  const bytes = new Uint8Array(${wasm.length});
  for (let at = 0, end = 0; at < text.length; at++) {
    let rank = alphabet.indexOf(text[at]);
    if (rank >= ${SINGLES}) rank = ${SINGLES} + (rank - ${SINGLES}) * ${ALPHABET.length} + alphabet.indexOf(text[++at]);
    bytes[end++] = order.charCodeAt(rank) - 256;
  }
  return bytes;
}
`;
  return code;
}
