import OpenAI from "openai";

export const usage = (baseURL) =>
  new OpenAI({ baseURL, apiKey: "good-token", dangerouslyAllowBrowser: true }).get("/assistant/ai-chat/usage");
