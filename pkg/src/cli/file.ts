import { constants, createReadStream, fstatSync, openSync } from "node:fs";
import { Socket } from "node:net";
import type { Readable } from "node:stream";
import { isatty, ReadStream } from "node:tty";

/**
 * Opens a file for reading, or a named pipe or terminal in its place. A thread that blocks on opening or reading a pipe
 * without a writer would keep the process from exiting, so a pipe is opened without blocking and read as a socket.
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
