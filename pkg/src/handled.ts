/**
 * The promise of `run`, also if that throws, marked as handled: callers that do
 * not await it need not catch its rejection.
 */
export function handled<T>(run: () => Promise<T>): Promise<T> {
  const promise = (async () => run())();
  promise.catch(() => {});
  return promise;
}
