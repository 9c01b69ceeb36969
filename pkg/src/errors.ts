import { ERROR_BRAND } from "./brands.js";
import type { ResponseError, ResponseStatus } from "./reply.js";
import { define } from "./thrown.js";
import type { AttemptInfo, ErrorCode } from "./types.js";

/** What any error is made of. */
export interface ErrorInit {
  /** A sentence that says what to do. */
  message: string;
  /** What was thrown outside the SDK. */
  cause?: unknown;
  /** Every attempt of the call. */
  attempts?: readonly AttemptInfo[];
  /** How long the call took, in milliseconds. */
  elapsedMs?: number;
  /** Default: false. */
  isRetryable?: boolean;
  /** A Date, or milliseconds since 1970. */
  retryAt?: Date | number;
}

/** @internal What an error is made of: the engine's word for it. */
export interface ErrorDetails extends ErrorInit {
  code: ErrorCode;
  [property: string]: unknown;
}

/**
 * Whether `value` is an error of this package, also of another copy of it.
 * `switch (value.code)` then tells its members.
 */
export function isBookMoreError(value: unknown): value is AnyBookMoreError {
  return isBranded(value, ERROR_BRAND);
}

/** @internal */
export function isBranded(value: unknown, brand: symbol): boolean {
  try {
    return (Object(value) as Record<symbol, unknown>)[brand] === true;
  } catch {
    // A proxy's trap may throw.
    return false;
  }
}

/**
 * Any failure of a call, except an abort: that rejects with the signal's
 * reason. The message is a sentence that says what to do.
 */
export abstract class BookMoreError extends Error {
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
  constructor({ message, cause, retryAt, ...members }: ErrorInit) {
    super(message, cause === undefined ? undefined : { cause });
    // Each class has its code on its prototype; as an own member it is shown.
    Object.assign(this, { code: this.code, isRetryable: false }, members);
    if (retryAt !== undefined) Object.assign(this, { retryAt: new Date(retryAt) });
  }

  /** The name, the message and all members but the cause. */
  toJSON(): { name: string; code: ErrorCode; message: string; [member: string]: unknown } {
    const { name, code, message, ...members } = this;
    delete (members as { cause?: unknown }).cause;
    return { name: this.name, code, message: this.message, ...members };
  }
}

/**
 * The caller gave something that cannot be used: options, a request, or in the place of a Response what its `fetch` gave.
 * In all but the last case nothing was sent.
 */
export class ConfigError extends BookMoreError {
  declare readonly code: "config_error";
}

/** The `bearerToken` function failed; its error is the `cause`. */
export class TokenProviderError extends BookMoreError {
  declare readonly code: "token_provider_error";
}

/** The call or one of its attempts took too long. */
export class TimeoutError extends BookMoreError {
  declare readonly code: "timeout";
  /** What was going on when the time was over. */
  declare readonly phase: "module" | "token" | "headers" | "body" | "backoff";
  /** Whose time was over: that of an attempt is retried. */
  declare readonly scope: "attempt" | "total";
  /** The limit, in milliseconds. */
  declare readonly timeoutMs: number;

  constructor(init: ErrorInit & Pick<TimeoutError, "phase" | "scope" | "timeoutMs">) {
    super({ isRetryable: true, ...init });
  }
}

/**
 * No reply came, or it broke off. What `fetch` threw is the `cause`. A browser
 * also reports a reply without CORS headers this way.
 */
export class NetworkError extends BookMoreError {
  declare readonly code: "network_error";
}

/**
 * The function that sends the requests failed by itself, which is no trouble of
 * the network: what it threw is the `cause`. Nothing is tried again.
 */
export class FetchError extends BookMoreError {
  declare readonly code: "fetch_error";
}

/** What an {@link ApiError} is made of. */
export interface ApiErrorInit extends ErrorInit {
  /** The HTTP status. */
  status: number;
  errorCode?: string;
  serverMessage?: string;
  responseStatus?: ResponseStatus;
  /** Default: those of the `responseStatus`. */
  fieldErrors?: readonly ResponseError[];
  requestId?: string;
  retryAfterMs?: number;
}

/**
 * The server said no: a status of 400 to 599, or a ResponseStatus with an
 * error code.
 */
export class ApiError extends BookMoreError {
  declare readonly code: "api_error" | "authentication_error" | "permission_denied" | "rate_limited" | "server_error";
  /** The HTTP status. */
  declare readonly status: number;
  /** The server's own name for the error, for example `Unauthorized`: as it was written, with a secret if that is in it. */
  declare readonly errorCode?: string;
  /** What the server said in words, if anything, without secrets. */
  declare readonly serverMessage?: string;
  /**
   * All that the server said in its usual form, without secrets. Its
   * `stackTrace` is not enumerable, so that it is not logged.
   */
  declare readonly responseStatus?: ResponseStatus;
  /** The errors of single fields of the request. */
  declare readonly fieldErrors: readonly ResponseError[];
  /** The id under which the server knows the request, if it gave one. */
  declare readonly requestId?: string;
  /** How long the server asks to wait, in milliseconds from its reply on. */
  declare readonly retryAfterMs?: number;

