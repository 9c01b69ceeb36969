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

/** Provides a client to the components inside this one. On a server, create one for each request. */
export function setBookMoreClient(client: BookMoreClientLike): void {
  setContext(CLIENT, client);
}

/**
 * The usage of a company, kept up to date while an effect or a template reads
 * `current`, and a function that refreshes it. Components with the same client
 * and company share one poll. On a server it is `initialUsage`.
 *
 * @param request Whose usage. Default: the logged-in user's company. null: not
 * known yet, so nothing is sent. State that it reads is tracked.
 * @param options `client` replaces the one of the context.
 * @throws A ConfigError without a client, or for an invalid argument.
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
        // The first notification comes at once, for a state that was already read.
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
