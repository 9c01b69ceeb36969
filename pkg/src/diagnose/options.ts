import type { BookMoreClientLike } from "bookmore-sdk";
import { membersOf, reading } from "../members.js";
import { refuse } from "../refuse.js";
import type { DiagnoseOptions } from "./types.js";

export function checkedClient(client: BookMoreClientLike): BookMoreClientLike {
  const asks = reading("client", { refuse }, () => typeof client?.getAiChatUsageWithResponse === "function");
  if (!asks) refuse("client must be a BookMoreClient, or an object with its functions.");
  return client;
}

export function checkedOptions(given: DiagnoseOptions): DiagnoseOptions {
  const { signal, onStep } = membersOf(given, "The options of diagnose", ["signal", "onStep"], { refuse, nearest: undefined });
  const isSignal = reading("signal", { refuse }, () => signal === undefined || typeof signal?.addEventListener === "function");
  if (!isSignal) refuse("signal must be an AbortSignal.");
  if (onStep !== undefined && typeof onStep !== "function") refuse("onStep must be a function.");
  return { signal, onStep };
}
