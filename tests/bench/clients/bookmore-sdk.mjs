import { BookMoreClient } from "bookmore-sdk";

export function client(baseUrl) {
  const client = new BookMoreClient({ baseUrl, bearerToken: "good-token" });
  // No sharing of requests, because the other clients share none.
  return () => client.getAiChatUsage({}, { coalesce: false });
}
