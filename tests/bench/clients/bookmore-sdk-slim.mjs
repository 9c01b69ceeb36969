import { BookMoreClient } from "bookmore-sdk/slim";

export const usage = (baseUrl, readWasm) =>
  new BookMoreClient({ wasm: readWasm(), baseUrl, bearerToken: "good-token" }).getAiChatUsage();
