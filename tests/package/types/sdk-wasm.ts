// The type of an import of the module. Compiled, never run.
import wasm from "bookmore-sdk/sdk.wasm";
import { BookMoreClient, type WasmSource } from "bookmore-sdk/slim";

same<typeof wasm, WasmSource>();
export const client = new BookMoreClient({ wasm });
