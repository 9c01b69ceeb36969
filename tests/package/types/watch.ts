// The public types of "bookmore-sdk/watch" and "bookmore-sdk/query". Compiled, never run.
import * as sdk from "bookmore-sdk";
import * as query from "bookmore-sdk/query";
import * as watch from "bookmore-sdk/watch";
import type { AiChatUsageQuery, ClientIdentity } from "bookmore-sdk/query";
import type { Trend, UsageLevel, UsageState, UsageStore, UsageThreshold, WatchOptions } from "bookmore-sdk/watch";

same<keyof typeof watch, "watchAiChatUsage">();
same<
  typeof watch.watchAiChatUsage,
  (client: sdk.BookMoreClientLike, request?: sdk.GetAiChatUsage | null, options?: WatchOptions) => UsageStore
>();
same<
  keyof WatchOptions,
  "intervalMs" | "idleIntervalMs" | "whenHidden" | "thresholds" | "onThreshold" | "initialUsage" | "history"
>();
same<keyof UsageStore, "subscribe" | "getSnapshot" | "getServerSnapshot" | "refresh" | typeof Symbol.asyncIterator>();
same<UsageState["status"], "pending" | "ok" | "error" | "stopped">();
same<UsageState["error"], sdk.AnyBookMoreError | undefined>();
same<UsageState["level"], UsageLevel | undefined>();
same<UsageState["trend"], Trend | undefined>();
same<UsageLevel, "ok" | "warning" | "critical" | "over">();
same<UsageThreshold, { threshold: number; usage: sdk.AiChatUsageResponse }>();
same<keyof Trend, "usedPerDay" | "sustainablePerDay" | "netPerDay" | "spanMs" | "exhaustsAt">();

same<keyof typeof query, "aiChatUsageQuery">();
same<typeof query.aiChatUsageQuery, (client: sdk.BookMoreClientLike, request?: sdk.GetAiChatUsage) => AiChatUsageQuery>();
same<AiChatUsageQuery["queryKey"][2], ClientIdentity>();

export async function used(client: sdk.BookMoreClient): Promise<number | undefined> {
  const store = watch.watchAiChatUsage(client, { companyId: undefined }, {
    intervalMs: 30_000,
    thresholds: [0.8],
    onThreshold: ({ threshold, usage }) => console.log(threshold, usage.tokensUsed),
    history: [{ at: 1_767_225_600_000, tokensUsed: 5 }],
  });
  const standIn: sdk.BookMoreClientLike = client;
  watch.watchAiChatUsage(standIn, null);
  const leave: () => void = store.subscribe(({ status, error }) => status === "error" && error?.retryAt);
  leave();
  for await (const { level } of store) if (level === "over") break;
  // @ts-expect-error: no such option
  watch.watchAiChatUsage(client, {}, { interval: 5 });
  // @ts-expect-error: a state is read-only
  store.getSnapshot().status = "ok";
  return store.getSnapshot().trend?.exhaustsAt;
}
