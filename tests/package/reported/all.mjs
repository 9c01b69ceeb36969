import { ENVIRONMENTS } from "./environments.mjs";
import { LIMITS } from "./limits.mjs";
import { PLATFORMS } from "./platforms.mjs";
import { REPLIES } from "./replies.mjs";
import { runRows } from "./rows.mjs";
import { THROWN } from "./thrown.mjs";

/** The rows, by what they are about. */
export const PARTS = { LIMITS, THROWN, REPLIES, PLATFORMS, ENVIRONMENTS };

/** Those that leave the globals as they are, and can run side by side. */
export const SIDE_BY_SIDE = ["THROWN", "REPLIES"];

/** How many rows a part has that came out right, and what the others said. */
export const runPart = (part, context) => runRows(PARTS[part], context, SIDE_BY_SIDE.includes(part));
