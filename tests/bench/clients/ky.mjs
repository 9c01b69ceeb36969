import ky from "ky";

export const usage = (baseUrl) =>
  ky.get("assistant/ai-chat/usage", { prefixUrl: baseUrl, headers: { Authorization: "Bearer good-token" } }).json();
