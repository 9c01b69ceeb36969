import type { AttemptInfo, ErrorCode, ResponseError } from "./types.js";

/** What an error is made of: its properties. */
export interface ErrorDetails {
  code: ErrorCode;
  message: string;
  cause?: unknown;
  status?: number;
  [property: string]: unknown;
}

/** By which an error is known whatever copy of the package made it. */
const BRAND = Symbol.for("bookmore-sdk.error");

/** Whether `value` is an error of this package, also of another copy of it. */
export function isBookMoreError(value: unknown): value is BookMoreError {
  return isBranded(value, BRAND);
}

export function isBranded(value: unknown, brand: symbol): boolean {
  return (Object(value) as Record<symbol, unknown>)[brand] === true;
}

/**
 * Any failure of a call, except an abort: that rejects with the signal's
 * reason. The message is a sentence that says what to do.
 */
export class BookMoreError extends Error {
  /** A stable name for the kind of failure. */
  declare readonly code: ErrorCode;
  /** What was thrown outside the SDK, if that is what failed. */
  declare readonly cause?: unknown;
  /** Every attempt of the call; absent where none could be made. */
  declare readonly attempts?: readonly AttemptInfo[];
  /** How long the call took, in milliseconds. */
  declare readonly elapsedMs?: number;
  /** Whether asking again may go better. The client has made its retries. */
  declare readonly isRetryable: boolean;
  /** The earliest time at which asking again is useful, where that is known. */
  declare readonly retryAt?: Date;

  /** Calls make their errors; a test of yours may make one, too. */
  constructor({ message, cause, retryAt, ...properties }: ErrorDetails) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, { isRetryable: false }, properties);
    if (retryAt !== undefined) Object.assign(this, { retryAt: new Date(retryAt as number) });
  }
}

/** The caller gave something that cannot be sent; nothing was sent. */
export class ConfigError extends BookMoreError {}

/** The `bearerToken` function failed; its error is the `cause`. Nothing was sent. */
export class TokenProviderError extends BookMoreError {}

/** The call or one of its attempts took too long. */
export class TimeoutError extends BookMoreError {
  /** What was going on when the time was over. */
  declare readonly phase: "module" | "token" | "headers" | "body" | "backoff";
  /** Whose time was over: that of an attempt is retried. */
  declare readonly scope: "attempt" | "total";
  /** The limit, in milliseconds. */
  declare readonly timeoutMs: number;
}

/**
 * No reply came, or it broke off. What `fetch` threw is the `cause`. A browser
 * also reports a reply without CORS headers this way.
 */
export class NetworkError extends BookMoreError {}

/**
 * The function that sends the requests failed by itself, which is no trouble of
 * the network: what it threw is the `cause`. Nothing is tried again.
 */
export class FetchError extends BookMoreError {}

/**
 * The server said no: a status of 400 to 599, or a ResponseStatus with an
 * error code.
 */
export class ApiError extends BookMoreError {
  /** The HTTP status. */
  declare readonly status: number;
  /** The server's own name for the error, for example `Unauthorized`. */
  declare readonly errorCode?: string;
  /** The errors of single fields of the request. */
  declare readonly fieldErrors: readonly ResponseError[];
  /** The id under which the server knows the request, if it gave one. */
  declare readonly requestId?: string;
  /** How long the server asks to wait, in milliseconds from its reply on. */
  declare readonly retryAfterMs?: number;

  constructor(details: ErrorDetails) {
    super({ fieldErrors: [], ...details });
  }
}

/** 401: the server wants other credentials. */
export class AuthenticationError extends ApiError {}

/** 403: the credentials do not give access to this company. */
export class PermissionDeniedError extends ApiError {}

/** 429: too many requests, or a quota that is used up. */
export class RateLimitError extends ApiError {}

/** 500 to 599: the server failed. */
export class ServerError extends ApiError {}

/**
 * The server answered with something that is neither a usage nor an error:
 * HTML, a redirect to a login page, 204, 206, or another company's usage
 * (`code` is then `"company_mismatch"`).
 */
export class UnexpectedResponseError extends BookMoreError {
  /** The HTTP status; 0 for a redirect, which a browser keeps to itself. */
  declare readonly status: number;
  /** The content type, where it is what is unexpected. */
  declare readonly contentType?: string;
  /** Where the server redirected to, or where the reply came from. */
  declare readonly location?: string;
  /** The company asked for, where another one was answered for. */
  declare readonly requestedCompanyId?: string;
  /** The company of the reply, where another one was asked for. */
  declare readonly receivedCompanyId?: string;
}

/** The reply looks like a usage and is none. */
export class DecodeError extends BookMoreError {
  /** The HTTP status. */
  declare readonly status: number;
  /** The member at fault, for example `tokensUsed`; empty for the whole reply. */
  declare readonly path: string;
  /** Where in the reply the fault was noticed, in bytes. */
  declare readonly offset: number;
}

/** This runtime cannot run WebAssembly, or does not allow it. */
export class RuntimeUnsupportedError extends BookMoreError {}

/** A fault in the SDK itself. The next call starts afresh. */
export class InternalError extends BookMoreError {}

const KINDS: Record<ErrorCode, new (details: ErrorDetails) => BookMoreError> = {
  config_error: ConfigError,
  token_provider_error: TokenProviderError,
  timeout: TimeoutError,
  network_error: NetworkError,
  fetch_error: FetchError,
  api_error: ApiError,
  authentication_error: AuthenticationError,
  permission_denied: PermissionDeniedError,
  rate_limited: RateLimitError,
  server_error: ServerError,
  unexpected_response: UnexpectedResponseError,
  company_mismatch: UnexpectedResponseError,
  decode_error: DecodeError,
  runtime_unsupported: RuntimeUnsupportedError,
  internal_error: InternalError,
};

// Written out, because a minifier renames classes.
for (const [name, kind] of Object.entries({
  BookMoreError,
  ConfigError,
  TokenProviderError,
  TimeoutError,
  NetworkError,
  FetchError,
  ApiError,
  AuthenticationError,
  PermissionDeniedError,
  RateLimitError,
  ServerError,
  UnexpectedResponseError,
  DecodeError,
  RuntimeUnsupportedError,
  InternalError,
})) {
  (kind.prototype as Error).name = name;
}
Object.defineProperty(BookMoreError.prototype, BRAND, { value: true });

/** @internal The error of the kind that its code names. */
export function errorOf(details: ErrorDetails): BookMoreError {
  return new (KINDS[details.code] ?? InternalError)(details);
}

/** @internal A fault of the SDK, or what it needs and does not find. */
export function internalError(cause: unknown): BookMoreError {
  return errorOf({
    code: "internal_error",
    message:
      "The SDK stopped at an internal fault, its cause. Call again.",
    cause,
  });
}
