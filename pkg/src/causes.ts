import { isNative, memberOf } from "./thrown.js";

/** How many objects, and how many characters, are looked at. */
const MOST_NODES = 1_000;
const MOST_CHARACTERS = 100_000;

/**
 * `thrown`, where nothing in it quotes a secret. Where something does, or could
 * not be looked at, an Error instead, with its name, its code and its message
 * as far as they quote none. `redact` takes the secrets out of a text.
 */
export function safeCause(thrown: unknown, redact: (text: string) => string): unknown {
  let isSafe = false;
  try {
    isSafe = new Examination(redact).isClean(thrown);
  } catch {
    // A proxy's trap may throw.
  }
  if (isSafe) return thrown;
  const said = (name: string) => {
    const text = memberOf(thrown, name);
    return typeof text === "string" ? redact(text.slice(0, MOST_CHARACTERS)) : undefined;
  };
  const message = typeof thrown === "string" ? redact(thrown.slice(0, MOST_CHARACTERS)) : said("message");
  const [name, code] = [said("name") ?? "Error", said("code")];
  return Object.assign(new Error(message), { name }, code === undefined ? {} : { code });
}

class Examination {
  readonly #redact: (text: string) => string;
  readonly #seen = new Set<unknown>();
  #characters = 0;

  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** Whether all of `value` could be looked at, and none of it quotes a secret. */
  isClean(value: unknown): boolean {
    if (typeof value === "string") {
      this.#characters += value.length;
      return this.#characters <= MOST_CHARACTERS && this.#redact(value) === value;
    }
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return true;
    if (this.#seen.has(value)) return true;
    this.#seen.add(value);
    return this.#seen.size <= MOST_NODES && this.#isKnown(value) && this.#ownClean(value) && this.#innerClean(value);
  }

  /** Whether an object keeps nothing where it cannot be seen. */
  #isKnown(value: object): boolean {
    const prototype = Object.getPrototypeOf(value) as object | null;
    return (
      typeof value === "function" ||
      prototype === null ||
      Array.isArray(value) ||
      // A plain object, of this realm or another one.
      Object.getPrototypeOf(prototype) === null ||
      isError(value) ||
      holdsEntries(value)
    );
  }

  #ownClean(value: object): boolean {
    return Reflect.ownKeys(value).every((key) => {
      const own = Object.getOwnPropertyDescriptor(value, key);
      if (typeof key === "string" && !this.isClean(key)) return false;
      // V8 has the stack of an error behind a getter of its own.
      if (own?.get) return isNative(own.get) && this.isClean(own.get.call(value));
      // Every function has a prototype that names it.
      return (typeof value === "function" && key === "prototype") || this.isClean(own?.value);
    });
  }

  /** What an error inherits, and what a Map or Headers hold, is no property of theirs. */
  #innerClean(value: object): boolean {
    if (isError(value)) return ["name", "message", "stack"].every((name) => this.isClean(memberOf(value, name)));
    return !holdsEntries(value) || [...(value as Map<unknown, unknown>).entries()].every((entry) => this.isClean(entry));
  }
}

/** Whether it inherits from the Error of any realm, as a DOMException does, too. */
function isError(value: object): boolean {
  for (let of: unknown = value; of; of = Object.getPrototypeOf(of)) {
    if (Object.getOwnPropertyDescriptor(of, "name")?.value === "Error" && Object.hasOwn(of, "toString")) return true;
  }
  return false;
}

function holdsEntries(value: object): boolean {
  return ["Map", "Headers"].includes(memberOf(value, Symbol.toStringTag) as string);
}
