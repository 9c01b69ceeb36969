import type { AiChatUsageResponse } from "./reply.js";

/** What to ask for. */
export interface GetAiChatUsage {
  /**
   * The company id, a Guid: dashed, undashed or `{dashed-in-braces}`, in any
   * case. Defaults to the logged-in user's company when omitted. An empty
   * string is refused, because the server would answer for the logged-in
   * user's company; for the all-zero Guid it does so, too.
   */
  companyId?: string | undefined;
}

/** The form in which the server is asked to write its reply. */
export type Format = "json" | "jsonl";

/** What a {@link TokenProvider} is told. */
export interface TokenRequest {
  /** The server has refused the last token: a new one is needed. */
  forceRefresh: boolean;
  /** Aborts when no call waits for the token any more. */
  signal: AbortSignal;
}

/** How a token is set. */
export interface SetBearerTokenOptions {
  /**
   * Whether it stands for the same user as the one before, so that what is in
   * flight stays good. Default: false.
   */
  sameIdentity?: boolean | undefined;
}

/** A token and when it ends. */
export interface BearerToken {
  token: string;
  /**
   * A Date, or milliseconds since 1970. With more than two minutes left the
   * provider is not asked; in the minute and a half after that it is asked
   * behind the calls; with 30 seconds or less left it is asked before the
   * next request. What it gives is sent, whatever its end.
   */
  expiresAt?: number | Date | undefined;
}

/**
 * Gives the bearer token; null or undefined to send none. It is asked at each
 * call, unless it tells when its token expires, and once more when the server
 * refuses one: once at a time, however many calls wait for it. A call that it
 * makes before it returns or first awaits does not wait for it, and goes with
 * the token of the answer before, if any.
 */
export type TokenProvider = (
  about: TokenRequest,
) =>
  | string
  | BearerToken
  | null
  | undefined
  | Promise<string | BearerToken | null | undefined>;

/** A function that sends requests as the platform's `fetch` does. More than this it is not asked for. */
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

/** What a {@link FetchLike} gives: a `Response`, also that of a library, or an object made like one. */
export interface ResponseLike {
  readonly status: number;
  /** Iterates as pairs of a name and a value. */
  readonly headers: object;
  /** A stream, which is read in pieces; where it is absent, `text()` is called, or where there is none `arrayBuffer()`. */
  readonly body?: unknown;
  arrayBuffer(): Promise<ArrayBuffer>;
}

/** Headers: an object, or anything that iterates like `Headers`. Values that are undefined are left out. */
export type HeadersLike = Record<string, string | undefined> | Headers | Iterable<HeaderPair> | readonly HeaderPair[];
type HeaderPair = readonly [name: string, value: string | undefined];

/** What a {@link BookMoreClient} is made of. */
export interface ClientOptions {
  /**
   * Where the API lives, with or without a path. One that starts with `/` or `.`
   * is resolved against `location`. Default: `https://api.bookmore.com`.
   */
  baseUrl?: string | URL | undefined;
  /** Sent as `Authorization: Bearer …`. */
  bearerToken?: string | TokenProvider | null | undefined;
  /** Sent as `x-api-key`; null for none. */
  apiKey?: string | null | undefined;
  /** Whether cookies go along. Default: the platform's choice. */
  credentials?: "omit" | "same-origin" | "include" | undefined;
  /** Default: `"json"`. The value is the same either way. */
  format?: Format | undefined;
  /**
   * Extra headers. In a browser each must be allowed by the server's CORS
   * settings. `Accept`, `Authorization` and `x-api-key` are the SDK's own.
   */
  headers?: HeadersLike | undefined;
  /** Used instead of the global `fetch`, which is looked up at each call. */
  fetch?: FetchLike | undefined;
  /** How often a failed attempt is followed by another: 0 to 10. Default: 2. */
  maxRetries?: number | undefined;
  /**
   * How long one attempt may take in milliseconds: connection, headers, body.
   * null for no limit. Default: 10 000.
   */
  attemptTimeoutMs?: number | null | undefined;
  /**
   * How long a call may take in milliseconds: token, attempts and waits.
   * null for no limit. Default: 30 000.
   */
  totalTimeoutMs?: number | null | undefined;
  /**
   * Lets the token and the API key go over plain http to another machine than
   * this one. Default: false.
   */
  allowInsecureHttp?: boolean | undefined;
  /**
   * Whether the retries of all calls are paced together: each draws a number,
   * and is sent when its number is served. The number served moves by one with
   * each success and by two a second. A call whose turn would come after its
   * limit fails at once, with `retryAt`. Default: true.
   */
  retryPacing?: boolean | undefined;
  /** Told of what happens to calls. What it throws changes nothing. */
  onEvent?: ((event: ClientEvent) => void) | undefined;
}

