import { BookMoreClient } from "bookmore-sdk";

export function client(baseUrl) {
  const client = new BookMoreClient({ baseUrl, bearerToken: "good-token" });
  // Requests are not shared, because the other clients share none.
  return () => client.getAiChatUsage({}, { coalesce: false });
}
