/**
 * The script that wasm-bindgen writes, which the build wraps in a function, so
 * that importing it does nothing and a fresh instance can be had after a trap.
 */

/** The exports of `src/js/mod.rs`, where they are described. */
export interface Core {
  readonly generation: number;
  setToken(token: string | undefined, hasProvider: boolean): void;
  giveToken(token: string | undefined, expiresAt: number): void;
  tokenFailed(now: number): void;
  call(
    companyId: string | undefined,
    isJsonl: boolean,
    maxRetries: number,
    attemptTimeout: number,
    totalTimeout: number,
    now: number,
  ): Call;
}

export interface Call {
  next(asked: boolean, now: number): string;
  reply(
    status: number,
    url: string | undefined,
    headers: string,
    body: Uint8Array,
    end: number,
    words: string,
    receivedAt: number,
    now: number,
    chance: number,
  ): string;
  fail(phase: 0 | 1 | 2, words: string | undefined, now: number, chance: number): string;
  free(): void;
}

export interface Glue {
  /** Makes the instance that its classes use. */
  (init: { module_or_path: WebAssembly.Module }): Promise<unknown>;
  Core: new (baseUrl: string, originLength: number, apiKey: string | undefined) => Core;
}

export function glue(): Glue;