/** What may differ from call to call. */
export interface RequestOptions {
  /** Gives the call up; it rejects with `signal.reason`. null is none, as for `fetch`. */
  signal?: AbortSignal | null | undefined;
  /** Instead of the client's format. */
  format?: Format | undefined;
  /** Besides the client's extra headers, or instead of those of the same name. */
  headers?: HeadersLike | undefined;
  /** Instead of the client's. */
  maxRetries?: number | undefined;
  /** Instead of the client's; null for no limit. */
  attemptTimeoutMs?: number | null | undefined;
  /** Instead of the client's; null for no limit. */
  totalTimeoutMs?: number | null | undefined;
  /**
   * Whether the call may share the requests and the retries of an equal one in
   * flight: one for the same company with the same format, headers, `maxRetries`
   * and `attemptTimeoutMs`. Its signal and `totalTimeoutMs` stay its own.
   * Default: true.
   */
  coalesce?: boolean | undefined;
  /**
   * Whether only a request will do that is sent after this call was made, as
   * after a message that was charged. Such calls share one request where they
   * come while another such request is in flight. Default: false.
   */
  fresh?: boolean | undefined;
}

/**
 * What happens to a call, at last `success` or `error`; an aborted call has no
 * last event. Nothing in it is a secret: URLs have no query and headers are
 * left out.
 */
export type ClientEvent = {
  /**
   * Tells the calls of a client apart; later ones have higher numbers, with gaps. Calls that share a request have its
   * first caller's in all but the last event.
   */
  callId: number;
  /** Counts the attempts, from 1; 0 at the end of a call that made none. */
  attempt: number;
} & (
  /** A request is about to be sent. */
  | { type: "attempt"; url: string }
  /** A reply came. */
  | { type: "response"; status: number }
  /** The attempt failed; another follows after `waitMs` milliseconds, or earlier where others succeed. */
  | { type: "retry"; waitMs: number; code: ErrorCode; status?: number }
  /** The call succeeded. */
  | { type: "success"; elapsedMs: number }
  /** The call failed. */
  | { type: "error"; code: ErrorCode; status?: number; elapsedMs: number }
);

/** One attempt of a call. */
export interface AttemptInfo {
  /** The HTTP status, if a reply came. */
  status?: number;
  /** The code of its error, if it failed. */
  error?: ErrorCode;
  /** How long it took, in milliseconds. */
  ms: number;
  /** How long the client waited before it, in milliseconds. */
  waitMs: number;
}

/** The reply that brought a usage. */
export interface ResponseInfo {
  /** The HTTP status. */
  status: number;
  /**
   * The reply's headers, names in lower case. Browsers show only those that
   * the server exposes. Cookies are left out.
   */
  headers: Record<string, string>;
  /** The id under which the server knows the request, if it gave one. */
  requestId?: string;
  /** Every attempt of the call, the last one being the success. */
  attempts: AttemptInfo[];
  /** How long the call took, in milliseconds. */
  elapsedMs: number;
  /** When the headers came, in milliseconds since 1970. */
  receivedAt: number;
}

/** A usage and the reply that brought it. */
export interface WithResponse {
  /** The usage. */
  data: AiChatUsageResponse;
  /** The reply. */
  response: ResponseInfo;
}

/** A stable name for the kind of failure. */
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
 * What the WebAssembly module can be taken from: a compiled module, bytes, a
 * Response, a Blob, a URL, a function that makes an instance as Vite's `?init`
 * does, a namespace with one of these as its `default`, or a promise of one. A
 * string is a URL.
 */
// Structural, because not every platform's types have a WebAssembly.Module, and
// where they do it has no members.
export type WasmSource = object | string;
