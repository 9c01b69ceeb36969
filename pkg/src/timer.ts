/** The longest delay of the platform's timers, in milliseconds. A longer one fires at once. */
export const LONGEST_TIMER = 2_147_483_647;

/** A monotonic clock with a single timer. */
export class Timer {
  #latest = 0;
  #at = Infinity;
  #run: (() => void) | undefined;
  #id: ReturnType<typeof setTimeout> | undefined;
  #keepsAlive = true;

  /** In milliseconds. It never goes back, and never lags behind a fired timer, even with a fake clock. */
  now(): number {
    return (this.#latest = Math.max(this.#latest, performance.now() || 0));
  }

  /**
   * Calls `run` at the time `at`; Infinity means never. Replaces the previous timer. `keepsAlive`: whether Node.js keeps
   * running until then.
   */
  set(at: number, run: () => void, keepsAlive = true): void {
    if (at === this.#at && run === this.#run && keepsAlive === this.#keepsAlive) return;
    this.stop();
    this.#keepsAlive = keepsAlive;
    if (at !== Infinity) this.#arm(at, run, true);
  }

  stop(): void {
    // A timer that has fired is not cleared: a test may have installed fake timers since.
    if (this.#at !== Infinity) clearTimeout(this.#id);
    this.#at = Infinity;
  }

  #arm(at: number, run: () => void, isFirst: boolean): void {
    const ms = Math.min(Math.max(0, Math.ceil(at - this.now())), LONGEST_TIMER);
    this.#at = at;
    this.#run = run;
    this.#id = setTimeout(() => {
      const early = at - this.now();
      // Real timers sometimes fire slightly early.
      if (early > 0 && isFirst && early <= Math.max(2, ms / 10)) return this.#arm(at, run, false);
      this.#at = Infinity;
      // A fake timer fired although the clock stands still: trust the timer.
      if (early > 0 && ms < LONGEST_TIMER) this.#latest = at;
      run();
    }, ms);
    if (!this.#keepsAlive) (this.#id as { unref?(): void }).unref?.();
  }
}
