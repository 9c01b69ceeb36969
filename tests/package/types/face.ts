// The expected public types of "bookmore-sdk". Compiled, never run.
import * as sdk from "bookmore-sdk";
import type {
  AiChatUsageResponse, AnyBookMoreError, ApiErrorInit, AttemptInfo, BearerToken, BookMoreClientLike, ClientEvent,
  ClientOptions, ErrorCode, ErrorInit, FetchLike, Format, GetAiChatUsage, HeadersLike, RequestOptions, ResponseError,
  ResponseInfo, ResponseLike, ResponseStatus, SetBearerTokenOptions, TokenProvider, TokenRequest, WasmSource, WithResponse,
} from "bookmore-sdk";

// ---- Exports ----

same<
  keyof typeof sdk,
  | "BookMoreClient" | "isBookMoreClient" | "isBookMoreError" | "BookMoreError"
  | "ConfigError" | "TokenProviderError" | "TimeoutError" | "NetworkError" | "FetchError"
  | "ApiError" | "AuthenticationError" | "PermissionDeniedError" | "RateLimitError" | "ServerError"
  | "UnexpectedResponseError" | "DecodeError" | "RuntimeUnsupportedError" | "InternalError"
>();

// ---- The client ----

same<ConstructorParameters<typeof sdk.BookMoreClient>, [options?: ClientOptions | undefined]>();
interface Face {
  ready: () => Promise<void>;
  setBearerToken: (token: string | TokenProvider | null, options?: SetBearerTokenOptions) => void;
  getAiChatUsage: (request?: GetAiChatUsage, options?: RequestOptions) => Promise<AiChatUsageResponse>;
  getAiChatUsageWithResponse: (request?: GetAiChatUsage, options?: RequestOptions) => Promise<WithResponse>;
}
same<Members<sdk.BookMoreClient>, Members<Face & { close: () => void }>>();
same<Members<BookMoreClientLike>, Members<Face>>();
same<SetBearerTokenOptions, { sameIdentity?: boolean | undefined }>();

type Pair = readonly [name: string, value: string | undefined];
same<HeadersLike, Record<string, string | undefined> | Headers | Iterable<Pair> | readonly Pair[]>();
same<
  ClientOptions,
  {
    baseUrl?: string | URL | undefined;
    bearerToken?: string | TokenProvider | null | undefined;
    apiKey?: string | null | undefined;
    credentials?: "omit" | "same-origin" | "include" | undefined;
    format?: Format | undefined;
    headers?: HeadersLike | undefined;
    fetch?: FetchLike | undefined;
    maxRetries?: number | undefined;
    attemptTimeoutMs?: number | null | undefined;
    totalTimeoutMs?: number | null | undefined;
    allowInsecureHttp?: boolean | undefined;
    retryPacing?: boolean | undefined;
    onEvent?: ((event: ClientEvent) => void) | undefined;
  }
>();
same<
  RequestOptions,
  {
    signal?: AbortSignal | null | undefined;
    format?: Format | undefined;
    headers?: HeadersLike | undefined;
    maxRetries?: number | undefined;
    attemptTimeoutMs?: number | null | undefined;
    totalTimeoutMs?: number | null | undefined;
    coalesce?: boolean | undefined;
    fresh?: boolean | undefined;
  }
>();
same<Format, "json" | "jsonl">();
same<TokenRequest, { forceRefresh: boolean; signal: AbortSignal }>();
same<BearerToken, { token: string; expiresAt?: number | Date | undefined }>();
type Token = string | BearerToken | null | undefined;
same<TokenProvider, (about: TokenRequest) => Token | Promise<Token>>();
same<WasmSource, object | string>();
same<
  Parameters<FetchLike>,
  [
    url: string,
    init: {
      method: "GET";
      headers: Record<string, string>;
      signal: AbortSignal;
      redirect: "manual";
      cache?: "no-store";
      credentials?: "omit" | "same-origin" | "include";
    },
  ]
>();
same<ReturnType<FetchLike>, Promise<ResponseLike>>();
same<
  ResponseLike,
  { readonly status: number; readonly headers: object; readonly body?: unknown; arrayBuffer(): Promise<ArrayBuffer> }
>();

// ---- Requests and replies ----

