import { styleText } from "node:util";
import { EXIT, Failure } from "./exit.js";

type Stream = NodeJS.WriteStream;
type Style = Parameters<typeof styleText>[0];

/**
 * Text in a style, where the stream shows it: on a terminal, unless NO_COLOR says otherwise, and where FORCE_COLOR
 * asks for it.
 */
export function styled(style: Style, text: string, stream: Stream = process.stdout): string {
  return styleText(style, text, { stream } as never);
}

/** Whether nothing can be written any more. */
let isClosed = false;

/**
 * Calls `closed` when nothing can be written any more. That whoever read it has gone, as `head` does, is no failure; a
 * disk that is full is one.
 */
export function watchOutput(closed: (failure: Failure) => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", ({ code }: NodeJS.ErrnoException) => {
      if (isClosed) return;
      isClosed = true;
      const isGone = code === "EPIPE" || code === "EOF";
      if (isGone) return closed(new Failure(EXIT.fine, ""));
      const message = `Standard ${stream === process.stdout ? "output" : "error"} cannot be written to (${code}).`;
      if (stream === process.stdout) say(message);
      closed(new Failure(EXIT.someFailed, ""));
    });
  }
}

/** Writes data, and waits where the reader is slow. */
export function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    if (isClosed || process.stdout.destroyed) resolve();
    // What goes wrong is told to whoever watches the output, and that right after.
    else process.stdout.write(text, () => setImmediate(resolve));
  });
}

/** Tells a person something: never data. */
export function say(text: string): void {
  if (!process.stderr.destroyed) process.stderr.write(`${text}\n`);
}
