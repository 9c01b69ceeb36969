import { ConfigError } from "bookmore-sdk";

/** Throws a ConfigError: what the caller gave cannot be used. */
export function refuse(message: string, cause?: unknown): never {
  throw new ConfigError({ message, cause });
}
