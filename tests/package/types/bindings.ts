// The crate as a JavaScript module, typed.
import type { BookMoreClientLike } from "bookmore-sdk";
import { BookMoreClient, isBookMoreError, type AiChatUsageResponse, type ClientEvent, type ClientOptions } from "./nodejs/bookmore_sdk.js";

const seen: ClientEvent[] = [];
const options: ClientOptions = { bearerToken: async () => ({ token: "t0ken", expiresAt: new Date() }), coalesce: false, maxBodyBytes: 4096 };
export const client = new BookMoreClient({ ...options, onEvent: (event) => void seen.push(event) });
export const bare = new BookMoreClient();

// Code that takes the npm package's client accepts this one.
export const like: BookMoreClientLike = client;

export async function left(signal: AbortSignal): Promise<number | string> {
  try {
    const usage: AiChatUsageResponse = await client.getAiChatUsage({ companyId: "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c" }, { signal });
    const { data, response } = await client.getAiChatUsageWithResponse();
    return usage.tokensRemaining + data.tokensUsed + response.attempts.length;
  } catch (error) {
    if (!isBookMoreError(error)) throw error;
    switch (error.code) {
      case "timeout":
        return error.timeoutMs;
      case "rate_limited":
        return error.retryAt?.toISOString() ?? error.status;
      default:
        return error.message;
    }
  }
}

// @ts-expect-error: no option has this name
new BookMoreClient({ baseURL: "https://api.example" });
// @ts-expect-error: a text
client.getAiChatUsage({ companyId: 5 });
// @ts-expect-error: no number
client.setBearerToken(5);
client.setBearerToken(null, { sameIdentity: true });
