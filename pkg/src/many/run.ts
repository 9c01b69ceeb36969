import type { AiChatUsageResponse, AnyBookMoreError, BookMoreClientLike, GetAiChatUsage, RequestOptions } from "bookmore-sdk";
import { abortReason, onAbort } from "../abort.js";
import { ERROR_BRAND, isBranded } from "../brands.js";
import type { Deciding } from "../calls.js";
import { guidDigits } from "../guid.js";
import { handled } from "../handled.js";
import { callsOf, packageCalls } from "../reach.js";
import { Timer } from "../timer.js";
import type { ManyOptions, ManyOutcome, ManyProgress } from "./outcome.js";

/** The arguments of a run. */
export interface Asked {
  client: BookMoreClientLike;
  companyIds: Iterable<string> | AsyncIterable<string>;
  options: ManyOptions;
}

type Came = { usage: AiChatUsageResponse } | { error: AnyBookMoreError };

/** How a call ended, as `Many.settle` takes it. */
const USAGE = 0;
const FAILURE = 1;
const PASSING = 2;
const LIMITED = 3;

/** One company, for all ids that are the same Guid. */
interface Company {
  /** The ids that have no outcome yet, with their indices. */
  waiting: [place: number, companyId: string][];
  came?: Came;
  hasFailed?: boolean;
}

/** The iterator of the ids. */
interface Source {
  next?(): IteratorResult<string> | Promise<IteratorResult<string>>;
  return?(): unknown;
}

/** Carries out the decisions of `src/engine/many`. */
export class Run {
  /** All outcomes, in the order of the ids. */
  readonly outcomes: ManyOutcome[] = [];
  /** The outcomes in the order of their arrival. */
  readonly came: ManyOutcome[] = [];
  /** Set when the run has ended; with a reason if it ended early. */
  end: { reason?: unknown } | undefined;
  /** How many of the outcomes were read; infinite when awaiting all. */
  read = 0;
  readonly #asked: Asked;
  readonly #abort = new AbortController();
  readonly #companies: Company[] = [];
  readonly #known = new Map<string, Company>();
  #waiters: (() => void)[] = [];
  #isStarted = false;
  #isReal = false;
  #deciding!: Deciding;
  #source: Source = {};
  /** Whether the iterator has ended or failed, so that `return` must not be called. */
  #isSourceOver = false;
  #isFetching = false;
  #isPumping = false;
  #ids = 0;
  #total: number | undefined;
  /** The latest 429 of any company. */
  #limit!: Came;
  #callOptions: RequestOptions = {};
  /** Removes the listener from the given signal. */
  #ignore: (() => void) | undefined;
  readonly #timer = new Timer();

  constructor(asked: Asked) {
    this.#asked = asked;
  }

