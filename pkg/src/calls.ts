import { abortReason, onAbort } from "./abort.js";
import type { BookMoreClientLike } from "./client.js";
import type { Core, Many, Moment } from "./core.js";
import { Driver, type Answer, type Outcome, type World } from "./driver.js";
import { BookMoreError, errorOf } from "./errors.js";
import { checkPlatform, isWorkers, unsupported, type Instance, type Loader } from "./instance.js";
import { handled } from "./handled.js";
import { nearest } from "./nearest.js";
import {
  answerOf,
  checkedToken,
  companyId,
  isSameIdentity,
  manyOptions,
  requestOptions,
  type CheckedClientOptions,
  type CheckedManyOptions,
  type ManyLimits,
} from "./options.js";
import type { AiChatUsageResponse } from "./reply.js";
import { guarded, release } from "./trap.js";
import type { Turns } from "./watch/turns.js";
import type {
  ClientEvent,
  GetAiChatUsage,
  RequestOptions,
  SetBearerTokenOptions,
  TokenProvider,
  WithResponse,
} from "./types.js";

const DEFAULT_TOTAL_TIMEOUT_MS = 30_000;

/** A running module and the engine of a client in it. */
interface Engine {
  instance: Instance;
  core: Core;
  /** Absent if each call has its own driver. */
  driver: Driver | undefined;
  /** How many calls are in flight. */
  calls: number;
}

/** Makes the decisions for many companies. */
export interface Deciding extends Pick<CheckedManyOptions, "callOptions" | "signal" | "onProgress"> {
  /** Runs `act` on the engine. A trap is thrown as an InternalError. */
  decide<T>(act: (many: Many) => T): T;
  /** Reports the client's 429s. */
  tellLimit(): void;
  free(): void;
}

/** How a client sends requests, without secrets. */
export interface Outline extends Pick<CheckedClientOptions, "baseUrl" | "credentials" | "fetch" | "attemptTimeoutMs"> {
  isJsonl: boolean;
  totalTimeoutMs: number;
  /** In lower case, without Accept. */
  headerNames: string[];
}

/** The implementation of a client. */
export class Calls {
  /** For sub-entries, which need not bundle it. */
  readonly nearest = nearest;
  /** The active polls of `bookmore-sdk/watch`, by company. */
  readonly polls = new Map<string, { setToken(sameIdentity: boolean): void }>();
  /** Which of these polls may send now. */
  readonly turns: Turns = { taken: 0, waiting: [] };
  /** How often the identity has changed. */
  identity = 0;
  /** For `bookmore-sdk/diagnose`: called with the headers of each request. */
  readonly sendListeners = new Set<(headers: Readonly<Record<string, string>>) => void>();
  /** Called when the identity changes. */
  readonly #identityListeners = new Set<() => void>();
  readonly #options: CheckedClientOptions;
  readonly #load: Loader;
  readonly #world: World;
  #token: string | undefined;
  #provider: TokenProvider | undefined;
  #engine: Engine | undefined;
  /** The module, once it has been loaded for this client. */
  #instance: Instance | undefined;
  /** Engines that were closed while calls were in flight. */
  #closing: Engine[] = [];
  /** How often the client was closed. */
  #closes = 0;
  /** The id of the last call; a new engine continues from it. */
  #lastCall = 0;
  /** Which of the app's functions is running; a call that it makes must not wait for it. */
  #running: "provider" | "fetch" | undefined;

  constructor(options: CheckedClientOptions, load: Loader) {
    this.#options = options;
    this.#load = load;
    this.#useToken(options.bearerToken);
    this.#world = {
      fetch: (url, init) => {
        for (const tell of this.sendListeners) tell(init.headers as Record<string, string>);
        return this.#inside("fetch", () => (options.fetch ?? globalThis.fetch)(url, init as never) as Promise<Response>);
      },
      credentials: options.credentials,
      ask: async (about): Promise<Answer> => answerOf(await this.#inside("provider", () => this.#provider?.(about))),
      emit: (event) => this.#emit(event),
    };
  }

  async ready(): Promise<void> {
    this.#instance = await this.#load();
  }

  /** The running module, for a sub-entry. */
  load(): Promise<Instance> {
    return this.#load();
  }

