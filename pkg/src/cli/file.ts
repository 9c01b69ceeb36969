import { constants, createReadStream, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { isatty, ReadStream } from "node:tty";

/**
 * Reads a file or a named pipe. A pipe to which nobody writes must not hang the command: a thread that opens it, or reads
 * from it, would keep the process from ending.
 *
 * @throws The system's error.
 */
export function opened(file: string): Readable {
  const fd = openSync(file, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0));
  if (fstatSync(fd).isFIFO()) return new Socket({ fd, readable: true, writable: false });
  return isatty(fd) ? new ReadStream(fd) : createReadStream("", { fd });
}

/** The content of a stream; fails if it is longer than a number of bytes. */
export async function gathered(stream: Readable, mostBytes = Infinity): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > mostBytes) throw Object.assign(new Error("Too long."), { code: "EFBIG" });
  }
  return Buffer.concat(chunks);
}
