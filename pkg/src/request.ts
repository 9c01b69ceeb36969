import type { GetAiChatUsage } from "bookmore-sdk";
import { isPlain, reading } from "./members.js";
import { refuse } from "./refuse.js";

/** Whether the client accepts it as a request. Undefined stands for the logged-in user's company. */
export function isRequest(given: unknown = {}): given is GetAiChatUsage | undefined {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return false;
  const { companyId } = given as GetAiChatUsage;
  const isKnown = Object.keys(given).every((name) => name === "companyId") && (isPlain(given) || "companyId" in given);
  return isKnown && (companyId === undefined || typeof companyId === "string");
}

/** A key for each company, and one for null. Requests that are refused share another. */
export function keyOf(request: unknown): string {
  return reading("The request", { refuse }, () => JSON.stringify(isRequest(request) ? [request?.companyId] : request === null));
}
