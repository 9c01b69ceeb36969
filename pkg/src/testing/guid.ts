/** The empty Guid: no company is given. */
export const EMPTY = "0".repeat(32);

/**
 * The 32 digits of a Guid, in lower case, or undefined for anything else.
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

/** The digits of a company id that a test gave. */
export function digitsOf(companyId: string): string {
  const digits = typeof companyId === "string" ? guidDigits(companyId) : undefined;
  if (digits === undefined) {
    throw new TypeError(
      `A company id must be a Guid, such as 9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c, not ${JSON.stringify(companyId)}.`,
    );
  }
  return digits;
}
