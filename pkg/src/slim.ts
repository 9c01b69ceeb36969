import { BookMoreClientBase } from "./client.js";
import { errorOf } from "./errors.js";
import { loader } from "./instance.js";
import { CLIENT } from "./options.js";
import type { ClientOptions as Options, WasmSource } from "./types.js";

export * from "./public.js";

/** That of the package; the build writes it here. */
declare const VERSION: string;

/** What a {@link BookMoreClient} is made of. */
export interface ClientOptions extends Options {
  /**
   * The module `bookmore-sdk/sdk.wasm`: compiled, as bytes, as a Response, or
   * where it can be fetched.
   */
  wasm: WasmSource;
}

/**
 * Calls the BookMore API. One client is for one identity and can carry out any
 * number of calls, also at the same time.
 */
export class BookMoreClient extends BookMoreClientBase {
  /** @throws {@link ConfigError} where an option cannot be used. */
  constructor(options: ClientOptions) {
    const wasm = options?.wasm;
    if (!wasm) {
      throw errorOf({
        code: "config_error",
        message: "wasm is missing: pass the module bookmore-sdk/sdk.wasm, its bytes, a Response or its URL.",
      });
    }
    // A promise that fails before the first call fails that call, and nothing else.
    Promise.resolve(wasm).catch(() => {});
    super(options, loader(() => compiled(wasm)), ["wasm", ...CLIENT]);
  }
}

async function compiled(source: WasmSource): Promise<WebAssembly.Module> {
  let given = await source;
  if (typeof given === "string" || given instanceof URL) given = await fetch(given);
  if ("arrayBuffer" in given) {
    if (!given.ok) throw new Error(`The URL of the module answered ${given.status}.`);
    given = await given.arrayBuffer();
  }
  const isBytes = given instanceof ArrayBuffer || ArrayBuffer.isView(given);
  const module = isBytes ? await WebAssembly.compile(given as BufferSource) : (given as WebAssembly.Module);
  checkVersion(module);
  return module;
}

/** A module of another version, say from a cache, may lack what this one calls. */
function checkVersion(module: WebAssembly.Module): void {
  const [section] = WebAssembly.Module.customSections(module, "bookmore-sdk");
  const version = section && new TextDecoder().decode(section);
  if (version === VERSION) return;
  throw errorOf({
    code: "config_error",
    message: `The module given as wasm is ${version ? `of version ${version}` : "not one of bookmore-sdk's"}, and bookmore-sdk/slim is of version ${VERSION}. Pass the sdk.wasm of the same version; a cache may hold an old one.`,
  });
}
