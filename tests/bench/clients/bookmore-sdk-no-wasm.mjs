import { BookMoreClient } from "bookmore-sdk/no-wasm";

export function client(baseUrl) {
  const client = new BookMoreClient({ baseUrl, bearerToken: "good-token" });
  // Each call is a request of its own, as those of the others are.
  return () => client.getAiChatUsage({}, { coalesce: false });
}
