// With a platform whose types have WebAssembly. Compiled, never run.
import { BookMoreClient } from "bookmore-sdk/slim";

export const clients = (module: WebAssembly.Module, bytes: BufferSource) => [
  new BookMoreClient({ wasm: module }),
  new BookMoreClient({ wasm: WebAssembly.compile(bytes) }),
  new BookMoreClient({ wasm: bytes }),
];
