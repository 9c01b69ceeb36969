import { ERROR_BRAND, isBranded } from "./brands.js";

/** How the members of what a caller gives are checked, in every entry. */
export interface MembersCheck {
  /** Throws a ConfigError of its entry. */
  refuse(message: string, cause?: unknown): never;
  /** Finds the name that was meant; absent where nobody can tell. */
  nearest: ((name: string, known: readonly string[]) => string | undefined) | undefined;
}

/** Whether it can have members by name, which a list cannot. */
export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether no class has made it, of whatever realm. */
export function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Runs `read`. What a caller's getter, iterator or proxy throws in it becomes the cause of a ConfigError. */
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
 * The members of what a caller gives, each read once: what was checked is what
 * is used, whatever a getter gives next. An object of an application's own
 * class has one of the members at least; a promise that nobody awaited, a Map
 * or a Date has none, and would be taken for an empty object.
 */
export function membersOf<T extends object>(given: T, name: string, known: readonly string[], check: MembersCheck): T {
  // Not by `reading`, as every call reads its options.
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
  // A member that nobody reads, such as `baseURL`: the call would not do what its author means.
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
