// "bookmore-sdk/no-wasm" is the same as "bookmore-sdk". Compiled, never run.
import * as full from "bookmore-sdk";
import * as noWasm from "bookmore-sdk/no-wasm";

same<keyof typeof noWasm, keyof typeof full>();
same<ConstructorParameters<typeof noWasm.BookMoreClient>, ConstructorParameters<typeof full.BookMoreClient>>();
same<Members<noWasm.BookMoreClient>, Members<full.BookMoreClient>>();
export const narrowed: (error: noWasm.AnyBookMoreError) => full.AnyBookMoreError = (error) => error;
