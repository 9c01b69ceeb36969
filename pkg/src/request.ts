import type { GetAiChatUsage } from "bookmore-sdk";
import { isObject, isPlain, reading } from "./members.js";
import { refuse } from "./refuse.js";

/** A copy of a request; undefined if the client refuses it. An absent one stands for the logged-in user's company. */
export function acceptedRequest(request: unknown = {}): GetAiChatUsage | undefined {
  return reading("The request", { refuse }, () => {
    if (!isObject(request)) return undefined;
    const { companyId } = request as GetAiChatUsage;
    const isKnown = Object.keys(request).every((name) => name === "companyId") && (isPlain(request) || "companyId" in request);
    return isKnown && (companyId === undefined || typeof companyId === "string") ? { companyId } : undefined;
  });
}

/** A key for each company, and one for null. Requests that are refused share another. */
export function keyOf(request: unknown): string {
  const accepted = acceptedRequest(request);
  return JSON.stringify(accepted ? [accepted.companyId] : request === null);
}
