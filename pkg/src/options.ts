import { errorOf } from "./errors.js";
import { isForbiddenHeader, isHeaderName } from "./header-name.js";
import { isLoopback } from "./loopback.js";
import { checkClient, isPlain, membersOf as checkedMembers, reading } from "./members.js";
import { nearest } from "./nearest.js";
import { DEFAULT_BASE_URL } from "./operation.js";
import { isSecret, SECRET } from "./secret.js";
import { LONGEST_TIMER } from "./timer.js";
import type { BookMoreClientLike } from "./client.js";
import type { Answer } from "./driver.js";
import type { BearerToken, ClientOptions, GetAiChatUsage, RequestOptions, TokenProvider } from "./types.js";

/**
 * The checks that cannot wait for the WebAssembly module: of types, and of what
 * a constructor should refuse. Company ids are checked in Rust.
 */
function check(fine: boolean, message: string): void {
  if (!fine) refuse(message);
}

function refuse(message: string, cause?: unknown): never {
  throw errorOf({ code: "config_error", message, cause });
}

/** Like {@link reading}, for the contents of a member. */
export const inside = <T>(name: string, read: () => T): T => reading(name, { refuse }, read);

function checkType(value: unknown, name: string, type: "string" | "boolean" | "function"): void {
  check(value === undefined || typeof value === type, `${name} must be a ${type}.`);
}

const membersOf = <T extends object>(given: T, name: string, known: readonly string[]): T =>
  checkedMembers(given, name, known, { refuse, nearest });

const COMMON = ["format", "headers", "maxRetries", "attemptTimeoutMs", "totalTimeoutMs"];
/** The options of a client. */
export const CLIENT = /* @__PURE__ */ ["baseUrl", "bearerToken", "apiKey", "credentials", "fetch", "retryPacing", "allowInsecureHttp", "onEvent"].concat(
  COMMON,
);
const CALL = /* @__PURE__ */ ["signal", "coalesce", "fresh"].concat(COMMON);
const MANY = /* @__PURE__ */ ["concurrency", "rounds", "onProgress"].concat(CALL);

function checkSecret(value: unknown, name: string, orElse = ""): void {
  check(
    value === undefined || isSecret(value),
    `${name} must be ${SECRET}${orElse}.`,
  );
}

function checkNumber(value: unknown, name: string, [least, most]: [number, number], orElse = ""): void {
  check(
    value === undefined || (Number.isInteger(value) && (value as number) >= least && (value as number) <= most),
    `${name} must be an integer from ${least} to ${most}${orElse}.`,
  );
}

const NO_LIMIT = ", or null for no limit";

/** Names that the SDK sets itself, or that would turn the GET into another verb. */
const RESERVED = /^(accept|authorization|x-api-key|x-http-method-override)$/i;

/** The base URL, as the platform serializes it. */
export interface Endpoint {
  /** Without a trailing slash. */
  baseUrl: string;
  /** The length of its origin. */
  originLength: number;
  /** Whether the origin is potentially trustworthy (W3C): https or loopback. */
  keepsSecrets: boolean;
}

/** Parses a base URL: an {@link Endpoint}, or the reason why it is invalid. */
export type Parse = (text: string) => unknown;

