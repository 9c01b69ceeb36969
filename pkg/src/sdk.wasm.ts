import type { WasmSource } from "bookmore-sdk";

/** The module as runtimes and bundlers give it: compiled, or its URL. */
declare const wasm: WasmSource;
export default wasm;
