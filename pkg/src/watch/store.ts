import { ConfigError, type AiChatUsageResponse, type GetAiChatUsage } from "bookmore-sdk";
import { companyOf } from "../guid.js";
import { handled } from "../handled.js";
import { LONGEST_TIMER } from "../timer.js";
import { firstLook, NO_MEMORY, read, type Memory } from "./gauge.js";
import type { CheckedOptions } from "./options.js";
import { Poll, type Known, type Listener } from "./poll.js";
import type { Source } from "./source.js";
import type { UsageState, UsageStore } from "./types.js";

const PENDING: UsageState = Object.freeze({ status: "pending" });

/** Calls a function of the app. An error that it throws is uncaught, and does not keep others from being called. */
function tell<T>(run: (about: T) => void, about: T): void {
  try {
    run(about);
  } catch (thrown) {
    queueMicrotask(() => {
      throw thrown;
    });
  }
}

/** Whether a usage may be of the requested company. Servers need not name a company. */
function isOf({ companyId }: AiChatUsageResponse, request: GetAiChatUsage | null): boolean {
  const asked = companyOf(request?.companyId);
  return !companyId || asked === "" || companyOf(companyId) === asked;
}

export class Store implements UsageStore, Listener {
  readonly pace: Listener["pace"];
  readonly #source: Source;
  readonly #request: GetAiChatUsage | null;
  readonly #options: CheckedOptions;
  readonly #initial: UsageState;
  readonly #subscribers = new Set<{ run(state: UsageState): void }>();
  /** Set while there are subscribers. */
  #poll: Poll | undefined;
  #state: UsageState;
  #memory: Memory = NO_MEMORY;
  /** What the state was made from. */
  #known: Known | undefined;
  /** Whether the memory includes it as well. */
  #isRead = false;
  /** The identity whose usage it is. */
  #identity: number;

  constructor(source: Source, request: GetAiChatUsage | null, options: CheckedOptions) {
    const { initialUsage, intervalMs, idleIntervalMs, pollsHidden, thresholds } = options;
    const usage = initialUsage && isOf(initialUsage, request) ? initialUsage : undefined;
    this.#source = source;
    this.#request = request;
    this.#options = options;
    this.#identity = source.identity;
    this.#state = this.#initial = usage ? Object.freeze({ status: "ok", usage, ...firstLook(usage, thresholds) }) : PENDING;
    this.pace = [intervalMs, idleIntervalMs, pollsHidden, thresholds[0] ?? Infinity];
  }

  readonly subscribe = (run: (state: UsageState) => void): (() => void) => {
    if (typeof run !== "function") throw new ConfigError({ message: "subscribe takes a function, which is called with each state." });
    const subscriber = { run };
    if (this.#request && !this.#poll) {
      this.#poll = Poll.of(this.#source, this.#request);
      this.#poll.join(this);
      this.#look(this.#poll, true);
    }
    this.#subscribers.add(subscriber);
    // After `add`, so that the caller can leave even if `run` throws.
    tell(run, this.#state);
    return () => {
      if (!this.#subscribers.delete(subscriber) || this.#subscribers.size > 0) return;
      this.#poll?.leave(this);
      this.#poll = undefined;
    };
  };

  readonly getSnapshot = (): UsageState => {
    // Another store may have a poll for this company.
    const poll = this.#poll ?? (this.#request ? this.#source.polls.get(companyOf(this.#request.companyId)) : undefined);
    this.#look(poll, false);
    return this.#state;
  };

  readonly getServerSnapshot = (): UsageState => this.#initial;

  // The state has the error, too.
  readonly refresh = (): Promise<AiChatUsageResponse> => handled(() => this.#refresh());

  async #refresh(): Promise<AiChatUsageResponse> {
    if (!this.#request) throw new ConfigError({ message: "The request is null, so there is no company to ask for yet." });
    const poll = Poll.of(this.#source, this.#request);
    try {
      return await poll.refresh();
    } finally {
      if (!this.#poll) this.#look(poll, true);
    }
  }

  /** Called by the poll after each change. */
  changed(): void {
    this.#look(this.#poll, true);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<UsageState> {
    let told: UsageState | undefined;
    let isOver = false;
    let waiting: (() => void)[] = [];
    const wake = () => {
      for (const go of waiting.splice(0)) go();
    };
    const leave = this.subscribe(wake);
    // Keeps Node.js alive, which the poll's own timers do not.
    const alive = setInterval(() => {}, LONGEST_TIMER);
    const iterator: AsyncIterableIterator<UsageState> = {
      next: async () => {
        while (!isOver && this.#state === told) await new Promise<void>((resolve) => waiting.push(resolve));
        return isOver ? { done: true, value: undefined } : { done: false, value: (told = this.#state) };
      },
      return: async () => {
        isOver = true;
        leave();
        clearInterval(alive);
        wake();
        return { done: true, value: undefined };
      },
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  /** Updates the state from the poll. `mayTell`: whether to notify subscribers of a change. */
  #look(poll: Poll | undefined, mayTell: boolean): void {
    const before = this.#state;
    if (this.#identity !== this.#source.identity) {
      this.#identity = this.#source.identity;
      this.#memory = NO_MEMORY;
      this.#known = undefined;
      this.#state = PENDING;
    }
    const known = poll?.known;
    let reached: number | undefined;
    if (known && known.status !== "pending" && (known !== this.#known || (mayTell && !this.#isRead))) {
      reached = this.#take(known, poll, mayTell);
    }
    if (!mayTell) return;
    const state = this.#state;
    if (state !== before) {
      for (const subscriber of [...this.#subscribers]) {
        // A subscriber may have removed another one, or set a new token.
        if (this.#subscribers.has(subscriber)) tell(subscriber.run, this.#state);
      }
    }
    const { onThreshold } = this.#options;
    if (reached && onThreshold && state === this.#state) tell(onThreshold, { threshold: reached, usage: state.usage! });
  }

  /** Makes a state from what the poll knows. Returns the threshold that was reached, or NaN. */
  #take(known: Known, { instance }: Poll, mayRemember: boolean): number {
    const isNew = known !== this.#known;
    this.#known = known;
    this.#isRead = mayRemember;
    const { status, usage, updatedAt, error } = known;
    // An error does not remove the last usage.
    const { error: _, ...before } = this.#state;
    let state: UsageState = { ...before, status };
    let reached = NaN;
    if (usage && instance) {
      const isEqual = JSON.stringify(before.usage) === JSON.stringify(usage);
      const isSameCompany = !before.usage || before.usage.companyId === usage.companyId;
      const reading = read(instance, usage, isSameCompany, updatedAt!, this.#options, this.#memory);
      if (!reading) return NaN; // the module has trapped and will be restarted
      reached = reading.reached;
      if (mayRemember) this.#memory = reading.memory;
      state = { status, usage: isEqual ? before.usage! : usage, updatedAt: updatedAt!, ...reading.told };
    }
    if (isNew) this.#state = Object.freeze(error ? { ...state, error } : state);
    return reached;
  }
}
