import type { AiChatUsageResponse, AnyBookMoreError } from "bookmore-sdk";
import { firstLook } from "../watch/gauge.js";

/** The outcome of a company; without an id, of the logged-in user's company. */
export type Outcome = { companyId?: string; usage: AiChatUsageResponse; error?: undefined } | { companyId?: string; error: AnyBookMoreError; usage?: undefined };
export type Success = Extract<Outcome, { error?: undefined }>;

/** Whether at least `percent` of the limit is used. */
export function reaches(usage: AiChatUsageResponse, percent: number): boolean {
  if (firstLook(usage).share === undefined) return !usage.isWithinBudget || percent === 0;
  // In integers, because a share is not exact.
  return 100 * usage.tokensUsed >= percent * usage.tokenLimit;
}

/** A share in percent, rounded down: 100 % means that everything is used. */
export function percentOf(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`;
}

/** An outcome as data. */
export function dataOf({ companyId, usage, error }: Outcome, at?: string): object {
  const of = { ...(at === undefined ? {} : { at }), ...(companyId === undefined ? {} : { companyId }) };
  if (error) return { ...of, error: { code: error.code ?? "unknown", message: wordsOf(error) } };
  return { ...of, ...usage, ...(companyId === undefined ? {} : { companyId }) };
}

/** Why a call failed, in a terminal: without what the client says of browsers. If there was no token, the reason for that. */
export function wordsOf(error: AnyBookMoreError): string {
  const { code, cause, message } = error;
  if (code === "network_error") return message.replace(/ A browser also says .*$/, "");
  if (code === "timeout") return message.replace(/allow more time\.$/, "allow more time (--timeout).");
  return code === "token_provider_error" && cause instanceof Error ? cause.message : message;
}

const ORDERS = {
  share: (a: Outcome, b: Outcome) => value(b, (usage) => firstLook(usage).share ?? 0) - value(a, (usage) => firstLook(usage).share ?? 0),
  used: (a: Outcome, b: Outcome) => value(b, ({ tokensUsed }) => tokensUsed) - value(a, ({ tokensUsed }) => tokensUsed),
  id: (a: Outcome, b: Outcome) => ((a.companyId ?? "") < (b.companyId ?? "") ? -1 : 1),
};
export type Order = keyof typeof ORDERS;
export const ORDER_NAMES = Object.keys(ORDERS) as Order[];

/** Puts failures last, except when sorting by id. */
function value({ usage }: Outcome, of: (usage: AiChatUsageResponse) => number): number {
  return usage ? of(usage) : -1;
}

export function sorted(outcomes: Outcome[], order: Order): Outcome[] {
  return [...outcomes].sort(ORDERS[order]);
}

/** The outcomes so far, in the order of the ids. */
export function inOrder(outcomes: Outcome[], ids: string[]): Outcome[] {
  const of = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const same = of.get(outcome.companyId!);
    if (same) same.push(outcome);
    else of.set(outcome.companyId!, [outcome]);
  }
  return ids.flatMap((id) => of.get(id)?.pop() ?? []);
}
