import type { AiChatUsageResponse, ResponseStatus } from "bookmore-sdk";
import { checkMembers } from "./members.js";

/** The members of a usage that matter to a test; the others follow from them. */
export interface UsageMembers {
  /** The company the usage is of. */
  companyId?: string | undefined;
  /** Used / limit, for example 0.83; more than 1 is over budget. */
  share?: number | undefined;
  /** Tokens consumed within the window; a bigint where a number would be rounded. */
  tokensUsed?: number | bigint | undefined;
  /** The limit, in tokens: a 32-bit integer. Default: 100 000. */
  tokenLimit?: number | undefined;
  /** Tokens left. */
  tokensRemaining?: number | bigint | undefined;
  /** False alone stands for a limit that is used up. */
  isWithinBudget?: boolean | undefined;
  /** Length of the rolling window, in days. Default: 30. */
  windowDays?: number | undefined;
  /** What the server adds; with an `errorCode` it makes an error of a reply with status 200. */
  responseStatus?: ResponseStatus | undefined;
}

/** A usage in numbers of any size. */
export interface Amounts {
  tokensUsed: bigint;
  tokenLimit: number;
  windowDays: number;
}

export const USAGE_MEMBERS = [
  "companyId", "share", "tokensUsed", "tokenLimit", "tokensRemaining", "isWithinBudget", "windowDays", "responseStatus",
] as const;

/** What a company has used of which no usage was set. */
export const UNUSED: Amounts = { tokensUsed: 0n, tokenLimit: 100_000, windowDays: 30 };

/**
 * A consistent usage made of the members that are given:
 * `usage({ share: 0.83 })` is 83 000 of 100 000 tokens, 17 000 left, within budget.
 *
 * @throws TypeError where members contradict each other or cannot be.
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

/** Whether something is left: nothing is at the limit. */
export function isWithin({ tokensUsed, tokenLimit }: Omit<Amounts, "windowDays">): boolean {
  return tokensUsed < BigInt(tokenLimit);
}

/** Whether members say how much was used. */
export function tellsUsed({ share, tokensUsed, tokensRemaining, isWithinBudget }: UsageMembers): boolean {
  return [share, tokensUsed, tokensRemaining, isWithinBudget].some((member) => member !== undefined);
}

/** The amounts that the members stand for, with those of `base` where nothing follows from them. */
export function completed(members: UsageMembers, base: Amounts): Amounts {
  const { share, isWithinBudget, windowDays = base.windowDays } = members;
  const given = tokens(members.tokensUsed, "tokensUsed");
  const left = tokens(members.tokensRemaining, "tokensRemaining");
  if (share !== undefined && !(Number.isFinite(share) && share >= 0)) {
    throw new TypeError("share must be a number from 0 on, such as 0.83.");
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

/** A share below 1 leaves something, however small the limit is. */
function shareOf(share: number, tokenLimit: number): bigint {
  const rounded = Math.round(share * tokenLimit);
  return BigInt(share < 1 ? Math.max(0, Math.min(rounded, tokenLimit - 1)) : rounded);
}

/** A count of tokens, as the server's 64-bit integer. */
export function tokens(value: number | bigint | undefined, name: string): bigint | undefined {
  if (value === undefined) return undefined;
  const fits = typeof value === "bigint" ? value >= 0n && value < 2n ** 63n : Number.isSafeInteger(value) && value >= 0;
  if (!fits) throw new TypeError(`${name} must be an integer from 0 on; beyond 2^53 - 1 a bigint, and below 2^63.`);
  return BigInt(value);
}

function checkInt(value: number, name: string, least: number): void {
  if (!(Number.isInteger(value) && value >= least && value <= 2 ** 31 - 1)) {
    throw new TypeError(`${name} must be an integer from ${least} to 2147483647.`);
  }
}
