import type { GetAiChatUsage } from "bookmore-sdk";
import { isPlain } from "./members.js";

/** Whether the client takes it for a request; undefined stands for the logged-in user's company. */
export function isRequest(given: unknown = {}): given is GetAiChatUsage | undefined {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return false;
  const { companyId } = given as GetAiChatUsage;
  const isKnown = Object.keys(given).every((name) => name === "companyId") && (isPlain(given) || "companyId" in given);
  return isKnown && (companyId === undefined || typeof companyId === "string");
}

/** Tells requests of different companies apart, and from null. What is refused is like none of them. */
export function keyOf(request: unknown): string {
  return JSON.stringify(isRequest(request) ? [request?.companyId] : request === null);
}
