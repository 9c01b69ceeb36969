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

/** A file that was named cannot be had. */
export function unreadable(file: string, { code }: NodeJS.ErrnoException): Failure {
  return badArguments(code === "ENOENT" ? `There is no file ${file}.` : `${file} cannot be read (${code}).`);
}

/** What anything thrown says. */
export function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
