// Replaces wasm-inline in Cloudflare Workers and edge runtimes, which run only
// modules that were compiled ahead of time. `?module`, because some bundlers turn
// a plain `.wasm` into a script with the module's exports.
import module from "./sdk.wasm?module";

export const wasm = async (): Promise<WebAssembly.Module> => module;
