/**
 * A usage that is kept up to date, for Vue.
 *
 * @packageDocumentation
 */
import { ConfigError, type AiChatUsageResponse, type BookMoreClientLike, type GetAiChatUsage } from "bookmore-sdk";
import { watchAiChatUsage, type UsageState, type UsageStore, type WatchOptions } from "bookmore-sdk/watch";
import { handled } from "../handled.js";
import { copyOf, withoutKnown } from "../hook-options.js";
import { keyOf } from "../request.js";
import {
  inject,
  onActivated,
  onDeactivated,
  onMounted,
  onUnmounted,
  provide,
  shallowRef,
  toValue,
  watch,
  type MaybeRefOrGetter,
  type ShallowRef,
} from "vue";

const CLIENT = /* @__PURE__ */ Symbol.for("bookmore-sdk.vue");

/** Provides a client to the components inside this one. On a server, create one for each request. */
export function provideBookMore(client: BookMoreClientLike): void {
  provide(CLIENT, client);
}

/**
 * The usage of a company, kept up to date while the component is mounted, and a
 * function that refreshes it. Components with the same client and company share
 * one poll. On a server, and until it is mounted, a component gets `initialUsage`.
 *
 * @param request Whose usage. Default: the logged-in user's company. null: not
 * known yet, so nothing is sent. A ref or getter is tracked.
 * @param options `client` replaces the provided one.
 * @throws A ConfigError without a client, or for an invalid argument.
 */
export function useAiChatUsage(
  request?: MaybeRefOrGetter<GetAiChatUsage | null | undefined>,
  options: WatchOptions & { client?: BookMoreClientLike } = {},
): { readonly state: Readonly<ShallowRef<UsageState>>; readonly refresh: () => Promise<AiChatUsageResponse> } {
  const { client = inject<BookMoreClientLike | undefined>(CLIENT, undefined), ...watchOptions } = copyOf(options);
  if (!client) throw new ConfigError({ message: "useAiChatUsage needs provideBookMore(client) in a component around it, or the option client." });
  const make = (given: WatchOptions): UsageStore => watchAiChatUsage(client, toValue(request), given);
  const key = () => keyOf(toValue(request));
  let store = make(watchOptions);
  /** The company of the store; undefined while the request is invalid. */
  let company: string | undefined = key();
  let isMounted = false;
  let leave = () => {};
  const state = shallowRef(store.getServerSnapshot());
  const follow = () => {
    leave();
    leave = () => {};
    if (isMounted && company !== undefined) leave = store.subscribe((next) => (state.value = next));
  };
  /** The store of the current request's company. */
  const latest = () => {
    const asked = key();
    if (asked === company) return store;
    // Leaves the previous company first, because the new request may be invalid.
    company = undefined;
    follow();
    state.value = { status: "pending" };
    store = make(withoutKnown(watchOptions));
    company = asked;
    state.value = store.getSnapshot();
    follow();
    return store;
  };
  watch(key, latest);
  const start = () => {
    isMounted = true;
    follow();
  };
  const stop = () => {
    isMounted = false;
    leave();
  };
  onMounted(start);
  onUnmounted(stop);
  // Inside KeepAlive.
  onActivated(start);
  onDeactivated(stop);
  return { state, refresh: () => handled(() => latest().refresh()) };
}
