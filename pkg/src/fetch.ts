import { isFetchBroken } from "./platform.js";

const NOTHING = new Uint8Array();

/** A reply, with as much of its body as could be read. */
export interface Reply {
  status: number;
  /** The final URL, if a redirect was followed. */
  url: string | undefined;
  /** Names, in lower case, and values. */
  headers: [string, string][];
  body: Uint8Array;
  /** 0: the body is complete; 1: it exceeds the limit; 2: it broke off. */
  end: 0 | 1 | 2;
  /** Why it broke off. */
  thrown?: unknown;
  /** Milliseconds since 1970. */
  receivedAt: number;
}

/** The fetch function did not return a usable Response. */
class Unusable extends Error {
  constructor(given: string) {
    super(`The fetch function returned ${given}; return an unread Response, as fetch does, or an object like one with status, headers and a body.`);
  }
}

/** The message of `thrown`, if it is an {@link Unusable}. */
export function unusableIn(thrown: unknown): string | undefined {
  try {
    return thrown instanceof Unusable ? thrown.message : undefined;
  } catch {
    // A proxy's trap may throw.
    return undefined;
  }
}

/**
 * Sends one request and reads the reply. `onHeaders` is called before the body
 * is read, and returns how many bytes of it to read at most; 0 if nobody waits
 * for it. A reply that breaks off is returned; any other failure is thrown.
 */
export async function send(
  fetchFunction: (url: string, init: RequestInit) => Promise<Response>,
  url: string,
  init: RequestInit,
  onHeaders: (body: Cancelable, head: Reply) => number,
): Promise<Reply> {
  const response: unknown = await fetchFunction(url, {
    method: "GET",
    redirect: "manual",
    ...(knowsCache() ? { cache: "no-store" } : {}),
    ...init,
  });
  const { status, body } = checked(response);
  const reply: Reply = {
    status,
    // A custom fetch may send to another URL on purpose, such as a gateway, so
    // the URL counts only after a redirect.
    url: partOf(response, "redirected") ? String(partOf(response, "url")) : undefined,
    headers: headersOf(partOf(response, "headers")),
    body: NOTHING,
    end: 0,
    receivedAt: Date.now(),
  };
  const most = onHeaders(body, reply);
  if (most === 0) {
    giveUp(body);
    return reply;
  }
  let length = 0;
  const chunks: Uint8Array[] = [];
  try {
    await read(response as Response, body, (reader) => onHeaders(reader, reply) > 0, (bytes) => {
      // A copy, because the stream may reuse the memory. One byte over the limit shows that the body is too long.
      const chunk = bytes.slice(0, most + 1 - length);
      if (chunk.length > 0) chunks.push(chunk);
      length += chunk.length;
      return length <= most;
    });
  } catch (thrown) {
    if (unusableIn(thrown) !== undefined) throw thrown;
    Object.assign(reply, { end: 2, thrown });
  }
  if (length > most) reply.end = 1;
  reply.body = chunks.length === 1 ? chunks[0]! : joined(chunks, length);
  return reply;
}

/** Some versions of workerd throw for `cache`, and React Native adds a parameter to the URL for it. */
function knowsCache(): boolean {
  if (isFetchBroken()) return true;
  const Request = globalThis.Request as typeof globalThis.Request | undefined;
  return !Request || "cache" in Request.prototype;
}

/** Those of a polyfill or a mock may not iterate: they have forEach, or are a plain object. */
export function headersOf(given: unknown): Reply["headers"] {
  const headers: Reply["headers"] = [];
  const add = (value: unknown, name: unknown) => {
    const key = String(name).toLowerCase();
    // Node.js exposes session cookies, which must not reach the caller. Line breaks separate headers for the engine.
    if (key !== "set-cookie" && typeof value !== "function") headers.push([key, String(value).replace(/[\r\n]+/g, " ")]);
  };
  try {
    const isIterable = Symbol.iterator in (given as object);
    if (!isIterable && has(given, "forEach")) (given as Headers).forEach(add);
    else for (const [name, value] of isIterable ? (given as Headers) : Object.entries(given as object)) add(value, name);
  } catch {
    // Keeps the headers that were read before.
  }
  return headers;
}

function joined(chunks: Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  chunks.reduce((at, chunk) => (all.set(chunk, at), at + chunk.length), 0);
  return all;
}

