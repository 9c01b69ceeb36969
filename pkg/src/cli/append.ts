import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { badArguments } from "./exit.js";

/**
 * Adds lines to a file. Each goes there in one write to a file that is open for appending, so that a line is whole
 * whoever else writes, and whenever this process ends.
 */
export class Appended {
  readonly #file: number;

  constructor(path: string) {
    try {
      this.#file = openSync(path, "a+");
    } catch (error) {
      throw badArguments(`${path} cannot be written to (${(error as NodeJS.ErrnoException).code}).`);
    }
    // What somebody else has left in the middle of a line gets an end, so that it takes none of ours with it.
    if (!this.#endsWhole()) writeSync(this.#file, "\n");
  }

  line(value: object): void {
    const bytes = Buffer.from(`${JSON.stringify(value)}\n`);
    const written = writeSync(this.#file, bytes);
    if (written < bytes.length) throw new Error("A line could not be written whole; is the disk full?");
  }

  close(): void {
    closeSync(this.#file);
  }

  #endsWhole(): boolean {
    const { size } = fstatSync(this.#file);
    const last = Buffer.alloc(1);
    return size === 0 || readSync(this.#file, last, 0, 1, size - 1) === 0 || last[0] === 10;
  }
}
