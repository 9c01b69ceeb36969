/** What `src/wire/encode.rs` says of an id that is none. */
export const NO_GUID = "The company id is not a Guid; pass it as 32 hexadecimal digits, with or without dashes.";

/** The digits of a Guid in one of the forms that `src/wire/guid.rs` reads; undefined for what is none. */
export function guidDigits(id: unknown): string | undefined {
  const dashed = "[\\da-f]{8}(-[\\da-f]{4}){3}-[\\da-f]{12}";
  const isGuid = typeof id === "string" && new RegExp(`^([\\da-f]{32}|${dashed}|\\{${dashed}\\})$`, "i").test(id);
  return isGuid ? id.replace(/[-{}]/g, "").toLowerCase() : undefined;
}