  start(): void {
    if (this.#isStarted) return this.#pump();
    this.#isStarted = true;
    this.#begin().catch((reason: unknown) => this.stop(reason));
  }

  /** Resolves when there is a new outcome or the run has ended. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Ends the run early: cancels what is in flight and sends nothing more. */
  stop(reason: unknown): void {
    if (this.end) return;
    this.#finish({ reason });
    this.#abort.abort(reason);
    // The run is over, so the iterator's answer does not matter.
    if (!this.#isSourceOver) void handled(() => this.#source.return?.());
  }

  async #begin(): Promise<void> {
    const { client, companyIds, options } = this.#asked;
    const calls = callsOf(client);
    this.#isReal = calls !== undefined;
    this.#deciding = await (calls ?? (await packageCalls())).many(client, companyIds, options, this.#startAnew);
    if (this.end) return this.#deciding.free();
    const { callOptions, signal } = this.#deciding;
    if (signal?.aborted) return this.stop(abortReason(signal));
    this.#ignore = signal && onAbort(signal, () => this.stop(abortReason(signal)));
    this.#callOptions = { ...callOptions, signal: this.#abort.signal };
    const { length, size } = companyIds as { length?: unknown; size?: unknown };
    this.#total = [length, size].find((count) => Number.isFinite(count)) as number | undefined;
    const ids = companyIds as Partial<Iterable<string> & AsyncIterable<string>>;
    this.#source = ids[Symbol.asyncIterator]?.() ?? ids[Symbol.iterator]!();
    if (!this.#source.next) throw new TypeError("The iterator of companyIds has no function next.");
    this.#pump();
  }

  /** Does everything that is due. Callers' functions that run in it may stop the run. */
  readonly #pump = (): void => {
    if (this.end || this.#isPumping || !this.#source.next) return;
    this.#isPumping = true;
    const { decide, tellLimit, free } = this.#deciding;
    const poll = () => decide((many) => many.poll(this.#timer.now()));
    try {
      tellLimit();
      do {
        for (let number; !this.end && (number = poll()) !== -1; ) {
          if (number >= 0) void this.#ask(number);
          else this.#settle(-2 - number, this.#limit);
        }
      } while (!this.end && this.#fetch());
      if (!this.end && decide((many) => many.reports(this.#timer.now()))) this.#report();
      if (!this.end) this.#setTimer(decide((many) => many.pollTimeout()));
    } catch (reason) {
      this.stop(reason);
    } finally {
      this.#isPumping = false;
      if (this.end) free();
    }
  };

  /** Another identity has signed in: the limits that the server set for the one before no longer apply. */
  readonly #startAnew = (): void => {
    if (!this.#deciding || this.end) return;
    this.#input(() => this.#deciding.decide((many) => many.changeIdentity(this.#timer.now())));
  };

  /** Passes an input to the decisions, and executes what follows. A failure ends the run. */
  #input(tell: () => void): void {
    try {
      tell();
    } catch (reason) {
      this.stop(reason);
    }
    this.#pump();
  }

  /** Takes another id if one is wanted. Returns whether it was available at once. */
  #fetch(): boolean {
    const unread = Math.max(0, this.came.length - this.read);
    if (this.#isFetching || !this.#deciding.decide((many) => many.wantsId(unread))) return false;
    let next;
    try {
      next = this.#source.next!();
    } catch (reason) {
      return this.#sourceFailed(reason);
    }
    if (typeof (next as Promise<unknown> | undefined)?.then === "function") {
      this.#isFetching = true;
      const take = (result: IteratorResult<string>) => {
        this.#isFetching = false;
        if (!this.end) this.#take(result);
        this.#pump();
      };
      const failed = (reason: unknown) => this.#sourceFailed(reason);
      Promise.resolve(next).then(take, failed).catch((reason: unknown) => this.stop(reason));
      return false;
    }
    if (!this.end) this.#take(next as IteratorResult<string>);
    return true;
  }

  #sourceFailed(reason: unknown): never {
    this.#isSourceOver = true;
    throw reason;
  }

  #take(result: IteratorResult<string, unknown>): void {
    const { decide } = this.#deciding;
    // As in `for await`; without this, an iterator that returns a number would never end.
    if (Object(result) !== result) this.#sourceFailed(new TypeError(`Iterator result ${String(result)} is not an object.`));
    const { done, value: id } = result;
    if (done) {
      this.#isSourceOver = true;
      this.#total = this.#ids;
      return decide((many) => many.end(this.#timer.now()));
    }
    const companyId = id as string;
    const key = guidDigits(id);
    let company = key === undefined ? undefined : this.#known.get(key);
    const isOther = !company;
    if (!company?.came) decide((many) => many.add(isOther));
    if (!company) {
      company = { waiting: [] };
      this.#companies.push(company);
      if (key !== undefined) this.#known.set(key, company);
    }
    const place = this.#ids++;
    if (!company.came) {
      company.waiting.push([place, companyId]);
      return;
    }
    const { came } = company;
    decide((many) => many.repeat("error" in came));
    this.#tell(place, companyId, came);
  }

  async #ask(number: number): Promise<void> {
    const { client } = this.#asked;
    const company = this.#companies[number]!;
    // Without this check, a missing id would mean the logged-in user's company.
    const request = { companyId: company.waiting[0]![1] ?? null } as GetAiChatUsage;
    const options = company.hasFailed ? { ...this.#callOptions, maxRetries: 0 } : this.#callOptions;
    let came: Came;
    try {
      came = { usage: await client.getAiChatUsage(request, options) };
    } catch (error) {
      came = { error: error as AnyBookMoreError };
    }
    if (!this.end) this.#input(() => this.#settle(number, came));
  }

  #settle(number: number, came: Came): void {
    const { decide } = this.#deciding;
    const now = this.#timer.now();
    const company = this.#companies[number]!;
    const { waiting } = company;
    let kind: 0 | 1 | 2 | 3 = USAGE;
    let askedMs = NaN;
    let leftMs = NaN;
    if ("error" in came) {
      const { status, isRetryable, retryAt, retryAfterMs } = Object(came.error);
      // A framework's control flow must reach the framework.
      if (this.#isReal && !isBranded(came.error, ERROR_BRAND)) throw came.error;
      kind = !isRetryable ? FAILURE : status === 429 ? LIMITED : PASSING;
      if (kind === LIMITED) this.#limit = came;
      leftMs = Number(retryAt) - Date.now();
      // A stand-in client may give retryAt without retryAfterMs.
      askedMs = Number(retryAfterMs ?? (this.#isReal ? NaN : leftMs));
    }
    if (!decide((many) => many.settle(number, kind, waiting.length, askedMs, leftMs, now))) {
      company.hasFailed = true;
      return;
    }
    company.came = came;
    company.waiting = NOBODY;
    for (const [place, companyId] of waiting) this.#tell(place, companyId, came);
  }

  #tell(place: number, companyId: string, came: Came): void {
    const outcome = { companyId, ...came };
    this.outcomes[place] = outcome;
    this.came.push(outcome);
    this.#wake();
  }

  #report(): void {
    const { decide, onProgress } = this.#deciding;
    const now = this.#timer.now();
    const total = this.#total === undefined ? undefined : Math.max(this.#total, this.#ids);
    const figures = decide((many) => ([0, 1, 2, 3, 4] as const).map((n) => many.figure(n, total ?? NaN, now)));
    const [done, failed, again, ratePerSecond, eta] = figures;
    const etaMs = Math.ceil(eta!);
    const progress: ManyProgress = {
      done: done!,
      failed: failed!,
      again: again!,
      ...(total === undefined ? {} : { total }),
      ratePerSecond: ratePerSecond!,
      ...(Number.isFinite(etaMs) ? { etaMs } : {}),
    };
    // Errors that onProgress throws, at once or in a promise, are ignored.
    void handled(() => onProgress!(progress as never));
  }

  /** Sets the timer for what is due next. NaN means that all is done. */
  #setTimer(at: number): void {
    if (Number.isNaN(at)) this.#finish({});
    else this.#timer.set(at, this.#pump);
  }

  #finish(end: { reason?: unknown }): void {
    this.end = end;
    this.#timer.stop();
    this.#ignore?.();
    this.#wake();
    // Otherwise the pump frees it at its end, because it is still using it.
    if (!this.#isPumping) this.#deciding?.free();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

const NOBODY: Company["waiting"] = [];
