import type { ErrorDetails } from "./errors.js";
import type { AiChatUsageResponse } from "./reply.js";
import type { AttemptInfo, ClientEvent } from "./types.js";

/** The JSON that `src/js/command.rs` writes. */
export type Command =
  | { do: "send"; id: number; url: string; headers: Record<string, string> }
  | { do: "ask"; id: number; forceRefresh: boolean }
  | { do: "cancel"; id: number }
  | { do: "forget"; id: number }
  | { do: "emit"; event: ClientEvent }
  | ({ do: "settle"; id: number } & Settled);

/** An outcome as the engine reports it. */
export interface Settled {
  data?: AiChatUsageResponse;
  requestId?: string;
  /** The reply's headers, if a secret had to be redacted in them. */
  headers?: Record<string, string>;
  send?: number;
  error?: ErrorDetails;
  attempts: AttemptInfo[];
  elapsedMs: number;
}
