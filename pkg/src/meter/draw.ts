import type { AiChatUsageResponse, AnyBookMoreError } from "bookmore-sdk";
import type { UsageState } from "bookmore-sdk/watch";
import { gauge, icon } from "./gauge.js";
import type { MeterStrings } from "./strings.js";
import { h, type Branch, type Tree } from "./tree.js";
import type { MeterVariant } from "./variant.js";

/** A state, and how it is put into words. */
export interface Worded {
  state: UsageState;
  strings: MeterStrings;
  /** That of the texts; Intl accepts it. */
  locale: string;
  timeZone?: string | undefined;
}

/** What a meter shows. */
export interface Shown extends Worded {
  variant: MeterVariant;
  label: string | undefined;
  /** Whether a refresh that the user asked for is in flight. */
  isTrying?: boolean;
  /** The announcement for assistive technology. */
  announcement?: string;
}

const MINUTE = 60_000;
/** Languages that are written from right to left. */
const RIGHT_TO_LEFT = /^(ar|ckb|dv|fa|he|ps|sd|ug|ur|yi)\b/i;
/** Gives a text its direction, even if its first letter is Latin, as in "29K" of Hebrew. */
const RIGHT_TO_LEFT_MARK = "\u200F";

const nextMinute = (at: number) => Math.ceil(at / MINUTE) * MINUTE;

/** A placeholder that shows where a sentence puts a figure; no sentence contains it. */
const MARK = "\uE000";

/** Whether asking failed. There may be no error: a stand-in for a client can reject with undefined. */
export const hasFailed = ({ status }: UsageState): boolean => status === "error" || status === "stopped";

/** Whether the figures shown may be out of date. */
export const isStale = (state: UsageState): boolean => state.usage !== undefined && hasFailed(state);

/** The members of a usage that a meter draws. */
export function drawnOf({ tokensUsed, tokenLimit, tokensRemaining, isWithinBudget, windowDays }: AiChatUsageResponse): AiChatUsageResponse {
  return { tokensUsed, tokenLimit, tokensRemaining, isWithinBudget, windowDays };
}

/** Which of the texts tells the level. */
export function levelName({ usage, level }: UsageState): "ok" | "warning" | "critical" | "over" | "reached" | "outside" | undefined {
  if (!usage || !level) return undefined;
  const { tokensUsed, tokenLimit } = usage;
  if (tokenLimit > 0 && tokensUsed > tokenLimit) return "over";
  if (level !== "over") return level;
  return tokenLimit > 0 && tokensUsed === tokenLimit ? "reached" : "outside";
}

/** The error in words for users. A mistake of the developer is shown as the error words it. */
export function errorText({ state, strings, ...shown }: Worded): string {
  if (!hasFailed(state)) return "";
  const { error } = state;
  switch (error?.code) {
    case "config_error":
      return error.message;
    case "authentication_error":
      return strings.ended;
    case "permission_denied":
      return strings.denied;
    case "rate_limited":
      if (Number(error.retryAt) > Date.now() + MINUTE) return strings.busyUntil(time(nextMinute(Number(error.retryAt)), shown));
      return error.isRetryable ? strings.busy : strings.quota;
    case "network_error":
    case "timeout":
      return strings.offline;
    default:
      return strings.failed;
  }
}

/** The first of the given locales that Intl accepts. */
export function knownLocale(...locales: (string | null | undefined)[]): string | undefined {
  return locales.find((locale) => {
    try {
      return typeof locale === "string" && locale !== "" && Intl.getCanonicalLocales(locale);
    } catch {
      return false;
    }
  }) as string | undefined;
}

/** The class of the container whose width decides what a meter looks like. The host is none, because its width may depend on what is inside. */
export const BOX = "box";

