/** What a command ends with; the highest holds. */
export const EXIT = { fine: 0, someFailed: 1, badArguments: 2, overLimit: 3, badCredentials: 4, interrupted: 130 } as const;

/** Ends a command with a sentence on standard error. */
export class Failure extends Error {
  readonly exitCode: number;

  constructor(exitCode: number, message: string) {
    super(message);
    this.exitCode = exitCode;
  }
}

/** What was asked for cannot be. */
export function badArguments(message: string): Failure {
  return new Failure(EXIT.badArguments, message);
}

/** What `promise` comes to, unless the command is to end before: of what it brings, nothing is there to be kept. */
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

/** A file that was named cannot be had. */
export function unreadable(file: string, { code }: NodeJS.ErrnoException): Failure {
  return badArguments(code === "ENOENT" ? `There is no file ${file}.` : `${file} cannot be read (${code}).`);
}

/** What anything thrown says. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
