import { styleText } from "node:util";
import { EXIT, Failure } from "./exit.js";

type Stream = NodeJS.WriteStream;
type Style = Parameters<typeof styleText>[0];

/**
 * Styles text if the stream is a terminal and NO_COLOR is not set, or if FORCE_COLOR is.
 */
export function styled(style: Style, text: string, stream: Stream = process.stdout): string {
  return styleText(style, text, { stream } as never);
}

/** Moves the cursor to the beginning of its line and erases the line. */
export const CLEAR_LINE = "\r\u001b[K";

/** Whether the stream is a terminal on which text can be erased. */
export const canErase = (stream: Stream): boolean => stream.isTTY === true && process.env["TERM"] !== "dumb";

/** Whether the output is closed. */
let isClosed = false;

let endsWithReader = true;

/** Lets the command go on when the reader of its output has left, because it writes to a file as well. */
export function outliveReader(): void {
  endsWithReader = false;
}

/**
 * Calls `closed` when nothing can be written any more. A reader that has left, such as `head`, is no failure; a full
 * disk is one.
 */
export function watchOutput(closed: (failure: Failure) => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (isClosed) return;
      isClosed = true;
      const isGone = code === "EPIPE" || code === "EOF";
      if (isGone) return endsWithReader ? closed(new Failure(EXIT.fine, "")) : undefined;
      const message = `Standard ${stream === process.stdout ? "output" : "error"} cannot be written to (${code}).`;
      if (stream === process.stdout) say(message);
      closed(new Failure(EXIT.someFailed, ""));
    });
  }
}

/** Writes data, and waits for a slow reader. */
export function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    if (isClosed || process.stdout.destroyed) resolve();
    // The stream's "error" listener, which runs right after, reports a failure.
    else process.stdout.write(text, () => setImmediate(resolve));
  });
}

/** Writes a message for people to standard error. */
export function say(text: string): void {
  if (!process.stderr.destroyed) process.stderr.write(`${text}\n`);
}
