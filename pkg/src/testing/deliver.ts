import type { Reply } from "./reply.js";

/**
 * Gives the reply as it is to come, unless `signal` aborts before: then with its reason.
 *
 * @param over Called when all that is to come was read.
 */
export async function deliver(reply: Reply, signal: AbortSignal | undefined, now: number, over: () => void): Promise<Response> {
  const { cut, status, reason, headers, delayMs, body } = reply;
  if (cut === "network") throw new TypeError("fetch failed");
  if (cut === "never") await pause(undefined, signal);
  if (delayMs) await pause(delayMs, signal);
  if (body.length === 0) over();
  // A stream of our own: that which a Response makes of a string waits for queueMicrotask in Node.js, which
  // fake timers may have replaced.
  return new Response(body.length === 0 ? null : streamOf(reply, signal, over), {
    status,
    statusText: /^[\x20-\x7e]*$/.test(reason) ? reason : "",
    headers: { date: new Date(now).toUTCString(), ...headers },
  });
}

function streamOf(reply: Reply, signal: AbortSignal | undefined, over: () => void): ReadableStream<Uint8Array> {
  const { body, bytes = body.length, byteMs, end = "clean" } = reply;
  const sent = body.subarray(0, bytes);
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        signal?.throwIfAborted();
        if (at < sent.length) {
          if (byteMs) await pause(byteMs, signal);
          controller.enqueue(sent.slice(at, (at = byteMs ? at + 1 : sent.length)));
          return;
        }
        if (end === "never") await pause(undefined, signal);
        over();
        if (end === "error") throw new TypeError("terminated");
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}

/**
 * Lets `ms` milliseconds pass, or all time where there are none; an abort ends it.
 * The timer is looked up each time: a test may have put a fake one there.
 */
export function pause(ms: number | undefined, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = ms === undefined ? undefined : globalThis.setTimeout(over, ms);
    signal?.addEventListener("abort", aborted);
    if (signal?.aborted) aborted();
    function over() {
      signal?.removeEventListener("abort", aborted);
      resolve();
    }
    function aborted() {
      globalThis.clearTimeout(timer);
      signal?.removeEventListener("abort", aborted);
      reject(signal?.reason);
    }
  });
}
