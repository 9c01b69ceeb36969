import { isFetchBroken } from "./platform.js";

const NOTHING = new Uint8Array();

/** A reply, as far as it could be read. */
export interface Reply {
  status: number;
  /** Where it came from, if a redirect was followed. */
  url: string | undefined;
  /** Names, in lower case, and values. */
  headers: [string, string][];
  body: Uint8Array;
  /** 0: the whole body; 1: it is longer; 2: it broke off. */
  end: 0 | 1 | 2;
  /** Why it broke off. */
  thrown?: unknown;
  /** Milliseconds since 1970. */
  receivedAt: number;
}

/** What was given instead of a Response, and what is needed. */
class Unusable extends Error {
  constructor(given: string) {
    super(`The fetch function gave ${given}; give a Response that nobody has read, as fetch does, or one made like it with status, headers and a body.`);
  }
}

/** Why `thrown` says that no Response was given, if it does. */
export function unusableIn(thrown: unknown): string | undefined {
  try {
    return thrown instanceof Unusable ? thrown.message : undefined;
  } catch {
    // A proxy's trap may throw.
    return undefined;
  }
}

/**
 * Sends one request and reads the reply. `onHeaders` is called between the two
 * with what is about to be read, and tells how many bytes of it are wanted at
 * the most: 0 where nobody waits for it.
 * A reply that breaks off is a reply; anything else that fails is thrown.
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
    // A given function that goes elsewhere on purpose, such as to a gateway,
    // is the caller's choice; one that has followed a redirect is not.
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
      // A copy: whoever gave it may use its memory again. One byte over the limit tells that it is too long.
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

/** workerd may lack `cache`, and throws where it is given; React Native makes a parameter of the URL of it. */
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
    // Session cookies, which Node shows, are not the caller's business. Each header crosses on a line of its own.
    if (key !== "set-cookie" && typeof value !== "function") headers.push([key, String(value).replace(/[\r\n]+/g, " ")]);
  };
  try {
    const isIterable = Symbol.iterator in (given as object);
    if (!isIterable && has(given, "forEach")) (given as Headers).forEach(add);
    else for (const [name, value] of isIterable ? (given as Headers) : Object.entries(given as object)) add(value, name);
  } catch {
    // There are none, or what came before counts.
  }
  return headers;
}

function joined(chunks: Uint8Array[], length: number): Uint8Array {
  const all = new Uint8Array(length);
  chunks.reduce((at, chunk) => (all.set(chunk, at), at + chunk.length), 0);
  return all;
}

/** Status and body, each read once. Refuses what a mock or a wrapper may give in the place of a Response. */
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

/** What a mock's getter throws is not there. */
export function partOf(of: unknown, name: string): unknown {
  try {
    return (of as Record<string, unknown> | undefined)?.[name];
  } catch {
    return undefined;
  }
}

const has = (of: unknown, method: string): boolean => typeof partOf(of, method) === "function";

/** After so many pieces, which may all be there already and empty, time limits have their turn. */
const PIECES_AT_ONCE = 1024;

/**
 * Gives a body to `take`, piece by piece where the platform can, so that not
 * much more than the limit is ever held; until `take` wants no more.
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
        // One that cannot be cancelled gives pieces for ever.
        if (!onReader(reader)) break;
      }
    } finally {
      if (!isOver) giveUp(reader);
    }
  } else if (body !== null) {
    // Without streams, as in React Native, the text is always there, and the bytes may be a function that fails.
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
    // It is told below.
  }
  throw new Unusable("a body that cannot be read");
}

/** What is there of a body: a stream or its reader. */
export type Cancelable = { cancel?(): Promise<void> } | null | undefined;

/** Lets go of a body that may not have been read to its end. */
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
    // A view of what is no buffer is a copy, and empty.
    const bytes = byteLength ? new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength) : NOTHING;
    if (bytes.length === byteLength) return bytes;
  } catch {
    // It is told below.
  }
  throw new Unusable("a body that is not made of bytes");
}
