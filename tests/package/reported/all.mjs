import { ENVIRONMENTS } from "./environments.mjs";
import { LIMITS } from "./limits.mjs";
import { PLATFORMS } from "./platforms.mjs";
import { REPLIES } from "./replies.mjs";
import { runRows } from "./rows.mjs";
import { THROWN } from "./thrown.mjs";

/** The rows, by subject. */
export const PARTS = { LIMITS, THROWN, REPLIES, PLATFORMS, ENVIRONMENTS };

/** Rows that do not replace globals, and so can run concurrently. */
export const SIDE_BY_SIDE = ["THROWN", "REPLIES"];

/** The number of rows that passed, and the messages of the others. */
export const runPart = (part, context) => runRows(PARTS[part], context, SIDE_BY_SIDE.includes(part));
