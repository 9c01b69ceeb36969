// The module as a bundler or a runtime gives it. Compiled, never run.
import wasm from "bookmore-sdk/sdk.wasm";
import { BookMoreClient, type WasmSource } from "bookmore-sdk/slim";

same<typeof wasm, WasmSource>();
export const client = new BookMoreClient({ wasm });
