import type { AiChatUsageResponse } from "bookmore-sdk";
import { firstLook } from "../watch/gauge.js";
import type { UsageLevel } from "../watch/types.js";
import { percentOf, type Success } from "./outcome.js";
import { printable } from "../printable.js";
import { styled } from "./output.js";

const STYLES = { ok: "green", warning: "yellow", critical: "red", over: "red" } as const satisfies Record<UsageLevel, string>;
const HEADINGS = ["company", "used", "limit", "left", "share", "level"];
const GAP = "  ";
const WIDEST_BAR = 20;
const NARROWEST_BAR = 5;

const number = (value: number) => value.toLocaleString("en-US");

/**
 * Usages as a table of this width: with bars if there is room, and with several lines for each company if a row does
 * not fit.
 */
export function table(usages: Success[], columns: number): string {
  const rows = usages.map(({ companyId, usage }) => cells(companyId ?? usage.companyId ?? "(own)", usage));
  const widths = HEADINGS.map((heading, at) => rows.reduce((width, row) => Math.max(width, row[at]!.length), heading.length));
  const sum = widths.reduce((sum, width) => sum + width, 0) + GAP.length * (widths.length - 1);
  if (sum > columns) return stacked(rows, usages, columns);
  const room = columns - sum - GAP.length;
  const bars = room < NARROWEST_BAR ? 0 : Math.min(room, WIDEST_BAR);
  const line = (row: string[], bar: string) => {
    const [company, used, limit, left, share, level] = row.map((cell, at) => (at === 0 || at === 5 ? cell.padEnd(widths[at]!) : cell.padStart(widths[at]!)));
    return [company, ...(bars ? [bar] : []), used, limit, left, share, level].join(GAP);
  };
  const heading = styled("bold", line(HEADINGS, " ".repeat(bars)).trimEnd());
  return [heading, ...rows.map((row, at) => coloured(line(row, bar(usages[at]!.usage, bars)), row[5] as UsageLevel))].map((text) => `${text}\n`).join("");
}

function cells(company: string, usage: AiChatUsageResponse): string[] {
  const { share, level } = firstLook(usage);
  const percent = share === undefined ? "–" : percentOf(share);
  return [printable(company), number(usage.tokensUsed), number(usage.tokenLimit), number(usage.tokensRemaining), percent, level];
}

/** Includes the level in words, because colour alone must not carry meaning. */
function coloured(line: string, level: UsageLevel): string {
  const at = line.trimEnd().length - level.length;
  return line.slice(0, at) + styled(STYLES[level], level);
}

function stacked(rows: string[][], usages: Success[], columns: number): string {
  return rows
    .map(([company, used, limit, , share, level], at) => {
      const figures = `${share} ${level}`.length;
      const bars = Math.max(0, Math.min(WIDEST_BAR, columns - GAP.length - figures - 1));
      const first = `${GAP}${bars < NARROWEST_BAR ? "" : `${bar(usages[at]!.usage, bars)} `}${share} `;
      const second = `${GAP}${used} of ${limit}`;
      // Never cut, so that rows can be told apart.
      return `${company}\n${first}${styled(STYLES[level as UsageLevel], level!)}\n${second.slice(0, columns)}\n`;
    })
    .join("");
}

/** The bar. It never shows less than is used, and is full only when nothing is left. */
function bar(usage: AiChatUsageResponse, width: number): string {
  // The server may count less than nothing, after a refund.
  const share = Math.max(0, firstLook(usage).share ?? (usage.isWithinBudget ? 0 : 1));
  const full = usage.isWithinBudget ? Math.min(Math.ceil(share * width), Math.max(0, width - 1)) : width;
  return "█".repeat(full) + "░".repeat(width - full);
}
