import type { AnyBookMoreError } from "bookmore-sdk";

/** The exit codes; if several apply, the highest counts. */
export const EXIT = { fine: 0, someFailed: 1, badArguments: 2, overLimit: 3, badCredentials: 4, interrupted: 130 } as const;

/** Whether a call failed because of its credentials. */
export const isForCredentials = ({ code }: AnyBookMoreError): boolean => code === "authentication_error" || code === "token_provider_error";

/** Ends a command with a sentence on standard error. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** A failure because of wrong arguments. */
export function badArguments(message: string): Failure {
  return new Failure(EXIT.badArguments, message);
}

/** Awaits `promise`, or rejects when the command is interrupted. Use it only where there is nothing to clean up. */
export function unlessEnded<T>(signal: AbortSignal, promise: Promise<T>): Promise<T> {
  return Promise.race([
    promise,
    new Promise<never>((_, reject) => {
      const end = () => reject(signal.reason as Failure);
      if (signal.aborted) end();
      else signal.addEventListener("abort", end, { once: true });
    }),
  ]);
}

/** A failure because a named file cannot be read. */
export function unreadable(file: string, { code }: NodeJS.ErrnoException): Failure {
  return badArguments(code === "ENOENT" ? `There is no file ${file}.` : `${file} cannot be read (${code}).`);
}

/** The message of anything that was thrown. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
