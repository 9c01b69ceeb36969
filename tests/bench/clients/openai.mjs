import OpenAI from "openai";

export function client(baseURL) {
  const client = new OpenAI({ baseURL, apiKey: "good-token", dangerouslyAllowBrowser: true });
  return () => client.get("/assistant/ai-chat/usage");
}
