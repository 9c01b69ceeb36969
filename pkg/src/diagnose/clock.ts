import { replyOf, type Facts } from "./facts.js";

/** Clocks may differ by this much, because of rounding and the time that a reply takes. */
export const LARGEST_SKEW_MS = 60_000;

/** The time of the server's clock, if a reply contained it. */
export function serverClock({ call, plain, followed, now }: Facts): number | undefined {
  const ahead = [call?.aheadMs, ...[plain, followed].map((probe) => replyOf(probe)?.aheadMs)];
  const known = ahead.find((ms) => ms !== undefined);
  return known === undefined ? undefined : now - known;
}

export const SET_CLOCK = "If the one here is wrong, let the system set it automatically (settings, date and time).";

/** How the clocks differ, without a period. */
export function skewOf(there: number, here: number): string {
  return `The clock here is ${span(here - there)} ${here > there ? "ahead of" : "behind"} the server's`;
}

/** A time in words. */
export function iso(ms: number): string {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? "an impossible time" : date.toISOString();
}

/** A length of time, in words. */
export function span(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  const units: [number, string][] = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const [length, unit] = units.find(([length]) => seconds >= length) ?? [1, "second"];
  const count = Math.round(seconds / length);
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
