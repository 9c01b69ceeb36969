import type { WasmSource } from "bookmore-sdk";

/** What an import of the module evaluates to, which depends on the runtime or bundler: the compiled module, or its URL. */
declare const wasm: WasmSource;
export default wasm;
