/** The empty Guid: no company is given. */
export const EMPTY = "0".repeat(32);

/**
 * The 32 digits of a Guid, in lower case, or undefined for what is none.
 * Dashed or not, in braces, parentheses or quotes, padded: as the server reads it.
 */
export function guidDigits(text: string): string | undefined {
  const bare = text.replace(/^[\s"{(]+|[\s")}]+$/g, "").toLowerCase();
  return /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.test(bare) ? bare.replaceAll("-", "") : undefined;
}

/** The digits with dashes. */
export function dashed(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
