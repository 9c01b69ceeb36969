/**
 * The glue that wasm-bindgen writes, as the build reshapes it: a function, so
 * that importing it does nothing and a fresh instance can be had after a trap.
 */

/** The exports of `src/js/mod.rs`. */
export interface Core {
  getAiChatUsage(
    companyId: string | undefined,
    options: object,
    cancelled: Promise<void>,
  ): Promise<unknown>;
}

export interface Glue {
  imports: WebAssembly.Imports;
  /** Takes the exports of the instance into use. */
  start(exports: WebAssembly.Exports): void;
  Core: new (options: object) => Core;
}

export function glue(): Glue;