  constructor({ responseStatus, ...init }: ApiErrorInit) {
    const members = { fieldErrors: responseStatus?.errors ?? [], ...init };
    super(responseStatus ? { ...members, responseStatus: withoutTrace(responseStatus) } as ErrorInit : members);
  }
}

/** The same, with a stack trace that is not enumerable. */
function withoutTrace({ stackTrace, ...status }: ResponseStatus): ResponseStatus {
  return stackTrace === undefined ? status : Object.defineProperty(status, "stackTrace", { value: stackTrace });
}

/** 401: the server wants other credentials. */
export class AuthenticationError extends ApiError {
  declare readonly code: "authentication_error";
}

/** 403: the credentials do not give access to this company. */
export class PermissionDeniedError extends ApiError {
  declare readonly code: "permission_denied";
}

/** 429: too many requests, or a quota that is used up. */
export class RateLimitError extends ApiError {
  declare readonly code: "rate_limited";
}

/** 500 to 599: the server failed. */
export class ServerError extends ApiError {
  declare readonly code: "server_error";
}

/**
 * The server answered with something that is neither a usage nor an error:
 * HTML, a redirect to a login page, 204, 206, or another company's usage.
 */
export class UnexpectedResponseError extends BookMoreError {
  declare readonly code: "unexpected_response" | "company_mismatch";
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

  constructor(
    init: ErrorInit & { status: number } & (
        | { code?: "unexpected_response"; contentType?: string; location?: string }
        | { code: "company_mismatch"; requestedCompanyId: string; receivedCompanyId: string }
      ),
  ) {
    super(init);
  }
}

/** The reply looks like a usage and is none. */
export class DecodeError extends BookMoreError {
  declare readonly code: "decode_error";
  /** The HTTP status. */
  declare readonly status: number;
  /** The member at fault, for example `tokensUsed`; empty for the whole reply. */
  declare readonly path: string;
  /** Where in the reply the fault was noticed, in bytes. */
  declare readonly offset: number;

  constructor(init: ErrorInit & Pick<DecodeError, "status" | "path" | "offset">) {
    super(init);
  }
}

/** This runtime lacks something that the SDK needs, or does not allow WebAssembly. */
export class RuntimeUnsupportedError extends BookMoreError {
  declare readonly code: "runtime_unsupported";
}

/** A fault in the SDK itself. The next call starts afresh. */
export class InternalError extends BookMoreError {
  declare readonly code: "internal_error";
}

/** Any error of this package; its `code` tells its members. */
export type AnyBookMoreError =
  | ConfigError
  | TokenProviderError
  | TimeoutError
  | NetworkError
  | FetchError
  | (ApiError & { readonly code: "api_error" })
  | AuthenticationError
  | PermissionDeniedError
  | RateLimitError
  | ServerError
  | (UnexpectedResponseError & { readonly code: "unexpected_response" })
  | (UnexpectedResponseError & {
      readonly code: "company_mismatch";
      readonly requestedCompanyId: string;
      readonly receivedCompanyId: string;
    })
  | DecodeError
  | RuntimeUnsupportedError
  | InternalError;

// Written out, because a minifier renames classes.
const KINDS: Record<ErrorCode, [name: string, kind: new (init: never) => BookMoreError]> = {
  config_error: ["ConfigError", ConfigError],
  token_provider_error: ["TokenProviderError", TokenProviderError],
  timeout: ["TimeoutError", TimeoutError],
  network_error: ["NetworkError", NetworkError],
  fetch_error: ["FetchError", FetchError],
  api_error: ["ApiError", ApiError],
  authentication_error: ["AuthenticationError", AuthenticationError],
  permission_denied: ["PermissionDeniedError", PermissionDeniedError],
  rate_limited: ["RateLimitError", RateLimitError],
  server_error: ["ServerError", ServerError],
  unexpected_response: ["UnexpectedResponseError", UnexpectedResponseError],
  company_mismatch: ["UnexpectedResponseError", UnexpectedResponseError],
  decode_error: ["DecodeError", DecodeError],
  runtime_unsupported: ["RuntimeUnsupportedError", RuntimeUnsupportedError],
  internal_error: ["InternalError", InternalError],
};

define(define(BookMoreError.prototype, "name", "BookMoreError"), ERROR_BRAND, true);
// Backwards, so that the first of the codes of a class is its default.
for (const [code, [name, kind]] of Object.entries(KINDS).reverse()) define(define(kind.prototype, "name", name), "code", code);

/** @internal The error of the kind that its code names. */
export function errorOf(details: ErrorDetails): BookMoreError {
  const [, kind] = KINDS[details.code] ?? KINDS.internal_error;
  return new kind(details as never);
}

/** @internal A fault of the SDK, or what it needs and does not find. */
export function internalError(cause: unknown): BookMoreError {
  return errorOf({
    code: "internal_error",
    message: "The SDK stopped at an internal fault, its cause. Call again.",
    cause,
  });
}
