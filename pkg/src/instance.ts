import { glue, type Glue } from "./core.js";
import { BookMoreError, errorOf } from "./errors.js";
import { textOf } from "./thrown.js";

/** A compiled module, or what makes an instance of one with the imports that it is given. */
export type Source = WebAssembly.Module | ((imports: WebAssembly.Imports) => Promise<WebAssembly.Instance>);

/** A running WebAssembly module. */
export class Instance {
  readonly glue: Glue;
  /** What it trapped with: its memory cannot be trusted any more. */
  trap: unknown;

  static async start(source: Source): Promise<Instance> {
    if (typeof source === "function") {
      // The script has its own way to an instance; it is given another one.
      const instantiate = async (_: unknown, imports: WebAssembly.Imports) => ({ instance: await source(imports) });
      const own = glue(undefined, { instantiate, Instance: WebAssembly.Instance });
      await own({ module_or_path: {} });
      return new Instance(own);
    }
    const own = glue();
    // Not `initSync`: it takes a module of another realm, as edge runtimes have it, for bytes.
    await own({ module_or_path: source });
    return new Instance(own);
  }

  private constructor(glue: Glue) {
    this.glue = glue;
  }
}

/**
 * In Cloudflare Workers promises and timers belong to the request that made
 * them, and end with it: nothing in flight can be shared between calls.
 */
export const isWorkers = (): boolean => globalThis.navigator?.userAgent === "Cloudflare-Workers";

/** @throws A RuntimeUnsupportedError that names the missing global. WebAssembly and fetch are checked elsewhere. */
export function checkPlatform(): void {
  const needed = ["AbortController", "TextDecoder", "TextEncoder", "performance"];
  const missing = needed.find((name) => !(globalThis as Record<string, unknown>)[name]);
  if (missing) {
    const message = `This runtime has no ${missing}. Load a polyfill of it before the first call.`;
    throw errorOf({ code: "runtime_unsupported", message });
  }
}

/** Gives the instance to call, to one who waits for `limitMs` at the most. */
export type Loader = (limitMs?: number) => Promise<Instance>;

/** A caller without a limit of its own does not join a load that is older. */
const LONGEST_LOAD_MS = 30_000;

/**
 * Takes the module from `source` at the first call. A failure is forgotten, so
 * that the next call tries again. A load that is older than a caller would wait
 * is given up, its signal aborted, and begun anew for all who wait for it.
 */
export function loader(source: (signal: AbortSignal) => Promise<Source>): Loader {
  let module: Source | undefined;
  const compiled = async (signal: AbortSignal) => (module ??= await source(signal));
  let loading: { since: number; instance: Promise<Instance>; isOver: boolean; controller: AbortController } | undefined;
  return async function load(limitMs = Infinity): Promise<Instance> {
    checkPlatform();
    const now = performance.now();
    const longest = isWorkers() ? 0 : Math.min(limitMs, LONGEST_LOAD_MS);
    if (loading && !loading.isOver && now - loading.since >= longest) {
      if (longest > 0) loading.controller.abort();
      loading = undefined;
    }
    if (!loading) {
      const controller = new AbortController();
      const started = { since: now, instance: compiled(controller.signal).then(Instance.start), isOver: false, controller };
      const end = () => (started.isOver = true);
      started.instance.then(end, end);
      loading = started;
    }
    const own = loading;
    let instance;
    try {
      instance = await own.instance;
    } catch (cause) {
      if (own.controller.signal.aborted) return load(limitMs);
      if (loading === own) loading = undefined;
      if (!(cause instanceof BookMoreError)) throw unsupported(cause);
      // Each caller gets an error of its own.
      throw errorOf({ ...cause, message: cause.message, cause: cause.cause });
    }
    if (instance.trap === undefined) return instance;
    if (loading === own) loading = undefined;
    return load(limitMs);
  };
}

export function unsupported(cause: unknown): BookMoreError {
  let message = `This runtime lacks something that the SDK needs: ${String(cause).replace(/\.$/, "")}.`;
  if (typeof WebAssembly !== "object") {
    message = "This runtime has no WebAssembly, or has it switched off. Use another one.";
  } else if (isRefusal(cause)) {
    message = "This runtime refused to compile WebAssembly. ";
    message +=
      isWorkers() || "EdgeRuntime" in globalThis
        ? "It takes what was compiled with the app: bundle with the condition workerd, give an imported bookmore-sdk/sdk.wasm to bookmore-sdk/slim, or in Next list bookmore-sdk in serverExternalPackages."
        : "On a page with a Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src.";
  }
  return errorOf({ code: "runtime_unsupported", message, cause });
}

/** Whether a platform threw it because it compiles nothing, or not these bytes. */
export function isRefusal(thrown: unknown): boolean {
  return ["CompileError", "EvalError"].includes(textOf(thrown, "name"));
}
