/** Compiles the module, whose bytes the build writes into a string. */
export function wasm(): Promise<WebAssembly.Module>;
