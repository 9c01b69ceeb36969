import type { AiChatUsageResponse, AnyBookMoreError, BookMoreClientLike, GetAiChatUsage, RequestOptions } from "bookmore-sdk";
import { abortReason, onAbort } from "../abort.js";
import { ERROR_BRAND } from "../brands.js";
import type { Deciding } from "../calls.js";
import { guidDigits } from "../guid.js";
import { callsOf, packageCalls } from "../reach.js";
import { Timer } from "../timer.js";
import type { ManyOptions, ManyOutcome, ManyProgress } from "./outcome.js";

/** What was asked for. */
export interface Asked {
  client: BookMoreClientLike;
  companyIds: Iterable<string> | AsyncIterable<string>;
  options: ManyOptions;
}

type Came = { usage: AiChatUsageResponse } | { error: AnyBookMoreError };

/** What a call came to, as `Many.settle` takes it. */
const USAGE = 0;
const FAILURE = 1;
const PASSING = 2;
const LIMITED = 3;

/** One for all the ids that are the same Guid. */
interface Company {
  /** Those ids that have no outcome yet, with their place among all. */
  waiting: [place: number, companyId: string][];
  came?: Came;
  hasFailed?: boolean;
}

/** Where ids come from. */
interface Source {
  next?(): IteratorResult<string> | Promise<IteratorResult<string>>;
  return?(): unknown;
}

/** Carries out what `src/engine/many` decides. */
export class Run {
  /** In the order of the ids. */
  readonly outcomes: ManyOutcome[] = [];
  /** As they came. */
  readonly came: ManyOutcome[] = [];
  /** Set at the end; with a reason where it came too early. */
  end: { reason?: unknown } | undefined;
  /** How many of those that came were read; infinite where all are wanted at once. */
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
  #isFetching = false;
  #isPumping = false;
  #ids = 0;
  #total: number | undefined;
  /** What the latest 429 was that a company came to. */
  #limit!: Came;
  #callOptions: RequestOptions = {};
  /** Listens no more to the signal that was given. */
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

  /** Resolves when something has come. */
  change(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Ends it early: nothing more is sent, and what is in flight is cancelled. */
  stop(reason: unknown): void {
    if (this.end) return;
    this.#finish({ reason });
    this.#abort.abort(reason);
    // What it answers, or throws, is of no interest any more.
    void (async () => this.#source.return?.())().catch(() => {});
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
    this.#source = Symbol.asyncIterator in companyIds ? companyIds[Symbol.asyncIterator]() : companyIds[Symbol.iterator]();
    if (!this.#source.next) throw new TypeError("The iterator of companyIds has no function next.");
    this.#pump();
  }

  /** Does what there is to do; what it calls may stop the run. */
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

  /** The client is another identity's: what the server asked of the one before binds it no more. */
  readonly #startAnew = (): void => {
    if (!this.#deciding || this.end) return;
    try {
      this.#deciding.decide((many) => many.changeIdentity(this.#timer.now()));
    } catch (reason) {
      this.stop(reason);
    }
    this.#pump();
  };

  /** Fetches another id, where one is wanted. Whether it is there already. */
  #fetch(): boolean {
    const unread = Math.max(0, this.came.length - this.read);
    if (this.#isFetching || !this.#deciding.decide((many) => many.wantsId(unread))) return false;
    const next = this.#source.next!();
    if ("then" in next) {
      this.#isFetching = true;
      const take = (result: IteratorResult<string>) => {
        this.#isFetching = false;
        if (!this.end) this.#take(result);
        this.#pump();
      };
      Promise.resolve(next).then(take).catch((reason: unknown) => this.stop(reason));
      return false;
    }
    if (!this.end) this.#take(next);
    return true;
  }

  #take({ done, value: id }: IteratorResult<string, unknown>): void {
    const { decide } = this.#deciding;
    if (done) {
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
    // An id that is missing would stand for the logged-in user's company.
    const request = { companyId: company.waiting[0]![1] ?? null } as GetAiChatUsage;
    const options = company.hasFailed ? { ...this.#callOptions, maxRetries: 0 } : this.#callOptions;
    let came: Came;
    try {
      came = { usage: await client.getAiChatUsage(request, options) };
    } catch (error) {
      came = { error: error as AnyBookMoreError };
    }
    if (this.end) return;
    try {
      this.#settle(number, came);
    } catch (reason) {
      this.stop(reason);
    }
    this.#pump();
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
      // A framework's control flow has to reach the framework.
      if (this.#isReal && !came.error?.[ERROR_BRAND as never]) throw came.error;
      kind = !isRetryable ? FAILURE : status === 429 ? LIMITED : PASSING;
      if (kind === LIMITED) this.#limit = came;
      leftMs = Number(retryAt) - Date.now();
      // A stand-in may say when, and not for how long.
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
    // What it throws, at once or later, changes nothing.
    void (async () => onProgress!(progress as never))().catch(() => {});
  }

  /** For what is due next; without a number all is done. */
  #setTimer(at: number): void {
    if (Number.isNaN(at)) this.#finish({});
    else this.#timer.set(at, this.#pump);
  }

  #finish(end: { reason?: unknown }): void {
    this.end = end;
    this.#timer.stop();
    this.#ignore?.();
    this.#wake();
    // Otherwise at the end of the pump, which uses it.
    if (!this.#isPumping) this.#deciding?.free();
  }

  #wake(): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const wake of waiters) wake();
  }
}

const NOBODY: Company["waiting"] = [];
