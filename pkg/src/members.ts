import type { BookMoreClientLike } from "./client.js";
import { ERROR_BRAND, isBranded } from "./brands.js";

/** How an entry checks the members of a caller's object. */
export interface MembersCheck {
  /** Throws the entry's ConfigError. */
  refuse(message: string, cause?: unknown): never;
  /** Finds the name that was probably meant; undefined in entries that do not carry this code. */
  nearest: ((name: string, known: readonly string[]) => string | undefined) | undefined;
}

/** Whether it is an object, but not an array. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether it is a plain object, of any realm. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Runs `read`. Anything that a caller's getter, iterator or proxy throws becomes the cause of a ConfigError. */
export function reading<T>(name: string, check: Pick<MembersCheck, "refuse">, read: () => T): T {
  try {
    return read();
  } catch (thrown) {
    return unreadable(name, check, thrown);
  }
}

function unreadable(name: string, { refuse }: Pick<MembersCheck, "refuse">, thrown: unknown): never {
  if (isBranded(thrown, ERROR_BRAND)) throw thrown;
  return refuse(`${name} cannot be read: see the cause of this error.`, thrown);
}

/**
 * The members of a caller's object. Each is read once, so that the value that
 * was checked is the one that is used, even if a getter returns another one
 * next time. An instance of a class must have at least one of the members:
 * otherwise a promise that nobody awaited, a Map or a Date would pass for an
 * empty object.
 */
export function membersOf<T extends object>(given: T, name: string, known: readonly string[], check: MembersCheck): T {
  // Without `reading`, whose closure would cost time in every call.
  let at = name;
  try {
    checkMembers(given, name, known, check);
    const members: Record<string, unknown> = {};
    for (at of known) members[at] = given[at as keyof T];
    return members as T;
  } catch (thrown) {
    return unreadable(at, check, thrown);
  }
}

function checkMembers(given: object, name: string, known: readonly string[], check: MembersCheck): void {
  const { refuse, nearest } = check;
  if (!isObject(given)) refuse(`${name} must be an object.`);
  // With a misspelt member, such as `baseURL`, the call would not do what its author means.
  for (const own of Object.keys(given)) {
    if (known.includes(own)) continue;
    const meant = nearest?.(own, known);
    const advice = meant ? `Did you mean ${meant}?` : `There ${known.length > 1 ? "are" : "is only"} ${known.join(", ")}.`;
    refuse(`${name} cannot have ${JSON.stringify(own)}. ${advice}`);
  }
  if (!isPlain(given) && !known.some((own) => own in given)) {
    const members = (known.length > 1 ? "one of " : "") + known.join(", ");
    refuse(`${name} must be a plain object, or one with ${members}; await a promise first.`);
  }
}

/** Checks that `client` is a BookMoreClient, or has the function of one that the entry calls. */
export function checkClient(client: BookMoreClientLike, called: keyof BookMoreClientLike, check: Pick<MembersCheck, "refuse">): void {
  const isClient = reading("client", check, () => typeof client?.[called] === "function");
  if (!isClient) check.refuse("client must be a BookMoreClient, or an object with its functions.");
}
