// The states of a meter, by name, for its screenshots and for the tests of each state.
import { AuthenticationError, ConfigError, NetworkError, RateLimitError } from "bookmore-sdk";

const AT = Date.UTC(2026, 0, 31, 13, 5);
const used = (tokensUsed, tokenLimit, level, rest = {}) => ({
  status: "ok",
  usage: { tokensUsed, tokenLimit, tokensRemaining: tokenLimit - tokensUsed, isWithinBudget: level !== "over", windowDays: 30 },
  ...(tokenLimit > 0 && { share: tokensUsed / tokenLimit }),
  level,
  updatedAt: AT,
  ...rest,
});

export const STATES = {
  pending: { status: "pending" },
  unused: used(0, 100_000, "ok"),
  ok: used(12_300, 100_000, "ok"),
  warning: used(83_000, 100_000, "warning"),
  critical: used(99_600, 100_000, "critical"),
  reached: used(100_000, 100_000, "over"),
  over: used(130_000, 100_000, "over"),
  "far over": used(2_500_000_000, 1_000_000, "over"),
  "no limit": used(12_300, 0, "over"),
  "ten digits": used(1_234_567_890, 9_876_543_210, "ok"),
  "stale, no network": used(83_000, 100_000, "warning", { status: "error", error: new NetworkError({ message: "No reply came." }) }),
  "stale, logged out": used(12_300, 100_000, "ok", { status: "stopped", error: new AuthenticationError({ message: "No.", status: 401 }) }),
  "no figures, busy": { status: "error", error: new RateLimitError({ message: "Busy.", status: 429, isRetryable: true }) },
  "stale, busy for long": used(12_300, 100_000, "ok", { status: "error", error: new RateLimitError({ message: "Busy.", status: 429, isRetryable: true, retryAt: Date.UTC(2096, 0, 31, 13, 5, 1) }) }),
  "stale, quota": used(12_300, 100_000, "ok", { status: "error", error: new RateLimitError({ message: "Used up.", status: 429 }) }),
  "wrong company id": { status: "stopped", error: new ConfigError({ message: "The company id is not a Guid. Pass one such as 9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c." }) },
};

/** A store that stays in one state until it is set to another. */
export function storeOf(state) {
  const runs = new Set();
  return {
    subscribe(run) {
      runs.add(run);
      run(state);
      return () => runs.delete(run);
    },
    set(next) {
      state = next;
      for (const run of [...runs]) run(next);
    },
    get listeners() {
      return runs.size;
    },
    refreshes: 0,
    async refresh() {
      this.refreshes++;
      return state.usage;
    },
  };
}
