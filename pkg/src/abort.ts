/**
 * Who is told when a signal aborts. One listener a signal, however many calls
 * it is given to: Node warns of more than ten.
 */
const listeners = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `run` when `signal` aborts, unless the function that it returns is called before. */
export function onAbort(signal: AbortSignal, run: () => void): () => void {
  let all = listeners.get(signal);
  if (!all) {
    const added = (all = new Set());
    listeners.set(signal, added);
    const tell = () => {
      listeners.delete(signal);
      signal.removeEventListener("abort", tell);
      for (const each of added) each();
    };
    signal.addEventListener("abort", tell);
  }
  const own = all;
  own.add(run);
  return () => own.delete(run);
}

/** Why `signal` aborted; platforms of old do not tell. */
export function abortReason(signal: AbortSignal): unknown {
  return signal.reason ?? Object.assign(new Error("This operation was aborted"), { name: "AbortError" });
}
