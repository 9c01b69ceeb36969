import { errorOf } from "./errors.js";
import type { ClientOptions, GetAiChatUsage, RequestOptions } from "./types.js";

/**
 * The checks that must come before the WebAssembly module is there: of types,
 * and of what a constructor should refuse at once. What a call gives is
 * checked in Rust.
 */
function check(fine: boolean, message: string): void {
  if (!fine) throw errorOf({ code: "config_error", message });
}

function checkString(value: unknown, name: string): void {
  check(value === undefined || typeof value === "string", `${name} must be a string.`);
}

function checkObject(value: unknown, name: string): void {
  check(typeof value === "object" && value !== null, `${name} must be an object.`);
}

function checkSecret(value: unknown, name: string): void {
  check(
    value === undefined || (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)),
    `${name} must be a string of visible ASCII characters, without spaces or line breaks.`,
  );
}

/** The URL as the platform writes it, so that it is what the request goes to. */
function checkedUrl(value: unknown): string {
  let url;
  try {
    url = new URL(String(value));
  } catch {
    // Refused below.
  }
  check(
    url !== undefined &&
      /^https?:$/.test(url.protocol) &&
      url.username + url.password + url.search + url.hash === "",
    "baseUrl must be an http(s) URL without user name, query or fragment, such as https://api.bookmore.com.",
  );
  return url!.origin + url!.pathname;
}

/** What clients and calls have in common, in the form that Rust reads. */
function common({ format, headers = {} }: RequestOptions): object {
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
    checkString(pair[1], `headers[${JSON.stringify(pair[0])}]`);
  }
  return { format, headers: pairs };
}

/** @internal The options in the form that Rust reads. */
export function clientOptions(options: ClientOptions): object {
  checkObject(options, "The options");
  const { baseUrl, bearerToken, apiKey, credentials, fetch } = options;
  if (typeof bearerToken !== "function") checkSecret(bearerToken, "bearerToken");
  checkSecret(apiKey, "apiKey");
  check(
    credentials === undefined || ["omit", "same-origin", "include"].includes(credentials),
    'credentials must be "omit", "same-origin" or "include".',
  );
  check(fetch === undefined || typeof fetch === "function", "fetch must be a function.");
  return {
    ...common(options),
    baseUrl: baseUrl === undefined ? baseUrl : checkedUrl(baseUrl),
    bearerToken,
    apiKey,
    credentials,
    fetch,
  };
}

/** @internal The company id that is asked for. */
export function companyId(request: GetAiChatUsage): string | undefined {
  checkObject(request, "The request");
  checkString(request.companyId, "companyId");
  return request.companyId;
}

/** @internal The options of one call in the form that Rust reads. */
export function requestOptions(options: RequestOptions): object {
  checkObject(options, "The request options");
  const { signal } = options;
  check(
    signal == null || typeof signal.addEventListener === "function",
    "signal must be an AbortSignal.",
  );
  return common(options);
}
