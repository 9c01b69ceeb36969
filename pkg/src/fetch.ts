/** What a body may have at the most: 256 KiB. A usage has some 150 bytes. */
const MAX_BODY_BYTES = 256 * 1024;

/** A reply, as far as it could be read. */
export interface Reply {
  status: number;
  /** Where it came from, if a redirect was followed. */
  url: string | undefined;
  /** Names in lower case. */
  headers: Record<string, string>;
  body: Uint8Array;
  /** 0: the whole body; 1: it is longer; 2: it broke off. */
  end: 0 | 1 | 2;
  /** Why it broke off. */
  thrown?: unknown;
  /** Milliseconds since 1970. */
  receivedAt: number;
}

/**
 * Sends one request and reads the reply. `onHeaders` is called between the two.
 * A reply that breaks off is a reply; anything else that fails is thrown.
 */
export async function send(
  fetchFunction: typeof fetch,
  url: string,
  init: RequestInit,
  onHeaders: () => void,
): Promise<Reply> {
  // workerd may lack `cache` and throws where it is given.
  const Request = globalThis.Request as typeof globalThis.Request | undefined;
  const response = await fetchFunction(url, {
    method: "GET",
    redirect: "manual",
    ...(Request && !("cache" in Request.prototype) ? {} : { cache: "no-store" }),
    ...init,
  });
  onHeaders();
  const { status } = response;
  if (response.type !== "opaqueredirect" && !(status > 0 && status < 1000)) {
    throw new TypeError("the fetch function gave no usable Response");
  }
  if (response.bodyUsed) throw new TypeError("the fetch function gave a Response that was read before");
  const headers = Array.from(response.headers ?? [], ([name, value]) => [name.toLowerCase(), value]);
  const reply: Reply = {
    status,
    // A given function that goes elsewhere on purpose, such as to a gateway,
    // is the caller's choice; one that has followed a redirect is not.
    url: response.redirected ? response.url : undefined,
    // Session cookies, which Node shows, are not the caller's business.
    headers: Object.fromEntries(headers.filter(([name]) => name !== "set-cookie")),
    body: new Uint8Array(),
    end: 0,
    receivedAt: Date.now(),
  };
  // Neither a redirect nor a success without a usage has anything to say.
  if (status !== 200 && status < 400) {
    giveUp(response.body);
    return reply;
  }
  let length = 0;
  const chunks: Uint8Array[] = [];
  try {
    // Piece by piece where the platform can, so that not much more than the
    // limit is ever held.
    for await (const content of pieces(response)) {
      const chunk = bytesOf(content);
      chunks.push(chunk);
      length += chunk.length;
      if (length > MAX_BODY_BYTES) {
        reply.end = 1;
        break;
      }
    }
  } catch (thrown) {
    Object.assign(reply, { end: 2, thrown });
  }
  reply.body = new Uint8Array(length);
  chunks.reduce((at, chunk) => (reply.body.set(chunk, at), at + chunk.length), 0);
  return reply;
}

async function* pieces(response: Response): AsyncGenerator<unknown> {
  const { body } = response;
  if (body?.getReader) {
    const reader = body.getReader();
    try {
      for (let piece; !(piece = await reader.read()).done; ) yield piece.value;
    } finally {
      giveUp(reader);
    }
  } else if (body !== null) {
    const method = (["arrayBuffer", "text"] as const).find((name) => name in response);
    if (!method) throw new TypeError("it has neither body nor arrayBuffer() nor text()");
    yield await response[method]();
  }
}

/** Lets go of a body that may not have been read to its end. */
async function giveUp(body: { cancel?(): Promise<void> } | null): Promise<void> {
  try {
    await body?.cancel?.();
  } catch {
    // It has failed already.
  }
}

/** Text, an ArrayBuffer of any realm, or a view of one. */
function bytesOf(content: unknown): Uint8Array {
  if (typeof content === "string") return new TextEncoder().encode(content);
  const { buffer = content, byteOffset, byteLength } = content as Uint8Array;
  if (byteLength === undefined) throw new TypeError("its body is not made of bytes");
  return byteLength === 0 ? new Uint8Array() : new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
}
