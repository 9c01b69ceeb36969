import { BookMoreClient } from "bookmore-sdk/slim";

export function client(baseUrl, readWasm) {
  const client = new BookMoreClient({ wasm: readWasm(), baseUrl, bearerToken: "good-token" });
  return () => client.getAiChatUsage({}, { coalesce: false });
}
