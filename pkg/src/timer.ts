/** The longest of the platform, in milliseconds: a longer one fires at once. */
export const LONGEST_TIMER = 2_147_483_647;

/** A monotonic clock with one timer, for whatever is due first. */
export class Timer {
  #latest = 0;
  #at = Infinity;
  #run: (() => void) | undefined;
  #id: ReturnType<typeof setTimeout> | undefined;
  readonly #keepsAlive: boolean;

  /** `keepsAlive`: whether Node.js waits for it before it ends. */
  constructor(keepsAlive = true) {
    this.#keepsAlive = keepsAlive;
  }

  /** The platform's, in milliseconds; it never goes back, nor behind the timer, whatever a test makes of it. */
  now(): number {
    return (this.#latest = Math.max(this.#latest, performance.now() || 0));
  }

  /** Calls `run` at that time, and nothing else that was set before; infinite for never. */
  set(at: number, run: () => void): void {
    if (at === this.#at && run === this.#run) return;
    this.stop();
    if (at !== Infinity) this.#arm(at, run, true);
  }

  stop(): void {
    // One that has fired is none of the fake ones that a test may have put in its place.
    if (this.#at !== Infinity) clearTimeout(this.#id);
    this.#at = Infinity;
  }

  #arm(at: number, run: () => void, isFirst: boolean): void {
    const ms = Math.min(Math.max(0, Math.ceil(at - this.now())), LONGEST_TIMER);
    this.#at = at;
    this.#run = run;
    this.#id = setTimeout(() => {
      const early = at - this.now();
      // Real timers are early by a little, now and then.
      if (early > 0 && isFirst && early <= Math.max(2, ms / 10)) return this.#arm(at, run, false);
      this.#at = Infinity;
      // A test moves timers alone, and the clock stands still: the timer is right.
      if (early > 0 && ms < LONGEST_TIMER) this.#latest = at;
      run();
    }, ms);
    if (!this.#keepsAlive) (this.#id as { unref?(): void }).unref?.();
  }
}
