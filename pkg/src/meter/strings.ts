/**
 * What a meter says. Functions get numbers and times as they are written in the
 * locale, and a count where words depend on it.
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
  /** Nothing has come yet. */
  loading: string;
  /** Nothing has come but an error. */
  unknown: string;
  /** "12,300 of 100,000 tokens"; `count` is the limit. */
  used(used: string, limit: string, count: number): string;
  /** What remains. */
  left(tokens: string): string;
  /** By how much it is over the limit. */
  exceeded(tokens: string): string;
  /** How often the limit was used, from twice on. */
  times(factor: string): string;
  /** The rolling window; `count` is its days. */
  window(days: string, count: number): string;
  /** When the figures came. */
  asOf(time: string): string;
  /** 401: the user has to log in. */
  ended: string;
  /** 403: the user may not see this. */
  denied: string;
  /** No reply came. */
  offline: string;
  /** 429: too many requests. */
  busy: string;
  /** The same where it is known when to ask again. */
  busyUntil(time: string): string;
  /** 429: a quota is used up, which waiting a little does not mend. */
  quota: string;
  /** Any other error. */
  failed: string;
  /** The button that asks again. */
  retry: string;
  /** The button that logs in. */
  logIn: string;
}

export const ENGLISH: MeterStrings = {
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

/** What all meters know, also those of another copy of the package. */
interface Registry {
  languages: Map<string, Partial<MeterStrings>>;
  listeners: Set<() => void>;
}

function registry(): Registry {
  const all = globalThis as { [key: symbol]: Registry | undefined };
  return (all[Symbol.for("bookmore-sdk.meter.1")] ??= { languages: new Map(), listeners: new Set() });
}

/**
 * Teaches all meters a language, as the modules of
 * `bookmore-sdk/meter/locales/…` do.
 *
 * @param language Such as `sv`, or `de-AT` for that region alone.
 * @param strings What is missing is said in the words of the language, else in English.
 */
export function addMeterStrings(language: string, strings: Partial<MeterStrings>): void {
  const { languages, listeners } = registry();
  languages.set(language.toLowerCase(), strings);
  for (const listener of [...listeners]) listener();
}

/** Calls back when there is another language, until the function that it gives is called. */
export function onLanguage(listener: () => void): () => void {
  const { listeners } = registry();
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Each of `own`, else that of the locale, of its language, or the English one. What is of another kind is passed over. */
export function stringsOf(locale = "", own?: Partial<MeterStrings>): MeterStrings {
  const { languages } = registry();
  const name = locale.toLowerCase();
  const strings: Record<string, unknown> = { ...ENGLISH };
  for (const words of [languages.get(name.split("-")[0]!), languages.get(name), own]) {
    for (const [key, word] of Object.entries(words ?? {})) if (typeof word === typeof strings[key]) strings[key] = word;
  }
  return strings as unknown as MeterStrings;
}
