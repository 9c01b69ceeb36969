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
  /** @throws A {@link ConfigError} where an option cannot be used. */
  constructor(options: ClientOptions) {
    const wasm = options?.wasm;
    if (!wasm) throw configError(`wasm is missing: ${NEEDED}`);
    if (!["object", "string"].includes(typeof wasm)) throw configError(`wasm is of type ${typeof wasm}: ${NEEDED}`);
    // A promise that fails before the first call fails that call, and nothing else.
    Promise.resolve(wasm).catch(() => {});
    super(options, loader(() => compiled(wasm)), ["wasm", ...CLIENT]);
  }
}

async function compiled(source: WasmSource): Promise<WebAssembly.Module> {
  let given: unknown = await source;
  if (typeof given === "string" || given instanceof URL) given = await fetch(given);
  if (isResponse(given)) {
    if (!given.ok) throw new Error(`The URL of the module answered ${given.status}.`);
    given = await given.arrayBuffer();
  }
  const isBytes = given instanceof ArrayBuffer || ArrayBuffer.isView(given);
  const module = isBytes ? await WebAssembly.compile(given as BufferSource) : given;
  checkVersion(module);
  return module;
}

function isResponse(given: unknown): given is Response {
  return typeof given === "object" && given !== null && "arrayBuffer" in given;
}

/** A module of another version, say from a cache, may lack what this one calls. */
function checkVersion(module: unknown): asserts module is WebAssembly.Module {
  let sections;
  try {
    sections = WebAssembly.Module.customSections(module as WebAssembly.Module, "bookmore-sdk");
  } catch {
    throw configError(`What was given as wasm is no module: ${NEEDED}`);
  }
  const version = sections[0] && new TextDecoder().decode(sections[0]);
  if (version === VERSION) return;
  throw configError(
    `The module given as wasm is ${version ? `of version ${version}` : "not one of bookmore-sdk's"}, and bookmore-sdk/slim is of version ${VERSION}. Pass the sdk.wasm of the same version; a cache may hold an old one.`,
  );
}

const NEEDED = "pass the module bookmore-sdk/sdk.wasm, its bytes, a Response or its URL.";

function configError(message: string): Error {
  return errorOf({ code: "config_error", message });
}
