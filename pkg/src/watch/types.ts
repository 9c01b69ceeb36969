import type { AiChatUsageResponse, AnyBookMoreError } from "bookmore-sdk";

/** Options of `watchAiChatUsage`. */
export interface WatchOptions {
  /**
   * Milliseconds from the end of a request to the next, give or take a tenth; at
   * least 5 000. Stores that share a poll use the shortest of their intervals.
   * Default: 60 000.
   */
  intervalMs?: number | undefined;
  /**
   * The longest interval, in milliseconds. While nothing changes and the usage is
   * below the lowest threshold, the interval doubles up to it. Default: 300 000,
   * or `intervalMs` if that is longer.
   */
  idleIntervalMs?: number | undefined;
  /** Whether polling continues while the page is hidden. Default: `"pause"`. */
  whenHidden?: "pause" | "poll" | undefined;
  /** The thresholds, as shares of the limit. Default: `[0.8, 0.95, 1]`. */
  thresholds?: readonly number[] | undefined;
  /**
   * Called when the usage reaches a threshold, also with the first answer; once,
   * with the highest, if it reaches several at the same time. Called for the same
   * threshold again only after the usage was two percentage points below it. An
   * error that it throws is uncaught.
   */
  onThreshold?: ((reached: UsageThreshold) => void) | undefined;
  /**
   * The usage to show until the first answer, for example one that a server has
   * rendered. Ignored if it names another company than the requested one.
   */
  initialUsage?: AiChatUsageResponse | undefined;
  /**
   * Past usages that the app has kept, for the {@link Trend}: `at` in
   * milliseconds since 1970, in any order.
   */
  history?: readonly { readonly at: number; readonly tokensUsed: number }[] | undefined;
}

/** The argument of `onThreshold`. */
export interface UsageThreshold {
  /** The one of `thresholds` that was reached. */
  threshold: number;
  /** The usage that reached it. */
  usage: AiChatUsageResponse;
}

/**
 * `over` when not within budget, `critical` from the second threshold on,
 * `warning` from the lowest on, else `ok`.
 */
export type UsageLevel = "ok" | "warning" | "critical" | "over";

/** What a store knows of a usage. Immutable: each change makes a new object. */
export interface UsageState {
  /**
   * `pending`: no answer yet. `ok`: the last request succeeded. `error`: it
   * failed, and polling continues. `stopped`: it failed in a way that repeating
   * would not change, and polling has stopped.
   */
  readonly status: "pending" | "ok" | "error" | "stopped";
  /** The latest usage; an error does not remove it. The same object while it is equal. */
  readonly usage?: AiChatUsageResponse;
  /** Why the last request failed. */
  readonly error?: AnyBookMoreError;
  /** When the usage arrived, in milliseconds since 1970. */
  readonly updatedAt?: number;
  /** Tokens used divided by the limit; may exceed 1. Absent if the limit is 0. */
  readonly share?: number;
  /** How close the usage is to the limit. */
  readonly level?: UsageLevel;
  /** How the usage changes over time. */
  readonly trend?: Trend;
}

/**
 * How a usage changes over time. The window rolls, so nothing resets: a change
 * is the tokens spent minus those that dropped out of the window.
 */
export interface Trend {
  /** Tokens a day: the tokens used divided by the days of the window. */
  readonly usedPerDay: number;
  /** Tokens a day: the limit divided by the days of the window. */
  readonly sustainablePerDay: number;
  /** How the usage changed, in tokens a day, over `spanMs`. */
  readonly netPerDay?: number;
  /** The time over which the change was observed, in milliseconds. */
  readonly spanMs?: number;
  /**
   * When the limit is reached if this trend continues, in milliseconds since
   * 1970. Present only if the change was observed over 7 days or more, and the
   * limit is reached within the next 14 days.
   */
  readonly exhaustsAt?: number;
}

/** A store that keeps a usage up to date. Its functions need no `this`. */
export interface UsageStore extends AsyncIterable<UsageState> {
  /**
   * Calls `run` at once and after each change. Returns a function that ends the
   * subscription. In Node.js a subscription keeps the process alive neither
   * before the first request nor between requests; iterating with `for await` does.
   */
  subscribe(run: (state: UsageState) => void): () => void;
  /** The current state: the same object until something changes. */
  getSnapshot(): UsageState;
  /** The initial state, for rendering on a server and for hydration. */
  getServerSnapshot(): UsageState;
  /**
   * Sends a request now and resolves with its usage. Works without a
   * subscription and while polling has stopped. Callers that do not await it need
   * not catch its rejection: the state has the error.
   *
   * @throws The error of the client's call; a ConfigError if the request is null.
   */
  refresh(): Promise<AiChatUsageResponse>;
}