function endpoint({ baseUrl = DEFAULT_BASE_URL, allowInsecureHttp = false }: ClientOptions, parse: Parse | undefined): Endpoint {
  const text = inside("baseUrl", () => String(baseUrl));
  // The default needs no `URL`, which some platforms lack.
  if (text === DEFAULT_BASE_URL) return { baseUrl: text, originLength: text.length, keepsSecrets: true };
  if (!normalisesUrls()) {
    if (!parse) throw errorOf({ code: "runtime_unsupported", message: NO_URL });
    const { refused: why, ...parsed } = parse(text) as Endpoint & { refused?: string };
    if (why) refuse(why);
    return { ...parsed, keepsSecrets: parsed.keepsSecrets || allowInsecureHttp };
  }
  const isRelative = /^[/.]/.test(text);
  const base = isRelative ? globalThis.location?.href : undefined;
  const url = urlOf(text, base);
  check(
    !isRelative || url !== undefined,
    "baseUrl is relative, and there is no location here to resolve it against; pass a whole URL, such as https://api.bookmore.com.",
  );
  check(
    url !== undefined &&
      /^https?:$/.test(url.protocol) &&
      url.username + url.password === "" &&
      // `URL` accepts a percent sign without two hex digits.
      !/[?#]|%(?![\da-f]{2})/i.test(text),
    "baseUrl must be an http(s) URL without user name, query, fragment or broken escapes, such as https://api.bookmore.com.",
  );
  const { origin, pathname, protocol, hostname } = url!;
  return {
    baseUrl: (origin + pathname).replace(/\/+$/, ""),
    originLength: origin.length,
    keepsSecrets: protocol === "https:" || isLoopback(hostname) || allowInsecureHttp,
  };
}

const NO_URL = "This runtime has no URL class, or an incomplete one, which a baseUrl needs. Load a polyfill before you create the client.";

/** React Native has a URL whose properties throw, or return what was passed in. */
function normalisesUrls(): boolean {
  try {
    const { origin, pathname, protocol, hostname, username, password } = new URL("HTTPS://A.example:443/b/../c");
    return [origin, pathname, protocol, hostname, username, password].join() === "https://a.example,/c,https:,a.example,,";
  } catch {
    return false;
  }
}

/** Node.js 20 has no `URL.parse`. */
function urlOf(text: string, base: string | undefined): URL | undefined {
  try {
    return new URL(text, base);
  } catch {
    return undefined;
  }
}

/** What clients and calls have in common. */
export interface CommonOptions {
  isJsonl: boolean | undefined;
  /** By lower-case name. */
  headers: Record<string, string>;
  maxRetries: number | undefined;
  /** Infinite for no limit. */
  attemptTimeoutMs: number | undefined;
  totalTimeoutMs: number | undefined;
}

function common(options: RequestOptions): CommonOptions {
  const { format, headers: given, maxRetries, attemptTimeoutMs, totalTimeoutMs } = options;
  check(
    format === undefined || format === "json" || format === "jsonl",
    'format must be "json" or "jsonl".',
  );
  // Without a prototype, so that a header may have any name.
  const headers: Record<string, string> = Object.create(null);
  for (const [name, value] of given == null ? [] : inside("headers", () => [...pairsOf(given)])) {
    // Undefined means absent, as for options.
    if (value === undefined) continue;
    check(isHeaderName(name), "A header name must consist of letters, digits and hyphens.");
    check(!RESERVED.test(name), `The header ${name} cannot be set here; use the SDK's options.`);
    check(!isForbiddenHeader(name), `The header ${name} is the platform's own and cannot be set.`);
    check(typeof value === "string", `headers[${JSON.stringify(name)}] must be a string.`);
    check(
      /^[\t\x20-\x7e\x80-\xff]*$/.test(value as string),
      `The header ${name} contains a character that an HTTP header cannot carry, such as a line break; remove it.`,
    );
    const key = name.toLowerCase();
    headers[key] = Object.hasOwn(headers, key) ? `${headers[key]}, ${value}` : (value as string);
  }
  checkNumber(maxRetries, "maxRetries", [0, 10]);
  checkNumber(attemptTimeoutMs ?? undefined, "attemptTimeoutMs", [1, LONGEST_TIMER], NO_LIMIT);
  checkNumber(totalTimeoutMs ?? undefined, "totalTimeoutMs", [1, LONGEST_TIMER], NO_LIMIT);
  const limit = (ms: number | null | undefined) => (ms === null ? Infinity : ms);
  return {
    isJsonl: format && format === "jsonl",
    headers,
    maxRetries,
    attemptTimeoutMs: limit(attemptTimeoutMs),
    totalTimeoutMs: limit(totalTimeoutMs),
  };
}

/** Headers and Maps are iterable; plain objects are not. */
function* pairsOf(headers: object): Generator<[string, unknown]> {
  check(typeof headers === "object" && headers !== null, "headers must be an object.");
  const iterates = Symbol.iterator in headers;
  const pairs: Iterable<unknown> = iterates ? (headers as Iterable<unknown>) : Object.entries(headers);
  const needed = "headers must be an object, or iterate as pairs of a name and a value.";
  check(iterates || isPlain(headers) || Object.keys(headers).length > 0, needed);
  for (const given of pairs) {
    const pair: unknown[] = Array.isArray(given) ? [...given] : [];
    check(pair.length === 2 && typeof pair[0] === "string", needed);
    yield pair as [string, unknown];
  }
}

export interface CheckedClientOptions extends CommonOptions, Endpoint {
  bearerToken: string | TokenProvider | null | undefined;
  apiKey: string | undefined;
  credentials: RequestInit["credentials"];
  fetch: ClientOptions["fetch"];
  retryPacing: boolean;
  onEvent: ClientOptions["onEvent"];
}

export function clientOptions(given: ClientOptions, known: readonly string[], parse: Parse | undefined): CheckedClientOptions {
  const options = membersOf(given, "The options", known);
  const { credentials, fetch, onEvent, allowInsecureHttp, retryPacing = true } = options;
  const apiKey = options.apiKey ?? undefined;
  checkSecret(apiKey, "apiKey");
  check(
    credentials === undefined || ["omit", "same-origin", "include"].includes(credentials),
    'credentials must be "omit", "same-origin" or "include".',
  );
  checkType(fetch, "fetch", "function");
  checkType(onEvent, "onEvent", "function");
  checkType(allowInsecureHttp, "allowInsecureHttp", "boolean");
  checkType(retryPacing, "retryPacing", "boolean");
  const to = endpoint(options, parse);
  if (apiKey !== undefined) checkWay(to);
  const bearerToken = checkedToken(options.bearerToken, to);
  return { ...common(options), ...to, bearerToken, apiKey, credentials, fetch, retryPacing, onEvent };
}

/** Returns the token or provider, if it is valid and may be used with this base URL. */
export function checkedToken<T extends ClientOptions["bearerToken"]>(token: T, to: Endpoint): T {
  if (typeof token !== "function") checkSecret(token ?? undefined, "bearerToken", ", and without the word Bearer, or a function that gives one");
  if (token != null) checkWay(to);
  return token;
}

function checkWay({ keepsSecrets }: Endpoint): void {
  check(
    keepsSecrets,
    "A token or an API key must not go over plain http; use an https baseUrl, or allowInsecureHttp.",
  );
}

/** Whether the new token belongs to the same identity. */
export function isSameIdentity(options: { sameIdentity?: boolean | undefined }): boolean {
  const { sameIdentity = false } = membersOf(options, "The options of setBearerToken", ["sameIdentity"]);
  checkType(sameIdentity, "sameIdentity", "boolean");
  return sameIdentity;
}

/** Validates what a provider returned. */
export function answerOf(given: unknown): Answer {
  const isObject = typeof given === "object" && given !== null;
  const { token = undefined, expiresAt = undefined } = isObject ? (given as Partial<BearerToken>) : { token: given ?? undefined };
  const isDate = Object.prototype.toString.call(expiresAt) === "[object Date]";
  const at = expiresAt === undefined || expiresAt === Infinity ? NaN : Number(expiresAt);
  if ((isObject || token !== undefined) && !isSecret(token)) {
    return {
      unusable:
        `The bearerToken function must give a token alone, without the word Bearer: ${SECRET}; or { token, expiresAt } with such a token; or null to send none.`,
    };
  }
  const isTime = isDate || typeof expiresAt === "number";
  if (expiresAt !== undefined && expiresAt !== Infinity && (!isTime || Number.isNaN(at))) {
    return { unusable: "expiresAt must be a Date, or a number of milliseconds since 1970." };
  }
  return { token: token as string | undefined, expiresAt: at };
}

/** The requested company id. */
export function companyId(request: GetAiChatUsage): string | undefined {
  const { companyId } = membersOf(request, "The request", ["companyId"]);
  checkType(companyId, "companyId", "string");
  // Cut, because without WebAssembly memory does not grow; a string this long is not a Guid anyway.
  return companyId?.slice(0, 100);
}

export interface CheckedRequestOptions extends CommonOptions {
  signal: AbortSignal | undefined;
  coalesce: boolean;
  fresh: boolean;
}

/** The options for many companies, beyond those of a call. */
export interface ManyLimits {
  concurrency?: number | undefined;
  rounds?: number | undefined;
  onProgress?: ((progress: never) => void) | undefined;
}

export interface CheckedManyOptions extends Required<ManyLimits> {
  concurrency: number;
  rounds: number;
  signal: AbortSignal | undefined;
  totalTimeoutMs: number | undefined;
  /** The options of each call, which validates them again. */
  callOptions: RequestOptions;
}

/** How many companies are asked for at once by default. */
export const CONCURRENCY = 6;

/** Validates the arguments of `bookmore-sdk/many`. */
export function manyOptions(client: BookMoreClientLike, companyIds: unknown, options: RequestOptions & ManyLimits): CheckedManyOptions {
  const members = membersOf(options, "The request options", MANY);
  const { concurrency = CONCURRENCY, rounds = 1, onProgress, ...ofCalls } = members;
  checkNumber(concurrency, "concurrency", [1, 1000]);
  checkNumber(rounds, "rounds", [0, 5]);
  checkType(onProgress, "onProgress", "function");
  checkClient(client, "getAiChatUsage", { refuse });
  const ids = Object(companyIds) as Partial<Iterable<unknown> & AsyncIterable<unknown>>;
  const isIterable = inside("companyIds", () => typeof (ids[Symbol.asyncIterator] ?? ids[Symbol.iterator]) === "function");
  check(isIterable && typeof companyIds !== "string", "companyIds must be an array of ids, or another iterable of them, async or not.");
  // They may be iterable only once.
  const { headers, signal, totalTimeoutMs } = checkedOptions(ofCalls);
  return { concurrency, rounds, onProgress, signal, totalTimeoutMs, callOptions: { ...ofCalls, headers } };
}

export function requestOptions(options: RequestOptions): CheckedRequestOptions {
  return checkedOptions(membersOf(options, "The request options", CALL));
}

function checkedOptions(options: RequestOptions): CheckedRequestOptions {
  const { signal, coalesce = true, fresh = false } = options;
  check(
    signal == null || inside("signal", () => typeof signal.addEventListener === "function"),
    "signal must be an AbortSignal.",
  );
  checkType(coalesce, "coalesce", "boolean");
  checkType(fresh, "fresh", "boolean");
  return { ...common(options), signal: signal ?? undefined, coalesce, fresh };
}
