import { findingLines } from "../../diagnose/print.js";
import type { DiagnosisStep, Finding } from "../../diagnose/types.js";
import { printable } from "../../printable.js";
import { canErase, CLEAR_LINE, styled } from "../output.js";

/** The result of a step. */
export interface Checked extends Pick<DiagnosisStep, "outcome" | "detail"> {
  findings?: Finding[];
}

const { stderr } = process;
const MARKS = { ok: ["green", "✔"], failed: ["red", "✘"], skipped: ["dim", "–"] } as const;

/** Runs the steps and keeps their results. A terminal shows which one is running. */
export class Checklist {
  readonly steps: (DiagnosisStep & { findings: Finding[] })[] = [];

  constructor(signal: AbortSignal) {
    signal.addEventListener("abort", () => this.#show(""));
  }

  async step<T extends Checked>(name: string, run: () => Promise<T>): Promise<T> {
    const started = performance.now();
    this.announce(name);
    try {
      const came = await run();
      const { outcome, detail, findings = [] } = came;
      this.steps.push({ name, outcome, detail, ms: Math.round(performance.now() - started), findings });
      return came;
    } finally {
      this.#show("");
    }
  }

  /** Shows the name of a step that the examination is about to run. */
  announce(name: string): void {
    this.#show(`… ${name}`);
  }

  /** Takes over a step that the examination has run. */
  readonly add = (step: DiagnosisStep): void => {
    this.#show("");
    this.steps.push({ ...step, findings: [] });
  };

  #show(text: string): void {
    if (canErase(stderr)) stderr.write(CLEAR_LINE + text);
  }
}

/** A line for each step, with its findings and fixes below. */
export function listed(steps: Checklist["steps"]): string {
  const width = Math.max(...steps.map(({ name }) => name.length));
  const lines = steps.flatMap(({ name, outcome, detail, ms, findings }) => {
    const [style, mark] = MARKS[outcome];
    const time = outcome === "skipped" ? "" : ` ${styled("dim", `${ms} ms`)}`;
    const found = findings.flatMap(findingLines).map((line) => `    ${line}`);
    return [`${styled(style, mark)} ${name.padEnd(width)}  ${printable(detail)}${time}`, ...found];
  });
  return `${lines.join("\n")}\n`;
}
