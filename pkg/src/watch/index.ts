/**
 * A usage that is kept up to date: one poll for each client and company,
 * however many look at it.
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
 * Makes a store that keeps a company's usage up to date as long as somebody
 * subscribes to it. Making it sends nothing: that begins one task after the
 * first subscription, and ends one second after the last has left.
 *
 * Stores of the same client and company share one poll. It pauses while the
 * page is hidden or offline, and stops where no other request would go better
 * (401, 403, a company id that is none, another company's usage) until
 * `refresh()` or `client.setBearerToken()`.
 *
 * @param client A client, or what stands in for one: of that a new token goes
 * unnoticed.
 * @param request Whose usage; the logged-in user's company when omitted. null
 * where that is not known yet: nothing is sent.
 * @throws A ConfigError where an argument cannot be used.
 */
export function watchAiChatUsage(
  client: BookMoreClientLike,
  request?: GetAiChatUsage | null,
  options?: WatchOptions,
): UsageStore {
  const source = sourceOf(checkedClient(client));
  return new Store(source, checkedRequest(request, source), checkedOptions(options, source));
}
