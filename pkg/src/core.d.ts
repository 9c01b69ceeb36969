/**
 * The script that wasm-bindgen generates. The build wraps it in a function, so
 * that importing it has no effect and a trap can be followed by a new instance.
 */

/** The monotonic clock, the wall clock in milliseconds since 1970, and a random number; the last two may be NaN. */
export type Moment = [now: number, wall: number, random: number];

/** The exports of `src/js/mod.rs`, which documents them. */
export interface Core {
  readonly wantsWall: boolean;
  readonly isIdle: boolean;
  fork(): Core;
  setToken(token: string | undefined, hasProvider: boolean, sameIdentity: boolean, ...at: Moment): void;
  call(
    companyId: string | undefined,
    isJsonl: boolean,
    headers: string,
    maxRetries: number,
    attemptTimeout: number,
    totalTimeout: number,
    coalesce: boolean,
    fresh: boolean,
    nested: boolean,
    waitedMs: number,
    ...at: Moment
  ): number;
  abandon(call: number, ...at: Moment): void;
  headers(send: number, status: number, url: string | undefined, headers: string, receivedAt: number): number;
  body(send: number, body: Uint8Array, end: number, words: string, ...at: Moment): void;
  fail(send: number, kind: number, words: string, name: string, message: string, code: string, causeCode: string, ...at: Moment): void;
  token(question: number, token: string | undefined, expiresAt: number, ...at: Moment): void;
  tokenFailed(question: number, message: string, isControlFlow: boolean, ...at: Moment): void;
  timeout(...at: Moment): void;
  pollTimeout(): number;
  command(): string | undefined;
  redact(id: number, text: string): string;
  tellLimit(many: Many): void;
  free(): void;
  /** Drops the handle without freeing its memory, which would fail after a trap. */
  __destroy_into_raw(): number;
}

/** The exports of `src/js/many.rs`, which documents them. */
export interface Many {
  wantsId(unread: number): boolean;
  add(isOther: boolean): void;
  end(now: number): void;
  poll(now: number): number;
  settle(company: number, came: 0 | 1 | 2 | 3, ids: number, askedMs: number, leftMs: number, now: number): boolean;
  changeIdentity(now: number): void;
  repeat(isFailure: boolean): void;
  pollTimeout(): number;
  reports(now: number): boolean;
  figure(number: 0 | 1 | 2 | 3 | 4, total: number, now: number): number;
  free(): void;
  __destroy_into_raw(): number;
}

/** The exports of `src/js/watch.rs`, which documents them. */
export interface Watch {
  pollTimeout(): number;
  listen(interval: number, idleInterval: number, pollsHidden: boolean, lowestThreshold: number): number;
  leave(listener: number, now: number): void;
  pause(hidden: boolean, offline: boolean, ...at: Moment): void;
  resume(): void;
  refresh(): number;
  timeout(now: number): number;
  usage(request: number, used: number, limit: number, isWithinBudget: boolean, windowDays: number, ...at: Moment): boolean;
  error(request: number, code: string, retryAt: number, ...at: Moment): number;
  free(): void;
  __destroy_into_raw(): number;
}

export interface Glue {
  /** Instantiates the module for its classes. */
  (init: { module_or_path: WebAssembly.Module | object }): Promise<unknown>;
  /** The same, for a module that is available at once. */
  initSync(init: { module: object }): unknown;
  /** Parses a base URL; only in `bookmore-sdk/no-wasm`. */
  baseUrl?(text: string): string;
  /** Whether there is memory for another call; absent where it grows. */
  hasRoom?(): boolean;
  Core: new (
    baseUrl: string,
    originLength: number,
    apiKey: string | undefined,
    pacesRetries: boolean,
    listens: boolean,
    shares: boolean,
    lastCall: number,
  ) => Core;
  Many: new (concurrency: number, rounds: number, listens: boolean, now: number) => Many;
  Watch: new (now: number) => Watch;
  gauge(
    used: number,
    limit: number,
    isWithinBudget: boolean,
    windowDays: number,
    isSameCompany: boolean,
    wall: number,
    row: Float64Array,
  ): Float64Array;
}

/** `webAssembly` replaces the global one. */
export function glue(document?: undefined, webAssembly?: object): Glue;
