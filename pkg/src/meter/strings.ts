/**
 * The texts of a meter. Functions get numbers and times formatted for the locale,
 * and a count if the wording depends on it.
 */
export interface MeterStrings {
  /** What is measured: the name of the meter. */
  label: string;
  /** The level `ok`. */
  ok: string;
  /** The level `warning`. */
  warning: string;
  /** The level `critical`. */
  critical: string;
  /** More was used than the limit. */
  over: string;
  /** Exactly the limit was used, and it is not within budget. */
  reached: string;
  /** Not within budget for another reason, such as a limit of 0. */
  outside: string;
  /** There are no figures yet. */
  loading: string;
  /** There are no figures because of an error. */
  unknown: string;
  /** "12,300 of 100,000 tokens"; `count` is the limit. */
  used(used: string, limit: string, count: number): string;
  /** The tokens that remain; `count` is their number. */
  left(tokens: string, count: number): string;
  /** The tokens used beyond the limit. */
  exceeded(tokens: string): string;
  /** How many times the limit was used, from 2 on. */
  times(factor: string): string;
  /** The rolling window; `count` is its days. */
  window(days: string, count: number): string;
  /** When the figures arrived. */
  asOf(time: string): string;
  /** 401: the user must log in. */
  ended: string;
  /** 403: the user has no access to this usage. */
  denied: string;
  /** No reply arrived. */
  offline: string;
  /** 429: too many requests. */
  busy: string;
  /** The same where it is known when to ask again. */
  busyUntil(time: string): string;
  /** 429: a quota is used up, which waiting a little does not mend. */
  quota: string;
  /** Any other error. */
  failed: string;
  /** The button that retries. */
  retry: string;
  /** The button that logs in. */
  logIn: string;
}

const ENGLISH: MeterStrings = {
  label: "AI assistant usage",
  ok: "Within budget",
  warning: "Near the limit",
  critical: "Almost used up",
  over: "Over the limit",
  reached: "Limit reached",
  outside: "Not within budget",
  loading: "Loading…",
  unknown: "No figures yet",
  used: (used, limit, count) => `${used} of ${limit} ${count === 1 ? "token" : "tokens"}`,
  left: (tokens) => `${tokens} left`,
  exceeded: (tokens) => `${tokens} over the limit`,
  times: (factor) => `${factor} × the limit`,
  window: (days, count) => (count === 1 ? "in the last day" : `in the last ${days} days`),
  asOf: (time) => `as of ${time}`,
  ended: "You are not logged in any more.",
  denied: "You have no access to this usage.",
  offline: "No connection.",
  busy: "Too many requests at the moment.",
  busyUntil: (time) => `Too many requests; wait until ${time}.`,
  quota: "The quota of the API is used up.",
  failed: "The usage could not be loaded.",
  retry: "Try again",
  logIn: "Log in",
};

/** The languages of all meters, shared between copies of the package. */
interface Registry {
  languages: Map<string, Partial<MeterStrings>>;
  listeners: Set<() => void>;
}

function registry(): Registry {
  const all = globalThis as { [key: symbol]: Registry | undefined };
  return (all[Symbol.for("bookmore-sdk.meter.1")] ??= { languages: new Map(), listeners: new Set() });
}

/**
 * Adds a language to all meters, as the modules of `bookmore-sdk/meter/locales/…`
 * do.
 *
 * @param language A language such as `sv`, or a region of one, such as `de-AT`.
 * @param strings The texts, which are added to those that it has. Missing ones are taken from the language, else from English.
 */
export function addMeterStrings(language: string, strings: Partial<MeterStrings>): void {
  const { languages, listeners } = registry();
  const name = language.toLowerCase();
  languages.set(name, { ...languages.get(name), ...strings });
  for (const listener of [...listeners]) listener();
}

/** Calls `listener` whenever a language is added. Returns a function that ends this. */
export function onLanguage(listener: () => void): () => void {
  const { listeners } = registry();
  listeners.add(listener);
  return () => listeners.delete(listener);
}

type Word = (...given: unknown[]) => unknown;

/** Falls back to `other` where `say` throws or gives no text. */
function orElse(say: Word, other: Word): Word {
  return (...given) => {
    try {
      const said = say(...given);
      if (typeof said === "string") return said;
    } catch {
      // `other` is used.
    }
    return other(...given);
  };
}

/**
 * Each text of `own`, else of the locale, of its language, or English. Values of the wrong type are ignored, whether given
 * or returned. Numbers and times beside English texts are English, too: in German "29.000 of 100.000" would be read as 29.
 */
export function stringsFor(locale = "en", own?: Partial<MeterStrings>): { strings: MeterStrings; locale: string } {
  const { languages } = registry();
  const parts = locale.toLowerCase().split("-");
  const strings: Record<string, unknown> = { ...ENGLISH };
  // Of "zh-hant-tw": those for zh, zh-hant and zh-hant-tw.
  const known = [...parts.map((_, last) => languages.get(parts.slice(0, last + 1).join("-"))), own];
  for (const words of known) {
    for (const [key, word] of Object.entries(words ?? {})) {
      if (typeof word === typeof strings[key]) strings[key] = typeof word === "function" ? orElse(word as Word, strings[key] as Word) : word;
    }
  }
  const isSpoken = parts[0] === "en" || known.some((words) => typeof words?.used === "function");
  return { strings: strings as unknown as MeterStrings, locale: isSpoken ? locale : "en" };
}
