// Stands in for wasm-inline in Cloudflare Workers, which run no module that
// was not compiled ahead of time.
import module from "./sdk.wasm";

export const wasm = async (): Promise<WebAssembly.Module> => module;
