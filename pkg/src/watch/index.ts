/**
 * Keeps usages up to date, with one poll for each client and company, however
 * many components show it.
 *
 * @packageDocumentation
 */
import type { BookMoreClientLike, GetAiChatUsage } from "bookmore-sdk";
import { checkedClient, checkedOptions, checkedRequest } from "./options.js";
import { sourceOf } from "./source.js";
import { Store } from "./store.js";
import type { UsageStore, WatchOptions } from "./types.js";

export type { Trend, UsageLevel, UsageState, UsageStore, UsageThreshold, WatchOptions } from "./types.js";

/**
 * Makes a store that keeps a company's usage up to date while it has
 * subscribers. Creating it sends nothing: polling starts one task after the
 * first subscription, and ends one second after the last one.
 *
 * Stores of the same client and company share one poll. It pauses while the
 * page is hidden or offline. After an error that repeating would not change (401,
 * 403, an invalid company id, another company's usage) it stops until
 * `refresh()` or `client.setBearerToken()` is called.
 *
 * @param client A client, or an object that stands in for one; of the latter's
 * new tokens the store learns nothing.
 * @param request Whose usage. Default: the logged-in user's company. null: not
 * known yet, so nothing is sent.
 * @throws A ConfigError for an invalid argument.
 */
export function watchAiChatUsage(
  client: BookMoreClientLike,
  request?: GetAiChatUsage | null,
  options?: WatchOptions,
): UsageStore {
  const source = sourceOf(checkedClient(client));
  return new Store(source, checkedRequest(request, source), checkedOptions(options, source));
}
