import { dashed, guidDigits } from "./guid.js";
import { unknown } from "./members.js";
import { PATH } from "../operation.js";
import { formatOf, type Format } from "./wire.js";

/** A request that was received. `[secret]` replaces each secret. */
export interface FakeRequest {
  method: string;
  /** The URL, with the values of unknown parameters left out. */
  url: string;
  /** The headers, with names in lower case. */
  headers: Readonly<Record<string, string>>;
  /** The requested company, with dashes; absent for the logged-in user's own. */
  companyId?: string;
  format?: Format;
  /** When it was received by the fake's clock, in milliseconds since 1970. */
  at: number;
  /** The status of the reply; absent if none was sent. */
  status?: number;
  /** Whether the caller cancelled it before the reply was read to its end. */
  aborted: boolean;
  /** Why the fake refused it: the message of the `RequestMismatchError`. */
  mismatch?: string;
}

/** The request does not match the API: the app or its test has a mistake. */
export class RequestMismatchError extends Error {
  override readonly name = "RequestMismatchError";
}

/** A request, whichever of its forms `fetch` was called with. */
export interface Received {
  method: string;
  url: URL;
  headers: Headers;
  signal: AbortSignal | undefined;
  mode: string | undefined;
  credentials: string | undefined;
  redirect: string | undefined;
  /** Whether the platform may have added cookies. */
  hasCookies: boolean;
  hasBody: boolean;
}

export function received(input: Parameters<typeof fetch>[0], init: RequestInit = {}): Received {
  const request = typeof input === "object" && "url" in input ? input : undefined;
  const headers = new Headers(init.headers ?? request?.headers);
  const { mode = request?.mode, credentials = request?.credentials, redirect = request?.redirect } = init;
  return {
    method: (init.method ?? request?.method ?? "GET").toUpperCase(),
    url: addressOf(request?.url ?? String(input)),
    headers,
    signal: init.signal ?? request?.signal,
    mode,
    credentials,
    redirect,
    hasCookies: credentials === "include" || headers.has("cookie"),
    hasBody: (init.body ?? request?.body ?? undefined) !== undefined,
  };
}

function addressOf(address: string): URL {
  try {
    return new URL(address);
  } catch {
    throw new RequestMismatchError(`The fake BookMore API was asked for ${JSON.stringify(address)}, which is no absolute URL.`);
  }
}

/** What a request asks for. */
export interface Asked {
  format: Format;
  /** The id as it was written; empty for the logged-in user's company. */
  company: string;
}

/**
 * Parses a request as the server does.
 *
 * @throws RequestMismatchError if the server would answer with anything but a usage or an error in JSON.
 */
export function asked({ method, url, headers, hasBody }: Received, base: URL): Asked {
  const differences: string[] = [];
  const differ = (fine: boolean, text: string) => fine || differences.push(text);
  const [, path, suffix] = /^(.*?)(?:\.(jsonl?))?\/*$/.exec(url.pathname.toLowerCase())!;
  const expected = base.pathname.replace(/\/+$/, "") + PATH;
  differ(method === "GET", `the method is ${method}, not GET`);
  differ(url.origin === base.origin, `it goes to ${url.origin}, not ${base.origin}`);
  differ(path === expected.toLowerCase(), `the path is ${url.pathname}, not ${expected}`);
  differ(!hasBody, "it has a body");

  const company = companyIn(url);
  let format: string | undefined;
  for (const [name, value] of url.searchParams) {
    const key = name.toLowerCase();
    if (key === "format") format = value;
    else if (!/^(companyid|v(ersion)?)$/.test(key)) differences.push(`the API has no parameter ${unknown(name, ["CompanyId", "format"])}`);
  }
  differ(company === undefined || /[^,]/.test(company), "CompanyId is empty, which the server takes for the logged-in user's company");
  const written = formatOf(suffix, format, headers.get("accept"));
  differ(written !== undefined, `${acceptOf(headers)} makes the server write HTML; send "Accept: application/json" or "Accept: text/jsonl"`);
  if (differences.length > 0 || !written) {
    throw new RequestMismatchError(
      `The fake BookMore API cannot answer ${method} ${shown(url)}: ${differences.join("; ")}.`,
    );
  }
  return { format: written, company: company ?? "" };
}

function acceptOf(headers: Headers): string {
  const accept = headers.get("accept");
  return accept === null ? "a request without Accept" : `"Accept: ${accept}"`;
}

/** A request as a test sees it. */
export function logged({ method, url, headers }: Received, at: number): FakeRequest {
  const shownHeaders = [...headers].map(([name, value]): [string, string] => [name, withoutSecrets(name, value)]);
  return { method, url: shown(url), headers: Object.fromEntries(shownHeaders), at, aborted: false };
}

/** Adds what the request asks for, once it is known. */
export function logAsked(log: FakeRequest, format: Format, company: string): void {
  log.format = format;
  const digits = guidDigits(company);
  if (digits) log.companyId = dashed(digits);
}

function withoutSecrets(name: string, value: string): string {
  if (name === "authorization") return value.replace(/^(\S+ )?.*$/s, "$1[secret]");
  return /auth|cookie|key|password|secret|token/.test(name) ? "[secret]" : value;
}

/** The company id in a query, as written. The server joins a repeated parameter with commas, which is not a Guid. */
export function companyIn({ searchParams }: URL): string | undefined {
  const ids = [...searchParams].filter(([name]) => name.toLowerCase() === "companyid").map(([, value]) => value);
  return ids.length === 0 ? undefined : ids.join(",");
}

/** The URL without anything that may be a secret. */
function shown(url: URL): string {
  return url.origin + pathOf(url);
}

/** The path and query of the URL, without anything that may be a secret. */
export function pathOf({ pathname, searchParams }: URL): string {
  const query = [...searchParams]
    .map(([name, value]) => `${name}=${/^(companyid|format)$/i.test(name) ? encodeURIComponent(value) : "[secret]"}`)
    .join("&");
  return pathname + (query && `?${query}`);
}
