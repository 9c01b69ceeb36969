import { errorOf } from "./errors.js";
import type { ClientOptions, GetAiChatUsage, RequestOptions, TokenProvider } from "./types.js";

/**
 * The checks that must come before the WebAssembly module is there: of types,
 * and of what a constructor should refuse at once. Whether a company id is one
 * is checked in Rust.
 */
function check(fine: boolean, message: string): void {
  if (!fine) throw errorOf({ code: "config_error", message });
}

function checkType(value: unknown, name: string, type: "string" | "boolean" | "function"): void {
  check(value === undefined || typeof value === type, `${name} must be a ${type}.`);
}

function checkObject(value: unknown, name: string): void {
  check(typeof value === "object" && value !== null, `${name} must be an object.`);
}

/** What can be sent as a token or a key, as it is. */
export function isSecret(value: unknown): boolean {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value);
}

function checkSecret(value: unknown, name: string): void {
  check(
    value === undefined || isSecret(value),
    `${name} must be a string of visible ASCII characters, without spaces or line breaks.`,
  );
}

function checkNumber(value: unknown, name: string, [least, most]: [number, number]): void {
  check(
    value === undefined || (Number.isInteger(value) && (value as number) >= least && (value as number) <= most),
    `${name} must be an integer from ${least} to ${most}${least ? ", or null for no limit" : ""}.`,
  );
}

const LONGEST_TIMER = 2_147_483_647;

/** Names that are the SDK's own, or that would make another verb of the GET. */
const RESERVED = /^(accept|authorization|x-api-key|x-http-method-override)$/i;

/** Where the requests go, in the form in which the platform writes URLs. */
export interface Endpoint {
  /** Without a slash at the end. */
  baseUrl: string;
  /** Where the origin ends in it. */
  originLength: number;
  /** Whether nobody on the way can read along: https, or this machine. */
  keepsSecrets: boolean;
}

function endpoint({ baseUrl = "https://api.bookmore.com", allowInsecureHttp = false }: ClientOptions): Endpoint {
  let url;
  try {
    url = new URL(String(baseUrl));
  } catch {
    // Refused below.
  }
  check(
    url !== undefined &&
      /^https?:$/.test(url.protocol) &&
      url.username + url.password + url.search + url.hash === "",
    "baseUrl must be an http(s) URL without user name, query or fragment, such as https://api.bookmore.com.",
  );
  const { origin, pathname, protocol, hostname } = url!;
  const isLocal = /^(localhost|.+\.localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
  const base = (origin + pathname).replace(/\/+$/, "");
  return { baseUrl: base, originLength: origin.length, keepsSecrets: protocol === "https:" || isLocal || allowInsecureHttp };
}

/** What clients and calls have in common. */
export interface CommonOptions {
  isJsonl: boolean | undefined;
  /** Names in lower case. */
  headers: Record<string, string>;
  maxRetries: number | undefined;
  /** Infinite for no limit. */
  attemptTimeoutMs: number | undefined;
  totalTimeoutMs: number | undefined;
}

function common(options: RequestOptions): CommonOptions {
  const { format, headers = {}, maxRetries, attemptTimeoutMs, totalTimeoutMs } = options;
  check(
    format === undefined || format === "json" || format === "jsonl",
    'format must be "json" or "jsonl".',
  );
  checkObject(headers, "headers");
  // A Headers or a Map iterates, a plain object does not.
  const pairs =
    Symbol.iterator in headers
      ? [...(headers as Iterable<[string, string]>)]
      : Object.entries(headers);
  for (const pair of pairs) {
    check(
      Array.isArray(pair) && typeof pair[0] === "string",
      "headers must be an object, or iterate as pairs of a name and a value.",
    );
    const [name, value] = pair;
    check(/^[\w!#$%&'*+.^`|~-]+$/.test(name), "A header name must consist of letters, digits and hyphens.");
    check(!RESERVED.test(name), `The header ${name} cannot be set here; use the SDK's options.`);
    check(typeof value === "string", `headers[${JSON.stringify(name)}] must be a string.`);
    check(
      /^[\t\x20-\x7e\x80-\xff]*$/.test(value),
      `The header ${name} contains a character that an HTTP header cannot carry, such as a line break; remove it.`,
    );
  }
  checkNumber(maxRetries, "maxRetries", [0, 10]);
  checkNumber(attemptTimeoutMs ?? undefined, "attemptTimeoutMs", [1, LONGEST_TIMER]);
  checkNumber(totalTimeoutMs ?? undefined, "totalTimeoutMs", [1, LONGEST_TIMER]);
  const limit = (ms: number | null | undefined) => (ms === null ? Infinity : ms);
  return {
    isJsonl: format && format === "jsonl",
    headers: Object.fromEntries(pairs.map(([name, value]) => [name.toLowerCase(), value])),
    maxRetries,
    attemptTimeoutMs: limit(attemptTimeoutMs),
    totalTimeoutMs: limit(totalTimeoutMs),
  };
}

export interface CheckedClientOptions extends CommonOptions, Endpoint {
  bearerToken: string | TokenProvider | null | undefined;
  apiKey: string | undefined;
  credentials: RequestInit["credentials"];
  fetch: typeof fetch | undefined;
  onEvent: ClientOptions["onEvent"];
}

export function clientOptions(options: ClientOptions): CheckedClientOptions {
  checkObject(options, "The options");
  const { apiKey, credentials, fetch, onEvent, allowInsecureHttp } = options;
  checkSecret(apiKey, "apiKey");
  check(
    credentials === undefined || ["omit", "same-origin", "include"].includes(credentials),
    'credentials must be "omit", "same-origin" or "include".',
  );
  checkType(fetch, "fetch", "function");
  checkType(onEvent, "onEvent", "function");
  checkType(allowInsecureHttp, "allowInsecureHttp", "boolean");
  const to = endpoint(options);
  if (apiKey !== undefined) checkWay(to);
  const bearerToken = checkedToken(options.bearerToken, to);
  return { ...common(options), ...to, bearerToken, apiKey, credentials, fetch, onEvent };
}

/** A token or a provider that may be used with this endpoint. */
export function checkedToken<T extends ClientOptions["bearerToken"]>(token: T, to: Endpoint): T {
  if (typeof token !== "function") checkSecret(token ?? undefined, "bearerToken");
  if (token != null) checkWay(to);
  return token;
}

function checkWay({ keepsSecrets }: Endpoint): void {
  check(
    keepsSecrets,
    "A token or an API key must not go over plain http; use an https baseUrl, or allowInsecureHttp.",
  );
}

/** The company id that is asked for. */
export function companyId(request: GetAiChatUsage): string | undefined {
  checkObject(request, "The request");
  checkType(request.companyId, "companyId", "string");
  return request.companyId;
}

export interface CheckedRequestOptions extends CommonOptions {
  coalesce: boolean;
}

export function requestOptions(options: RequestOptions): CheckedRequestOptions {
  checkObject(options, "The request options");
  const { signal, coalesce = true } = options;
  check(
    signal == null || typeof signal.addEventListener === "function",
    "signal must be an AbortSignal.",
  );
  checkType(coalesce, "coalesce", "boolean");
  return { ...common(options), coalesce };
}
