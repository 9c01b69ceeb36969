// Stands in for wasm-inline in edge runtimes such as that of Next, which run
// no module that was not compiled ahead of time.
import module from "./sdk.wasm?module";

export const wasm = async (): Promise<WebAssembly.Module> => module;