same<GetAiChatUsage, { companyId?: string | undefined }>();
// The reply's members are defined in src/dto, and checked by docs/api.
same<WithResponse, { data: AiChatUsageResponse; response: ResponseInfo }>();
same<
  ResponseInfo,
  {
    status: number;
    headers: Record<string, string>;
    requestId?: string;
    attempts: AttemptInfo[];
    elapsedMs: number;
    receivedAt: number;
  }
>();
same<AttemptInfo, { status?: number; error?: ErrorCode; ms: number; waitMs: number }>();
same<
  ClientEvent,
  { callId: number; attempt: number } & (
    | { type: "attempt"; url: string }
    | { type: "response"; status: number }
    | { type: "retry"; waitMs: number; code: ErrorCode; status?: number }
    | { type: "success"; elapsedMs: number }
    | { type: "error"; code: ErrorCode; status?: number; elapsedMs: number }
  )
>();

// ---- Errors ----

same<
  ErrorCode,
  | "config_error" | "token_provider_error" | "timeout" | "network_error" | "fetch_error"
  | "api_error" | "authentication_error" | "permission_denied" | "rate_limited" | "server_error"
  | "unexpected_response" | "company_mismatch" | "decode_error" | "runtime_unsupported" | "internal_error"
>();
same<AnyBookMoreError["code"], ErrorCode>();

interface Any<Code = ErrorCode> {
  readonly code: Code;
  readonly cause?: unknown;
  readonly attempts?: readonly AttemptInfo[];
  readonly elapsedMs?: number;
  readonly isRetryable: boolean;
  readonly retryAt?: Date;
  toJSON(): { name: string; code: ErrorCode; message: string; [member: string]: unknown };
}
interface Api<Code> extends Any<Code> {
  readonly status: number;
  readonly errorCode?: string;
  readonly serverMessage?: string;
  readonly responseStatus?: ResponseStatus;
  readonly fieldErrors: readonly ResponseError[];
  readonly requestId?: string;
  readonly retryAfterMs?: number;
}
interface Timeout extends Any<"timeout"> {
  readonly phase: "module" | "token" | "headers" | "body" | "backoff";
  readonly scope: "attempt" | "total";
  readonly timeoutMs: number;
}
interface Unexpected extends Any<"unexpected_response" | "company_mismatch"> {
  readonly status: number;
  readonly contentType?: string;
  readonly location?: string;
  readonly requestedCompanyId?: string;
  readonly receivedCompanyId?: string;
}
interface Decode extends Any<"decode_error"> {
  readonly status: number;
  readonly path: string;
  readonly offset: number;
}
same<Own<sdk.BookMoreError>, Own<Any>>();
same<Own<sdk.ConfigError>, Own<Any<"config_error">>>();
same<Own<sdk.TokenProviderError>, Own<Any<"token_provider_error">>>();
same<Own<sdk.NetworkError>, Own<Any<"network_error">>>();
same<Own<sdk.FetchError>, Own<Any<"fetch_error">>>();
same<Own<sdk.RuntimeUnsupportedError>, Own<Any<"runtime_unsupported">>>();
same<Own<sdk.InternalError>, Own<Any<"internal_error">>>();
same<Own<sdk.TimeoutError>, Own<Timeout>>();
same<
  Own<sdk.ApiError>,
  Own<Api<"api_error" | "authentication_error" | "permission_denied" | "rate_limited" | "server_error">>
>();
same<Own<sdk.AuthenticationError>, Own<Api<"authentication_error">>>();
same<Own<sdk.PermissionDeniedError>, Own<Api<"permission_denied">>>();
same<Own<sdk.RateLimitError>, Own<Api<"rate_limited">>>();
same<Own<sdk.ServerError>, Own<Api<"server_error">>>();
same<Own<sdk.UnexpectedResponseError>, Own<Unexpected>>();
same<Own<sdk.DecodeError>, Own<Decode>>();

export function caught(thrown: unknown) {
  if (sdk.isBookMoreError(thrown)) same<typeof thrown, AnyBookMoreError>();
  else same<typeof thrown, unknown>();
  if (thrown instanceof sdk.RateLimitError) {
    const api: sdk.ApiError = thrown;
    const any: sdk.BookMoreError = api;
    const error: Error = any;
    return error;
  }
  return undefined;
}

