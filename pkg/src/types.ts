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

/** How many AI assistant tokens a company has consumed, and its limit. */
export interface AiChatUsageResponse {
  /**
   * The company the usage applies to, as the server wrote it (a Guid, dashed
   * or not). Absent where the server named none.
   */
  companyId?: string;
  /** Tokens consumed within the current rolling window. Can exceed the limit. */
  tokensUsed: number;
  /** The company's token limit for the window. */
  tokenLimit: number;
  /** Tokens remaining before the limit is reached (never negative). */
  tokensRemaining: number;
  /** True while the company is still below its token limit. */
  isWithinBudget: boolean;
  /** Length of the rolling usage window, in days. */
  windowDays: number;
  /**
   * Usually absent. Never has an `errorCode` here: such a reply is an
   * {@link ApiError}.
   */
  responseStatus?: ResponseStatus;
}

/** ServiceStack's account of what went wrong, or of what to know. */
export interface ResponseStatus {
  /** The kind of error, for example `Unauthorized`. */
  errorCode?: string;
  /** In words, possibly localised. */
  message?: string;
  /** The server's stack trace, in debug mode only. Quotes the request: not for logs. */
  stackTrace?: string;
  /** The errors of single fields. */
  errors?: ResponseError[];
  /** Further data; the keys keep the case in which they came. */
  meta?: Record<string, string>;
}

/** The error of one field of the request. */
export interface ResponseError {
  /** The kind of error, for example `NotEqual`. */
  errorCode?: string;
  /** The field of the request, for example `CompanyId`. */
  fieldName?: string;
  /** In words, possibly localised. */
  message?: string;
  /** Further data; the keys keep the case in which they came. */
  meta?: Record<string, string>;
}

/** The form in which the server is asked to write its reply. */
export type Format = "json" | "jsonl";

/** Gives the bearer token for a call; null or undefined to send none. */
export type TokenProvider = () =>
  | string
  | null
  | undefined
  | Promise<string | null | undefined>;

/** What a {@link BookMoreClient} is made of. */
export interface ClientOptions {
  /** Where the API lives, with or without a path. Default: `https://api.bookmore.com`. */
  baseUrl?: string | URL | undefined;
  /** Sent as `Authorization: Bearer …`. A function is asked at each call. */
  bearerToken?: string | TokenProvider | undefined;
  /** Sent as `x-api-key`. */
  apiKey?: string | undefined;
  /** Whether cookies go along. Default: the platform's choice. */
  credentials?: "omit" | "same-origin" | "include" | undefined;
  /** Default: `"json"`. The value is the same either way. */
  format?: Format | undefined;
  /**
   * Extra headers. In a browser each must be allowed by the server's CORS
   * settings. `Accept`, `Authorization` and `x-api-key` are the SDK's own.
   */
  headers?: Record<string, string> | Iterable<[string, string]> | undefined;
  /** Used instead of the global `fetch`, which is looked up at each call. */
  fetch?: typeof fetch | undefined;
}

/** What may differ from call to call. */
export interface RequestOptions {
  /** Gives the call up; it rejects with `signal.reason`. null is none, as for `fetch`. */
  signal?: AbortSignal | null | undefined;
  /** Instead of the client's format. */
  format?: Format | undefined;
  /** Besides the client's extra headers, or instead of those of the same name. */
  headers?: Record<string, string> | Iterable<[string, string]> | undefined;
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
}

/** A usage and the reply that brought it. */
export interface WithResponse {
  /** The usage. */
  data: AiChatUsageResponse;
  /** The reply. */
  response: ResponseInfo;
}
