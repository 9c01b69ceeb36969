/**
 * The options of a query for TanStack Query 5, with React, Vue, Svelte, Solid
 * or Angular.
 *
 * @packageDocumentation
 */
import type { AiChatUsageResponse, BookMoreClientLike, GetAiChatUsage } from "bookmore-sdk";
import { callsOf } from "../reach.js";

/** Whom a client is for: its number, and how often the identity has changed. */
export type ClientIdentity = `${number}.${number}`;

/** What `useQuery`, `queryClient.fetchQuery` and the like take. */
export interface AiChatUsageQuery {
  /** Without a token: it may be shown and stored. */
  queryKey: readonly ["bookmore-sdk", "ai-chat-usage", ClientIdentity, string | null];
  queryFn: (context: { signal: AbortSignal }) => Promise<AiChatUsageResponse>;
  staleTime: number;
  /** The client has made its retries. */
  retry: false;
}

const numbers = /* @__PURE__ */ new WeakMap<object, number>();
let last = 0;

/**
 * The options of a query for the usage of a company.
 *
 * Two clients never share an answer, nor do two identities of one client: after
 * `setBearerToken` make the options anew. A client that stands in for one has
 * one identity.
 *
 * @param request Whose usage; the logged-in user's company when omitted.
 */
export function aiChatUsageQuery(client: BookMoreClientLike, request: GetAiChatUsage = {}): AiChatUsageQuery {
  const calls = callsOf(client);
  const of = calls ?? client;
  const number = numbers.get(of) ?? ++last;
  numbers.set(of, number);
  return {
    queryKey: ["bookmore-sdk", "ai-chat-usage", `${number}.${calls?.identity ?? 0}`, keyOf(request)],
    queryFn: ({ signal }) => client.getAiChatUsage(request, { signal }),
    staleTime: 30_000,
    retry: false,
  };
}

/** What is no request has a key of its own, so that it finds no answer of before: the client refuses it. */
function keyOf(request: GetAiChatUsage): string | null {
  const { companyId } = request ?? {};
  const isRequest = Object.keys(Object(request)).every((name) => name === "companyId") && typeof request === "object" && request !== null;
  return isRequest && (companyId === undefined || typeof companyId === "string") ? (companyId ?? null) : JSON.stringify(request);
}