/** The status and the body, each read once. Throws for objects that a mock or wrapper may return instead of a Response. */
function checked(given: unknown): { status: number; body: Response["body"] | undefined } {
  const refuse = (what: string) => {
    void giveUp(partOf(given, "body") as Cancelable);
    throw new Unusable(what);
  };
  if (typeof given !== "object" || given === null) refuse(given === null ? "null" : `something of type ${typeof given}`);
  const [type, status, body] = ["type", "status", "body"].map((name) => partOf(given, name));
  if (type === "error") refuse("Response.error()");
  if (type === "opaque") refuse("an opaque Response, as the mode no-cors does");
  const isStatus = Number.isInteger(status) && (status as number) > 0 && (status as number) < 1000;
  if (type !== "opaqueredirect" && !isStatus) refuse("an object without a status");
  if (partOf(given, "bodyUsed")) refuse("a Response that has been read already");
  if (partOf(body, "locked")) refuse("a Response whose body is being read");
  const isReadable = has(body, "getReader") || has(given, "arrayBuffer") || has(given, "text");
  if (body !== null && !isReadable) {
    refuse(`an object with neither ${body === undefined ? "" : "a stream as its "}body nor arrayBuffer() nor text()`);
  }
  return { status: isStatus ? (status as number) : 0, body: body as Response["body"] | undefined };
}

/** A member; undefined if its getter throws. */
export function partOf(of: unknown, name: string): unknown {
  try {
    return (of as Record<string, unknown> | undefined)?.[name];
  } catch {
    return undefined;
  }
}

const has = (of: unknown, method: string): boolean => typeof partOf(of, method) === "function";

/** Timers run after this many pieces, which may all be available at once and empty. */
const PIECES_AT_ONCE = 1024;

/**
 * Passes a body to `take` until that returns false; piece by piece if the
 * platform can, so that little more than the limit is ever in memory.
 */
async function read(
  response: Response,
  body: Response["body"] | undefined,
  onReader: (reader: Cancelable) => boolean,
  take: (bytes: Uint8Array) => boolean,
): Promise<void> {
  if (has(body, "getReader")) {
    const reader = readerOf(body!);
    // From now on only the reader can cancel it.
    onReader(reader);
    let isOver = false;
    try {
      for (let count = 1; ; count++) {
        const piece: unknown = await reader.read();
        isOver = !!partOf(piece, "done");
        if (isOver || !take(bytesOf(partOf(piece, "value")))) break;
        if (count % PIECES_AT_ONCE > 0) continue;
        await new Promise((resolve) => setTimeout(resolve));
        // A stream that ignores cancel() may have no end.
        if (!onReader(reader)) break;
      }
    } finally {
      if (!isOver) giveUp(reader);
    }
  } else if (body !== null) {
    // Without streams, as in React Native, text() always works, and arrayBuffer() may fail.
    const methods = (["arrayBuffer", "text"] as const).filter((name) => has(response, name));
    const content: unknown = await response[(body === undefined ? methods.pop() : methods[0])!]();
    take(typeof content === "string" ? new TextEncoder().encode(content) : bytesOf(content));
  }
}

function readerOf(body: ReadableStream<Uint8Array>): ReadableStreamDefaultReader<Uint8Array> {
  try {
    const reader = body.getReader();
    if (has(reader, "read")) return reader;
  } catch {
    // Reported below.
  }
  throw new Unusable("a body that cannot be read");
}

/** A body's stream, or the reader of it. */
export type Cancelable = { cancel?(): Promise<void> } | null | undefined;

/** Cancels a body that may not have been read to its end. */
export async function giveUp(body: Cancelable): Promise<void> {
  try {
    await body?.cancel?.();
  } catch {
    // It has failed already.
  }
}

/** Takes an ArrayBuffer of any realm, or a view of one. */
function bytesOf(content: unknown): Uint8Array {
  try {
    const { buffer = content, byteOffset, byteLength } = content as Uint8Array;
    // If `buffer` is not an ArrayBuffer, this creates an empty array.
    const bytes = byteLength ? new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) : NOTHING;
    if (bytes.length === byteLength) return bytes;
  } catch {
    // Reported below.
  }
  throw new Unusable("a body that is not made of bytes");
}
