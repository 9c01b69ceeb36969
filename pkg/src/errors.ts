import type { ResponseError } from "./types.js";

/** A stable name for the kind of failure. */
export type ErrorCode =
  | "config_error"
  | "token_provider_error"
  | "network_error"
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

/** What the properties of an error are made of. */
type Details = { code: ErrorCode; message: string; cause?: unknown };

/**
 * Any failure of a call, except an abort: that rejects with the signal's
 * reason. The message is a sentence that says what to do.
 */
export class BookMoreError extends Error {
  /** A stable name for the kind of failure. */
  declare readonly code: ErrorCode;
  /** What was thrown outside the SDK, if that is what failed. */
  declare readonly cause?: unknown;

  /** @internal */
  constructor({ message, cause, ...properties }: Details) {
    super(message, cause === undefined ? undefined : { cause });
    Object.assign(this, properties);
  }
}

/** The caller gave something that cannot be sent; nothing was sent. */
export class ConfigError extends BookMoreError {}

/** The `bearerToken` function failed; its error is the `cause`. Nothing was sent. */
export class TokenProviderError extends BookMoreError {}

/**
 * No reply came, or it broke off. What `fetch` threw is the `cause`. A browser
 * also reports a reply without CORS headers this way.
 */
export class NetworkError extends BookMoreError {}

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

  /** @internal */
  constructor(details: Details) {
    super({ fieldErrors: [], ...details } as Details);
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

const KINDS: Record<ErrorCode, new (details: Details) => BookMoreError> = {
  config_error: ConfigError,
  token_provider_error: TokenProviderError,
  network_error: NetworkError,
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
  NetworkError,
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

/** @internal The error of the kind that its code names. */
export function errorOf(details: Details): BookMoreError {
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
