/**
 * Calls `run` at once. What it throws, now or later, rejects the promise, and
 * counts as handled: callers that do not await it need not catch it.
 */
export function handled<T>(run: () => T | PromiseLike<T>): Promise<T> {
  const promise = (async (): Promise<T> => run())();
  promise.catch(() => {});
  return promise;
}
