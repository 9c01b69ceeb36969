/** How a meter looks: `bar` and `ring` with everything around them, `compact` for a toolbar. */
export type MeterVariant = "bar" | "ring" | "compact";

/** What is none is a bar. */
export const variantOf = (name: unknown): MeterVariant => (name === "ring" || name === "compact" ? name : "bar");
