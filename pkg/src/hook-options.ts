import type { WatchOptions } from "bookmore-sdk/watch";
import { isObject, isPlain, reading } from "./members.js";
import { refuse } from "./refuse.js";

/**
 * Copies the options of a hook. Copying null, a number, a Map or a promise
 * would give an empty object, which the watch accepts.
 */
export function copyOf<T extends object>(given: T): T {
  return reading("An option", { refuse }, () => {
    const copy = { ...given };
    const isNone = !isObject(given) || (!isPlain(given) && Object.keys(copy).length === 0);
    return isNone ? refuse("The options must be a plain object.") : copy;
  });
}

/** The options for a later company, without the usage and history of the first. */
export function withoutKnown(options: WatchOptions): WatchOptions {
  return { ...options, initialUsage: undefined, history: undefined };
}
