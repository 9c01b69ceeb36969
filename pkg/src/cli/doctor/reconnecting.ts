import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** So many failed connections of one fetch are enough; some proxies close only the first. */
const MOST = 5;
/** Where undici, which is Node.js's fetch, reports each connection that failed. */
const CHANNEL = "undici:client:connectError";

/** Node.js's fetch asks a proxy that closes connections again without end. From here on it fails as for any other lost connection. */
export function endReconnecting(): void {
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const controller = new AbortController();
    let failed = 0;
    const count = (message: unknown) => {
      if (++failed >= MOST) controller.abort((message as { error: unknown }).error);
    };
    subscribe(CHANNEL, count);
    try {
      return await fetch(input, { ...init, signal: AbortSignal.any([controller.signal, ...(init?.signal ? [init.signal] : [])]) });
    } catch (error) {
      throw controller.signal.aborted ? new TypeError("fetch failed", { cause: controller.signal.reason }) : error;
    } finally {
      unsubscribe(CHANNEL, count);
    }
  };
}
