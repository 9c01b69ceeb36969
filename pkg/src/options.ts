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

function checkCommon({ format, headers = {} }: RequestOptions): [string, string][] {
  check(
    format === undefined || format === "json" || format === "jsonl",
    'format must be "json" or "jsonl".',
  );
  checkObject(headers, "headers");
  const pairs = Object.entries(headers);
  for (const [name, value] of pairs) checkString(value, `headers[${JSON.stringify(name)}]`);
  return pairs;
}

/** @internal The options in the form that Rust reads. */
export function clientOptions(options: ClientOptions): object {
  checkObject(options, "The options");
  const { baseUrl, bearerToken, apiKey, credentials, fetch } = options;
  const url = baseUrl instanceof URL ? baseUrl.href : baseUrl;
  check(
    url === undefined || /^https?:\/\/[^\s/?#@\\][^\s?#@\\]*$/i.test(url),
    "baseUrl must be an http(s) URL without user name, query or fragment, such as https://api.bookmore.com.",
  );
  if (typeof bearerToken !== "function") checkSecret(bearerToken, "bearerToken");
  checkSecret(apiKey, "apiKey");
  check(
    credentials === undefined || ["omit", "same-origin", "include"].includes(credentials),
    'credentials must be "omit", "same-origin" or "include".',
  );
  check(fetch === undefined || typeof fetch === "function", "fetch must be a function.");
  return { ...options, baseUrl: url, headers: checkCommon(options) };
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
    signal === undefined || typeof signal?.addEventListener === "function",
    "signal must be an AbortSignal.",
  );
  return { format: options.format, headers: checkCommon(options) };
}
