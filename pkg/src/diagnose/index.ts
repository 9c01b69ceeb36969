/**
 * Finds out why calls fail, in the page or process where they do. Load it on demand: `await import("bookmore-sdk/diagnose")`.
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
 * Tries everything that a call of this client needs, one step after the other, and names what prevents it and how to fix
 * that. If it is not known which of several causes it is, the finding has them as candidates, likeliest first; where a
 * terminal sees more than a browser, it also has the command to run there.
 *
 * Besides one real call it sends a few GETs, without tokens, keys and header values. A step takes 10 seconds at most; the
 * call of an object that stands in for a client, 11.
 *
 * @param client A client, or an object that stands in for one, of which only the call is tried.
 * @param request The request of the call.
 * @throws A `ConfigError` for an invalid option, or the reason of the signal.
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
