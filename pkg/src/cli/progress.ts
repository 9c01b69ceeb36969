import type { ManyProgress } from "bookmore-sdk/many";
import { canErase, CLEAR_LINE, styled } from "./output.js";

const { stderr } = process;

/** A progress line on a terminal that can erase a line. On other streams it writes nothing. */
export class ProgressLine {
  readonly #isShown = canErase(stderr);
  #progress: ManyProgress | undefined;

  constructor() {
    if (this.#isShown) stderr.on("resize", this.#draw);
  }

  readonly show = (progress: ManyProgress): void => {
    this.#progress = progress;
    this.#draw();
  };

  /** Clears the line for other output; the next update is written below that. */
  hide(): void {
    if (this.#isShown && this.#progress) stderr.write(CLEAR_LINE);
  }

  end(): void {
    this.hide();
    this.#progress = undefined;
    if (this.#isShown) stderr.off("resize", this.#draw);
  }

  readonly #draw = (): void => {
    if (!this.#isShown || !this.#progress) return;
    // Leaves out the last column, after which some terminals wrap.
    stderr.write(CLEAR_LINE + line(this.#progress, (stderr.columns || 80) - 1));
  };
}

function line({ done, failed, again, total, ratePerSecond, etaMs }: ManyProgress, columns: number): string {
  const parts = [
    total === undefined ? `${done}` : `${done}/${total}`,
    ...(failed ? [`${failed} failed`] : []),
    ...(again ? [`${again} again`] : []),
    `${ratePerSecond < 10 ? ratePerSecond.toFixed(1) : Math.round(ratePerSecond)}/s`,
    ...(etaMs === undefined ? [] : [`${timeOf(etaMs)} left`]),
  ];
  const text = parts.join(", ").slice(0, columns);
  const width = Math.min(30, columns - text.length - 1);
  if (total === undefined || total === 0 || width < 5) return text;
  const full = Math.floor((done / total) * width);
  return `${styled("cyan", "█".repeat(full), stderr)}${"░".repeat(width - full)} ${text}`;
}

function timeOf(ms: number): string {
  const seconds = Math.ceil(ms / 1000);
  return seconds < 120 ? `${seconds} s` : `${Math.ceil(seconds / 60)} min`;
}
