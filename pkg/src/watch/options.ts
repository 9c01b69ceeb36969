import type { AiChatUsageResponse, BookMoreClientLike, GetAiChatUsage } from "bookmore-sdk";
import { DEFAULT_THRESHOLDS } from "./gauge.js";
import { checkClient, membersOf as checkedMembers, reading } from "../members.js";
import { refuse } from "../refuse.js";
import { LONGEST_TIMER } from "../timer.js";
import type { Source } from "./source.js";
import type { WatchOptions } from "./types.js";

const KNOWN = ["intervalMs", "idleIntervalMs", "whenHidden", "thresholds", "onThreshold", "initialUsage", "history"];

export interface CheckedOptions {
  intervalMs: number;
  idleIntervalMs: number;
  pollsHidden: boolean;
  /** The thresholds, in ascending order. */
  thresholds: readonly number[];
  onThreshold: WatchOptions["onThreshold"];
  initialUsage: AiChatUsageResponse | undefined;
  /** The history, as alternating times and usages. */
  history: readonly number[];
}

function check(fine: unknown, message: string): asserts fine {
  if (!fine) refuse(message);
}

/** The client finds the nearest known name, so that this entry need not carry that code. */
const membersOf = <T extends object>(given: T, name: string, known: readonly string[], { nearest }: Source): T =>
  checkedMembers(given, name, known, { refuse, nearest });

export function checkedClient(client: BookMoreClientLike): BookMoreClientLike {
  checkClient(client, "getAiChatUsage", { refuse });
  return client;
}

/** Checks a request; null means that the company is not known yet. */
export function checkedRequest(request: GetAiChatUsage | null = {}, source: Source): GetAiChatUsage | null {
  if (!request) {
    check(request === null, "The request must be an object, or null while the company is not known yet.");
    return null;
  }
  const { companyId } = membersOf(request, "The request", ["companyId"], source);
  check(companyId === undefined || typeof companyId === "string", "companyId must be a string.");
  return { companyId };
}

export function checkedOptions(given: WatchOptions = {}, source: Source): CheckedOptions {
  return reading("An option", { refuse }, () => readOptions(given, source));
}

function readOptions(given: WatchOptions, source: Source): CheckedOptions {
  const options = membersOf(given, "The options of a watch", KNOWN, source);
  const { intervalMs = 60_000, whenHidden = "pause", thresholds = DEFAULT_THRESHOLDS, onThreshold, initialUsage, history = [] } = options;
  const isTime = (value: number, least: number) => Number.isInteger(value) && value >= least && value <= LONGEST_TIMER;
  check(isTime(intervalMs, 5_000), `intervalMs must be an integer from 5000 to ${LONGEST_TIMER}.`);
  const { idleIntervalMs = Math.max(300_000, intervalMs) } = options;
  check(isTime(idleIntervalMs, intervalMs), `idleIntervalMs must be an integer from intervalMs, ${intervalMs}, to ${LONGEST_TIMER}.`);
  check(whenHidden === "pause" || whenHidden === "poll", 'whenHidden must be "pause" or "poll".');
  check(
    Array.isArray(thresholds) && thresholds.every((share) => typeof share === "number" && share > 0 && share <= 10),
    "thresholds must be an array of shares of the limit, such as 0.8 for 80 %.",
  );
  check(onThreshold === undefined || typeof onThreshold === "function", "onThreshold must be a function.");
  check(initialUsage === undefined || isUsage(initialUsage), "initialUsage must be a usage, as getAiChatUsage returns it.");
  check(
    // Seconds since 1970, taken for milliseconds, would be long ago.
    Array.isArray(history) && history.every((point) => point?.at > 1e11 && point.at < 1e14 && Number.isFinite(point.tokensUsed)),
    "history must be an array of { at, tokensUsed }, at in milliseconds since 1970.",
  );
  return {
    intervalMs,
    idleIntervalMs,
    pollsHidden: whenHidden === "poll",
    thresholds: [...thresholds].sort((a, b) => a - b),
    onThreshold,
    initialUsage,
    history: history.flatMap(({ at, tokensUsed }) => [at, tokensUsed]),
  };
}

export const NO_USAGE = "The usage must be one that getAiChatUsage returns.";

/** Whether a client may have returned it: its integers, of either sign, are exact in JavaScript. */
export function isUsage(value: unknown): value is AiChatUsageResponse {
  const { tokensUsed, tokenLimit, tokensRemaining, windowDays, isWithinBudget } = Object(value) as Partial<AiChatUsageResponse>;
  return [tokensUsed, tokenLimit, tokensRemaining, windowDays].every(Number.isSafeInteger) && typeof isWithinBudget === "boolean";
}
