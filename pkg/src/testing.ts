/**
 * A BookMore API for tests: in memory, with a rolling window, real bytes and
 * the failures that the real one has.
 *
 * @packageDocumentation
 */
export type { Answers } from "./testing/companies.js";
export { createFakeBookMore, type FakeBookMore, type FakeOptions } from "./testing/fake.js";
export { RequestMismatchError, type FakeRequest } from "./testing/request.js";
export { usage, type UsageMembers } from "./testing/usage.js";
export type { Host } from "./testing/wire.js";
export type * from "./testing/failures.js";
