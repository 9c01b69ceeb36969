import type { Reply } from "./reply.js";

/**
 * Delivers the reply as it was planned. Rejects with the reason of `signal` if that aborts first.
 *
 * @param over Called when everything was read.
 */
export async function deliver(reply: Reply, signal: AbortSignal | undefined, now: number, over: () => void): Promise<Response> {
  const { cut, status, reason, headers, delayMs, body } = reply;
  if (cut === "network") throw new TypeError("fetch failed");
  if (cut === "never") await pause(undefined, signal);
  if (delayMs) await pause(delayMs, signal);
  if (body.length === 0) over();
  // A stream of our own, because the one that Node.js makes from a string waits for queueMicrotask, which fake timers
  // may have replaced.
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
 * Waits for `ms` milliseconds, or for ever if undefined; an abort ends it. Looks the timer up each time, because a
 * test may have installed a fake one.
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
