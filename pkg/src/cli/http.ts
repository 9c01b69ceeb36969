import type { IncomingMessage, ServerResponse } from "node:http";
import { pipeline } from "node:stream/promises";
import type { FakeBookMore } from "bookmore-sdk/testing";
import { corsHeaders } from "../testing/cors.js";

/**
 * Answers an HTTP request with the fake. Its simulated failures become real ones: the connection breaks, stalls or is
 * reset.
 *
 * @param cors The CORS headers to send if the fake has no CORS policy of its own.
 */
export async function answer(fake: FakeBookMore, req: IncomingMessage, res: ServerResponse, cors: Record<string, string>): Promise<void> {
  if (fake.cors !== undefined) cors = corsHeaders(fake.cors);
  else if (req.method === "OPTIONS") {
    res.writeHead(200, { ...cors, "content-length": "0" }).end();
    return;
  }
  const gone = new AbortController();
  res.once("close", () => res.writableEnded || gone.abort());
  // Browsers share cookies between ports, so requests carry those of other local servers.
  const { cookie = "", ...headers } = req.headers;
  if (/\bss-id=/.test(cookie)) headers["cookie"] = cookie;
  const hasBody = "transfer-encoding" in headers || Number(headers["content-length"] ?? 0) > 0;
  let reply: Response;
  try {
    const init = { method: req.method!, headers: headers as Record<string, string>, mode: "same-origin" as const, signal: gone.signal, ...(hasBody ? { body: "" } : {}) };
    reply = await fake.fetch(fake.baseUrl + req.url, init);
  } catch (error) {
    if (gone.signal.aborted) return;
    if ((error as Error).name === "RequestMismatchError") {
      const text = `${(error as Error).message}\n`;
      res.writeHead(404, { ...cors, "content-type": "text/plain; charset=utf-8", "content-length": Buffer.byteLength(text) }).end(text);
    } else req.socket.resetAndDestroy();
    return;
  }
  res.sendDate = false; // the fake sets it by its own clock
  // With a CORS policy of its own, the fake has set the headers already.
  const own = fake.cors === undefined ? cors : {};
  res.writeHead(reply.status, reply.statusText || undefined, { ...own, ...Object.fromEntries(reply.headers) });
  res.flushHeaders();
  // A truncated body closes the connection.
  if (reply.body) await pipeline(reply.body as never, res).catch(() => res.destroy());
  else res.end();
}
