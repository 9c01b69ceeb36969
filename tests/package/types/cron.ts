// A script as a new user writes it: no cast. Compiled, never run.
import { BookMoreClient, isBookMoreError } from "bookmore-sdk";

const client = new BookMoreClient({ bearerToken: process.env.BOOKMORE_TOKEN, maxRetries: 5 });

async function main() {
  for (const companyId of process.argv.slice(2)) {
    try {
      const { tokensUsed, tokenLimit } = await client.getAiChatUsage({ companyId });
      console.log(companyId, tokensUsed / tokenLimit);
    } catch (error) {
      if (!isBookMoreError(error)) throw error;
      if (error.code === "rate_limited") await new Promise((resolve) => setTimeout(resolve, error.retryAfterMs ?? 60_000));
      else if (error.code === "timeout") console.error(companyId, error.phase, error.timeoutMs);
      else if (error.isRetryable) process.exitCode = 75;
      else throw error;
    }
  }
}
void main();
