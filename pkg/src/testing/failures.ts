import type { ResponseError } from "bookmore-sdk";
import { digitsOf } from "./guid.js";
import { checkMembers, unknown } from "./members.js";
import type { UsageMembers } from "./usage.js";

/** What a company's requests come to instead of a usage. */
export type Failure =
  | StatusFailure
  | QuotaFailure
  | LoginPageFailure
  | LoginRedirectFailure
  | MovedFailure
  | ExpiredFailure
  | OtherCompanyFailure
  | NoCompanyFailure
  | NetworkFailure
  | HangFailure
  | TruncatedFailure
  | SlowReply;

/** What requests come to: a usage or a failure, or a list of them. */
export type Answers = UsageMembers | Failure | readonly (UsageMembers | Failure)[];

interface Repeated {
  /**
   * How many requests it is for. Default: one, or all where nothing follows.
   * Afterwards comes what follows in the list, or the company's usage.
   */
  times?: number | undefined;
}

/**
 * A reply with this status, such as `{ status: 403 }` or
 * `{ status: 429, retryAfter: 2 }`, with the bytes that the framework would send.
 */
export interface StatusFailure extends Repeated {
  /** From 200 to 599. */
  status: number;
  /** The server's name for the error. Default: that of the status, such as `Forbidden`. */
  errorCode?: string | undefined;
  /** In words. */
  message?: string | undefined;
  /** The errors of single fields; null leaves the list out. Default: an empty list. */
  errors?: readonly ResponseError[] | null | undefined;
  /**
   * What the body has in it:
   * - `"zero-filled"`: a usage full of zeros and the error, as a service writes it (the default);
   * - `"status-only"`: the error alone, as the framework writes it before the service runs (the default for 401);
   * - `"empty"`: nothing, as something in front of the framework does (the default below 400);
   * - `"html"`: a page, as a proxy writes it;
   * - or this text.
   */
  body?: "zero-filled" | "status-only" | "empty" | "html" | { text: string; contentType?: string | undefined } | undefined;
  /** Sent as `Retry-After`: seconds, a Date (as an HTTP date), or any string as it is. */
  retryAfter?: number | Date | string | undefined;
  /** Sent as `retry-after-ms`: milliseconds. */
  retryAfterMs?: number | undefined;
  /** Further headers of the reply. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** A 429 that no waiting helps against: the quota is used up. */
export interface QuotaFailure extends Repeated {
  kind: "quota";
}

/** An HTML page with status 200, as behind a login that has ended. */
export interface LoginPageFailure extends Repeated {
  kind: "login-page";
}

/** A redirect to a page for signing in, as a proxy in front of the API sends it: without CORS headers. */
export interface LoginRedirectFailure extends Repeated {
  kind: "login-redirect";
}

/** A redirect to the same operation elsewhere. */
export interface MovedFailure extends Repeated {
  kind: "moved";
  /** The base URL of the other place. Default: `/moved` below this one. */
  to?: string | undefined;
}

/** A 401 for a token that has expired, as ASP.NET makes it in front of the API: without a body and CORS headers. */
export interface ExpiredFailure extends Repeated {
  kind: "expired";
}

/** The usage says that it is of another company. */
export interface OtherCompanyFailure extends Repeated {
  kind: "other-company";
  /** Default: the logged-in user's company, or a fixed one where that is asked for. */
  companyId?: string | undefined;
}

/** The usage names no company. */
export interface NoCompanyFailure extends Repeated {
  kind: "no-company";
}

/** `fetch` rejects, as without a network, without CORS headers or after a connection that was reset. */
export interface NetworkFailure extends Repeated {
  kind: "network";
}

/** The reply never comes, or never ends; an abort ends it. */
export interface HangFailure extends Repeated {
  kind: "hang";
  /** `"headers"`: nothing comes (the default); `"body"`: half of the body does. */
  phase?: "headers" | "body" | undefined;
}

/** The usage breaks off in the middle. */
export interface TruncatedFailure extends Repeated {
  kind: "truncated";
  /** `"error"`: the body fails (the default); `"clean"`: it ends as if it were whole. */
  end?: "error" | "clean" | undefined;
  /** How many bytes come. Default: half of them. */
  bytes?: number | undefined;
}

/** The usage, whole, but late or byte by byte. By `setTimeout`, which can be a fake one. */
export interface SlowReply extends Repeated {
  kind: "slow";
  /** Until the headers come, in milliseconds. Default: 0. */
  delayMs?: number | undefined;
  /** Between two bytes, in milliseconds; 0 sends all at once. Default: 0. */
  byteMs?: number | undefined;
}

/** The members of each kind, besides `kind` and `times`. */
const KINDS: { [K in Extract<Failure, { kind: string }>["kind"]]: readonly string[] } = {
  "quota": [],
  "login-page": [],
  "login-redirect": [],
  "moved": ["to"],
  "expired": [],
  "other-company": ["companyId"],
  "no-company": [],
  "network": [],
  "hang": ["phase"],
  "truncated": ["end", "bytes"],
  "slow": ["delayMs", "byteMs"],
};

const STATUS_MEMBERS = ["status", "errorCode", "message", "errors", "body", "retryAfter", "retryAfterMs", "headers", "times"];
const BODIES: unknown[] = [undefined, "zero-filled", "status-only", "empty", "html"];

/** Whether what was given is a failure; everything else is a usage. */
export function isFailure(given: unknown): given is Failure {
  return typeof given === "object" && given !== null && ("status" in given || "kind" in given);
}

/** Whether the API sees nothing of the request, so that it refuses nobody either. */
export function isCut(failure: Failure): boolean {
  if (!("kind" in failure)) return false;
  const { kind } = failure;
  return kind === "network" || kind === "login-redirect" || kind === "moved" || (kind === "hang" && failure.phase !== "body");
}

/** Refuses a failure that cannot be. */
export function checkFailure(given: Failure): void {
  const { times } = given;
  check(times === undefined || (Number.isInteger(times) && times >= 1), "times must be an integer from 1 on.");
  if ("kind" in given) {
    const { kind } = given;
    if (!Object.hasOwn(KINDS, kind)) {
      throw new TypeError(`There is no failure of the kind ${unknown(String(kind), Object.keys(KINDS))}.`);
    }
    checkMembers(given, ["kind", ...KINDS[kind], "times"], `A failure of the kind "${kind}"`);
  } else {
    checkMembers(given, STATUS_MEMBERS, "A failure with a status");
  }
  if ("status" in given) checkStatus(given);
  else if (given.kind === "other-company") {
    if (given.companyId !== undefined) digitsOf(given.companyId);
  } else if (given.kind === "moved") {
    check(given.to === undefined || /^https?:\/\/[^\s?#]+$/.test(given.to), "to must be the http(s) URL of another base.");
  } else if (given.kind === "hang") {
    check(isOneOf(given.phase, [undefined, "headers", "body"]), 'phase must be "headers" or "body".');
  } else if (given.kind === "truncated") {
    check(isOneOf(given.end, [undefined, "error", "clean"]), 'end must be "error" or "clean".');
    checkAmount(given.bytes, "bytes");
  } else if (given.kind === "slow") {
    checkAmount(given.delayMs, "delayMs");
    checkAmount(given.byteMs, "byteMs");
  }
}

function checkStatus(failure: StatusFailure): void {
  const { status, errorCode, message, errors, body, retryAfter, retryAfterMs } = failure;
  check(Number.isInteger(status) && status >= 200 && status <= 599, "status must be an integer from 200 to 599.");
  check(isOneOf(typeof errorCode, ["undefined", "string"]), "errorCode must be a string.");
  check(isOneOf(typeof message, ["undefined", "string"]), "message must be a string.");
  check(errors == null || Array.isArray(errors), "errors must be an array, or null for none.");
  if (typeof body === "object" && body !== null) {
    checkMembers(body, ["text", "contentType"], "A body");
    check(typeof body.text === "string", "The text of a body must be a string.");
  } else {
    check(BODIES.includes(body), 'body must be "zero-filled", "status-only", "empty", "html" or { text }.');
  }
  if (typeof retryAfter === "number") checkAmount(retryAfter, "retryAfter");
  else if (retryAfter instanceof Date) check(!Number.isNaN(retryAfter.getTime()), "retryAfter is an invalid Date.");
  else check(isOneOf(typeof retryAfter, ["undefined", "string"]), "retryAfter must be seconds, a Date or a string.");
  checkAmount(retryAfterMs, "retryAfterMs");
  try {
    new Headers(headersOf(failure));
  } catch {
    throw new TypeError("A header of the reply has a name or value that HTTP cannot carry, such as a line break.");
  }
}

/** The headers that a failure gives its reply. */
export function headersOf({ body, retryAfter, retryAfterMs, headers }: StatusFailure): Record<string, string> {
  const given: Record<string, string> = {};
  if (typeof body === "object" && body.contentType !== undefined) given["content-type"] = body.contentType;
  if (retryAfter !== undefined) given["retry-after"] = retryAfter instanceof Date ? retryAfter.toUTCString() : String(retryAfter);
  if (retryAfterMs !== undefined) given["retry-after-ms"] = String(retryAfterMs);
  return { ...given, ...headers };
}

function checkAmount(value: number | undefined, name: string): void {
  check(value === undefined || (Number.isInteger(value) && value >= 0), `${name} must be an integer from 0 on.`);
}

function isOneOf(value: unknown, known: readonly unknown[]): boolean {
  return known.includes(value);
}

function check(fine: boolean, message: string): void {
  if (!fine) throw new TypeError(message);
}
