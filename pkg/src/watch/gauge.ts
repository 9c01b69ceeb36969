import type { AiChatUsageResponse } from "bookmore-sdk";
import type { Instance } from "../instance.js";
import { trapped } from "../trap.js";
import type { CheckedOptions } from "./options.js";
import type { Trend, UsageLevel, UsageState } from "./types.js";

/** What a store remembers from one usage to the next: `Memory` of `src/engine/watch/gauge.rs`. */
export type Memory = readonly number[];
export const NO_MEMORY: Memory = [0, NaN, NaN, -Infinity, NaN, 0];

const LEVELS: readonly UsageLevel[] = ["ok", "warning", "critical", "over"];
const TREND: readonly (keyof Trend)[] = ["usedPerDay", "sustainablePerDay", "netPerDay", "spanMs", "exhaustsAt"];

/** The thresholds, as shares of the limit. */
export const DEFAULT_THRESHOLDS: readonly number[] = [0.8, 0.95, 1];

export interface Reading {
  memory: Memory;
  /** The threshold that was just reached; NaN for none. */
  reached: number;
  told: Pick<UsageState, "share" | "level" | "trend">;
}

/** Derives level, share, threshold and trend from a usage. Undefined if the module has trapped. */
export function read(
  instance: Instance,
  { tokensUsed, tokenLimit, isWithinBudget, windowDays }: AiChatUsageResponse,
  isSameCompany: boolean,
  at: number,
  { thresholds, history }: CheckedOptions,
  memory: Memory,
): Reading | undefined {
  if (instance.trap !== undefined) return undefined;
  const row = Float64Array.from([...memory, thresholds.length, ...thresholds, ...history]);
  try {
    const numbers = [...instance.glue.gauge(tokensUsed, tokenLimit, isWithinBudget, windowDays, isSameCompany, at, row)];
    const [level, share, reached, ...days] = numbers.splice(6) as [number, number, number, ...number[]];
    const trend = Object.fromEntries(TREND.map((name, at) => [name, days[at]!] as const).filter(([, value]) => !isNaN(value)));
    const told = { level: LEVELS[level]!, ...(!isNaN(share) && { share }), ...(windowDays > 0 && { trend: trend as unknown as Trend }) };
    return { memory: numbers, reached, told };
  } catch (trap) {
    trapped(instance, trap);
    return undefined;
  }
}

/**
 * The share and the level of a usage before the module is loaded. Mirrors
 * `src/engine/watch/gauge.rs`; a test compares the two.
 */
export function firstLook(
  usage: AiChatUsageResponse,
  [lowest = Infinity, second = Infinity]: readonly number[] = DEFAULT_THRESHOLDS,
): { share?: number; level: UsageLevel } {
  const { tokensUsed, tokenLimit, isWithinBudget } = usage;
  const share = tokenLimit > 0 ? tokensUsed / tokenLimit : undefined;
  const of = share ?? 0;
  const level = !isWithinBudget ? "over" : of >= second ? "critical" : of >= lowest ? "warning" : "ok";
  return share === undefined ? { level } : { share, level };
}
