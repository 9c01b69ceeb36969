import { glue, type Glue } from "./core.js";
import { BookMoreError, errorOf, internalError } from "./errors.js";

/** A running WebAssembly module. */
export class Instance {
  readonly glue: Glue;
  #trap: unknown;

  static async start(module: WebAssembly.Module): Promise<Instance> {
    const own = glue();
    // Not `initSync`: it takes a module of another realm, as edge runtimes have it, for bytes.
    await own({ module_or_path: module });
    return new Instance(own);
  }

  private constructor(glue: Glue) {
    this.glue = glue;
  }

  /** Whether it trapped: its memory cannot be trusted any more. */
  get isDead(): boolean {
    return this.#trap !== undefined;
  }

  /** `target`, an object of the module's, which throws nothing but traps. */
  guarded<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (_, name) => {
        const value: unknown = this.#use(() => Reflect.get(target, name, target));
        return typeof value === "function"
          ? (...given: unknown[]) => this.#use(() => Reflect.apply(value, target, given))
          : value;
      },
    });
  }

  #use<T>(run: () => T): T {
    if (!this.isDead) {
      try {
        return run();
      } catch (trap) {
        this.#trap = trap ?? "trap";
      }
    }
    throw internalError(this.#trap);
  }
}

/** Gives the instance to call: the same one, until it is dead. */
export type Loader = () => Promise<Instance>;

/**
 * Takes the module from `source` at the first call. A failure is forgotten, so
 * that the next call tries again.
 */
export function loader(source: () => Promise<WebAssembly.Module>): Loader {
  let module: Promise<WebAssembly.Module> | undefined;
  let running: Promise<Instance> | undefined;
  return async function load(): Promise<Instance> {
    const starting = (running ??= (module ??= source()).then(Instance.start));
    try {
      const instance = await starting;
      if (!instance.isDead) return instance;
    } catch (cause) {
      if (running === starting) module = running = undefined;
      throw cause instanceof BookMoreError ? cause : unsupported(cause);
    }
    if (running === starting) running = undefined;
    return load();
  };
}

function unsupported(cause: unknown): BookMoreError {
  let message = `This runtime lacks something that the SDK needs: ${String(cause)}.`;
  if (typeof WebAssembly !== "object") {
    message = "This runtime has no WebAssembly, or has it switched off. Use another one.";
  } else if (cause instanceof WebAssembly.CompileError || cause instanceof EvalError) {
    message =
      "This runtime refused to compile WebAssembly. On a page with a Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src.";
  }
  return errorOf({ code: "runtime_unsupported", message, cause });
}
