import type { AiChatUsageResponse, AnyBookMoreError, RequestOptions } from "bookmore-sdk";

/** The outcome of an id: `usage` or `error`. */
export type ManyOutcome =
  | {
      /** As it was given. */
      companyId: string;
      usage: AiChatUsageResponse;
      error?: undefined;
    }
  | {
      /** As it was given. */
      companyId: string;
      /** What `getAiChatUsage` would have thrown: the last error, if the company was asked again. */
      error: AnyBookMoreError;
      usage?: undefined;
    };

/** The progress of a run. */
export interface ManyProgress {
  /** Ids that have their outcome. */
  done: number;
  /** Failures among them. */
  failed: number;
  /** Companies that failed and will be asked again after the others. */
  again: number;
  /** The number of ids; absent until an iterable without `length` or `size` has ended. */
  total?: number;
  /** Outcomes a second since the start. */
  ratePerSecond: number;
  /** The estimated time left in milliseconds, from the progress so far; absent if unknown. */
  etaMs?: number;
}

/** Options of a run, besides those of each call. */
export interface ManyOptions extends RequestOptions {
  /**
   * How many calls may be in flight at once, from 1 to 1000. A 429 halves it;
   * it grows back by one after as many successes as calls are in flight. Default: 6.
   */
  concurrency?: number | undefined;
  /**
   * How many further rounds there are for companies that failed in a way worth
   * retrying, 0 to 5. A round starts after all other calls and a pause of 2 s,
   * then 4 s, and so on, and makes one attempt for each company, not before the
   * time that the server named. A company whose server asked to wait for more
   * than a minute is not asked again. A 429 in the last round does not count as
   * its company's attempt. Default: 1.
   */
  rounds?: number | undefined;
  /**
   * Called with the progress, at most ten times a second and at the end. Errors
   * that it throws are ignored.
   */
  onProgress?: ((progress: ManyProgress) => void) | undefined;
}

/**
 * Await it for all outcomes in the order of the ids, or iterate it with
 * `for await` for each as it arrives. It starts when first awaited or iterated.
 */
export interface ManyAiChatUsage extends PromiseLike<ManyOutcome[]>, AsyncIterable<ManyOutcome> {}
