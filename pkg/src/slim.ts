import { BookMoreClientBase } from "./client.js";
import { errorOf } from "./errors.js";
import { loader } from "./instance.js";
import { CLIENT, inside } from "./options.js";
import { isRefusal, wordsOf } from "./thrown.js";
import type { ClientOptions as Options, WasmSource } from "./types.js";
import { webAssembly, type Compiled } from "./webassembly.js";

export * from "./public.js";

/** The package's version, which the build inserts. */
declare const VERSION: string;

/** The options of a {@link BookMoreClient}. */
export interface ClientOptions extends Options {
  /**
   * The module `bookmore-sdk/sdk.wasm`: compiled, its bytes, a Response, its URL,
   * or the function of Vite's `?init`.
   */
  wasm: WasmSource;
}

/**
 * Calls the BookMore API. One client is for one identity and can carry out any
 * number of calls, also at the same time.
 */
export class BookMoreClient extends BookMoreClientBase {
  /** @throws A {@link ConfigError} if an option is invalid. */
  constructor(options: ClientOptions) {
    const wasm = inside("wasm", () => options?.wasm);
    if (!wasm) throw configError(`wasm is missing: ${NEEDED}`);
    if (!["object", "string", "function"].includes(typeof wasm)) throw configError(`wasm is of type ${typeof wasm}: ${NEEDED}`);
    // If the promise rejects before the first call, that call fails, and there is no unhandled rejection.
    Promise.resolve(wasm).catch(() => {});
    super(options, loader(webAssembly((signal) => compiledOf(wasm, signal))), ["wasm", ...CLIENT]);
  }
}

async function compiledOf(wasm: WasmSource, signal: AbortSignal): Promise<Compiled> {
  let given: unknown;
  try {
    given = await wasm;
  } catch (cause) {
    throw configError(`The promise passed as wasm was rejected${wordsOf(cause)}; ${NEEDED}`, cause);
  }
  // A namespace, the result of `import()`.
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

/** The class of a platform's object, of any realm. */
function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

async function fetched(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal });
  } catch (cause) {
    // fetch does not support this scheme here, such as file:.
    const isOfHttp = /^https?:/i.test(url) || (globalThis.location && !/^[a-z][\w+.-]*:/i.test(url));
    const code = isOfHttp ? "network_error" : "config_error";
    const message = `The module could not be fetched${wordsOf(cause)}. Check the URL passed as wasm, or pass the bytes.`;
    throw errorOf({ code, message, cause, isRetryable: code === "network_error" });
  }
}

/** The bytes of each Response, because several clients may get the same one, and it can be read only once. */
const bytes = /* @__PURE__ */ new WeakMap<Response, Promise<ArrayBuffer>>();

/** The bytes of a Response, or of a Blob. */
async function read(from: Response, isFetched: boolean): Promise<ArrayBuffer> {
  if ("ok" in from && !from.ok) {
    const message = `The URL of the module answered with ${from.status}`;
    if (isFetched && from.status >= 500) throw errorOf({ code: "network_error", message: `${message}. Try again.`, isRetryable: true });
    throw configError(`${message}; ${NEEDED}`);
  }
  let all = bytes.get(from);
  if (!all) {
    if (from.bodyUsed) throw configError(`The Response passed as wasm has been read already; ${NEEDED}`);
    bytes.set(from, (all = from.arrayBuffer()));
  }
  try {
    return await all;
  } catch (cause) {
    const advice = isFetched ? "Try again." : "Pass a new Response, or the URL.";
    const message = `The download of the module broke off${wordsOf(cause)}. ${advice}`;
    throw errorOf({ code: "network_error", message, cause, isRetryable: isFetched });
  }
}

async function compiled(given: BufferSource): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(given);
  } catch (cause) {
    // The bytes are valid, so the platform does not allow WebAssembly.
    if (typeof WebAssembly !== "object" || isValid(given)) throw cause;
    throw noModule(cause);
  }
}

function isValid(given: BufferSource): boolean {
  try {
    return WebAssembly.validate(given);
  } catch {
    // A detached ArrayBuffer.
    return false;
  }
}

type Make = (imports: WebAssembly.Imports) => unknown;

/** Makes instances by a function such as that of Vite's `?init`. */
function maker(make: Make): Compiled {
  return async (imports) => {
    let made: { instance?: WebAssembly.Instance; exports?: object } | undefined;
    try {
      made = (await make(imports)) as typeof made;
    } catch (cause) {
      if (typeof WebAssembly !== "object" || isRefusal(cause)) throw cause;
      throw configError(`The function passed as wasm failed${wordsOf(cause)}; ${NEEDED}`, cause);
    }
    const instance = made?.instance ?? (made as WebAssembly.Instance | undefined);
    if (instance?.exports && "core_command" in instance.exports) return instance;
    throw configError(`The function passed as wasm made no instance of the module; ${NEEDED}`);
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
    `The module passed as wasm is ${version ? `version ${version}` : "not bookmore-sdk's"}, but bookmore-sdk/slim is version ${VERSION}. Pass the sdk.wasm of the same version; a cache may hold an old one.`,
  );
}

const NEEDED = "pass the module bookmore-sdk/sdk.wasm, its bytes, a Response or its URL.";

const noModule = (cause: unknown) => configError(`The value passed as wasm is not a WebAssembly module: ${NEEDED}`, cause);

function configError(message: string, cause?: unknown): Error {
  return errorOf({ code: "config_error", message, cause });
}
