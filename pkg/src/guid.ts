/** The message of `src/wire/encode.rs` for an invalid id. */
export const NO_GUID = "The company id is not a Guid; pass it as 32 hexadecimal digits, with or without dashes.";

const DASHED = "[\\da-f]{8}(-[\\da-f]{4}){3}-[\\da-f]{12}";
const GUID = /* @__PURE__ */ new RegExp(`^([\\da-f]{32}|${DASHED}|\\{${DASHED}\\})$`, "i");

/** The company of an id, the same for each spelling: its digits; "" for the user's own, which no id and all zeros mean; an invalid id, marked as such. */
export function companyOf(id: string | null | undefined): string {
  if (id === undefined || id === null) return "";
  return guidDigits(id)?.replace(/^0+$/, "") ?? `?${id}`;
}

/** The digits of a Guid in one of the forms that `src/wire/guid.rs` reads; undefined for anything else. */
export function guidDigits(id: unknown): string | undefined {
  const isGuid = typeof id === "string" && GUID.test(id);
  return isGuid ? id.replace(/[-{}]/g, "").toLowerCase() : undefined;
}
