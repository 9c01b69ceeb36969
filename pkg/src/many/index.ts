/**
 * The usage of many companies: a pool, pacing, progress, and another chance for
 * those who met a server that was away.
 *
 * @packageDocumentation
 */
import type { BookMoreClientLike } from "bookmore-sdk";
import { named } from "../thrown.js";
import type { ManyAiChatUsage, ManyOptions, ManyOutcome } from "./outcome.js";
import { Run } from "./run.js";

export type { ManyAiChatUsage, ManyOptions, ManyOutcome, ManyProgress } from "./outcome.js";

/**
 * Gets the usage of many companies. One failure never loses a success: each id
 * comes to `{ companyId, usage }` or `{ companyId, error }`. An id that is there
 * twice is asked for once.
 *
 * Nothing is sent while the client is paused, and no call's time limit covers
 * such a wait. Where ten pauses follow each other and nobody succeeds, which
 * takes four to ten minutes, nobody is asked any more: who is left comes to the
 * last 429.
 *
 * An abort sends nothing more and cancels what is in flight: awaiting rejects
 * with the signal's reason, and iterating throws it after what has come. Leaving
 * the loop early does the same.
 *
 * @param client A client, or an object with its functions.
 * @param companyIds Any iterable, async or not: ids are taken as they are needed.
 * @throws A `ConfigError` where an option cannot be used, what `companyIds` throws,
 * the reason of the signal, or where there is no module what a call throws, such as a
 * `TimeoutError` after the time limit of a call; when it is awaited or iterated.
 */
export function getManyAiChatUsage(
  client: BookMoreClientLike,
  companyIds: Iterable<string> | AsyncIterable<string>,
  options: ManyOptions = {},
): ManyAiChatUsage {
  const run = new Run({ client, companyIds, options });
  let all: Promise<ManyOutcome[]> | undefined;

  async function waitForAll(): Promise<ManyOutcome[]> {
    run.read = Infinity;
    run.start();
    while (!run.end) await run.change();
    if ("reason" in run.end) throw run.end.reason;
    return run.outcomes;
  }

  // Not a generator: it would leave only after the outcome that is waited for.
  function each(): AsyncIterableIterator<ManyOutcome, void> {
    let at = 0;
    let isOver = false;
    const iterator: AsyncIterableIterator<ManyOutcome, void> = {
      async next() {
        run.read = Math.max(run.read, at);
        run.start();
        while (!isOver) {
          if (at < run.came.length) return { done: false, value: run.came[at++]! };
          if (!run.end) await run.change();
          else {
            isOver = true;
            if ("reason" in run.end) throw run.end.reason;
          }
        }
        return { done: true, value: undefined };
      },
      async return() {
        isOver = true;
        run.stop(named("AbortError", "The loop over the outcomes was left."));
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  return {
    then: (fulfilled, rejected) => (all ??= waitForAll()).then(fulfilled, rejected),
    [Symbol.asyncIterator]: each,
  };
}
