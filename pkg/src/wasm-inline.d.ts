/** The bytes of the WebAssembly module, which the build writes into a string. */
export function wasm(): Uint8Array<ArrayBuffer>;
