import type { AiChatUsageResponse, BookMoreClientLike, GetAiChatUsage } from "bookmore-sdk";
import { DEFAULT_THRESHOLDS } from "./gauge.js";
import { membersOf as checkedMembers } from "../members.js";
import { refuse } from "../refuse.js";
import { LONGEST_TIMER } from "../timer.js";
import type { Source } from "./source.js";
import type { WatchOptions } from "./types.js";

const KNOWN = ["intervalMs", "idleIntervalMs", "whenHidden", "thresholds", "onThreshold", "initialUsage", "history"];

export interface CheckedOptions {
  intervalMs: number;
  idleIntervalMs: number;
  pollsHidden: boolean;
  /** In ascending order. */
  thresholds: readonly number[];
  onThreshold: WatchOptions["onThreshold"];
  initialUsage: AiChatUsageResponse | undefined;
  /** Times and usages in turns. */
  history: readonly number[];
}

function check(fine: unknown, message: string): asserts fine {
  if (!fine) refuse(message);
}

/** The names that come near are the client's to find, as it has the means already. */
const membersOf = <T extends object>(given: T, name: string, known: readonly string[], { nearest }: Source): T =>
  checkedMembers(given, name, known, { refuse, nearest });

export function checkedClient(client: BookMoreClientLike): BookMoreClientLike {
  check(typeof client?.getAiChatUsage === "function", "The client must be a BookMoreClient, or an object with its getAiChatUsage.");
  return client;
}

/** Null where nothing can be asked for yet. */
export function checkedRequest(request: GetAiChatUsage | null = {}, source: Source): GetAiChatUsage | null {
  if (!request) {
    check(request === null, "The request must be an object, or null where the company is not known yet.");
    return null;
  }
  const { companyId } = membersOf(request, "The request", ["companyId"], source);
  check(companyId === undefined || typeof companyId === "string", "companyId must be a string.");
  return { companyId };
}

export function checkedOptions(given: WatchOptions = {}, source: Source): CheckedOptions {
  const options = membersOf(given, "The options of a watch", KNOWN, source);
  const { intervalMs = 60_000, whenHidden = "pause", thresholds = DEFAULT_THRESHOLDS, onThreshold, initialUsage, history = [] } = options;
  const { idleIntervalMs = Math.max(300_000, intervalMs) } = options;
  const isTime = (value: number, least: number) => Number.isInteger(value) && value >= least && value <= LONGEST_TIMER;
  check(isTime(intervalMs, 5_000), `intervalMs must be an integer from 5000 to ${LONGEST_TIMER}.`);
  check(isTime(idleIntervalMs, intervalMs), `idleIntervalMs must be an integer from intervalMs, ${intervalMs}, to ${LONGEST_TIMER}.`);
  check(whenHidden === "pause" || whenHidden === "poll", 'whenHidden must be "pause" or "poll".');
  check(
    Array.isArray(thresholds) && thresholds.every((share) => typeof share === "number" && share > 0 && share <= 10),
    "thresholds must be an array of shares of the limit, such as 0.8 for 80 %.",
  );
  check(onThreshold === undefined || typeof onThreshold === "function", "onThreshold must be a function.");
  check(initialUsage === undefined || isUsage(initialUsage), "initialUsage must be a usage, as getAiChatUsage gives it.");
  check(
    // The seconds of a Unix time are long ago as milliseconds.
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

export const NO_USAGE = "The usage must be one that getAiChatUsage gives.";

/** Whether a client may have given it: its decoder takes integers that JavaScript keeps exactly, of either sign. */
export function isUsage(value: unknown): value is AiChatUsageResponse {
  const { tokensUsed, tokenLimit, tokensRemaining, windowDays, isWithinBudget } = Object(value) as Partial<AiChatUsageResponse>;
  return [tokensUsed, tokenLimit, tokensRemaining, windowDays].every(Number.isSafeInteger) && typeof isWithinBudget === "boolean";
}
