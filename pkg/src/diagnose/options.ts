import type { BookMoreClientLike } from "bookmore-sdk";
import { membersOf } from "../members.js";
import { refuse } from "../refuse.js";
import type { DiagnoseOptions } from "./types.js";

export function checkedClient(client: BookMoreClientLike): BookMoreClientLike {
  if (typeof client?.getAiChatUsageWithResponse !== "function") refuse("client must be a BookMoreClient, or an object with its functions.");
  return client;
}

export function checkedOptions(given: DiagnoseOptions): DiagnoseOptions {
  const { signal, onStep } = membersOf(given, "The options of diagnose", ["signal", "onStep"], { refuse, nearest: undefined });
  if (signal !== undefined && typeof signal?.addEventListener !== "function") refuse("signal must be an AbortSignal.");
  if (onStep !== undefined && typeof onStep !== "function") refuse("onStep must be a function.");
  return { signal, onStep };
}
