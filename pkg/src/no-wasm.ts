import { BookMoreClientBase } from "./client.js";
import type { Glue } from "./core.js";
import { internalError } from "./errors.js";
import { checkPlatform, loader } from "./instance.js";
import { glue } from "./no-wasm-core.js";
import { instantiate } from "./no-wasm-module.js";
import { CLIENT } from "./options.js";
import type { ClientOptions } from "./types.js";

export * from "./public.js";

/** Replaces `WebAssembly` in wasm-bindgen's script, so that it instantiates the translated module. */
const TRANSLATED = {
  Module: Object,
  Instance: function (_module: object, imports: object) {
    return { exports: instantiate(imports) };
  },
};

function start(): Glue {
  const own = glue(undefined, TRANSLATED);
  own.initSync({ module: {} });
  return own;
}

/** An instance that was started to parse a base URL; the first call takes it over. */
let spare: Glue | undefined;

/** All clients share one instance. */
const load = /* @__PURE__ */ loader(async () => () => {
  const own = spare ?? start();
  spare = undefined;
  return own;
});

function parseBaseUrl(text: string): unknown {
  checkPlatform();
  try {
    spare ??= start();
    return JSON.parse(spare.baseUrl!(text));
  } catch (trap) {
    // After a trap its memory can no longer be trusted.
    spare = undefined;
    throw internalError(trap);
  }
}

/**
 * Calls the BookMore API, in JavaScript alone. One client is for one identity
 * and can carry out any number of calls, also at the same time.
 */
export class BookMoreClient extends BookMoreClientBase {
  /** @throws A {@link ConfigError} if an option is invalid. */
  constructor(options: ClientOptions = {}) {
    super(options, load, CLIENT, parseBaseUrl);
  }
}
