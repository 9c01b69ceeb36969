import type { ResponseError } from "bookmore-sdk";
import { digitsOf } from "./guid.js";
import { checkMembers, unknown } from "./members.js";
import type { UsageMembers } from "./usage.js";

/** A failure that a company's requests get instead of a usage. */
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

/** The outcomes of a company's requests: a usage or a failure, or a list of them. */
export type Answers = UsageMembers | Failure | readonly (UsageMembers | Failure)[];

interface Repeated {
  /**
   * How many requests fail in this way. Default: one, or all of them if it is the
   * last of its list. Then comes the next of the list, or the company's usage.
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
  /** The message of the error. */
  message?: string | undefined;
  /** The field errors; null leaves the list out. Default: an empty list. */
  errors?: readonly ResponseError[] | null | undefined;
  /**
   * The body:
   * - `"zero-filled"`: a usage full of zeros with the error, as a service writes it (the default);
   * - `"status-only"`: the error alone, as the framework writes it before the service runs (the default for 401);
   * - `"empty"`: empty, as from something in front of the framework (the default below 400);
   * - `"html"`: an HTML page, as a proxy writes it;
   * - `{ text }`: this text.
   */
  body?: "zero-filled" | "status-only" | "empty" | "html" | { text: string; contentType?: string | undefined } | undefined;
  /** A `Retry-After` header: seconds, a Date (sent as an HTTP date), or any string as it is. */
  retryAfter?: number | Date | string | undefined;
  /** A `retry-after-ms` header, in milliseconds. */
  retryAfterMs?: number | undefined;
  /** Other headers of the reply. */
  headers?: Readonly<Record<string, string>> | undefined;
}

/** A 429 because the quota is used up; waiting does not help. */
export interface QuotaFailure extends Repeated {
  kind: "quota";
}

/** An HTML login page with status 200, as after a session has expired. */
export interface LoginPageFailure extends Repeated {
  kind: "login-page";
}

/** A redirect to a login page, as a proxy in front of the API sends it, without CORS headers. */
export interface LoginRedirectFailure extends Repeated {
  kind: "login-redirect";
}

/** A redirect to the same operation at another base URL. */
export interface MovedFailure extends Repeated {
  kind: "moved";
  /** The other base URL. Default: `/moved` below this one. */
  to?: string | undefined;
}

/** A 401 without a body or CORS headers, as ASP.NET in front of the API answers an expired token. */
export interface ExpiredFailure extends Repeated {
  kind: "expired";
}

/** The usage of another company than the one that was asked for. */
export interface OtherCompanyFailure extends Repeated {
  kind: "other-company";
  /** Default: the logged-in user's company, or a fixed one if that is the requested one. */
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

/** The reply never arrives, or never ends, until an abort. */
export interface HangFailure extends Repeated {
  kind: "hang";
  /** `"headers"`: nothing arrives (the default); `"body"`: the headers and half of the body do. */
  phase?: "headers" | "body" | undefined;
}

/** The body of the usage is cut off. */
export interface TruncatedFailure extends Repeated {
  kind: "truncated";
  /** `"error"`: reading the body fails (the default); `"clean"`: it ends without an error. */
  end?: "error" | "clean" | undefined;
  /** How many bytes arrive. Default: half of them. */
  bytes?: number | undefined;
}

/** The whole usage, late or byte by byte. Uses `setTimeout`, so fake timers work. */
export interface SlowReply extends Repeated {
  kind: "slow";
  /** The time until the headers arrive, in milliseconds. Default: 0. */
  delayMs?: number | undefined;
  /** The time between two bytes, in milliseconds; 0 sends all at once. Default: 0. */
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

/** Whether an answer is a failure; everything else is a usage. */
export function isFailure(given: unknown): given is Failure {
  return typeof given === "object" && given !== null && ("status" in given || "kind" in given);
}

/** Whether the request never reaches the API, so its credentials are not checked. */
export function isCut(failure: Failure): boolean {
  if (!("kind" in failure)) return false;
  const { kind } = failure;
  return kind === "network" || kind === "login-redirect" || kind === "moved" || (kind === "hang" && failure.phase !== "body");
}

/** Throws for an invalid failure. */
export function checkFailure(given: Failure): void {
  const { times } = given;
  check(times === undefined || (Number.isInteger(times) && times >= 1), "times must be an integer of at least 1.");
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

/** The headers of a failure's reply. */
export function headersOf({ body, retryAfter, retryAfterMs, headers }: StatusFailure): Record<string, string> {
  const given: Record<string, string> = {};
  if (typeof body === "object" && body.contentType !== undefined) given["content-type"] = body.contentType;
  if (retryAfter !== undefined) given["retry-after"] = retryAfter instanceof Date ? retryAfter.toUTCString() : String(retryAfter);
  if (retryAfterMs !== undefined) given["retry-after-ms"] = String(retryAfterMs);
  return { ...given, ...headers };
}

function checkAmount(value: number | undefined, name: string): void {
  check(value === undefined || (Number.isInteger(value) && value >= 0), `${name} must be an integer of at least 0.`);
}

function isOneOf(value: unknown, known: readonly unknown[]): boolean {
  return known.includes(value);
}

function check(fine: boolean, message: string): void {
  if (!fine) throw new TypeError(message);
}
