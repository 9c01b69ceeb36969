/** The ways a secret could appear in a text: unchanged, in base64 at every alignment, in hexadecimal, escaped, as the parts of a JWT. */
export function spellings(secret) {
  const base64 = [0, 1, 2].map((shift) => Buffer.from("x".repeat(shift) + secret).toString("base64").slice(shift === 0 ? 0 : 4).replace(/.{4}$/, ""));
  const parts = secret.split(".").filter((part) => part.length >= 8);
  const urls = base64.map((text) => text.replaceAll("+", "-").replaceAll("/", "_"));
  return [...new Set([secret, encodeURIComponent(secret), [...secret].reverse().join(""), Buffer.from(secret).toString("hex"), ...base64, ...urls, ...parts])];
}
