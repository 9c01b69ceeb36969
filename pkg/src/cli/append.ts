import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { badArguments, EXIT, Failure } from "./exit.js";

/**
 * Appends lines to a file. Each is a single write in append mode, so lines stay whole while other processes write
 * and when this one is killed.
 */
export class Appended {
  readonly #path: string;
  readonly #file: number;
  /** The first failure to write. Nothing is written after it. */
  failure: Failure | undefined;

  constructor(path: string) {
    this.#path = path;
    try {
      this.#file = openSync(path, "a+");
    } catch (error) {
      throw badArguments(unwritable(path, error));
    }
    // Ends a line that another process left unfinished; otherwise ours would become part of it.
    if (!this.#endsWhole()) this.#write("\n");
    if (this.failure) throw this.failure;
  }

  line(value: object): void {
    if (!this.failure) this.#write(`${JSON.stringify(value)}\n`);
  }

  close(): void {
    closeSync(this.#file);
  }

  #write(text: string): void {
    const bytes = Buffer.from(text);
    try {
      if (writeSync(this.#file, bytes) === bytes.length) return;
      this.failure = new Failure(EXIT.someFailed, `${this.#path} has an incomplete line; is the disk full?`);
    } catch (error) {
      this.failure = new Failure(EXIT.someFailed, unwritable(this.#path, error));
    }
  }

  #endsWhole(): boolean {
    const { size } = fstatSync(this.#file);
    const last = Buffer.alloc(1);
    return size === 0 || readSync(this.#file, last, 0, 1, size - 1) === 0 || last[0] === 10;
  }
}

function unwritable(path: string, error: unknown): string {
  return `${path} cannot be written to (${(error as NodeJS.ErrnoException).code}).`;
}
