import type { BookMoreClientLike } from "bookmore-sdk";
import type { Calls } from "../calls.js";
import { callsOf, packageCalls } from "../reach.js";
import type { Poll } from "./poll.js";

/** What polls need of a client besides its calls. */
export interface Source extends Pick<Calls, "load" | "identity" | "turns">, Partial<Pick<Calls, "nearest">> {
  client: BookMoreClientLike;
  /** The running polls, by company. */
  polls: Map<string, Poll>;
}

/** The sources of objects that stand in for clients. */
const standIns = /* @__PURE__ */ new WeakMap<BookMoreClientLike, Source>();

export function sourceOf(client: BookMoreClientLike): Source {
  const calls = callsOf(client);
  if (calls) {
    return {
      client,
      nearest: calls.nearest,
      polls: calls.polls as Source["polls"],
      turns: calls.turns,
      load: () => calls.load(),
      get identity() {
        return calls.identity;
      },
    };
  }
  let source = standIns.get(client);
  if (!source) standIns.set(client, (source = { client, polls: new Map(), turns: { taken: 0, waiting: [] }, load: async () => (await packageCalls()).load(), identity: 0 }));
  return source;
}
