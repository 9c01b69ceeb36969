/**
 * The usage of many companies, with limited concurrency, pacing, progress and a
 * second attempt for companies whose call failed temporarily.
 *
 * @packageDocumentation
 */
import type { BookMoreClientLike } from "bookmore-sdk";
import { named } from "../thrown.js";
import type { ManyAiChatUsage, ManyOptions, ManyOutcome } from "./outcome.js";
import { Run } from "./run.js";

export type { ManyAiChatUsage, ManyOptions, ManyOutcome, ManyProgress } from "./outcome.js";

/**
 * Gets the usage of many companies. Each id has an outcome of its own,
 * `{ companyId, usage }` or `{ companyId, error }`, so a failure affects no other
 * company. An id that is given twice is requested once.
 *
 * While the client is paused nothing is sent, and no call's timeout runs. After
 * ten pauses in a row without a success, which take four to ten minutes, the run
 * is given up: all ids left have the last 429 as their outcome.
 *
 * An abort cancels what is in flight and sends nothing more. Awaiting then rejects
 * with the signal's reason; iterating throws it after the outcomes so far. Leaving
 * the loop early cancels in the same way.
 *
 * @param client A client, or an object that stands in for one.
 * @param companyIds Any iterable or async iterable; ids are taken as they are needed.
 * @throws When it is awaited or iterated: a `ConfigError` for an invalid option, whatever
 * `companyIds` throws, the reason of the signal, and what a call throws if the module
 * cannot be loaded, such as a `TimeoutError`.
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
