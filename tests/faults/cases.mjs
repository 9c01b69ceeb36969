// The rows of the table, each with the rule that makes an outcome right.
//
// A case ends as `{ value }`, `{ error }` or `{ pending: true }`, with the `requests` that arrived,
// `[{ at, headers }]`, and those that arrived `elsewhere`, at the other origin. The rules demand
// only what a caller needs: a failure must reject, whatever is thrown.
import { isSameUsage } from "./usage.mjs";

/** A case that has not ended after this time is lost. */
export const BOUND_MS = 15_000;

const USAGE = { tokensUsed: "1234", tokenLimit: 100000, tokensRemaining: "98766", isWithinBudget: true, windowDays: 30 };
const BIG = { tokensUsed: "9007199254740993", tokenLimit: 2147483647, tokensRemaining: "0", isWithinBudget: false, windowDays: 30 };

// Timers may fire slightly early by another clock.
const EARLY_MS = 20;

const rejects = { words: "rejects", holds: ({ error }) => error !== undefined };
const succeeds = { words: "gives the right numbers", holds: ({ value }) => isSameUsage(value, USAGE) };
const exactOrRejects = {
  words: "rejects, or gives exactly this number",
  holds: ({ error, value }) => error !== undefined || isSameUsage(value, BIG),
};

const atMost = (n) => ({
  words: n === 1 ? "asks once" : `asks at most ${n} times`,
  holds: ({ requests }) => requests.length <= n,
});

/** The second request is no earlier than the server asked. */
const waits = (words, due) => ({
  words: `asks again no earlier than ${words}`,
  holds: ({ requests: [first, second] }) => second === undefined || second.at >= due(first.at) - EARLY_MS,
});
const waitsMs = (ms) => waits(`${ms} ms later`, (at) => at + ms);
// An HTTP date has no fractions of a second.
const waitsForDate = waits("that date", (at) => Math.floor((at + 2000) / 1000) * 1000);

const keepsSecrets = {
  words: "sends neither the token nor the x-api-key there",
  holds: ({ elsewhere }) => elsewhere.every(({ headers }) => !headers.authorization && !headers["x-api-key"]),
};

/** `[name of the fault, rules...]`: an outcome is right if all of them hold. */
export const CASES = [
  ["stall-headers", rejects],
  ["stall-body", rejects],
  ["truncated", rejects],
  ["truncated-clean", rejects],
  ["reset-then-200", succeeds],
  ["slow-drip", succeeds],
  ["gzip", succeeds],

  ["503-then-200", succeeds],
  ["503-forever", rejects, atMost(5)],
  ["retry-after-seconds", succeeds, waitsMs(1000)],
  ["retry-after-ms", succeeds, waitsMs(700)],
  ["retry-after-date", succeeds, waitsForDate],
  ["retry-after-0", succeeds],
  ["retry-after-malformed", succeeds],
  ["retry-after-3600", rejects, atMost(1)],
  ["429-quota", rejects, atMost(1)],

  ["401-empty", rejects],
  ["401-body", rejects],
  ["401-then-200", succeeds],
  ["redirect-other-origin", keepsSecrets],
  ["redirect-login", rejects],

  ["html-200", rejects],
  ["empty-200", rejects],
  ["wrong-types", rejects],
  ["big-int", exactOrRejects],
].map(([name, ...rules]) => ({ name, rule: rules.map(({ words }) => words).join("; "), rules }));

/** Why the outcome is wrong, in words; undefined if it is right. */
export function fault({ rules }, outcome) {
  if (outcome.unhandled) return `left an unhandled rejection: ${outcome.unhandled}`;
  if (outcome.pending) return `still pending after ${BOUND_MS / 1000} s, ${count(outcome)}`;
  const broken = rules.find(({ holds }) => !holds(outcome));
  return broken && `not: ${broken.words}; it ${ending(outcome)}, ${count(outcome)}`;
}

const count = ({ requests }) => `${requests.length} request${requests.length === 1 ? "" : "s"}`;

function ending({ error, value }) {
  if (error === undefined) return `gave ${brief(JSON.stringify(value))}`;
  return `rejected: ${brief(error instanceof Error ? error.message : JSON.stringify(error))}`;
}

const brief = (text = "undefined") => (text.length > 120 ? `${text.slice(0, 120)}…` : text);
