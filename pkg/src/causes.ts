import { isBookMoreError } from "./errors.js";
import { isPlain } from "./members.js";
import { isNative, isOfDomException, memberOf, named, shortened } from "./thrown.js";

/** How many objects and members, and how many characters, are inspected. */
const MOST_NODES = 1_000;
const MOST_CHARACTERS = 100_000;

/**
 * `thrown` itself, if nothing in it contains a secret. If something does, or
 * cannot be inspected, an Error with its name and code and its redacted message.
 * `redact` redacts the secrets in a text.
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
    return typeof text === "string" ? redact(shortened(text)) : undefined;
  };
  const message = typeof thrown === "string" ? redact(shortened(thrown)) : said("message");
  const [name, code] = [said("name") ?? "Error", said("code")];
  const error = named(name, message);
  return code === undefined ? error : Object.assign(error, { code });
}

class Examination {
  readonly #redact: (text: string) => string;
  readonly #seen = new Set<unknown>();
  #characters = 0;
  #members = 0;

  constructor(redact: (text: string) => string) {
    this.#redact = redact;
  }

  /** Whether all of `value` could be inspected, and contains no secret. */
  isClean(value: unknown): boolean {
    if (typeof value === "symbol") return this.isClean(value.description);
    if (typeof value === "number" || typeof value === "bigint") return this.isClean(String(value));
    if (typeof value === "string") {
      this.#characters += value.length;
      return this.#characters <= MOST_CHARACTERS && this.#redact(value) === value;
    }
    // A function's closure cannot be inspected, and some functions run when a value is printed.
    if (typeof value === "function") return false;
    if (typeof value !== "object" || value === null || this.#seen.has(value)) return true;
    this.#seen.add(value);
    return this.#seen.size <= MOST_NODES && this.#isKnown(value) && this.#ownClean(value) && this.#innerClean(value);
  }

  /** Whether an object has no state that cannot be inspected. */
  #isKnown(value: object): boolean {
    // A subclass may show what its fields hide.
    const prototype = Object.getPrototypeOf(value);
    if (Array.isArray(value)) return Array.isArray(prototype);
    if (holdsEntries(value)) return Object.hasOwn(prototype, Symbol.toStringTag);
    return isPlain(value) || (isError(value) && hasPlainPrototypes(value));
  }

  #ownClean(value: object): boolean {
    // Checked before its keys are listed.
    if (Array.isArray(value) && value.length > MOST_NODES) return false;
    const keys = Reflect.ownKeys(value);
    this.#members += keys.length;
    if (this.#members > MOST_NODES) return false;
    return keys.every((key) => {
      const own = Object.getOwnPropertyDescriptor(value, key);
      if (!this.isClean(key)) return false;
      // In V8 an error's stack is behind a native getter.
      if (own?.get) return key === "stack" && isNative(own.get) && this.isClean(own.get.call(value));
      return this.isClean(own?.value);
    });
  }

  /** Checks what is not an own property: what an error inherits, and the entries of a Map or Headers. */
  #innerClean(value: object): boolean {
    if (isError(value)) return ["name", "message", "stack"].every((name) => this.isClean(memberOf(value, name)));
    if (!holdsEntries(value)) return true;
    for (const entry of (value as Map<unknown, unknown>).entries()) {
      if (++this.#members > MOST_NODES || !this.isClean(entry)) return false;
    }
    return true;
  }
}

/** Whether it inherits from the Error of any realm, as a DOMException also does. */
function isError(value: object): boolean {
  for (let of: unknown = value; of; of = Object.getPrototypeOf(of)) {
    if (Object.getOwnPropertyDescriptor(of, "name")?.value === "Error" && Object.hasOwn(of, "toString")) return true;
  }
  return false;
}

function holdsEntries(value: object): boolean {
  return ["Map", "Headers"].includes(memberOf(value, Symbol.toStringTag) as string);
}

/** The fetch of Node.js 24 marks the classes of its errors with a getter that returns true. */
const UNDICI = /^undici\.error\./;

/**
 * Whether an error's classes add nothing that reveals more than its own members: no getter, no `toJSON`, and nothing that
 * Node.js calls to inspect a value.
 */
function hasPlainPrototypes(error: object): boolean {
  const plain = ["constructor", "name", "message", "toString", "stack"];
  const isPlainKey = (key: PropertyKey) => (typeof key === "symbol" ? UNDICI.test(key.description ?? "") : plain.includes(String(key)));
  for (let of = Object.getPrototypeOf(error); of && Object.getPrototypeOf(of); of = Object.getPrototypeOf(of)) {
    const isKnown = isOfDomException(of) || isBookMoreError(of);
    if (!isKnown && !Reflect.ownKeys(of).every(isPlainKey)) return false;
  }
  return true;
}
