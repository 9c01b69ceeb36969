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
    signal.removeEventListener?.("abort", tell);
  };
  signal.addEventListener("abort", tell);
  const all = { runs, end };
  listeners.set(signal, all);
  return all;
}

/** Why `signal` aborted; platforms of old do not tell. */
export function abortReason({ reason }: AbortSignal): unknown {
  return reason === undefined ? named("AbortError", "This operation was aborted") : reason;
}
