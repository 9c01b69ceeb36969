// Stands in for wasm-inline in Cloudflare Workers and edge runtimes, which run
// no module that was not compiled ahead of time. With `?module`, because some
// bundlers take a plain `.wasm` for a script that has the module's exports.
import module from "./sdk.wasm?module";

export const wasm = async (): Promise<WebAssembly.Module> => module;
