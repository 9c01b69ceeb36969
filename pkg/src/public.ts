/**
 * Typed client for one operation of the BookMore API:
 * `GET /assistant/ai-chat/usage`, a company's AI-assistant token usage.
 *
 * @packageDocumentation
 */
export {
  ApiError,
  AuthenticationError,
  BookMoreError,
  ConfigError,
  DecodeError,
  FetchError,
  InternalError,
  NetworkError,
  PermissionDeniedError,
  RateLimitError,
  RuntimeUnsupportedError,
  ServerError,
  TimeoutError,
  TokenProviderError,
  UnexpectedResponseError,
  isBookMoreError,
  type AnyBookMoreError,
  type ApiErrorInit,
  type ErrorInit,
} from "./errors.js";
export { isBookMoreClient, type BookMoreClientLike } from "./client.js";
export type * from "./reply.js";
export type * from "./types.js";
