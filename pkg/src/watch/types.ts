import type { AiChatUsageResponse, AnyBookMoreError } from "bookmore-sdk";

/** How a usage is watched. */
export interface WatchOptions {
  /**
   * Milliseconds from the end of a request to the next, give or take a tenth;
   * at least 5 000. Of the stores that share a poll the shortest counts.
   * Default: 60 000.
   */
  intervalMs?: number | undefined;
  /**
   * The longest interval, in milliseconds: it doubles up to this while nothing
   * changes and the usage is below the lowest threshold. Default: 300 000, or
   * `intervalMs` where that is longer.
   */
  idleIntervalMs?: number | undefined;
  /** Whether a page that is hidden goes on asking. Default: `"pause"`. */
  whenHidden?: "pause" | "poll" | undefined;
  /** Shares of the limit. Default: `[0.8, 0.95, 1]`. */
  thresholds?: readonly number[] | undefined;
  /**
   * Called when the usage reaches a threshold, at the first answer too; where it
   * reaches several at once, for the highest. Called for the same one again only
   * after the usage was two percentage points below it. What it throws is an
   * uncaught error.
   */
  onThreshold?: ((reached: UsageThreshold) => void) | undefined;
  /**
   * What is shown until the first answer, such as what a server has rendered. It
   * is passed over where it names another company than the one that is asked for.
   */
  initialUsage?: AiChatUsageResponse | undefined;
  /**
   * What was used before, as the app has kept it, for the {@link Trend}: `at` in
   * milliseconds since 1970, in any order.
   */
  history?: readonly { readonly at: number; readonly tokensUsed: number }[] | undefined;
}

/** A threshold that was reached. */
export interface UsageThreshold {
  /** One of the `thresholds`. */
  threshold: number;
  /** The usage that reached it. */
  usage: AiChatUsageResponse;
}

/**
 * `warning` from the lowest threshold on, `critical` from the second, `over` when
 * not within budget, else `ok`.
 */
export type UsageLevel = "ok" | "warning" | "critical" | "over";

/** What is known of a usage. It is not changed: another one takes its place. */
export interface UsageState {
  /**
   * `pending`: no answer yet. `ok`: the last request brought a usage. `error`:
   * it failed, and another follows. `stopped`: it failed so that no other would
   * go better.
   */
  readonly status: "pending" | "ok" | "error" | "stopped";
  /** The last that came, also beside an error. The same object while it is equal. */
  readonly usage?: AiChatUsageResponse;
  /** Why the last request failed. */
  readonly error?: AnyBookMoreError;
  /** When the usage came, in milliseconds since 1970. */
  readonly updatedAt?: number;
  /** Used of the limit, beyond 1 too; absent where the limit is 0. */
  readonly share?: number;
  /** How serious it is. */
  readonly level?: UsageLevel;
  /** Where it is going. */
  readonly trend?: Trend;
}

/**
 * Where a usage is going. The window rolls: nothing resets, and what is seen
 * is what was spent less what has dropped out.
 */
export interface Trend {
  /** Tokens: what was used, by the days of the window. */
  readonly usedPerDay: number;
  /** Tokens: the limit by the days of the window. */
  readonly sustainablePerDay: number;
  /** How the usage changed, in tokens a day, over `spanMs`. */
  readonly netPerDay?: number;
  /** Over how many milliseconds that was seen. */
  readonly spanMs?: number;
  /**
   * When the limit is reached if this trend continues, in milliseconds since
   * 1970. Only where the change was seen over 7 days or more, and for the next
   * 14 days.
   */
  readonly exhaustsAt?: number;
}

/** A usage that is kept up to date. Its functions need no `this`. */
export interface UsageStore extends AsyncIterable<UsageState> {
  /**
   * Calls `run` at once and after each change, until the function that it gives
   * is called. In Node.js a subscription does not keep the process alive, neither
   * before the first request nor between two; iterating with `for await` does.
   */
  subscribe(run: (state: UsageState) => void): () => void;
  /** The same object until something changes. */
  getSnapshot(): UsageState;
  /** What the store was made with: what a server and a page that takes over from it show. */
  getServerSnapshot(): UsageState;
  /**
   * Asks now, with a request that is sent after this call. It works without a
   * subscription, and while the store is stopped. Who does not wait for it need
   * not catch either: the state tells how it failed.
   *
   * @throws What the client's call does; a ConfigError where the request is null.
   */
  refresh(): Promise<AiChatUsageResponse>;
}
