import type { AiChatUsageResponse } from "./reply.js";

/** The request. */
export interface GetAiChatUsage {
  /**
   * The company id, a Guid: dashed, undashed or `{dashed-in-braces}`, in any
   * case. Default: the logged-in user's company, also for the all-zero Guid. An
   * empty string is refused, because the server would answer for the logged-in
   * user's company.
   */
  companyId?: string | undefined;
}

/** The format requested from the server. */
export type Format = "json" | "jsonl";

/** The argument of a {@link TokenProvider}. */
export interface TokenRequest {
  /** The server refused the last token, so a new one is needed. */
  forceRefresh: boolean;
  /**
   * Aborts when the token is no longer needed: another token or function was set,
   * or this one hangs. If all calls that wait for it end, it may run on until 10
   * seconds after it was called, and the next call uses its token.
   */
  signal: AbortSignal;
}

/** The options of `setBearerToken`. */
export interface SetBearerTokenOptions {
  /**
   * Whether the token belongs to the same user as the one before, so that
   * requests in flight stay valid. Default: false.
   */
  sameIdentity?: boolean | undefined;
}

/** A token and its expiry. */
export interface BearerToken {
  token: string;
  /**
   * A Date, or milliseconds since 1970. While more than two minutes are left, the
   * provider is not called. With less it is called in the background, and with 30
   * seconds or less the next request waits for it. A token that it returns is sent
   * even if it expires sooner.
   */
  expiresAt?: number | Date | undefined;
}

/**
 * Returns the bearer token; null or undefined to send none. It runs for each call,
 * unless its last token has an `expiresAt`, and again after the server refuses a
 * token; never twice at the same time, however many calls wait for it. A call that
 * the function itself makes before its first `await` does not wait for it, and is
 * sent with the previous token, if any.
 */
export type TokenProvider = (
  about: TokenRequest,
) =>
  | string
  | BearerToken
  | null
  | undefined
  | Promise<string | BearerToken | null | undefined>;

/** A function that sends requests as `fetch` does. Only this subset is needed. */
export type FetchLike = (
  url: string,
  init: {
    method: "GET";
    headers: Record<string, string>;
    signal: AbortSignal;
    redirect: "manual";
    cache?: "no-store";
    credentials?: "omit" | "same-origin" | "include";
  },
) => Promise<ResponseLike>;

