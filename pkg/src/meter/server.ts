/**
 * `<ai-chat-usage-meter>` as HTML with a declarative shadow root, so that the
 * first paint of a page has the figures.
 *
 * @packageDocumentation
 */
import type { AiChatUsageResponse } from "bookmore-sdk";
import type { UsageState } from "bookmore-sdk/watch";
import { membersOf } from "../members.js";
import { refuse } from "../refuse.js";
import { firstLook } from "../watch/gauge.js";
import { isUsage, NO_USAGE } from "../watch/options.js";
import { checkCompany } from "./company.js";
import { BOX, draw, drawnOf, knownLocale } from "./draw.js";
import css from "./meter.css";
import { stringsFor, type MeterStrings } from "./strings.js";
import type { Rendered } from "./take-over.js";
import { h, openTag, toHtml } from "./tree.js";
import { variantOf, type MeterVariant } from "./variant.js";

/** How a meter is rendered. */
export interface RenderOptions {
  /** The attribute `company-id`: whose usage the meter asks for in the page; a Guid. */
  companyId?: string | undefined;
  /** The attribute `label`. */
  label?: string | undefined;
  /** The attribute `variant`. Default: `"bar"`. */
  variant?: MeterVariant | undefined;
  /**
   * The attribute `locale`. Its texts need the module of
   * `bookmore-sdk/meter/locales/…`. If it is absent or invalid: `en`, and in the
   * page the nearest `lang`.
   */
  locale?: string | undefined;
  /** Texts of your own. The page needs them as well, as the element's property `strings`. */
  strings?: Partial<MeterStrings> | undefined;
  /** When the usage arrived, in milliseconds since 1970. */
  updatedAt?: number | undefined;
  /** The user's time zone, such as `Europe/Stockholm`. Default: the server's. */
  timeZone?: string | undefined;
  /** The nonce of a Content-Security-Policy with `style-src 'nonce-…'`. */
  nonce?: string | undefined;
  /** The URL of `bookmore-sdk/meter/meter.css`, for a Content-Security-Policy with `style-src 'self'`. */
  stylesheetHref?: string | undefined;
}

const TEXTS = ["companyId", "label", "locale", "nonce", "stylesheetHref"] as const;
const OPTIONS = [...TEXTS, "variant", "strings", "updatedAt", "timeZone"];

/**
 * Renders a meter. In the page, the element takes it over with the same figures.
 *
 * @param usage The usage to show; null or undefined if there is none yet.
 * @throws A ConfigError for an invalid argument.
 */
export function renderToString(usage: AiChatUsageResponse | null | undefined, options: RenderOptions = {}): string {
  const given = membersOf(options, "The options of renderToString", OPTIONS, { refuse, nearest: undefined });
  for (const name of TEXTS) if (given[name] !== undefined && typeof given[name] !== "string") refuse(`${name} must be a string.`);
  const { companyId, label, locale, strings, updatedAt, timeZone, nonce, stylesheetHref } = given;
  const shown = usage ?? undefined;
  if (shown !== undefined && !isUsage(shown)) refuse(NO_USAGE);
  checkCompany(companyId, shown);
  if (given.variant !== undefined && variantOf(given.variant) !== given.variant) refuse('variant must be "bar", "ring" or "compact".');
  if (strings !== undefined && Object(strings) !== strings) refuse("strings must be an object.");
  if (updatedAt !== undefined && (typeof updatedAt !== "number" || isNaN(new Date(updatedAt).getTime()))) refuse("updatedAt must be milliseconds since 1970.");
  if (stylesheetHref === "") refuse("stylesheetHref must not be empty.");
  if (timeZone !== undefined && !isTimeZone(timeZone)) refuse("timeZone must be the name of a time zone, such as Europe/Stockholm.");
  const variant = variantOf(given.variant);
  const spoken = stringsFor(knownLocale(locale), strings);
  const time = updatedAt === undefined ? {} : { updatedAt };
  const state: UsageState = shown ? { status: "ok", usage: shown, ...firstLook(shown), ...time } : { status: "pending" };
  const base = draw({ state, variant, label, timeZone, ...spoken });
  // The source of the page must reveal no more than the page shows.
  const rendered = shown && JSON.stringify({ usage: drawnOf(shown), companyId, ...time } satisfies Rendered);
  const styles = stylesheetHref === undefined ? `${openTag("style", { nonce })}${css}</style>` : openTag("link", { rel: "stylesheet", href: stylesheetHref, nonce });
  const host = openTag("ai-chat-usage-meter", { "company-id": companyId, label, variant: given.variant, locale });
  // In the first tag, so that a parser that pauses within the meter has read it.
  const box = h("div", { class: BOX, "data-state": rendered }, base);
  return `${host}<template shadowrootmode="open">${styles}${toHtml(box)}</template></ai-chat-usage-meter>`;
}

function isTimeZone(timeZone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat("en", { timeZone }));
  } catch {
    return false;
  }
}
