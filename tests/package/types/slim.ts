// What differs in "bookmore-sdk/slim". Compiled, never run.
import * as full from "bookmore-sdk";
import * as slim from "bookmore-sdk/slim";

same<keyof typeof slim, keyof typeof full>();
same<Members<slim.ClientOptions>, Members<full.ClientOptions & { wasm: full.WasmSource }>>();
same<ConstructorParameters<typeof slim.BookMoreClient>, [options: slim.ClientOptions]>();
// The types of both entries are compatible.
same<Members<slim.BookMoreClient>, Members<full.BookMoreClient>>();
export const narrowed: (error: slim.AnyBookMoreError) => full.AnyBookMoreError = (error) => error;

export function used(module: object): full.BookMoreClient[] {
  return [
    new slim.BookMoreClient({ wasm: module }),
    new slim.BookMoreClient({ wasm: new URL("https://example.com/sdk.wasm"), bearerToken: "token" }),
    new slim.BookMoreClient({ wasm: "/sdk.wasm" }),
    new slim.BookMoreClient({ wasm: fetch("/sdk.wasm") }),
    new slim.BookMoreClient({ wasm: new Uint8Array() }),
    // @ts-expect-error: there is none inside
    new slim.BookMoreClient({ bearerToken: "token" }),
    // @ts-expect-error: there is none inside
    new slim.BookMoreClient(),
    // @ts-expect-error: a number is not a module
    new slim.BookMoreClient({ wasm: 5 }),
    // @ts-expect-error: nor is this
    new slim.BookMoreClient({ wasm: null }),
  ];
}
