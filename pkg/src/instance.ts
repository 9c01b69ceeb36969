import { glue, type Core, type Glue } from "./core.js";
import { BookMoreError, errorOf, internalError } from "./errors.js";
import { wasm } from "./wasm-inline.js";

/** A running WebAssembly module. */
export class Instance {
  readonly #glue: Glue = glue();
  readonly #pending = new Set<(error: unknown) => void>();
  #trap: unknown;

  static async start(): Promise<Instance> {
    const instance = new Instance();
    const module = await compiled();
    const { exports } = await WebAssembly.instantiate(module, instance.#glue.imports);
    instance.#glue.start(instance.#guarded(exports));
    return instance.#alive(instance);
  }

  /** Whether it trapped: its memory cannot be trusted any more. */
  get isDead(): boolean {
    return this.#trap !== undefined;
  }

  core(options: object): Core {
    return this.#alive(new this.#glue.Core(options));
  }

  /** Settles as `call` does, or rejects when the module traps. */
  async run<T>(call: () => Promise<T>): Promise<T> {
    let fail!: (error: unknown) => void;
    const trapped = new Promise<never>((_, reject) => (fail = reject));
    // A trap within `call` comes before anybody listens.
    trapped.catch(() => {});
    this.#pending.add(fail);
    try {
      return await Promise.race([this.#alive(call()), trapped]);
    } finally {
      this.#pending.delete(fail);
    }
  }

  #alive<T>(value: T): T {
    if (this.isDead) throw internalError(this.#trap);
    return value;
  }

  /**
   * The exports, which no longer run and give nothing after a trap. A trap
   * would otherwise leave promises pending, and reach nobody where it happens
   * in a microtask. `[]` stands for every kind of nothing that the glue
   * expects: it is 0 as a number and has no first item.
   */
  #guarded(exports: WebAssembly.Exports): WebAssembly.Exports {
    const guard =
      (run: (...values: unknown[]) => unknown) =>
      (...values: unknown[]) => {
        if (this.isDead) return [];
        try {
          return run(...values);
        } catch (trap) {
          this.#trap = trap ?? new Error("trap");
          for (const fail of this.#pending) fail(internalError(this.#trap));
          return [];
        }
      };
    return Object.fromEntries(
      Object.entries(exports).map(([name, value]) => [
        name,
        typeof value === "function" ? guard(value as never) : value,
      ]),
    );
  }
}

let module: Promise<WebAssembly.Module> | undefined;

/** Compiled once; a failure is forgotten, so that the next call tries again. */
function compiled(): Promise<WebAssembly.Module> {
  return (module ??= compile().catch((error) => {
    module = undefined;
    throw error;
  }));
}

async function compile(): Promise<WebAssembly.Module> {
  try {
    return await WebAssembly.compile(wasm());
  } catch (cause) {
    throw errorOf({
      code: "runtime_unsupported",
      message:
        typeof WebAssembly === "object"
          ? "This runtime refused to compile WebAssembly. On a page with a Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src."
          : "This runtime has no WebAssembly, or has it switched off. Use another one.",
      cause,
    });
  }
}

let running: Promise<Instance> | undefined;

/** The instance that all clients share; a dead one is followed by another. */
export async function instance(): Promise<Instance> {
  const starting = (running ??= Instance.start());
  let started;
  try {
    started = await starting;
    if (!started.isDead) return started;
  } catch (error) {
    // What the glue needs may be missing, such as TextDecoder in jsdom.
    throw error instanceof BookMoreError
      ? error
      : errorOf({
          code: "runtime_unsupported",
          message: "This runtime lacks something that the SDK needs; the cause names it.",
          cause: error,
        });
  } finally {
    if (running === starting && (started === undefined || started.isDead)) running = undefined;
  }
  return instance();
}
