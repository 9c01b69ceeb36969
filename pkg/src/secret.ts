/** The words for what {@link isSecret} accepts. */
export const SECRET = "a string of visible ASCII characters, without spaces or line breaks";

/** Whether it is a token or key that can be sent unchanged. */
export function isSecret(value: unknown): boolean {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
}
