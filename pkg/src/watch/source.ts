import type { BookMoreClientLike } from "bookmore-sdk";
import { CALLS } from "../brands.js";
import type { Calls } from "../calls.js";
import type { Poll } from "./poll.js";

/** What polls need of a client besides its calls. */
export interface Source extends Pick<Calls, "load" | "identity">, Partial<Pick<Calls, "nearest">> {
  client: BookMoreClientLike;
  /** Those that go on, by company. */
  polls: Map<string, Poll>;
}

/** Those of clients that are none of this package. */
const standIns = /* @__PURE__ */ new WeakMap<BookMoreClientLike, Source>();

export function sourceOf(client: BookMoreClientLike): Source {
  const calls = callsOf(client);
  if (calls) {
    return {
      client,
      nearest: calls.nearest,
      polls: calls.polls as Source["polls"],
      load: () => calls.load(),
      get identity() {
        return calls.identity;
      },
    };
  }
  let source = standIns.get(client);
  if (!source) standIns.set(client, (source = { client, polls: new Map(), load: loadAnew, identity: 0 }));
  return source;
}

function callsOf(client: BookMoreClientLike): Calls | undefined {
  return (client as { [CALLS]?: () => Calls })[CALLS]?.();
}

/** What stands in for a client has no module: it is that of the package. */
async function loadAnew(): ReturnType<Calls["load"]> {
  // Only then: an app with bookmore-sdk/slim has no use for a second module.
  const { BookMoreClient } = await import("bookmore-sdk");
  return callsOf(new BookMoreClient())!.load();
}
