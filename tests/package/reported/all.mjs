import { ENVIRONMENTS } from "./environments.mjs";
import { LIMITS } from "./limits.mjs";
import { PLATFORMS } from "./platforms.mjs";
import { REPLIES } from "./replies.mjs";
import { THROWN } from "./thrown.mjs";

/** Every row of this folder. */
export const ROWS = { ...LIMITS, ...THROWN, ...REPLIES, ...PLATFORMS, ...ENVIRONMENTS };
