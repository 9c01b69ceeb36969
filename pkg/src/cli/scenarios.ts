import type { FakeBookMore } from "bookmore-sdk/testing";

/** The scenarios of `serve`, by name. */
export const SCENARIOS: Record<string, Parameters<FakeBookMore["set"]>[1]> = {
  "over-budget": { share: 1.2 },
  unauthorized: { status: 401 },
  forbidden: { status: 403 },
  "not-found": { status: 404 },
  "rate-limited": { status: 429, retryAfter: 2 },
  quota: { kind: "quota" },
  "server-error": { status: 500 },
  maintenance: { status: 503, retryAfter: 5 },
  // A retry succeeds.
  flaky: [{ status: 503 }, {}],
  slow: { kind: "slow", delayMs: 3000 },
  hang: { kind: "hang" },
  network: { kind: "network" },
  truncated: { kind: "truncated" },
  "login-page": { kind: "login-page" },
  "login-redirect": { kind: "login-redirect" },
  moved: { kind: "moved" },
  expired: { kind: "expired" },
  "other-company": { kind: "other-company" },
};
