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

/** Provides a client to the components inside. On a server, create one for each request. */
export function BookMoreProvider({ client, children }: { client: BookMoreClientLike; children?: ReactNode }): ReactElement {
  return createElement(Client.Provider, { value: client }, children);
}

/**
 * The usage of a company, kept up to date while the component is mounted, and a
 * function that refreshes it. Components with the same client and company share
 * one poll. On a server, and until it is mounted, a component gets `initialUsage`.
 *
 * @param request Whose usage. Default: the logged-in user's company. null: not
 * known yet, so nothing is sent.
 * @param options Compared by value, so they may be a new object in each render.
 * `initialUsage` and `history` count only for the client and company with which
 * they were first rendered. The `onThreshold` of the latest render is called.
 * @throws A ConfigError without a {@link BookMoreProvider}, or for an invalid
 * argument.
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
    // A new store would report a threshold again, so it is made only for these.
    [client, company, textOf(followed)],
  );
  const state = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getServerSnapshot);
  return useMemo(() => ({ ...state, refresh: store.refresh }), [state, store]);
}

function textOf(options: object): string | undefined {
  try {
    return JSON.stringify(options);
  } catch {
    // The watch refuses what JSON cannot represent, such as a bigint.
    return undefined;
  }
}

/** `value`, for as long as the client and company are those with which it first came. */
function useKnown<T>(value: T, client: BookMoreClientLike, company: string): T | undefined {
  const came = useRef({ value, client, company });
  if (came.current.value !== value) came.current = { value, client, company };
  return came.current.client === client && came.current.company === company ? value : undefined;
}
