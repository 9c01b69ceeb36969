import { styleText } from "node:util";

type Stream = NodeJS.WriteStream;
type Style = Parameters<typeof styleText>[0];

/**
 * Text in a style, where the stream shows it: on a terminal, unless NO_COLOR says otherwise, and where FORCE_COLOR
 * asks for it.
 */
export function styled(style: Style, text: string, stream: Stream = process.stdout): string {
  return styleText(style, text, { stream } as never);
}

/** Whether whoever read the output has gone, as `head` does. */
let isClosed = false;

/** Calls `closed` when nobody reads the output any more; that is no failure. */
export function watchOutput(closed: () => void): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE" && error.code !== "EOF") throw error;
      isClosed = true;
      closed();
    });
  }
}

/** Writes data, and waits where the reader is slow. */
export function print(text: string): Promise<void> {
  return new Promise((resolve) => {
    if (isClosed || process.stdout.destroyed) resolve();
    else process.stdout.write(text, () => resolve());
  });
}

/** Tells a person something: never data. */
export function say(text: string): void {
  if (!process.stderr.destroyed) process.stderr.write(`${text}\n`);
}

/** What a server says may have anything in it: on a terminal no character may do more than show. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g, " ");
}
