import type { BookMoreClientLike } from "bookmore-sdk";
import { checkClient, membersOf, reading } from "../members.js";
import { refuse } from "../refuse.js";
import type { DiagnoseOptions } from "./types.js";

export function checkedClient(client: BookMoreClientLike): BookMoreClientLike {
  checkClient(client, "getAiChatUsageWithResponse", { refuse });
  return client;
}

export function checkedOptions(given: DiagnoseOptions): DiagnoseOptions {
  const { signal, onStep } = membersOf(given, "The options of diagnose", ["signal", "onStep"], { refuse, nearest: undefined });
  const isSignal = reading("signal", { refuse }, () => signal === undefined || typeof signal?.addEventListener === "function");
  if (!isSignal) refuse("signal must be an AbortSignal.");
  if (onStep !== undefined && typeof onStep !== "function") refuse("onStep must be a function.");
  return { signal, onStep };
}