/** Each code narrows the error to its members, without casts and checks for undefined. */
export function told(error: AnyBookMoreError): unknown {
  switch (error.code) {
    case "config_error":
    case "token_provider_error":
    case "network_error":
    case "fetch_error":
    case "runtime_unsupported":
    case "internal_error":
      return error.cause;
    case "timeout":
      same<typeof error, sdk.TimeoutError>();
      return [error.phase, error.scope, error.timeoutMs];
    case "rate_limited":
      same<typeof error, sdk.RateLimitError>();
      return [error.retryAfterMs, error.retryAt?.getTime()];
    case "api_error":
    case "authentication_error":
    case "permission_denied":
    case "server_error":
      same<typeof error.status, number>();
      return [error.status, error.serverMessage, error.responseStatus?.errorCode, error.fieldErrors.length];
    case "company_mismatch":
      same<typeof error.receivedCompanyId, string>();
      same<typeof error.requestedCompanyId, string>();
      return error.receivedCompanyId;
    case "unexpected_response":
      // @ts-expect-error: only for another company's usage
      error.receivedCompanyId.length;
      return error.contentType;
    case "decode_error":
      return [error.path, error.offset];
    default:
      same<typeof error, never>();
      return undefined;
  }
}

/** `instanceof` narrows as well, also after `isBookMoreError`. */
export function byClass(error: AnyBookMoreError): number {
  if (error instanceof sdk.ApiError) return error.status;
  if (error instanceof sdk.TimeoutError) return error.timeoutMs;
  // @ts-expect-error: neither
  return error.status;
}

/** Errors created by tests have the same members as those of calls. */
export function made(init: ApiErrorInit & ErrorInit, message: string): AnyBookMoreError[] {
  const timeout = { phase: "headers", scope: "total", timeoutMs: 5 } as const;
  // @ts-expect-error: a kind is needed
  new sdk.BookMoreError({ message });
  // @ts-expect-error: a timeoutMs is needed
  new sdk.TimeoutError({ message });
  // @ts-expect-error: a status is needed
  new sdk.RateLimitError({ message });
  // @ts-expect-error: the companies are needed
  new sdk.UnexpectedResponseError({ message, status: 200, code: "company_mismatch" });
  // @ts-expect-error: a message is needed
  new sdk.NetworkError({});
  // @ts-expect-error: each class has its code
  new sdk.ConfigError({ message, code: "timeout" });
  return [
    new sdk.ConfigError({ message }),
    new sdk.TokenProviderError({ message, cause: new Error() }),
    new sdk.NetworkError({ message, isRetryable: true, retryAt: new Date() }),
    new sdk.FetchError({ message, attempts: [{ ms: 1, waitMs: 0 }], elapsedMs: 1 }),
    new sdk.RuntimeUnsupportedError({ message }),
    new sdk.InternalError({ message }),
    new sdk.TimeoutError({ message, ...timeout }),
    new sdk.RateLimitError({ message, status: 429, retryAfterMs: 2_000, retryAt: Date.now() + 2_000 }),
    new sdk.AuthenticationError(init),
    new sdk.PermissionDeniedError({ message, status: 403, fieldErrors: [], serverMessage: "No.", responseStatus: {} }),
    new sdk.ServerError({ message, status: 503, errorCode: "Busy", requestId: "r" }),
    new sdk.DecodeError({ message, status: 200, path: "tokensUsed", offset: 5 }),
  ];
}

/** Classes with several codes. */
export const some: sdk.BookMoreError[] = [
  new sdk.ApiError({ message: "", status: 404 }),
  new sdk.UnexpectedResponseError({ message: "", status: 200, contentType: "text/html" }),
  new sdk.UnexpectedResponseError({ message: "", status: 200, code: "company_mismatch", requestedCompanyId: "", receivedCompanyId: "" }),
];

// ---- Use ----

/** Each option may be undefined, which `exactOptionalPropertyTypes` distinguishes from absent, unlike `same`. */
export function unset(
  client: Record<keyof ClientOptions, undefined>,
  call: Record<keyof RequestOptions, undefined>,
  request: Record<keyof GetAiChatUsage, undefined>,
) {
  return new sdk.BookMoreClient(client).getAiChatUsage(request, call);
}

