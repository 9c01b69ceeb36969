import { glue, type Glue } from "./core.js";
import { BookMoreError, errorOf } from "./errors.js";
import { isWorkers, unsupported, type Source } from "./instance.js";
import { isRefusal } from "./thrown.js";

/** A compiled module, or a function that instantiates one with the given imports. */
export type Compiled = WebAssembly.Module | ((imports: WebAssembly.Imports) => Promise<WebAssembly.Instance>);

/** Creates instances of the module that `compile` returns. A platform without WebAssembly, or that refuses it, is a RuntimeUnsupportedError. */
export function webAssembly(compile: (signal: AbortSignal) => Promise<Compiled>): (signal: AbortSignal) => Promise<Source> {
  return async (signal) => {
    const compiled = await told(compile(signal));
    return () => told(started(compiled));
  };
}

async function started(compiled: Compiled): Promise<Glue> {
  if (typeof compiled === "function") {
    // wasm-bindgen's script instantiates the module through this object.
    const instantiate = async (_: unknown, imports: WebAssembly.Imports) => ({ instance: await compiled(imports) });
    const own = glue(undefined, { instantiate, Instance: WebAssembly.Instance });
    await own({ module_or_path: {} });
    return own;
  }
  const own = glue();
  // Not `initSync`, which mistakes a module of another realm, as in edge runtimes, for bytes.
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
  let message = "This runtime has no WebAssembly, or it is disabled. Import bookmore-sdk/no-wasm instead.";
  if (!isMissing) {
    message = "This runtime refused to compile WebAssembly. ";
    message +=
      isWorkers() || "EdgeRuntime" in globalThis
        ? "It runs only modules that were compiled with the app: bundle with the condition workerd, pass an imported bookmore-sdk/sdk.wasm to bookmore-sdk/slim, or in Next.js add bookmore-sdk to serverExternalPackages."
        : "On a page with a Content-Security-Policy, add 'wasm-unsafe-eval' to its script-src, or import bookmore-sdk/no-wasm instead.";
  }
  return errorOf({ code: "runtime_unsupported", message, cause });
}
