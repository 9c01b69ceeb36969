import type { AiChatUsageResponse, ResponseStatus } from "bookmore-sdk";
import { checkMembers } from "./members.js";

/** The members of a usage that matter to a test; the others follow from them. */
export interface UsageMembers {
  /** The company whose usage it is. */
  companyId?: string | undefined;
  /** Tokens used divided by the limit, for example 0.83; above 1 is over budget. */
  share?: number | undefined;
  /** Tokens consumed within the window; a bigint if a number would be rounded. */
  tokensUsed?: number | bigint | undefined;
  /** The limit, in tokens: a 32-bit integer. Default: 100 000. */
  tokenLimit?: number | undefined;
  /** Tokens left. */
  tokensRemaining?: number | bigint | undefined;
  /** Whether the company is within its budget. `false`, given alone, means that the whole limit is used. */
  isWithinBudget?: boolean | undefined;
  /** Length of the rolling window, in days. Default: 30. */
  windowDays?: number | undefined;
  /** A message or error of the server. With an `errorCode`, the reply is an error, although its status is 200. */
  responseStatus?: ResponseStatus | undefined;
}

/** A usage whose counts may exceed 2^53 - 1. */
export interface Amounts {
  tokensUsed: bigint;
  tokenLimit: number;
  windowDays: number;
}

export const USAGE_MEMBERS = [
  "companyId", "share", "tokensUsed", "tokenLimit", "tokensRemaining", "isWithinBudget", "windowDays", "responseStatus",
] as const;

/** The amounts of a company for which no usage was set. */
export const UNUSED: Amounts = { tokensUsed: 0n, tokenLimit: 100_000, windowDays: 30 };

/**
 * A consistent usage from the given members: `usage({ share: 0.83 })` is 83 000
 * of 100 000 tokens, with 17 000 left, within budget.
 *
 * @throws TypeError if the members contradict each other or are impossible.
 */
export function usage(members: UsageMembers = {}): AiChatUsageResponse {
  checkMembers(members, USAGE_MEMBERS, "A usage");
  const { companyId, responseStatus } = members;
  const { tokensUsed, tokenLimit, windowDays } = completed(members, UNUSED);
  if (tokensUsed > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new TypeError("usage() gives numbers, and tokensUsed is beyond 2^53 - 1; give the members to set() instead.");
  }
  return {
    ...(companyId === undefined ? {} : { companyId }),
    tokensUsed: Number(tokensUsed),
    tokenLimit,
    tokensRemaining: Number(remaining({ tokensUsed, tokenLimit })),
    isWithinBudget: isWithin({ tokensUsed, tokenLimit }),
    windowDays,
    ...(responseStatus === undefined ? {} : { responseStatus }),
  };
}

/** Tokens left; never negative. */
export function remaining({ tokensUsed, tokenLimit }: Omit<Amounts, "windowDays">): bigint {
  const left = BigInt(tokenLimit) - tokensUsed;
  return left > 0n ? left : 0n;
}

/** Whether anything is left. At the limit, nothing is. */
export function isWithin({ tokensUsed, tokenLimit }: Omit<Amounts, "windowDays">): boolean {
  return tokensUsed < BigInt(tokenLimit);
}

/** Whether the members determine how much was used. */
export function tellsUsed({ share, tokensUsed, tokensRemaining, isWithinBudget }: UsageMembers): boolean {
  return [share, tokensUsed, tokensRemaining, isWithinBudget].some((member) => member !== undefined);
}

/** The amounts that follow from the members, and from `base` for the rest. */
export function completed(members: UsageMembers, base: Amounts): Amounts {
  const { share, isWithinBudget, windowDays = base.windowDays } = members;
  const given = tokens(members.tokensUsed, "tokensUsed");
  const left = tokens(members.tokensRemaining, "tokensRemaining");
  if (share !== undefined && !(Number.isFinite(share) && share >= 0)) {
    throw new TypeError("share must be a number of at least 0, such as 0.83.");
  }
  const tokenLimit = members.tokenLimit ?? (given !== undefined && left ? Number(given + left) : base.tokenLimit);
  checkInt(tokenLimit, "tokenLimit", 0);
  checkInt(windowDays, "windowDays", 1);
  const limit = BigInt(tokenLimit);
  let tokensUsed = given;
  if (tokensUsed === undefined && share !== undefined) tokensUsed = shareOf(share, tokenLimit);
  if (tokensUsed === undefined && left !== undefined) tokensUsed = limit > left ? limit - left : 0n;
  if (tokensUsed === undefined && isWithinBudget === false && isWithin({ ...base, tokenLimit })) tokensUsed = limit;
  const amounts = { tokensUsed: tokensUsed ?? base.tokensUsed, tokenLimit, windowDays };
  const contradicts = (name: string, value: unknown, fitting: unknown) => {
    if (value === undefined || value === fitting) return;
    throw new TypeError(
      `A usage of ${amounts.tokensUsed} of ${tokenLimit} tokens cannot have ${name} ${value}: it is ${fitting}. Leave it out, or change the others.`,
    );
  };
  contradicts("tokensRemaining", left, remaining(amounts));
  contradicts("isWithinBudget", isWithinBudget, isWithin(amounts));
  if (share !== undefined && given !== undefined && shareOf(share, tokenLimit) !== given) {
    contradicts("the share", share, Number(given) / tokenLimit);
  }
  return amounts;
}

/** A share below 1 leaves at least one token, however small the limit is. */
function shareOf(share: number, tokenLimit: number): bigint {
  const rounded = Math.round(share * tokenLimit);
  return BigInt(share < 1 ? Math.max(0, Math.min(rounded, tokenLimit - 1)) : rounded);
}

/** A count of tokens, as the server's 64-bit integer. */
export function tokens(value: number | bigint | undefined, name: string): bigint | undefined {
  if (value === undefined) return undefined;
  const fits = typeof value === "bigint" ? value >= 0n && value < 2n ** 63n : Number.isSafeInteger(value) && value >= 0;
  if (!fits) throw new TypeError(`${name} must be an integer of at least 0 and below 2^63; beyond 2^53 - 1, a bigint.`);
  return BigInt(value);
}

function checkInt(value: number, name: string, least: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= 2 ** 31 - 1)) {
    throw new TypeError(`${name} must be an integer from ${least} to 2147483647.`);
  }
}
