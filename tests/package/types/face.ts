// The public types of "bookmore-sdk", each as it must be. Compiled, never run.
import * as sdk from "bookmore-sdk";
import type {
  AiChatUsageResponse, AttemptInfo, BearerToken, ClientOptions, ErrorCode, ErrorDetails, ClientEvent, Format, GetAiChatUsage,
  RequestOptions, ResponseError, ResponseInfo, ResponseStatus, TokenProvider, TokenRequest, WasmSource, WithResponse,
} from "bookmore-sdk";

// ---- What there is ----

same<
  keyof typeof sdk,
  | "BookMoreClient" | "isBookMoreClient" | "isBookMoreError" | "BookMoreError"
  | "ConfigError" | "TokenProviderError" | "TimeoutError" | "NetworkError"
  | "ApiError" | "AuthenticationError" | "PermissionDeniedError" | "RateLimitError" | "ServerError"
  | "UnexpectedResponseError" | "DecodeError" | "RuntimeUnsupportedError" | "InternalError"
>();

// ---- The client ----

same<ConstructorParameters<typeof sdk.BookMoreClient>, [options?: ClientOptions | undefined]>();
same<
  { [Name in keyof sdk.BookMoreClient]: sdk.BookMoreClient[Name] },
  {
    ready: () => Promise<void>;
    setBearerToken: (token: string | TokenProvider | null) => void;
    getAiChatUsage: (request?: GetAiChatUsage, options?: RequestOptions) => Promise<AiChatUsageResponse>;
    getAiChatUsageWithResponse: (request?: GetAiChatUsage, options?: RequestOptions) => Promise<WithResponse>;
  }
>();

type HeadersOption = Record<string, string> | Headers | Iterable<[string, string]>;
same<
  ClientOptions,
  {
    baseUrl?: string | URL | undefined;
    bearerToken?: string | TokenProvider | null | undefined;
    apiKey?: string | undefined;
    credentials?: "omit" | "same-origin" | "include" | undefined;
    format?: Format | undefined;
    headers?: HeadersOption | undefined;
    fetch?: typeof fetch | undefined;
    maxRetries?: number | undefined;
    attemptTimeoutMs?: number | null | undefined;
    totalTimeoutMs?: number | null | undefined;
    allowInsecureHttp?: boolean | undefined;
    onEvent?: ((event: ClientEvent) => void) | undefined;
  }
>();
same<
  RequestOptions,
  {
    signal?: AbortSignal | null | undefined;
    format?: Format | undefined;
    headers?: HeadersOption | undefined;
    maxRetries?: number | undefined;
    attemptTimeoutMs?: number | null | undefined;
    totalTimeoutMs?: number | null | undefined;
    coalesce?: boolean | undefined;
  }
>();
same<Format, "json" | "jsonl">();
same<TokenRequest, { forceRefresh: boolean; signal: AbortSignal }>();
same<BearerToken, { token: string; expiresAt?: number | Date | undefined }>();
type Token = string | BearerToken | null | undefined;
same<TokenProvider, (about: TokenRequest) => Token | Promise<Token>>();
type Wasm = WebAssembly.Module | BufferSource | Response | URL | string;
same<WasmSource, Wasm | Promise<Wasm>>();

// ---- What is asked and answered ----

same<GetAiChatUsage, { companyId?: string | undefined }>();
same<
  AiChatUsageResponse,
  {
    companyId?: string;
    tokensUsed: number;
    tokenLimit: number;
    tokensRemaining: number;
    isWithinBudget: boolean;
    windowDays: number;
    responseStatus?: ResponseStatus;
  }
>();
same<
  ResponseStatus,
  {
    errorCode?: string;
    message?: string;
    stackTrace?: string;
    errors?: ResponseError[];
    meta?: Record<string, string>;
  }
>();
same<ResponseError, { errorCode?: string; fieldName?: string; message?: string; meta?: Record<string, string> }>();
same<ErrorDetails, { code: ErrorCode; message: string; cause?: unknown; status?: number; [property: string]: unknown }>();
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
  | { type: "attempt"; attempt: number; url: string }
  | { type: "response"; attempt: number; status: number }
  | { type: "retry"; attempt: number; waitMs: number; code: ErrorCode; status?: number }
  | { type: "error"; attempt: number; code: ErrorCode; status?: number; elapsedMs: number }
>();

// ---- Errors ----

same<
  ErrorCode,
  | "config_error" | "token_provider_error" | "timeout" | "network_error"
  | "api_error" | "authentication_error" | "permission_denied" | "rate_limited" | "server_error"
  | "unexpected_response" | "company_mismatch" | "decode_error" | "runtime_unsupported" | "internal_error"
>();

