// The retries of TanStack Query multiply the client's, unless its options come from `bookmore-sdk/query`.
import assert from "node:assert/strict";
import { it } from "node:test";
import { aiChatUsageQuery } from "../../pkg/dist/query/index.js";
import { createFakeBookMore } from "../../pkg/dist/testing/index.js";

// As in a page; on a server TanStack Query does not retry.
globalThis.window = globalThis;
const { QueryClient, QueryObserver } = await import("@tanstack/react-query");

/** How many requests one query sends to a server that always fails. */
async function requestsOf(optionsOf) {
  const fake = createFakeBookMore();
  fake.set(undefined, { status: 500 });
  const queries = new QueryClient({ defaultOptions: { queries: { retryDelay: 0 } } });
  const observer = new QueryObserver(queries, optionsOf(fake.client()));
  await new Promise((resolve) => {
    const unsubscribe = observer.subscribe(({ status }) => status === "error" && (unsubscribe(), resolve()));
  });
  queries.clear();
  return fake.requests.length;
}

it("twelve requests with its defaults, three with aiChatUsageQuery", { timeout: 60_000 }, async () => {
  const [byDefault, byOurs] = await Promise.all([
    requestsOf((client) => ({ queryKey: ["usage"], queryFn: () => client.getAiChatUsage() })),
    requestsOf((client) => aiChatUsageQuery(client)),
  ]);
  console.log(`requests: ${byDefault} by default, ${byOurs} with aiChatUsageQuery`);
  assert.deepEqual([byDefault, byOurs], [12, 3]);
});
