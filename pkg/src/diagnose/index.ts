/**
 * Finds out why calls fail, in the page or process where they do: load it on demand, `await import("bookmore-sdk/diagnose")`.
 *
 * @packageDocumentation
 */
import type { BookMoreClientLike, GetAiChatUsage } from "bookmore-sdk";
import { Examination } from "./examine.js";
import { checkedClient, checkedOptions } from "./options.js";
import { findingsOf } from "./outcome.js";
import { printed } from "./print.js";
import type { DiagnoseOptions, Diagnosis, DiagnosisStep, Finding } from "./types.js";

export type { Cause, DiagnoseOptions, Diagnosis, DiagnosisStep, Finding, FindingCode } from "./types.js";

/**
 * Tries what a call of this client needs, one thing after the other, and says what keeps it from succeeding and what mends
 * it. Where a browser hides which of several causes it is, a finding names them all, the likeliest first, and the line for
 * a terminal that tells them apart.
 *
 * Besides one real call it sends a few GETs, which have neither a token nor a key nor the value of a header in them. A step
 * takes 10 seconds at the most; the call of what stands in for a client, 11.
 *
 * @param client A client, or what stands in for one, of which only the call is tried.
 * @param request What to ask for in the call.
 * @throws A `ConfigError` where an option cannot be used, or the reason of the signal.
 */
export async function diagnose(client: BookMoreClientLike, request?: GetAiChatUsage, options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const { signal, onStep } = checkedOptions(options);
  const examination = new Examination(checkedClient(client), request, signal, onStep);
  await examination.runtime();
  await examination.options();
  await examination.network();
  await examination.call();
  const { facts, steps } = examination;
  return new Found(findingsOf(facts), steps);
}

class Found implements Diagnosis {
  readonly ok: boolean;
  readonly findings: Finding[];
  readonly steps: DiagnosisStep[];

  constructor(findings: Finding[], steps: DiagnosisStep[]) {
    this.ok = !findings.some(({ level }) => level === "error");
    this.findings = findings;
    this.steps = steps;
  }

  toString(): string {
    return printed(this);
  }
}
