import { subscribe, unsubscribe } from "node:diagnostics_channel";

/** How many connections one fetch may make or try before there is any reply. Some proxies close only the first. */
const MOST_CONNECTIONS = 10;
/** Where undici, which is Node.js's fetch, reports each connection, and each that failed. */
const CHANNELS = ["undici:client:connected", "undici:client:connectError"];
/** Where it reports that a reply has come. */
const REPLIES = "undici:request:headers";

/**
 * Node.js's fetch retries without end if a proxy closes each connection. From here on such a fetch fails, as it does for
 * any other lost connection; the retries that it has begun go on in the background until the process ends.
 * `concurrency`: how many requests are in flight at once, each of which may need a connection.
 */
export function endReconnecting(concurrency = 1): void {
  const { fetch } = globalThis;
  globalThis.fetch = async (input, init) => {
    const controller = new AbortController();
    let connections = 0;
    const count = () => {
      if (++connections >= MOST_CONNECTIONS * concurrency) controller.abort(Object.assign(new Error("each connection is closed"), { code: "UND_ERR_SOCKET" }));
    };
    const restart = () => void (connections = 0);
    for (const channel of CHANNELS) subscribe(channel, count);
    subscribe(REPLIES, restart);
    try {
      return await fetch(input, { ...init, signal: AbortSignal.any([controller.signal, ...(init?.signal ? [init.signal] : [])]) });
    } catch (error) {
      throw controller.signal.aborted ? new TypeError("fetch failed", { cause: controller.signal.reason }) : error;
    } finally {
      for (const channel of CHANNELS) unsubscribe(channel, count);
      unsubscribe(REPLIES, restart);
    }
  };
}
