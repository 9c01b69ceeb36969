/** What a limited piece of work is rejected with when its time is over. */
export const TIMED_OUT = Symbol("timed out");

/** Settles as `promise` does, unless `signal` aborts before: then with its reason. */
export function until<T>(signal: AbortSignal | null | undefined, promise: T | Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = () => signal?.removeEventListener("abort", onAbort);
    const onAbort = () => {
      leave();
      reject(signal!.reason);
    };
    if (signal?.aborted) onAbort();
    else signal?.addEventListener("abort", onAbort);
    Promise.resolve(promise).then(resolve, reject).finally(leave);
  });
}

/**
 * Runs `work` with a signal that aborts when `outer` does, when `ms` are over,
 * or when it fails. Nothing is left behind: no timer and no listener.
 */
export async function limited<T>(
  outer: AbortSignal,
  ms: number | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (outer.aborted) throw outer.reason;
  const controller = new AbortController();
  const { signal } = controller;
  const onAbort = () => controller.abort(outer.reason);
  outer.addEventListener("abort", onAbort);
  const timer = ms === undefined ? ms : setTimeout(() => controller.abort(TIMED_OUT), ms);
  try {
    return await until(signal, work(signal));
  } catch (error) {
    controller.abort();
    throw error;
  } finally {
    clearTimeout(timer);
    outer.removeEventListener("abort", onAbort);
  }
}

/** Lets `ms` milliseconds pass, unless `signal` aborts before. */
export async function sleep(signal: AbortSignal, ms: number): Promise<void> {
  await limited(signal, ms, () => new Promise<never>(() => {})).catch((error) => {
    if (error !== TIMED_OUT) throw error;
  });
}