/** The tree of a meter. It always has the same elements; some are hidden. */
export function draw(shown: Shown): Branch {
  const { state, variant, strings, locale, isTrying = false, announcement = "" } = shown;
  const { status, usage, level, error } = state;
  const isPending = !usage && !hasFailed(state);
  const levelKey = levelName(state);
  const isLoggedOut = error?.code === "authentication_error";
  const number = (value: number, options?: object) => new Intl.NumberFormat(locale, options).format(value);
  const directed = (text: string) => (RIGHT_TO_LEFT.test(locale) ? RIGHT_TO_LEFT_MARK : "") + text;
  const said = (name: string, text: string, isHidden = !text): Branch => h("span", { class: name, part: name, hidden: isHidden }, text && directed(text));
  const button = (name: string, text: string, isHidden: boolean): Branch =>
    h("button", { class: name, part: "button", type: "button", hidden: isHidden, "aria-describedby": "label", "aria-disabled": isTrying && "true" }, text);

  let figures: Tree[] = [isPending ? "" : strings.unknown];
  let meter: Branch["attributes"] = { role: undefined, "aria-labelledby": undefined, "aria-valuemin": undefined, "aria-valuemax": undefined, "aria-valuenow": undefined, "aria-valuetext": undefined };
  let share = "";
  let left = "";
  let days = "";
  if (usage) {
    const { tokensUsed, tokenLimit, tokensRemaining, windowDays } = usage;
    const short = variant === "compact" ? { notation: "compact", maximumFractionDigits: 1, roundingMode: "floor" } : {};
    const used = number(tokensUsed, short);
    const words = (figure: string) => strings.used(figure, number(tokenLimit, short), tokenLimit);
    const text = words(used);
    // Some languages put the limit first, and it may have the same digits.
    const at = words(MARK).indexOf(MARK);
    const isThere = at >= 0 && text.startsWith(used, at);
    figures = isThere ? [directed(text.slice(0, at)), h("strong", { "data-long": used.length > 9 }, used), text.slice(at + used.length)] : [directed(text)];
    const max = tokenLimit > 0 ? tokenLimit : 1;
    meter = {
      role: "meter",
      "aria-labelledby": "label",
      "aria-valuemin": 0,
      "aria-valuemax": max,
      // With a limit of 0, the gauge is either empty or full.
      "aria-valuenow": tokenLimit > 0 ? Math.min(Math.max(tokensUsed, 0), max) : Number(level === "over"),
      "aria-valuetext": strings.used(number(tokensUsed), number(tokenLimit), tokenLimit),
    };
    left = tokensUsed > tokenLimit ? strings.exceeded(number(tokensUsed - tokenLimit)) : tokensRemaining >= 0 ? strings.left(number(tokensRemaining), tokensRemaining) : "";
    days = strings.window(number(windowDays), windowDays);
    const factor = state.share ?? 0;
    // Rounded down, so that 99.6 % does not show as 100 %.
    const down = (digits: number, options?: object) => number(factor, { maximumFractionDigits: digits, roundingMode: "floor", ...options });
    if (factor < 2) {
      if (state.share !== undefined) share = down(factor < 0.1 ? 1 : 0, { style: "percent" });
    } else {
      const times = strings.times(down(factor < 10 ? 1 : 0));
      if (variant === "bar") share = times;
      else [share, left] = [`${down(1, { notation: "compact", ...(factor < 1000 ? {} : { maximumSignificantDigits: 2 }) })}×`, times];
    }
  }
  return h(
    "div",
    {
      class: "base",
      part: "base",
      lang: locale,
      tabindex: -1,
      "data-variant": variant,
      "data-level": level ?? "none",
      "data-stale": isStale(state),
      "aria-busy": String(isPending),
    },
    h("div", { class: "head" }, h("span", { class: "label", part: "label", id: "label" }, directed(shown.label || strings.label)), h("span", { class: "level", part: "level", hidden: !usage }, icon(level), h("span", { class: "words" }, levelKey ? directed(strings[levelKey]) : ""))),
    h("div", { class: "figures", part: "figures", "aria-hidden": usage ? "true" : undefined }, ...figures),
    h("div", { class: "meter", ...meter }, gauge(state, variant), said("share", share)),
    h("div", { class: "details", part: "details" }, said("left", left), said("window", days), said("as-of", state.updatedAt === undefined || !usage ? "" : strings.asOf(time(state.updatedAt, shown)))),
    h(
      "div",
      { class: "error", part: "error", hidden: !hasFailed(state) },
      icon("error"),
      h("span", { class: "message" }, directed(errorText(shown))),
      button("login", strings.logIn, !isLoggedOut),
      button("retry", strings.retry, isLoggedOut || error?.code === "config_error"),
    ),
    h("span", { class: "said", role: "status" }, isPending && status === "pending" ? strings.loading : announcement),
  );
}

/** The time of day, with the date unless it is today. */
function time(at: number, { locale, timeZone }: Pick<Worded, "locale" | "timeZone">): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = (when: number) => new Intl.DateTimeFormat(locale, { dateStyle: "medium", ...zone }).format(when);
  const isToday = day(at) === day(Date.now());
  return new Intl.DateTimeFormat(locale, { ...(isToday ? {} : { dateStyle: "medium" }), timeStyle: "short", ...zone }).format(at);
}
