import { CALLS } from "./brands.js";
import type { Calls } from "./calls.js";

/** How a sub-entry reaches what is behind a client; nothing is behind what stands in for one. */
export function callsOf(client: unknown): Calls | undefined {
  return (Object(client) as { [CALLS]?: () => Calls })[CALLS]?.();
}

/**
 * The module of the package, for what stands in for a client. Loaded when it is needed: an app with bookmore-sdk/slim
 * need not ship a second one.
 */
export async function packageCalls(): Promise<Calls> {
  const { BookMoreClient } = await import("bookmore-sdk");
  return callsOf(new BookMoreClient())!;
}
