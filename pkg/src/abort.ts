import { named } from "./thrown.js";

/**
 * What runs when a signal aborts. Each signal gets one listener, however many
 * calls share it, because Node.js warns about more than ten.
 */
const listeners = new WeakMap<AbortSignal, { runs: Set<() => void>; end(): void }>();

/** Calls `run` when `signal` aborts. The returned function cancels that. */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  const all = listeners.get(signal) ?? listen(signal);
  all.runs.add(run);
  return () => all.runs.delete(run) && all.runs.size === 0 && all.end();
}

function listen(signal: AbortSignal): { runs: Set<() => void>; end(): void } {
  const runs = new Set<() => void>();
  const tell = () => {
    end();
    for (const run of runs) run();
  };
  const end = () => {
    listeners.delete(signal);
    tellSignal(signal, "removeEventListener", tell);
  };
  tellSignal(signal, "addEventListener", tell);
  const all = { runs, end };
  listeners.set(signal, all);
  return all;
}

/** A handmade signal may lack the method, and then never aborts. */
function tellSignal(signal: AbortSignal, method: "addEventListener" | "removeEventListener", tell: () => void): void {
  try {
    signal[method]("abort", tell);
  } catch {
    // See above.
  }
}

/** The reason of `signal`. Old platforms have none, and a handmade signal's getter may throw. */
export function abortReason(signal: AbortSignal): unknown {
  let reason: unknown;
  try {
    reason = signal.reason;
  } catch {
    // See above.
  }
  return reason === undefined ? named("AbortError", "This operation was aborted") : reason;
}
