import { CALLS } from "./brands.js";
import type { Calls } from "./calls.js";

/** The internals of a client; undefined for an object that stands in for one. */
export function callsOf(client: unknown): Calls | undefined {
  return (Object(client) as { [CALLS]?: () => Calls })[CALLS]?.();
}

/**
 * The package's own module, for an object that stands in for a client. Loaded on demand, so that an app with
 * bookmore-sdk/slim need not ship it.
 */
export async function packageCalls(): Promise<Calls> {
  const { BookMoreClient } = await import("bookmore-sdk");
  return callsOf(new BookMoreClient())!;
}
