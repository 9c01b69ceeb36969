import { BookMoreClientBase } from "./client.js";
import { loader } from "./instance.js";
import type { ClientOptions } from "./types.js";
import { wasm } from "./wasm-inline.js";
import { webAssembly } from "./webassembly.js";

export * from "./public.js";

/** All clients share one module. */
const load = /* @__PURE__ */ loader(/* @__PURE__ */ webAssembly(wasm));

/**
 * Calls the BookMore API. One client is for one identity and can carry out any
 * number of calls, also at the same time.
 */
export class BookMoreClient extends BookMoreClientBase {
  /** @throws A {@link ConfigError} if an option is invalid. */
  constructor(options: ClientOptions = {}) {
    super(options, load);
  }
}
