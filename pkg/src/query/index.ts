/**
 * The options of a query for TanStack Query 5, with React, Vue, Svelte, Solid
 * or Angular.
 *
 * @packageDocumentation
 */
import type { AiChatUsageResponse, BookMoreClientLike, GetAiChatUsage } from "bookmore-sdk";
import { callsOf } from "../reach.js";
import { acceptedRequest } from "../request.js";
import { checkedClient } from "../watch/options.js";

/** A client's identity: when the page was loaded, the client's number there, and how often its identity has changed. */
export type ClientIdentity = `${number}/${number}.${number}`;

/** Options for `useQuery`, `queryClient.fetchQuery` and the like. */
export interface AiChatUsageQuery {
  /** Contains no token, so it may be shown. It is different after each page load, so that persisted answers are not found again. */
  queryKey: readonly ["bookmore-sdk", "ai-chat-usage", ClientIdentity, string | null];
  queryFn: (context: { signal: AbortSignal }) => Promise<AiChatUsageResponse>;
  staleTime: number;
  /** The client has already made its retries. */
  retry: false;
}

const numbers = /* @__PURE__ */ new WeakMap<object, number>();
let last = 0;
/** When the page was loaded, or else when the first query was made: after another page load the user may be another. */
let loadedAt: number | undefined;

/**
 * The options of a query for the usage of a company.
 *
 * Two clients never share an answer, nor do two identities of one client, so
 * create new options after `setBearerToken`. An object that stands in for a
 * client has one identity.
 *
 * @param request Whose usage. Default: the logged-in user's company.
 * @throws A ConfigError if the client is not one.
 */
export function aiChatUsageQuery(client: BookMoreClientLike, request: GetAiChatUsage = {}): AiChatUsageQuery {
  const calls = callsOf(checkedClient(client));
  const accepted = acceptedRequest(request);
  const of = calls ?? client;
  const number = numbers.get(of) ?? ++last;
  numbers.set(of, number);
  loadedAt ??= globalThis.performance?.timeOrigin ?? Date.now();
  return {
    queryKey: [
      "bookmore-sdk",
      "ai-chat-usage",
      `${loadedAt}/${number}.${calls?.identity ?? 0}`,
      // A refused request must not find an earlier answer.
      accepted ? (accepted.companyId ?? null) : "(refused)",
    ],
    queryFn: ({ signal }) => client.getAiChatUsage(request, { signal }),
    staleTime: 30_000,
    retry: false,
  };
}