  /** For `bookmore-sdk/diagnose`: where and how it sends, and the names of its headers, but not their values. */
  outline(): Outline {
    const { baseUrl, credentials, fetch, attemptTimeoutMs, headers, apiKey, isJsonl } = this.#options;
    const hasToken = this.#token !== undefined || this.#provider !== undefined;
    const own = [...(hasToken ? ["authorization"] : []), ...(apiKey === undefined ? [] : ["x-api-key"])];
    return { baseUrl, credentials, fetch, attemptTimeoutMs, isJsonl: isJsonl ?? false, totalTimeoutMs: this.#totalTimeout(undefined), headerNames: [...own, ...Object.keys(headers)] };
  }

  setBearerToken(token: string | TokenProvider | null, options: SetBearerTokenOptions = {}): void {
    const sameIdentity = isSameIdentity(options);
    this.#useToken(checkedToken(token, this.#options));
    for (const engine of this.#inUse()) this.#tellToken(engine, sameIdentity);
    if (!sameIdentity) {
      this.identity++;
      for (const tell of [...this.#identityListeners]) tell();
    }
    for (const poll of [...this.polls.values()]) poll.setToken(sameIdentity);
  }

  /** Gives up the engine; a later call makes another one. */
  close(): void {
    this.#closes++;
    this.#giveUp();
  }

  #giveUp(): void {
    const engine = this.#engine;
    this.#engine = undefined;
    if (!engine) return;
    engine.driver?.close();
    this.#endIfUnused(engine);
    // #inUse() drops engines that have ended, because a client may be closed any number of times.
    this.#closing = [...this.#inUse(), engine];
  }

  /** The engine, and those that still have calls. */
  #inUse(): Engine[] {
    this.#closing = this.#closing.filter(({ instance, driver, calls }) => instance.trap === undefined && (driver ? !driver.isOver : calls > 0));
    return this.#engine ? [this.#engine, ...this.#closing] : this.#closing;
  }

  /** A shared driver frees its engine itself. If each call has its own, the last of them frees it. */
  #endIfUnused(engine: Engine): void {
    if (!engine.driver && engine.calls === 0 && engine !== this.#engine) release(engine.instance, engine.core);
  }

  async getAiChatUsage(request?: GetAiChatUsage, options?: RequestOptions): Promise<AiChatUsageResponse> {
    const { data, error, ...outcome } = await this.#call(request, options);
    // Created here, so that its stack shows the caller.
    if (error) throw failure(error, outcome);
    return data!;
  }

  async getAiChatUsageWithResponse(request?: GetAiChatUsage, options?: RequestOptions): Promise<WithResponse> {
    const { data, error, ...outcome } = await this.#call(request, options);
    if (error) throw failure(error, outcome);
    const { attempts, elapsedMs, requestId } = outcome;
    const { status, receivedAt, headers } = outcome.reply!;
    const told = { status, headers: outcome.headers ?? Object.fromEntries(headers), attempts, elapsedMs, receivedAt };
    return { data: data!, response: requestId === undefined ? told : { ...told, requestId } };
  }

  /** For `bookmore-sdk/many`: validates the arguments. `onIdentity` is called when the identity changes, until `free`. */
  async many(client: BookMoreClientLike, companyIds: unknown, options: RequestOptions & ManyLimits, onIdentity?: () => void): Promise<Deciding> {
    const { concurrency, rounds, totalTimeoutMs, ...checked } = manyOptions(client, companyIds, options);
    const instance = await this.#loaded(this.#totalTimeout(totalTimeoutMs), checked.signal);
    const inside = <T>(act: () => T): T => guarded(instance, act);
    const many = inside(() => new instance.glue.Many(concurrency, rounds, checked.onProgress !== undefined, now()));
    if (onIdentity) this.#identityListeners.add(onIdentity);
    return {
      ...checked,
      // Even after a call has trapped in this instance: that does not touch the state of a run, and ending the run would
      // lose its outcomes.
      decide: (act) => inside(() => act(many)),
      tellLimit: () => {
        const engine = this.#engine;
        // Before the first call there is no engine; after a trap it belongs to another instance.
        if (engine?.instance === instance && instance.trap === undefined) inside(() => engine.core.tellLimit(many));
      },
      free: () => {
        if (onIdentity) this.#identityListeners.delete(onIdentity);
        release(instance, many);
      },
    };
  }

  #totalTimeout(ofCall: number | undefined): number {
    return ofCall ?? this.#options.totalTimeoutMs ?? DEFAULT_TOTAL_TIMEOUT_MS;
  }

  async #call(request: GetAiChatUsage = {}, options: RequestOptions = {}): Promise<Outcome> {
    const company = companyId(request);
    const checked = requestOptions(options);
    const { signal } = checked;
    const running = this.#running;
    const closes = this.#closes;
    const of = this.#options;
    if (signal?.aborted) throw abortReason(signal);
    checkPlatform();
    const started = now();
    const totalTimeout = this.#totalTimeout(checked.totalTimeoutMs);
    let engine: Engine;
    try {
      let instance = this.#engine?.instance ?? this.#instance;
      if (!instance || instance.trap !== undefined) instance = await this.#loaded(totalTimeout, signal);
      // Checked first, because a new engine takes some of it.
      this.#checkRoom(instance);
      engine = this.#engineOf(instance);
    } catch (thrown) {
      if (signal?.aborted) throw thrown;
      // Each caller gets its own error.
      const error = thrown instanceof BookMoreError ? thrown : unsupported(thrown);
      const { message, cause } = error;
      return { error: { ...error, message, cause }, attempts: [], elapsedMs: now() - started };
    }
    if (typeof (of.fetch ?? globalThis.fetch) !== "function") {
      throw errorOf({
        code: "runtime_unsupported",
        message: "This runtime has no fetch. Pass one as the option fetch.",
      });
    }
    // This driver ends with its call.
    const driver = engine.driver ?? new Driver(engine.instance, engine.core.fork(), this.#world, true);
    // Sorted, so that equal calls compare equal.
    const headers = Object.entries({ ...of.headers, ...checked.headers }).sort();
    // A fake clock may go back, or return NaN.
    const waited = Math.max(0, now() - started) || 0;
    const begin = (core: Core, at: Moment) =>
      (this.#lastCall = core.call(
        company,
        checked.isJsonl ?? of.isJsonl ?? false,
        headers.map(([name, value]) => `${name}:${value}\n`).join(""),
        checked.maxRetries ?? of.maxRetries ?? NaN,
        checked.attemptTimeoutMs ?? of.attemptTimeoutMs ?? NaN,
        totalTimeout,
        checked.coalesce && running === undefined,
        checked.fresh,
        running === "provider",
        waited,
        ...at,
      ));
    engine.calls++;
    try {
      const outcome = driver.call(signal, begin);
      // The client was closed while this call was waiting for the module.
      if (closes !== this.#closes && engine === this.#engine) this.#giveUp();
      return await outcome;
    } finally {
      engine.calls--;
      this.#endIfUnused(engine);
    }
  }

  /** @throws If the instance's memory is full, which only happens where it cannot grow. */
  #checkRoom({ glue }: Instance): void {
    const isFull = () => glue.hasRoom?.() === false;
    if (!isFull()) return;
    // Pauses that have ended may fill it.
    for (const { driver } of this.#inUse()) driver?.timeout();
    if (!isFull()) return;
    throw errorOf({
      code: "internal_error",
      message: "The SDK's memory is full, and cannot grow without WebAssembly. Make fewer calls at once, and close() clients that are no longer needed.",
      isRetryable: true,
    });
  }

  /** The running module. Loading it counts towards a call's total timeout. */
  async #loaded(totalTimeout: number, signal: AbortSignal | undefined): Promise<Instance> {
    if (this.#instance && this.#instance.trap === undefined) return this.#instance;
    const started = now();
    return (this.#instance = await new Promise<Instance>((resolve, reject) => {
      const fail = () => {
        const message = `The WebAssembly module did not load within ${totalTimeout} ms. Try again, or allow more time.`;
        reject(errorOf({ code: "timeout", message, phase: "module", scope: "total", timeoutMs: totalTimeout, isRetryable: true }));
      };
      const timer = totalTimeout === Infinity ? undefined : setTimeout(fail, totalTimeout);
      unlessAborted(signal, this.#load(totalTimeout))
        // Compiling may keep the timer from firing in time.
        .then((instance) => (now() - started >= totalTimeout ? fail() : resolve(instance)), reject)
        .finally(() => clearTimeout(timer));
    }));
  }

