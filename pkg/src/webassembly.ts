import { glue, type Glue } from "./core.js";
import { BookMoreError, errorOf } from "./errors.js";
import { isWorkers, unsupported, type Source } from "./instance.js";
import { isRefusal } from "./thrown.js";

/** A compiled module, or what makes an instance of one with the imports that it is given. */
export type Compiled = WebAssembly.Module | ((imports: WebAssembly.Imports) => Promise<WebAssembly.Instance>);

/** Instances of the module that `compile` gives. What the platform does not have or refuses is told. */
export function webAssembly(compile: (signal: AbortSignal) => Promise<Compiled>): (signal: AbortSignal) => Promise<Source> {
  return async (signal) => {
    const compiled = await told(compile(signal));
    return () => told(started(compiled));
  };
}

async function started(compiled: Compiled): Promise<Glue> {
  if (typeof compiled === "function") {
    // The script has its own way to an instance; it is given another one.
    const instantiate = async (_: unknown, imports: WebAssembly.Imports) => ({ instance: await compiled(imports) });
    const own = glue(undefined, { instantiate, Instance: WebAssembly.Instance });
    await own({ module_or_path: {} });
    return own;
  }
  const own = glue();
  // Not `initSync`: it takes a module of another realm, as edge runtimes have it, for bytes.
  await own({ module_or_path: compiled });
  return own;
}

async function told<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (cause) {
    throw cause instanceof BookMoreError ? cause : refused(cause);
  }
}

function refused(cause: unknown): BookMoreError {
  const isMissing = typeof WebAssembly !== "object";
  if (!isMissing && !isRefusal(cause)) return unsupported(cause);
  let message = "This runtime has no WebAssembly, or has it switched off. Import bookmore-sdk/no-wasm instead.";
  if (!isMissing) {
    message = "This runtime refused to compile WebAssembly. ";
    message +=
      isWorkers() || "EdgeRuntime" in globalThis
        ? "It takes what was compiled with the app: bundle with the condition workerd, give an imported bookmore-sdk/sdk.wasm to bookmore-sdk/slim, or in Next list bookmore-sdk in serverExternalPackages."
        : "On a page with a Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src, or import bookmore-sdk/no-wasm instead.";
  }
  return errorOf({ code: "runtime_unsupported", message, cause });
}
