/** The look of a meter: `bar` and `ring` with all details, or `compact` for a toolbar. */
export type MeterVariant = "bar" | "ring" | "compact";

/** An unknown value means `bar`. */
export const variantOf = (name: unknown): MeterVariant => (name === "ring" || name === "compact" ? name : "bar");
