/**
 * A usage that is kept up to date, for Svelte 5.
 *
 * @packageDocumentation
 */
import { ConfigError, type AiChatUsageResponse, type BookMoreClientLike, type GetAiChatUsage } from "bookmore-sdk";
import { watchAiChatUsage, type UsageState, type UsageStore, type WatchOptions } from "bookmore-sdk/watch";
import { handled } from "../handled.js";
import { copyOf, withoutKnown } from "../hook-options.js";
import { keyOf } from "../request.js";
import { getContext, setContext } from "svelte";
import { createSubscriber } from "svelte/reactivity";

const CLIENT = /* @__PURE__ */ Symbol.for("bookmore-sdk.svelte");

/** Gives the components inside a client. On a server it is one for each request. */
export function setBookMoreClient(client: BookMoreClientLike): void {
  setContext(CLIENT, client);
}

/**
 * The usage of a company, and how to ask anew. It is kept up to date as long as
 * an effect or a template reads `current`. Components with the same client and
 * company share one poll. On a server it is `initialUsage`.
 *
 * @param request Whose usage; the logged-in user's company when omitted; null
 * where that is not known yet. What it reads is followed.
 * @param options `client` stands in for that of the context.
 * @throws A ConfigError without a client, and for what cannot be used.
 */
export function aiChatUsage(
  request: () => GetAiChatUsage | null | undefined = () => undefined,
  options: WatchOptions & { client?: BookMoreClientLike } = {},
): { readonly current: UsageState; refresh(): Promise<AiChatUsageResponse> } {
  const { client = getContext<BookMoreClientLike | undefined>(CLIENT), ...watchOptions } = copyOf(options);
  if (!client) throw new ConfigError({ message: "aiChatUsage needs setBookMoreClient(client) in a component around it, or the option client." });
  let made: { company: string; store: UsageStore; subscribe: () => void } | undefined;
  const latest = () => {
    const asked = request();
    const company = keyOf(asked);
    if (!made || made.company !== company) {
      const store = watchAiChatUsage(client, asked, made ? withoutKnown(watchOptions) : watchOptions);
      const subscribe = createSubscriber((update) => {
        // It is told at once of what is read already.
        let changed = () => {};
        const leave = store.subscribe(() => changed());
        changed = update;
        return leave;
      });
      made = { company, store, subscribe };
    }
    return made;
  };
  return {
    get current() {
      const { store, subscribe } = latest();
      subscribe();
      return store.getSnapshot();
    },
    refresh: () => handled(() => latest().store.refresh()),
  };
}