interface Any {
  readonly code: ErrorCode;
  readonly cause?: unknown;
  readonly attempts?: readonly AttemptInfo[];
  readonly elapsedMs?: number;
}
interface Api extends Any {
  readonly status: number;
  readonly errorCode?: string;
  readonly fieldErrors: readonly ResponseError[];
  readonly requestId?: string;
  readonly retryAfterMs?: number;
  readonly retryAt?: Date;
}
interface Timeout extends Any {
  readonly phase: "token" | "headers" | "body" | "backoff";
  readonly scope: "attempt" | "total";
  readonly timeoutMs: number;
}
interface Unexpected extends Any {
  readonly status: number;
  readonly contentType?: string;
  readonly location?: string;
  readonly requestedCompanyId?: string;
  readonly receivedCompanyId?: string;
}
interface Decode extends Any {
  readonly status: number;
  readonly path: string;
  readonly offset: number;
}
same<Own<sdk.BookMoreError>, Own<Any>>();
same<Own<sdk.ConfigError>, Own<Any>>();
same<Own<sdk.TokenProviderError>, Own<Any>>();
same<Own<sdk.NetworkError>, Own<Any>>();
same<Own<sdk.RuntimeUnsupportedError>, Own<Any>>();
same<Own<sdk.InternalError>, Own<Any>>();
same<Own<sdk.TimeoutError>, Own<Timeout>>();
same<Own<sdk.ApiError>, Own<Api>>();
same<Own<sdk.AuthenticationError>, Own<Api>>();
same<Own<sdk.PermissionDeniedError>, Own<Api>>();
same<Own<sdk.RateLimitError>, Own<Api>>();
same<Own<sdk.ServerError>, Own<Api>>();
same<Own<sdk.UnexpectedResponseError>, Own<Unexpected>>();
same<Own<sdk.DecodeError>, Own<Decode>>();

export function caught(thrown: unknown) {
  if (sdk.isBookMoreError(thrown)) same<typeof thrown, sdk.BookMoreError>();
  else same<typeof thrown, unknown>();
  if (thrown instanceof sdk.RateLimitError) {
    const api: sdk.ApiError = thrown;
    const any: sdk.BookMoreError = api;
    const error: Error = any;
    return error;
  }
  return undefined;
}

// ---- As it is used ----

/** Each option may be there and undefined, which `exactOptionalPropertyTypes` tells from absent, and `same` does not. */
export function unset(
  client: Record<keyof ClientOptions, undefined>,
  call: Record<keyof RequestOptions, undefined>,
  request: Record<keyof GetAiChatUsage, undefined>,
) {
  return new sdk.BookMoreClient(client).getAiChatUsage(request, call);
}

export async function used(signal: AbortSignal): Promise<number> {
  new sdk.BookMoreClient();
  new sdk.BookMoreClient({ bearerToken: "token", headers: [["X-Language", "sv"]] });
  new sdk.BookMoreClient({ bearerToken: () => null, headers: new Map([["X-Language", "sv"]]) });
  new sdk.BookMoreClient({ bearerToken: async ({ forceRefresh, signal }) => (forceRefresh && !signal.aborted ? "new" : "old") });
  const client = new sdk.BookMoreClient({
    baseUrl: new URL("https://api.bookmore.com"),
    bearerToken: async () => ({ token: "token", expiresAt: new Date() }),
    fetch: (input, init) => fetch(input, init),
    attemptTimeoutMs: null,
    onEvent: (event) => void (event.type === "retry" && event.waitMs),
  });
  await client.getAiChatUsage();
  const { data, response } = await client.getAiChatUsageWithResponse({ companyId: "x" }, { signal, maxRetries: 0 });
  return data.tokensUsed + response.elapsedMs;
}

export async function refused(client: sdk.BookMoreClient) {
  // @ts-expect-error: XML is none of the formats
  new sdk.BookMoreClient({ format: "xml" });
  // @ts-expect-error: the option is called baseUrl
  new sdk.BookMoreClient({ baseURL: "https://api.bookmore.com" });
  // @ts-expect-error: a token is text
  new sdk.BookMoreClient({ bearerToken: () => 5 });
  // @ts-expect-error: the module is given to "bookmore-sdk/slim" only
  new sdk.BookMoreClient({ wasm: "/sdk.wasm" });
  // @ts-expect-error: a Guid is text
  client.getAiChatUsage({ companyId: 5 });
  // @ts-expect-error: null is not a way to leave it out
  client.getAiChatUsage({ companyId: null });
  // @ts-expect-error: a signal is an option, not the request
  client.getAiChatUsage({ signal: new AbortController().signal });
  const usage = await client.getAiChatUsage();
  // @ts-expect-error: members have camelCase names whatever the server writes
  usage.TokensUsed;
  // @ts-expect-error: it can be absent
  usage.companyId.length;
  // @ts-expect-error: memory is the package's own business
  client.free();
}