/** A plain object stands in for the client in an app's tests. */
export function standIn(usage: AiChatUsageResponse, client: sdk.BookMoreClient, other: unknown): BookMoreClientLike[] {
  const response = { status: 200, headers: {}, attempts: [], elapsedMs: 1, receivedAt: 0 };
  const fake: BookMoreClientLike = {
    ready: async () => {},
    setBearerToken() {},
    getAiChatUsage: async () => usage,
    getAiChatUsageWithResponse: async () => ({ data: usage, response }),
  };
  const bound: BookMoreClientLike["getAiChatUsage"] = client.getAiChatUsage;
  class Own extends sdk.BookMoreClient {
    override getAiChatUsage(request?: GetAiChatUsage, options?: RequestOptions) {
      return super.getAiChatUsage(request, options);
    }
  }
  // A client of another copy of the package has the same type.
  const copy: sdk.BookMoreClient = { ...fake, close() {} };
  return [fake, client, copy, new Own(), { ...fake, getAiChatUsage: bound }, ...(sdk.isBookMoreClient(other) ? [other] : [])];
}

/** A fetch function need not be `typeof fetch`, which differs between platforms. */
export function senders(response: Response, read: ArrayBuffer): FetchLike[] {
  const whole: typeof fetch = fetch;
  const wrapped = async (input: Parameters<typeof fetch>[0], init?: RequestInit) => fetch(input, init);
  const short = async (url: string) => (url ? response : fetch(url));
  const optional = (url: string, init?: { headers?: Record<string, string>; signal?: AbortSignal }) => fetch(url, init as never);
  const like = async () => ({ status: 200, headers: new Map(), arrayBuffer: async () => read });
  // @ts-expect-error: not an axios response
  const axios: FetchLike = async () => ({ status: 200, headers: {}, data: {} });
  return [whole, wrapped, short, optional, like, axios, (url, init) => fetch(url, { ...init, keepalive: true })];
}

export async function used(signal: AbortSignal): Promise<number> {
  new sdk.BookMoreClient();
  new sdk.BookMoreClient({ bearerToken: "token", headers: [["X-Language", "sv"]] });
  new sdk.BookMoreClient({ bearerToken: () => null, headers: new Map([["X-Language", "sv"]]), apiKey: null });
  new sdk.BookMoreClient({ headers: { "X-Language": undefined }, retryPacing: false });
  new sdk.BookMoreClient({ headers: new Headers() }).setBearerToken("next", { sameIdentity: true });
  new sdk.BookMoreClient({ bearerToken: async ({ forceRefresh, signal }) => (forceRefresh && !signal.aborted ? "new" : "old") });
  const client = new sdk.BookMoreClient({
    baseUrl: new URL("https://api.bookmore.com"),
    bearerToken: async () => ({ token: "token", expiresAt: new Date() }),
    fetch: (input, init) => fetch(input, init),
    attemptTimeoutMs: null,
    onEvent: (event) => void (event.type === "retry" && event.waitMs),
  });
  await client.getAiChatUsage({}, { fresh: true, coalesce: false });
  const { data, response } = await client.getAiChatUsageWithResponse({ companyId: "x" }, { signal, maxRetries: 0 });
  return data.tokensUsed + response.elapsedMs;
}

export async function refused(client: sdk.BookMoreClient) {
  // @ts-expect-error: XML is not a format
  new sdk.BookMoreClient({ format: "xml" });
  // @ts-expect-error: the option is called baseUrl
  new sdk.BookMoreClient({ baseURL: "https://api.bookmore.com" });
  // @ts-expect-error: a token is text
  new sdk.BookMoreClient({ bearerToken: () => 5 });
  // @ts-expect-error: only "bookmore-sdk/slim" takes the module
  new sdk.BookMoreClient({ wasm: "/sdk.wasm" });
  // @ts-expect-error: a Guid is text
  client.getAiChatUsage({ companyId: 5 });
  // @ts-expect-error: it cannot be null
  client.getAiChatUsage({ companyId: null });
  // @ts-expect-error: the request's member is called companyId
  client.getAiChatUsage({ CompanyId: "x" });
  // @ts-expect-error: a signal is an option, not the request
  client.getAiChatUsage({ signal: new AbortController().signal });
  const usage = await client.getAiChatUsage();
  // @ts-expect-error: members have camelCase names whatever the server writes
  usage.TokensUsed;
  // @ts-expect-error: it may be absent
  usage.companyId.length;
  // @ts-expect-error: memory is the package's own business
  client.free();
}
