import ky from "ky";

export function client(baseUrl) {
  const client = ky.create({ prefix: baseUrl, headers: { Authorization: "Bearer good-token" } });
  return () => client.get("assistant/ai-chat/usage").json();
}
