// The last requests of the client, for the panel.
import type { ClientEvent } from "bookmore-sdk";
import { useSyncExternalStore } from "react";

interface Request {
  number: number;
  at: Date;
  result: string;
}

let requests: readonly Request[] = [];
let count = 0;
const listeners = new Set<() => void>();

/** The client's `onEvent`. */
export function logRequest(event: ClientEvent): void {
  if (event.type === "attempt") {
    requests = [{ number: ++count, at: new Date(), result: "…" }, ...requests.slice(0, 5)];
  } else if ("status" in event || "code" in event) {
    const [last, ...before] = requests;
    if (last?.result !== "…") return;
    requests = [{ ...last, result: String(("status" in event && event.status) || ("code" in event && event.code)) }, ...before];
  }
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => void listeners.delete(listener);
};

export const useRequests = () => useSyncExternalStore(subscribe, () => requests);
