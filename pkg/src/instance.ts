import { glue, type Glue } from "./core.js";
import { BookMoreError, errorOf } from "./errors.js";

/** A running WebAssembly module. */
export class Instance {
  readonly glue: Glue;
  /** What it trapped with: its memory cannot be trusted any more. */
  trap: unknown;

  static async start(module: WebAssembly.Module): Promise<Instance> {
    const own = glue();
    // Not `initSync`: it takes a module of another realm, as edge runtimes have it, for bytes.
    await own({ module_or_path: module });
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

/** Gives the instance to call, to one who waits for `limitMs` at the most. */
export type Loader = (limitMs?: number) => Promise<Instance>;

/** A caller without a limit of its own does not join a load that is older. */
const LONGEST_LOAD_MS = 30_000;

/**
 * Takes the module from `source` at the first call. A failure is forgotten, so
 * that the next call tries again, and a load that is older than a caller would
 * wait is left to those who wait for it.
 */
export function loader(source: () => Promise<WebAssembly.Module>): Loader {
  let module: WebAssembly.Module | undefined;
  const compiled = async () => (module ??= await source());
  let loading: { since: number; instance: Promise<Instance>; isOver: boolean } | undefined;
  return async function load(limitMs = Infinity): Promise<Instance> {
    const now = performance.now();
    const longest = isWorkers() ? 0 : Math.min(limitMs, LONGEST_LOAD_MS);
    if (loading && !loading.isOver && now - loading.since >= longest) loading = undefined;
    if (!loading) {
      const started = { since: now, instance: compiled().then(Instance.start), isOver: false };
      const end = () => (started.isOver = true);
      started.instance.then(end, end);
      loading = started;
    }
    const own = loading;
    const forget = () => {
      if (loading === own) loading = undefined;
    };
    let instance;
    try {
      instance = await own.instance;
    } catch (cause) {
      forget();
      throw cause instanceof BookMoreError ? cause : unsupported(cause);
    }
    if (instance.trap === undefined) return instance;
    forget();
    return load(limitMs);
  };
}

export function unsupported(cause: unknown): BookMoreError {
  let message = `This runtime lacks something that the SDK needs: ${String(cause).replace(/\.$/, "")}.`;
  if (typeof WebAssembly !== "object") {
    message = "This runtime has no WebAssembly, or has it switched off. Use another one.";
  } else if (cause instanceof WebAssembly.CompileError || cause instanceof EvalError) {
    message =
      "This runtime refused to compile WebAssembly. On a page with a Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src.";
  }
  return errorOf({ code: "runtime_unsupported", message, cause });
}
