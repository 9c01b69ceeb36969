// What differs in "bookmore-sdk/slim". Compiled, never run.
import * as full from "bookmore-sdk";
import * as slim from "bookmore-sdk/slim";

same<keyof typeof slim, keyof typeof full>();
same<
  { [Name in keyof slim.ClientOptions]: slim.ClientOptions[Name] },
  { [Name in keyof (full.ClientOptions & { wasm: full.WasmSource })]: (full.ClientOptions & { wasm: full.WasmSource })[Name] }
>();
same<ConstructorParameters<typeof slim.BookMoreClient>, [options: slim.ClientOptions]>();

export function used(module: WebAssembly.Module): full.BookMoreClient[] {
  return [
    new slim.BookMoreClient({ wasm: module }),
    new slim.BookMoreClient({ wasm: new URL("https://example.com/sdk.wasm"), bearerToken: "token" }),
    new slim.BookMoreClient({ wasm: fetch("/sdk.wasm") }),
    new slim.BookMoreClient({ wasm: new Uint8Array() }),
    // @ts-expect-error: there is none inside
    new slim.BookMoreClient({ bearerToken: "token" }),
    // @ts-expect-error: there is none inside
    new slim.BookMoreClient(),
  ];
}
