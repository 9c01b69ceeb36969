import type { ErrorDetails } from "./errors.js";
import type { AiChatUsageResponse } from "./reply.js";
import type { AttemptInfo, ClientEvent } from "./types.js";

/** What `src/js/command.rs` writes. */
export type Command =
  | { do: "send"; id: number; url: string; headers: Record<string, string> }
  | { do: "ask"; id: number; forceRefresh: boolean }
  | { do: "cancel"; id: number }
  | { do: "forget"; id: number }
  | { do: "emit"; event: ClientEvent }
  | ({ do: "settle"; id: number } & Told);

/** How the engine tells of an outcome. */
export interface Told {
  data?: AiChatUsageResponse;
  requestId?: string;
  /** Those of the reply, where a secret had to be taken out of them. */
  headers?: Record<string, string>;
  send?: number;
  error?: ErrorDetails;
  attempts: AttemptInfo[];
  elapsedMs: number;
}
