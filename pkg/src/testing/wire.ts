import type { ResponseStatus } from "bookmore-sdk";
import { dashed, EMPTY } from "./guid.js";
import { isWithin, remaining, type Amounts } from "./usage.js";

/** The format of a reply. */
export type Format = "json" | "jsonl";

/**
 * The configuration of the server, which shows in what it writes:
 * - `"classic"`: PascalCase, dashed Guids, the empty Guid left out: the server that the API's docs describe;
 * - `"camelCase"`: ServiceStack's default on .NET: camelCase, Guids without dashes, the empty Guid as zeros;
 * - `"endpoints"`: ASP.NET endpoint routing: camelCase, dashed Guids, JSON that escapes everything but ASCII, and a 401
 *   without a body, which comes before any other check.
 */
export type Host = "classic" | "camelCase" | "endpoints";

export const HOSTS: readonly Host[] = ["classic", "camelCase", "endpoints"];

type Value = string | bigint | number | boolean | { [key: string]: Value | undefined } | Value[];

/**
 * The format of the answer, chosen by the path's suffix, `?format=`, or the
 * beginning of the first type in `Accept`. Undefined for HTML.
 */
export function formatOf(suffix: string | undefined, parameter: string | undefined, accept: string | null): Format | undefined {
  const known = (name: string | undefined): Format | undefined => (name === "json" || name === "jsonl" ? name : undefined);
  const [first = ""] = (accept ?? "").split(",");
  const type = first.trim().toLowerCase();
  const accepted = type.startsWith("application/json") ? "json" : type.startsWith("text/jsonl") ? "jsonl" : undefined;
  return known(suffix) ?? known(parameter?.toLowerCase()) ?? accepted;
}

export const CONTENT_TYPES: Record<Format, string> = { json: "application/json; charset=utf-8", jsonl: "text/jsonl" };

/** Writes replies as a server of this configuration does. */
export class Writer {
  readonly #host: Host;
  readonly #format: Format;

  constructor(host: Host, format: Format) {
    this.#host = host;
    this.#format = format;
  }

  usage(digits: string, amounts: Amounts, responseStatus: ResponseStatus | undefined): string {
    const { tokensUsed, tokenLimit, windowDays } = amounts;
    return this.#write({
      CompanyId: this.#guid(digits),
      TokensUsed: tokensUsed,
      TokenLimit: tokenLimit,
      TokensRemaining: remaining(amounts),
      IsWithinBudget: isWithin(amounts),
      WindowDays: windowDays,
      ResponseStatus: responseStatus && statusOf(responseStatus),
    });
  }

  /** The reply of a service that throws: a usage full of zeros, with the error. */
  zeroFilled(error: ResponseStatus): string {
    return this.usage(EMPTY, { tokensUsed: 0n, tokenLimit: 0, windowDays: 0 }, error);
  }

  /** The framework's reply to a request that fails before the service runs. */
  statusOnly(error: ResponseStatus): string {
    return this.#write({ ResponseStatus: statusOf(error) });
  }

  #guid(digits: string): string | undefined {
    if (digits === EMPTY && this.#host === "classic") return undefined;
    return this.#host === "camelCase" ? digits : dashed(digits);
  }

  #write(value: Value): string {
    if (Array.isArray(value)) return `[${value.map((item) => this.#write(item)).join(",")}]`;
    if (typeof value === "string") return this.#string(value);
    if (typeof value !== "object") return String(value);
    const members = Object.entries(value).flatMap(([name, member]) =>
      member === undefined ? [] : [`${this.#string(this.#name(name))}:${this.#write(member)}`],
    );
    return `{${members.join(",")}}`;
  }

  #name(name: string): string {
    // The keys of Meta are data; `statusOf` marks them.
    if (name.startsWith(DATA)) return name.slice(DATA.length);
    return this.#host === "classic" ? name : name[0]!.toLowerCase() + name.slice(1);
  }

  #string(text: string): string {
    const json = JSON.stringify(text);
    if (this.#host !== "endpoints" || this.#format !== "json") return json;
    // As System.Text.Json: `\u` escapes for quotes, for what HTML could misread, and for everything but ASCII.
    return json.replaceAll(/\\"|[^\x20-\x7e]|(?!^"|"$)[&'<>+`]/g, (found) => {
      const code = found === '\\"' ? 0x22 : found.charCodeAt(0);
      return `\\u${code.toString(16).toUpperCase().padStart(4, "0")}`;
    });
  }
}

const DATA = "\0";

/** The members in the server's order. */
function statusOf({ errorCode, message, stackTrace, errors, meta }: ResponseStatus): Value {
  return {
    ErrorCode: errorCode,
    Message: message,
    StackTrace: stackTrace,
    Errors: errors?.map((error) => ({
      ErrorCode: error.errorCode,
      FieldName: error.fieldName,
      Message: error.message,
      Meta: error.meta && dataOf(error.meta),
    })),
    Meta: meta && dataOf(meta),
  };
}

function dataOf(meta: Record<string, string>): Value {
  return Object.fromEntries(Object.entries(meta).map(([key, value]) => [DATA + key, value]));
}
