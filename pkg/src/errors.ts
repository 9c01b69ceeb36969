import { ERROR_BRAND, isBranded } from "./brands.js";
import type { ResponseError, ResponseStatus } from "./reply.js";
import { define } from "./thrown.js";
import type { AttemptInfo, ErrorCode } from "./types.js";

/** The arguments of every error class. */
export interface ErrorInit {
  /** A message that says what to do. */
  message: string;
  /** The original error, thrown outside the SDK. */
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

/** @internal An error as the engine reports it. */
export interface ErrorDetails extends ErrorInit {
  code: ErrorCode;
  [property: string]: unknown;
}

/**
 * Whether `value` is an error of this package, or of another copy of it.
 * `switch (value.code)` then narrows its type.
 */
export function isBookMoreError(value: unknown): value is AnyBookMoreError {
  return isBranded(value, ERROR_BRAND);
}

/**
 * Any failure of a call, except an abort, which rejects with the signal's
 * reason. The message says what to do.
 */
export abstract class BookMoreError extends Error {
  /** A stable code for the kind of failure. */
  declare readonly code: ErrorCode;
  /** The original error, if something outside the SDK threw one. */
  declare readonly cause?: unknown;
  /** Every attempt of the call; empty or absent if nothing was sent. */
  declare readonly attempts?: readonly AttemptInfo[];
  /** How long the call took, in milliseconds. */
  declare readonly elapsedMs?: number;
  /** Whether another call may succeed. The client has already made its own retries. */
  declare readonly isRetryable: boolean;
  /** The earliest useful time to call again, if it is known. */
  declare readonly retryAt?: Date;

  /** For tests of yours; calls create their own errors. */
  constructor({ message, cause, retryAt, ...members }: ErrorInit) {
    super(message, cause === undefined ? undefined : { cause });
    // The code is on the prototype; as an own member it is printed as well.
    Object.assign(this, { code: this.code, isRetryable: false }, members);
    if (retryAt !== undefined) Object.assign(this, { retryAt: new Date(retryAt) });
  }

  /** The name, the message and all members except the cause. */
  toJSON(): { name: string; code: ErrorCode; message: string; [member: string]: unknown } {
    const { name, code, message, ...members } = this;
    delete (members as { cause?: unknown }).cause;
    return { name: this.name, code, message: this.message, ...members };
  }
}

/**
 * The caller passed something invalid: options, a request, or a `fetch` that returned no usable Response. Except in the
 * last case nothing was sent.
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
  /** What the call was doing at that time. */
  declare readonly phase: "module" | "token" | "headers" | "body" | "backoff";
  /** Which timeout it was. A timeout of an attempt is retried. */
  declare readonly scope: "attempt" | "total";
  /** The timeout, in milliseconds. */
  declare readonly timeoutMs: number;

  constructor(init: ErrorInit & Pick<TimeoutError, "phase" | "scope" | "timeoutMs">) {
    super({ isRetryable: true, ...init });
  }
}

/**
 * No reply arrived, or it broke off. What `fetch` threw is the `cause`. Browsers
 * report a reply without CORS headers in the same way.
 */
export class NetworkError extends BookMoreError {
  declare readonly code: "network_error";
}

/**
 * The function that sends the requests failed by itself; the network is not at
 * fault. What it threw is the `cause`. Nothing is retried.
 */
export class FetchError extends BookMoreError {
  declare readonly code: "fetch_error";
}

/** The arguments of an {@link ApiError}. */
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
 * The server refused the request: a status of 400 to 999, or a ResponseStatus
 * with an error code.
 */
export class ApiError extends BookMoreError {
  declare readonly code: "api_error" | "authentication_error" | "permission_denied" | "rate_limited" | "server_error";
  /** The HTTP status. */
  declare readonly status: number;
  /** The server's error code, for example `Unauthorized`. It is not redacted, so that it can be compared. */
  declare readonly errorCode?: string;
  /** The server's message, if any, with secrets redacted. */
  declare readonly serverMessage?: string;
  /**
   * The server's complete ResponseStatus, with secrets redacted. Its
   * `stackTrace` is not enumerable, so that it is not logged.
   */
  declare readonly responseStatus?: ResponseStatus;
  /** Errors of individual fields of the request. */
  declare readonly fieldErrors: readonly ResponseError[];
  /** The server's id for the request, if it sent one. */
  declare readonly requestId?: string;
  /** How long the server asks to wait, in milliseconds after its reply. */
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

/** 401: the server did not accept the credentials. */
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
 * The reply is neither a usage nor an error: HTML, a redirect to a login page,
 * 204, 206, or another company's usage.
 */
export class UnexpectedResponseError extends BookMoreError {
  declare readonly code: "unexpected_response" | "company_mismatch";
  /** The HTTP status; 0 for a redirect in a browser, which hides it. */
  declare readonly status: number;
  /** The content type, if that was unexpected. */
  declare readonly contentType?: string;
  /** The target of a redirect, or the URL of the reply. */
  declare readonly location?: string;
  /** The requested company, if the reply is about another one. */
  declare readonly requestedCompanyId?: string;
  /** The company in the reply, if another one was requested. */
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

/** The reply looks like a usage but is not a valid one. */
export class DecodeError extends BookMoreError {
  declare readonly code: "decode_error";
  /** The HTTP status. */
  declare readonly status: number;
  /** The invalid member, for example `tokensUsed`; empty for the whole reply. */
  declare readonly path: string;
  /** Where in the reply the error was detected, in bytes. */
  declare readonly offset: number;

  constructor(init: ErrorInit & Pick<DecodeError, "status" | "path" | "offset">) {
    super(init);
  }
}

/** This runtime lacks something that the SDK needs, or does not allow WebAssembly. */
export class RuntimeUnsupportedError extends BookMoreError {
  declare readonly code: "runtime_unsupported";
}

/** A fault inside the SDK. The next call starts afresh. */
export class InternalError extends BookMoreError {
  declare readonly code: "internal_error";
}

/** Any error of this package, discriminated by `code`. */
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

// Names are spelled out, because minifiers rename classes.
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
// In reverse, so that the first code of a class becomes its default.
for (const [code, [name, kind]] of Object.entries(KINDS).reverse()) define(define(kind.prototype, "name", name), "code", code);

/** @internal Creates an error of the class for its code. */
export function errorOf(details: ErrorDetails): BookMoreError {
  const [, kind] = KINDS[details.code] ?? KINDS.internal_error;
  return new kind(details as never);
}

/** @internal The error of a trap. The next call has a fresh instance of the module. */
export function internalError(cause: unknown): BookMoreError {
  return errorOf({
    code: "internal_error",
    message: "The SDK stopped because of an internal fault, the cause of this error. Call again.",
    isRetryable: true,
    cause,
  });
}
