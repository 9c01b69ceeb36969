import { ConfigError } from "bookmore-sdk";

/** Throws a ConfigError, for an invalid argument. */
export function refuse(message: string, cause?: unknown): never {
  throw new ConfigError({ message, cause });
}