  /** The engine of this client, recreated with the module. */
  #engineOf(instance: Instance): Engine {
    // Concurrent first calls share the engine that the first of them creates.
    if (!this.#engine || this.#engine.instance.trap !== undefined) {
      const { baseUrl, originLength, apiKey, retryPacing, onEvent } = this.#options;
      const alone = isWorkers();
      const listens = onEvent !== undefined;
      const core = guarded(instance, () => new instance.glue.Core(baseUrl, originLength, apiKey, retryPacing, listens, !alone, this.#lastCall));
      const driver = alone ? undefined : new Driver(instance, core, this.#world);
      this.#engine = { instance, core, driver, calls: 0 };
      this.#tellToken(this.#engine, false);
    }
    return this.#engine;
  }

  #useToken(token: string | TokenProvider | null | undefined): void {
    this.#provider = typeof token === "function" ? token : undefined;
    this.#token = typeof token === "string" ? token : undefined;
  }

  #tellToken({ instance, core, driver }: Engine, sameIdentity: boolean): void {
    (driver ?? new Driver(instance, core, this.#world)).setToken(this.#token, this.#provider !== undefined, sameIdentity);
  }

  #inside<T>(what: "provider" | "fetch", run: () => T): T {
    const before = this.#running;
    this.#running = what;
    try {
      return run();
    } finally {
      this.#running = before;
    }
  }

  /** Ignores what a listener throws, now or later. */
  #emit(event: ClientEvent): void {
    const { onEvent } = this.#options;
    void handled(() => onEvent?.(event));
  }
}

/** The monotonic clock; a page may have replaced it with anything. */
function now(): number {
  try {
    return performance.now();
  } catch (cause) {
    throw unsupported(cause);
  }
}

/** The error of a call; or a framework's control flow, unchanged. */
function failure(error: NonNullable<Outcome["error"]>, { attempts, elapsedMs }: Pick<Outcome, "attempts" | "elapsedMs">): unknown {
  const { isControlFlow, ...details } = error;
  return isControlFlow ? details.cause : errorOf({ ...details, attempts, elapsedMs });
}

/** The outcome of `promise`; or the reason of `signal`, if it aborts first. */
function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortReason(signal));
    if (signal.aborted) return abort();
    const ignore = onAbort(signal, abort);
    promise.then(resolve, reject).finally(ignore);
  });
}