/** What a {@link FetchLike} returns: a `Response` of the platform or a library, or an object like one. */
export interface ResponseLike {
  readonly status: number;
  /** Iterates over pairs of name and value. */
  readonly headers: object;
  /** A stream, which is read in pieces. If it is absent, `text()` is called, or else `arrayBuffer()`. */
  readonly body?: unknown;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Headers: an object, or anything that iterates like `Headers`. Undefined values are left out. */
export type HeadersLike = Record<string, string | undefined> | Headers | Iterable<HeaderPair> | readonly HeaderPair[];
type HeaderPair = readonly [name: string, value: string | undefined];

/** The options of a {@link BookMoreClient}. */
export interface ClientOptions {
  /**
   * The base URL of the API, with or without a path. One that starts with `/` or
   * `.` is resolved against `location`. Default: `https://api.bookmore.com`.
   */
  baseUrl?: string | URL | undefined;
  /** Sent as `Authorization: Bearer …`. */
  bearerToken?: string | TokenProvider | null | undefined;
  /** Sent as `x-api-key`; null for none. */
  apiKey?: string | null | undefined;
  /** Whether cookies are sent. Default: the platform's choice. */
  credentials?: "omit" | "same-origin" | "include" | undefined;
  /** The format requested from the server; the result is the same. Default: `"json"`. */
  format?: Format | undefined;
  /**
   * Extra headers. In a browser the server's CORS settings must allow each of
   * them. `Accept`, `Authorization` and `x-api-key` are set by the SDK.
   */
  headers?: HeadersLike | undefined;
  /** Sends the requests. Default: the global `fetch`, looked up at each call. */
  fetch?: FetchLike | undefined;
  /** How many times a failed attempt is retried: 0 to 10. Default: 2. */
  maxRetries?: number | undefined;
  /**
   * The timeout of one attempt in milliseconds: connection, headers and body.
   * null for none. Default: 10 000.
   */
  attemptTimeoutMs?: number | null | undefined;
  /**
   * The timeout of a call in milliseconds: token, attempts and waits. null for
   * none. Default: 30 000.
   */
  totalTimeoutMs?: number | null | undefined;
  /**
   * Allows sending the token and the API key over plain http to hosts other than
   * loopback. Default: false.
   */
  allowInsecureHttp?: boolean | undefined;
  /**
   * Whether the retries of all calls are paced together, so that a failing server
   * is not overloaded: each draws a number, and is sent when its number is
   * served. The number served advances by one with each success and by two a
   * second. A call whose turn would come after its timeout fails at once, with
   * `retryAt`. Default: true.
   */
  retryPacing?: boolean | undefined;
  /** Called with the events of calls. What it throws is ignored. */
  onEvent?: ((event: ClientEvent) => void) | undefined;
}

/** The options of a single call. */
export interface RequestOptions {
  /** Aborts the call, which rejects with `signal.reason`. null means none, as for `fetch`. */
  signal?: AbortSignal | null | undefined;
  /** Instead of the client's format. */
  format?: Format | undefined;
  /** Added to the client's extra headers; replaces those of the same name. */
  headers?: HeadersLike | undefined;
  /** Instead of the client's. */
  maxRetries?: number | undefined;
  /** Instead of the client's; null for none. */
  attemptTimeoutMs?: number | null | undefined;
  /** Instead of the client's; null for none. */
  totalTimeoutMs?: number | null | undefined;
  /**
   * Whether the call may share the request and retries of an equal call in flight:
   * one for the same company with the same format, headers, `maxRetries` and
   * `attemptTimeoutMs`. It keeps its own signal and `totalTimeoutMs`. Default:
   * true.
   */
  coalesce?: boolean | undefined;
  /**
   * Whether the call needs a request that is sent after it was made, for example
   * to see the cost of a message just sent. Such calls share the next request if
   * one is already in flight. Default: false.
   */
  fresh?: boolean | undefined;
}

/**
 * An event of a call. The last one is `success` or `error`; an aborted call, and
 * one that ends with an {@link InternalError}, have neither. A call that fails
 * early, because of its arguments or because the module could not be loaded, has
 * no events. Events contain no secrets: URLs have no query, and headers are
 * omitted.
 */
export type ClientEvent = {
  /**
   * Identifies a call of the client; later calls have higher numbers, with gaps. When calls share a request, all events
   * but the last carry the id of the first caller, also after its own call has ended.
   */
  callId: number;
  /** The number of the attempt, from 1; 0 at the end of a call that made none. */
  attempt: number;
} & (
  /** A request is about to be sent. */
  | { type: "attempt"; url: string }
  /** A reply arrived; its body may be incomplete. */
  | { type: "response"; status: number }
  /** The attempt failed; the next one follows after `waitMs` milliseconds, or earlier if other calls succeed. */
  | { type: "retry"; waitMs: number; code: ErrorCode; status?: number }
  /** The call succeeded. */
  | { type: "success"; elapsedMs: number }
  /** The call failed. */
  | { type: "error"; code: ErrorCode; status?: number; elapsedMs: number }
);

/** One attempt of a call. */
export interface AttemptInfo {
  /** The HTTP status, if a reply arrived. */
  status?: number;
  /** The code of its error, if it failed. */
  error?: ErrorCode;
  /** How long it took, in milliseconds. */
  ms: number;
  /** How long the client waited before it, in milliseconds. */
  waitMs: number;
}

/** The reply that contained a usage. */
export interface ResponseInfo {
  /** The HTTP status. */
  status: number;
  /**
   * The reply's headers, by lower-case name. Browsers show only those that the
   * server exposes. Cookies are omitted.
   */
  headers: Record<string, string>;
  /** The server's id for the request, if it sent one. */
  requestId?: string;
  /** Every attempt of the call, the last one being the success. */
  attempts: AttemptInfo[];
  /** How long the call took, in milliseconds. */
  elapsedMs: number;
  /** When the headers arrived, in milliseconds since 1970. */
  receivedAt: number;
}

/** A usage and the reply that contained it. */
export interface WithResponse {
  /** The usage. */
  data: AiChatUsageResponse;
  /** The reply. */
  response: ResponseInfo;
}

/** A stable code for the kind of failure. */
export type ErrorCode =
  | "config_error"
  | "token_provider_error"
  | "timeout"
  | "network_error"
  | "fetch_error"
  | "api_error"
  | "authentication_error"
  | "permission_denied"
  | "rate_limited"
  | "server_error"
  | "unexpected_response"
  | "company_mismatch"
  | "decode_error"
  | "runtime_unsupported"
  | "internal_error";

/**
 * The WebAssembly module in any form: a compiled module, bytes, a Response, a
 * Blob, a URL (also as a string), a function that creates an instance, such as
 * that of Vite's `?init`, a namespace with one of these as its `default`, or a
 * promise of one.
 */
// Structural, because not every platform's types have a WebAssembly.Module, and
// where they do it has no members.
export type WasmSource = object | string;
