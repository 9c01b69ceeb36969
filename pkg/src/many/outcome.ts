import type { AiChatUsageResponse, AnyBookMoreError, RequestOptions } from "bookmore-sdk";

/** What an id came to: `usage`, or `error`. */
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
      /** What `getAiChatUsage` would have thrown; the last one, where the company was asked again. */
      error: AnyBookMoreError;
      usage?: undefined;
    };

/** How far it has come. */
export interface ManyProgress {
  /** Ids that have their outcome. */
  done: number;
  /** How many of them are failures. */
  failed: number;
  /** Companies that have failed and are asked again after the others. */
  again: number;
  /** How many ids there are; absent as long as an iterable without `length` or `size` has not ended. */
  total?: number;
  /** Outcomes a second, since the start. */
  ratePerSecond: number;
  /** How long it will take, as it went until now, in milliseconds; absent where nobody knows. */
  etaMs?: number;
}

/** How many companies are asked. What else may be given is as for each call. */
export interface ManyOptions extends RequestOptions {
  /**
   * How many calls may be under way at once, from 1 to 1000. A 429 halves it;
   * it grows back by one for as many successes as are in flight. Default: 6.
   */
  concurrency?: number | undefined;
  /**
   * How often those who failed in a way that may pass are asked again, after all
   * others: 0 to 5. There is one attempt each, 2 s after the others, then 4 s,
   * and so on, and not before the time that the server named: who was told to
   * wait for more than a minute is not asked again. A 429 in the last round
   * takes nobody's chance. Default: 1.
   */
  rounds?: number | undefined;
  /**
   * Is told how far it has come, at most ten times a second and at the end. What
   * it throws changes nothing.
   */
  onProgress?: ((progress: ManyProgress) => void) | undefined;
}

/**
 * Awaited, an outcome for each id, in the order of the ids; iterated with
 * `for await`, each as it comes. It starts when it is first awaited or iterated.
 */
export interface ManyAiChatUsage extends PromiseLike<ManyOutcome[]>, AsyncIterable<ManyOutcome> {}
