// The public types of "bookmore-sdk/many". Compiled, never run.
import * as sdk from "bookmore-sdk";
import * as slim from "bookmore-sdk/slim";
import * as many from "bookmore-sdk/many";
import type { ManyAiChatUsage, ManyOptions, ManyOutcome, ManyProgress } from "bookmore-sdk/many";

same<keyof typeof many, "getManyAiChatUsage">();
same<
  typeof many.getManyAiChatUsage,
  (client: sdk.BookMoreClientLike, companyIds: Iterable<string> | AsyncIterable<string>, options?: ManyOptions) => ManyAiChatUsage
>();
same<keyof ManyOptions, keyof sdk.RequestOptions | "concurrency" | "rounds" | "onProgress">();
same<
  Members<ManyProgress>,
  { done: number; failed: number; again: number; total?: number; ratePerSecond: number; etaMs?: number }
>();
same<ManyOutcome["usage"], sdk.AiChatUsageResponse | undefined>();
same<ManyOutcome["error"], sdk.AnyBookMoreError | undefined>();

export async function used(client: sdk.BookMoreClient, ofSlim: slim.BookMoreClient, ids: AsyncIterable<string>) {
  const outcomes = await many.getManyAiChatUsage(client, new Set(["9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"]), { concurrency: 20 });
  same<typeof outcomes, ManyOutcome[]>();
  for (const { companyId, usage, error } of outcomes) {
    if (error) console.error(companyId, error.code, error.retryAt);
    else console.log(companyId, usage.tokensUsed / usage.tokenLimit);
  }
  for await (const outcome of many.getManyAiChatUsage(ofSlim, ids, { onProgress: ({ etaMs }) => console.log(etaMs), format: "jsonl" })) {
    if (outcome.usage) same<typeof outcome.usage, sdk.AiChatUsageResponse>();
    else if (outcome.error.code === "timeout") console.log(outcome.error.phase);
  }
}
