/** What a platform says where no reply came; whatever follows names the host. */
const NETWORK_WORDS = [
  "Failed to fetch", // Chromium
  "network error", // Chromium, of a body
  "NetworkError when attempting to fetch resource.", // Firefox
  "Load failed", // WebKit
  "The Internet connection appears to be offline", // WebKit
  "The network connection was lost", // WebKit
  "fetch failed", // Node
  "terminated", // Node, of a body
  "Network request failed", // React Native
  "error sending request", // Deno
  "Network connection lost", // workerd
  "A network error occurred",
];

/** How many characters of a text are told. */
const LONGEST_TEXT = 10_000;

/** The codes that Node, undici, Bun and OpenSSL give to failures of the network. */
const SYSTEM_CODE =
  /^(E(?!RR_)[A-Z_]+|UND_ERR_\w+|HPE_\w+|CERT_\w+|UNABLE_TO_\w+|\w*SELF_SIGNED\w*|HOSTNAME_MISMATCH|ERR_(NETWORK|SOCKET|TLS|SSL|HTTP2|STREAM|CONN)\w*|Connection\w+|FailedToOpenSocket|Timeout)$/;

/** 0: the network's failure; 1: that of the function which sends; 2: a framework's control flow. */
export function kindOf(thrown: unknown): 0 | 1 | 2 {
  const is = (name: string, type: string) => typeof memberOf(thrown, name) === type;
  if (is("then", "function") || is("digest", "string") || memberOf(thrown, "$$typeof") !== undefined) return 2;
  const codes = [memberOf(thrown, "code"), memberOf(memberOf(thrown, "cause"), "code")];
  if (codes.some((code) => typeof code === "string" && SYSTEM_CODE.test(code))) return 0;
  const [name, message] = [memberOf(thrown, "name"), memberOf(thrown, "message")];
  if (name === "NetworkError") return 0;
  const words = typeof message === "string" ? message.trim().toLowerCase() : "";
  const isNetwork = NETWORK_WORDS.some((known) => words.startsWith(known.toLowerCase()));
  // workerd throws plain errors.
  return isNetwork && (name === "TypeError" || words.startsWith("network connection lost")) ? 0 : 1;
}

/** What was thrown, which can be anything, says of itself, and what its cause says. */
export function wordsOf(thrown: unknown): string {
  const cause = memberOf(thrown, "cause");
  const message = memberOf(thrown, "message") ?? thrown;
  const code = memberOf(cause, "code");
  // Node says only "fetch failed"; the reason is the cause.
  const reason = typeof code === "string" ? code : memberOf(cause, "message");
  const words = [message, reason].filter((word) => typeof word === "string" && word !== "");
  // A sentence goes on after them.
  return words.map((word) => `: ${shortened(word as string).replace(/\.$/, "")}`).join("");
}

/** A text of a bearable length, which does not end inside a word: that could be a part of a secret. */
export function shortened(text: string): string {
  return text.length > LONGEST_TEXT ? `${text.slice(0, LONGEST_TEXT).replace(/\S*$/, "")}…` : text;
}

/** A member of anything. The caller's getters do not run; a platform's do, which for a DOMException of Node's are scripts. */
export function memberOf(value: unknown, name: PropertyKey): unknown {
  try {
    for (let of = Object(value); of; of = Object.getPrototypeOf(of)) {
      const own = Object.getOwnPropertyDescriptor(of, name);
      if (!own?.get) {
        if (own) return own.value;
        continue;
      }
      const isPlatforms = of === globalThis.DOMException?.prototype || (name === "stack" && isNative(own.get));
      return isPlatforms ? own.get.call(value) : undefined;
    }
  } catch {
    // A proxy's trap may throw.
  }
  return undefined;
}

/** Whether the platform, and not a script, is behind a function; a bound one looks as if it were. */
export function isNative(run: unknown): boolean {
  return typeof run === "function" && !/^bound /.test(run.name) && /\{\s*\[native code\]\s*\}\s*$/.test(Function.prototype.toString.call(run));
}
