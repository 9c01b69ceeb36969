/**
 * A BookMore API for tests: in memory, with a rolling window, real bytes and
 * the failures that the real one has.
 *
 * @packageDocumentation
 */
export { createFakeBookMore, type FakeBookMore, type FakeOptions } from "./fake.js";
export { RequestMismatchError, type FakeRequest } from "./request.js";
export { usage, type UsageMembers } from "./usage.js";
export type { Host } from "./wire.js";
export type {
  Answers,
  Failure,
  HangFailure,
  LoginPageFailure,
  NetworkFailure,
  NoCompanyFailure,
  OtherCompanyFailure,
  QuotaFailure,
  SlowReply,
  StatusFailure,
  TruncatedFailure,
} from "./failures.js";
