import { named } from "./thrown.js";

/**
 * Who is told when a signal aborts. One listener a signal, however many calls
 * it is given to: Node warns of more than ten.
 */
const listeners = new WeakMap<AbortSignal, { runs: Set<() => void>; end(): void }>();

/** Calls `run` when `signal` aborts, unless the function that it returns is called before. */
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

/** A signal that cannot do it, as one made by hand may be, does no harm: one that does not listen does not abort. */
function tellSignal(signal: AbortSignal, method: "addEventListener" | "removeEventListener", tell: () => void): void {
  try {
    signal[method]("abort", tell);
  } catch {
    // See above.
  }
}

/** Why `signal` aborted; platforms of old do not tell, and one made by hand may throw. */
export function abortReason(signal: AbortSignal): unknown {
  let reason: unknown;
  try {
    reason = signal.reason;
  } catch {
    // See above.
  }
  return reason === undefined ? named("AbortError", "This operation was aborted") : reason;
}
