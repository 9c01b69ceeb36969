/** How many characters of a text are reported. */
const LONGEST_TEXT = 10_000;

/** Whether it is a framework's control flow, which must reach the caller unchanged. pkg/docs/errors.md lists the frameworks. */
export function isControlFlow(thrown: unknown): boolean {
  const is = (name: string, type: string) => typeof memberOf(thrown, name) === type;
  // React's promises and elements, and the marked errors of Next.
  if (is("then", "function") || is("digest", "string") || memberOf(thrown, "$$typeof") !== undefined) return true;
  // Routers throw objects that are not errors and have no message: a Response of any class, SvelteKit's redirect and
  // error, React Router's data(), TanStack's notFound().
  return (
    !is("message", "string") &&
    (is("json", "function") ||
      Number.isInteger(memberOf(thrown, "status")) ||
      memberOf(thrown, "type") === "DataWithResponseInit" ||
      memberOf(thrown, "isNotFound") === true)
  );
}

/** What the engine classifies network failures by. */
export function signsOf(thrown: unknown): [name: string, message: string, code: string, causeCode: string] {
  // No known name, message or code of a network failure is longer.
  const sign = (of: unknown, name: string) => textOf(of, name).slice(0, 200);
  // In a hardened realm `name` is a getter.
  const name = sign(thrown, "name") || (isTypeError(thrown) ? "TypeError" : "");
  return [name, sign(thrown, "message"), sign(thrown, "code"), sign(memberOf(thrown, "cause"), "code")];
}

function isTypeError(thrown: unknown): boolean {
  try {
    return thrown instanceof TypeError;
  } catch {
    // A proxy's trap.
    return false;
  }
}

/** Whether a platform threw it because it does not compile WebAssembly, or not these bytes. */
export function isRefusal(thrown: unknown): boolean {
  return ["CompileError", "EvalError"].includes(textOf(thrown, "name"));
}

/** The messages of a thrown value, which can be anything, and of its cause, each after a colon. */
export function wordsOf(thrown: unknown): string {
  const own = memberOf(thrown, "message") ?? thrown;
  // Node says only "fetch failed"; the reason is the cause.
  const cause = memberOf(thrown, "cause");
  const [code, reason] = [textOf(cause, "code"), textOf(cause, "message")];
  const words = [typeof own === "string" ? own : "", code, code && reason.includes(code) ? "" : reason];
  // The sentence continues after them.
  return words.map((word) => shortened(word).trim().replace(/\.+$/, "")).map((word) => word && `: ${word}`).join("");
}

/** A member that is a string; otherwise an empty one. */
export function textOf(value: unknown, name: string): string {
  const text = memberOf(value, name);
  return typeof text === "string" ? text : "";
}

/** Cuts a long text, but not inside a word, which could be part of a secret. */
export function shortened(text: string): string {
  if (text.length <= LONGEST_TEXT) return text;
  let end = LONGEST_TEXT;
  while (end > 0 && /\S/.test(text[end - 1]!)) end--;
  return `${text.slice(0, end)}…`;
}

/** A member of any value. Getters of scripts do not run; the platform's do, also those that Node.js wrote in JavaScript for DOMException. */
export function memberOf(value: unknown, name: PropertyKey): unknown {
  try {
    for (let of = Object(value); of; of = Object.getPrototypeOf(of)) {
      const own = Object.getOwnPropertyDescriptor(of, name);
      if (!own?.get) {
        if (own) return own.value;
        continue;
      }
      const isPlatforms = isOfDomException(of) || (name === "stack" && isNative(own.get));
      return isPlatforms ? own.get.call(value) : undefined;
    }
  } catch {
    // A proxy's trap may throw.
  }
  return undefined;
}

/** Whether it is the prototype of a DOMException, of any realm. */
export function isOfDomException(value: object): boolean {
  return Object.getOwnPropertyDescriptor(value, Symbol.toStringTag)?.value === "DOMException";
}

/** Whether a function is the platform's own. A bound function looks native, too. */
export function isNative(run: unknown): boolean {
  return typeof run === "function" && !/^bound /.test(run.name) && /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(run));
}

/** Sets a non-enumerable member. Defined, not assigned, because a page may have frozen a prototype. */
export function define<T extends object>(of: T, key: PropertyKey, value: unknown): T {
  return Object.defineProperty(of, key, { value, writable: true, configurable: true });
}

/** An Error of this name. */
export function named(name: string, message?: string): Error {
  return define(new Error(message), "name", name);
}
