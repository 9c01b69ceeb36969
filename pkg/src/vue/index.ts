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

/** Gives the components inside a client. On a server it is one for each request. */
export function provideBookMore(client: BookMoreClientLike): void {
  provide(CLIENT, client);
}

/**
 * The usage of a company, kept up to date while the component is mounted, and
 * how to ask anew. Components with the same client and company share one poll.
 * On a server and until it is mounted a component sees `initialUsage`.
 *
 * @param request Whose usage; the logged-in user's company when omitted; null
 * where that is not known yet. A ref or a getter is followed.
 * @param options `client` stands in for what was provided.
 * @throws A ConfigError without a client, and for what cannot be used.
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
  /** The company of the store; undefined while what is asked for is refused. */
  let company: string | undefined = key();
  let isMounted = false;
  let leave = () => {};
  const state = shallowRef(store.getServerSnapshot());
  const follow = () => {
    leave();
    leave = () => {};
    if (isMounted && company !== undefined) leave = store.subscribe((next) => (state.value = next));
  };
  /** The store of the company that is asked for now. */
  const latest = () => {
    const asked = key();
    if (asked === company) return store;
    // Nobody asks for the one before any more, also where this one is refused.
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
