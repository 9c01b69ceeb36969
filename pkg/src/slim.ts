import { BookMoreClientBase } from "./client.js";
import { errorOf } from "./errors.js";
import { loader } from "./instance.js";
import { CLIENT, inside } from "./options.js";
import { isRefusal, wordsOf } from "./thrown.js";
import type { ClientOptions as Options, WasmSource } from "./types.js";
import { webAssembly, type Compiled } from "./webassembly.js";

export * from "./public.js";

/** That of the package; the build writes it here. */
declare const VERSION: string;

/** What a {@link BookMoreClient} is made of. */
export interface ClientOptions extends Options {
  /**
   * The module `bookmore-sdk/sdk.wasm`: compiled, as bytes, as a Response, where
   * it can be fetched, or as Vite's `?init` gives it.
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
    const wasm = inside("wasm", () => options?.wasm);
    if (!wasm) throw configError(`wasm is missing: ${NEEDED}`);
    if (!["object", "string", "function"].includes(typeof wasm)) throw configError(`wasm is of type ${typeof wasm}: ${NEEDED}`);
    // A promise that fails before the first call fails that call, and nothing else.
    Promise.resolve(wasm).catch(() => {});
    super(options, loader(webAssembly((signal) => compiledOf(wasm, signal))), ["wasm", ...CLIENT]);
  }
}

async function compiledOf(wasm: WasmSource, signal: AbortSignal): Promise<Compiled> {
  let given: unknown;
  try {
    given = await wasm;
  } catch (cause) {
    throw configError(`The promise given as wasm failed${wordsOf(cause)}; ${NEEDED}`, cause);
  }
  // A namespace, as `import()` gives it.
  for (let depth = 0; depth < 2 && typeof given === "object" && given && "default" in given; depth++) given = await given.default;
  if (typeof given === "function") return maker(given as Make);
  const isUrl = typeof given === "string" || tagOf(given) === "URL";
  if (isUrl) given = await fetched(String(given), signal);
  if (typeof given === "object" && given && "arrayBuffer" in given) given = await read(given as Response, isUrl);
  // Not every platform compiles a DataView.
  if (ArrayBuffer.isView(given)) given = new Uint8Array(given.buffer, given.byteOffset, given.byteLength);
  const isBytes = ArrayBuffer.isView(given) || tagOf(given) === "ArrayBuffer";
  const module = isBytes ? await compiled(given as BufferSource) : given;
  checkVersion(module);
  return module;
}

/** What a platform's object is, of whatever realm. */
function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

async function fetched(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal });
  } catch (cause) {
    // Whatever else fetch may know, such as files, it does not know here.
    const isOfHttp = /^https?:/i.test(url) || (globalThis.location && !/^[a-z][\w+.-]*:/i.test(url));
    const code = isOfHttp ? "network_error" : "config_error";
    const message = `The module could not be fetched${wordsOf(cause)}. Check the URL that is given as wasm, or give the bytes.`;
    throw errorOf({ code, message, cause, isRetryable: code === "network_error" });
  }
}

/** The bytes of a Response, which several clients may be given and only one can read. */
const bytes = /* @__PURE__ */ new WeakMap<Response, Promise<ArrayBuffer>>();

/** The bytes of a Response, or of a Blob. */
async function read(from: Response, isFetched: boolean): Promise<ArrayBuffer> {
  if ("ok" in from && !from.ok) {
    const message = `The URL of the module answered ${from.status}`;
    if (isFetched && from.status >= 500) throw errorOf({ code: "network_error", message: `${message}. Try again.`, isRetryable: true });
    throw configError(`${message}; ${NEEDED}`);
  }
  let all = bytes.get(from);
  if (!all) {
    if (from.bodyUsed) throw configError(`The Response given as wasm has been read already; ${NEEDED}`);
    bytes.set(from, (all = from.arrayBuffer()));
  }
  try {
    return await all;
  } catch (cause) {
    const advice = isFetched ? "Try again." : "Give it anew, or by its URL.";
    const message = `The module broke off${wordsOf(cause)}. ${advice}`;
    throw errorOf({ code: "network_error", message, cause, isRetryable: isFetched });
  }
}

async function compiled(given: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(given);
  } catch (cause) {
    // Valid bytes are refused by the platform, or it has no WebAssembly.
    if (typeof WebAssembly !== "object" || isValid(given)) throw cause;
    throw noModule(cause);
  }
}

function isValid(given: BufferSource): boolean {
  try {
    return WebAssembly.validate(given);
  } catch {
    // An ArrayBuffer that was given away.
    return false;
  }
}

type Make = (imports: WebAssembly.Imports) => unknown;

/** Makes instances by Vite's `?init` and functions like it. */
function maker(make: Make): Compiled {
  return async (imports) => {
    let made: { instance?: WebAssembly.Instance; exports?: object } | undefined;
    try {
      made = (await make(imports)) as typeof made;
    } catch (cause) {
      if (typeof WebAssembly !== "object" || isRefusal(cause)) throw cause;
      throw configError(`The function given as wasm failed${wordsOf(cause)}; ${NEEDED}`, cause);
    }
    const instance = made?.instance ?? (made as WebAssembly.Instance | undefined);
    if (instance?.exports && "core_command" in instance.exports) return instance;
    throw configError(`The function given as wasm made no instance of the module; ${NEEDED}`);
  };
}

/** A module of another version, say from a cache, may lack what this one calls. */
function checkVersion(module: unknown): asserts module is WebAssembly.Module {
  let sections;
  try {
    sections = WebAssembly.Module.customSections(module as WebAssembly.Module, "bookmore-sdk");
  } catch (cause) {
    if (typeof WebAssembly !== "object") throw cause;
    throw noModule(cause);
  }
  const version = sections[0] && new TextDecoder().decode(sections[0]);
  if (version === VERSION) return;
  throw configError(
    `The module given as wasm is ${version ? `of version ${version}` : "not one of bookmore-sdk's"}, and bookmore-sdk/slim is of version ${VERSION}. Pass the sdk.wasm of the same version; a cache may hold an old one.`,
  );
}

const NEEDED = "pass the module bookmore-sdk/sdk.wasm, its bytes, a Response or its URL.";

const noModule = (cause: unknown) => configError(`What was given as wasm is no module: ${NEEDED}`, cause);

function configError(message: string, cause?: unknown): Error {
  return errorOf({ code: "config_error", message, cause });
}
