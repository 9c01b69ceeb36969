"use client";
/**
 * A usage that is kept up to date, for React.
 *
 * @packageDocumentation
 */
import { ConfigError, type AiChatUsageResponse, type BookMoreClientLike, type GetAiChatUsage } from "bookmore-sdk";
import { watchAiChatUsage, type UsageState, type WatchOptions } from "bookmore-sdk/watch";
import { copyOf } from "../hook-options.js";
import { keyOf } from "../request.js";
import { createContext, createElement, useContext, useEffect, useMemo, useRef, useSyncExternalStore, type ReactElement, type ReactNode } from "react";

const Client = /* @__PURE__ */ createContext<BookMoreClientLike | undefined>(undefined);

/** Gives the components inside a client. On a server it is one for each request. */
export function BookMoreProvider({ client, children }: { client: BookMoreClientLike; children?: ReactNode }): ReactElement {
  return createElement(Client.Provider, { value: client }, children);
}

/**
 * The usage of a company, kept up to date while the component is mounted, and
 * how to ask anew. Components with the same client and company share one poll.
 * On a server and until it is mounted a component sees `initialUsage`.
 *
 * @param request Whose usage; the logged-in user's company when omitted; null
 * where that is not known yet.
 * @param options They are compared by what is in them, but for `initialUsage`
 * and `history`, which are of the client and the company that they came with.
 * Of `onThreshold` the last that was rendered is called.
 * @throws A ConfigError without a {@link BookMoreProvider}, and for what cannot
 * be used.
 */
export function useAiChatUsage(
  request?: GetAiChatUsage | null,
  options: WatchOptions = {},
): UsageState & { readonly refresh: () => Promise<AiChatUsageResponse> } {
  const client = useContext(Client);
  if (!client) throw new ConfigError({ message: "useAiChatUsage needs a BookMoreProvider around the component." });
  const { onThreshold: listener, initialUsage, history, ...followed } = copyOf(options);
  const onThreshold = useRef(listener);
  useEffect(() => {
    onThreshold.current = listener;
  });
  const company = keyOf(request);
  const known = { initialUsage: useKnown(initialUsage, client, company), history: useKnown(history, client, company) };
  const store = useMemo(
    () => watchAiChatUsage(client, request, { ...followed, ...known, onThreshold: (reached) => onThreshold.current?.(reached) }),
    // Another store would tell of a threshold once more.
    [client, company, textOf(followed)],
  );
  const state = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
  return useMemo(() => ({ ...state, refresh: store.refresh }), [state, store]);
}

function textOf(options: object): string | undefined {
  try {
    return JSON.stringify(options);
  } catch {
    // What JSON cannot write, such as a bigint, the watch refuses.
    return undefined;
  }
}

/** `value`, for the client and the company that it came with. */
function useKnown<T>(value: T, client: BookMoreClientLike, company: string): T | undefined {
  const came = useRef({ value, client, company });
  if (came.current.value !== value) came.current = { value, client, company };
  return came.current.client === client && came.current.company === company ? value : undefined;
}
