import type { AiChatUsageResponse, AnyBookMoreError } from "bookmore-sdk";
import { firstLook } from "../watch/gauge.js";

/** What a company came to. Without an id it is the logged-in user's. */
export type Outcome = { companyId?: string; usage: AiChatUsageResponse; error?: undefined } | { companyId?: string; error: AnyBookMoreError; usage?: undefined };
export type Success = Extract<Outcome, { error?: undefined }>;

/** Whether so many percent of the limit are used. */
export function reaches(usage: AiChatUsageResponse, percent: number): boolean {
  if (firstLook(usage).share === undefined) return !usage.isWithinBudget || percent === 0;
  // Not by the share, whose fractions are not exact.
  return 100 * usage.tokensUsed >= percent * usage.tokenLimit;
}

/** A share in words. It is rounded down: 100 % is told only where all is used. */
export function percentOf(share: number): string {
  return `${Math.floor(share * 1000) / 10} %`;
}

/** What is told of a company as data. */
export function dataOf({ companyId, usage, error }: Outcome, at?: string): object {
  const of = { ...(at === undefined ? {} : { at }), ...(companyId === undefined ? {} : { companyId }) };
  if (error) return { ...of, error: { code: error.code ?? "unknown", message: wordsOf(error) } };
  return { ...of, ...usage, ...(companyId === undefined ? {} : { companyId }) };
}

/** Why it failed; where the token could not be had, why not. */
export function wordsOf(error: AnyBookMoreError): string {
  const { code, cause, message } = error;
  return code === "token_provider_error" && cause instanceof Error ? cause.message : message;
}

const ORDERS = {
  share: (a: Outcome, b: Outcome) => value(b, (usage) => firstLook(usage).share ?? 0) - value(a, (usage) => firstLook(usage).share ?? 0),
  used: (a: Outcome, b: Outcome) => value(b, ({ tokensUsed }) => tokensUsed) - value(a, ({ tokensUsed }) => tokensUsed),
  id: (a: Outcome, b: Outcome) => ((a.companyId ?? "") < (b.companyId ?? "") ? -1 : 1),
};
export type Order = keyof typeof ORDERS;
export const ORDER_NAMES = Object.keys(ORDERS) as Order[];

/** Failures come last, but where ids are sorted. */
function value({ usage }: Outcome, of: (usage: AiChatUsageResponse) => number): number {
  return usage ? of(usage) : -1;
}

export function sorted(outcomes: Outcome[], order: Order): Outcome[] {
  return [...outcomes].sort(ORDERS[order]);
}

/** As the ids were given, as far as they have come. */
export function inOrder(outcomes: Outcome[], ids: string[]): Outcome[] {
  const of = new Map<string, Outcome[]>();
  for (const outcome of outcomes) {
    const same = of.get(outcome.companyId!);
    if (same) same.push(outcome);
    else of.set(outcome.companyId!, [outcome]);
  }
  return ids.flatMap((id) => of.get(id)?.pop() ?? []);
}
