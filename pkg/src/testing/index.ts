/**
 * A BookMore API in memory for tests, with a rolling window of usage, the bytes of
 * a real server, and the failures of servers and networks.
 *
 * @packageDocumentation
 */
export { createFakeBookMore, type FakeBookMore, type FakeOptions } from "./fake.js";
export { RequestMismatchError, type FakeRequest } from "./request.js";
export { usage, type UsageMembers } from "./usage.js";
export type { CorsPolicy } from "./cors.js";
export type { Host } from "./wire.js";
export type {
  Answers,
  ExpiredFailure,
  Failure,
  HangFailure,
  LoginPageFailure,
  LoginRedirectFailure,
  MovedFailure,
  NetworkFailure,
  NoCompanyFailure,
  OtherCompanyFailure,
  QuotaFailure,
  SlowReply,
  StatusFailure,
  TruncatedFailure,
} from "./failures.js";
