import { stat } from "node:fs/promises";
import type { Readable } from "node:stream";
import { badArguments, Failure, unreadable } from "./exit.js";
import { opened } from "./file.js";

/** The ids given as arguments, then those of the file; `-` is standard input. */
export async function* idsOf(positionals: string[], file: string | undefined): AsyncGenerator<string> {
  for (const given of positionals) {
    if (given === "-") yield* lines(() => process.stdin, "Standard input");
    else yield given;
  }
  if (file === undefined) return;
  await checkFile(file);
  yield* lines(() => opened(file), file);
}

/** Checked before anything is sent. */
export async function checkFile(file: string): Promise<void> {
  const found = await stat(file).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(file, error);
  });
  if (found.isDirectory()) throw badArguments(`${file} is a folder, not a file of ids.`);
}

async function* lines(open: () => Readable, name: string): AsyncGenerator<string> {
  let rest = "";
  try {
    const stream = open();
    stream.setEncoding("utf8");
    for await (const chunk of stream) {
      // UTF-16, which PowerShell 5 writes. Each line would be reported as an invalid id.
      if (String(chunk).includes("\0")) throw badArguments(`${name} is not UTF-8 text.`);
      const whole = (rest + String(chunk)).split(/\r\n|[\n\r]/);
      rest = whole.pop()!;
      yield* whole.map(idIn).filter(Boolean);
    }
  } catch (error) {
    if (error instanceof Failure) throw error;
    throw badArguments(`${name} cannot be read (${(error as NodeJS.ErrnoException).code}).`);
  }
  const last = idIn(rest);
  if (last) yield last;
}

/** Removes comments, the byte order mark and blanks. */
function idIn(line: string): string {
  return line.replace(/#.*/, "").trim();
}
