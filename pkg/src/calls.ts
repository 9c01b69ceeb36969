import { abortReason, onAbort } from "./abort.js";
import type { Core, Many } from "./core.js";
import { Driver, type Answer, type Outcome, type World } from "./driver.js";
import { BookMoreError, errorOf } from "./errors.js";
import { checkPlatform, isWorkers, unsupported, type Instance, type Loader } from "./instance.js";
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
  /** Absent where each call has a driver of its own. */
  driver: Driver | undefined;
}

/** What decides for many companies. */
export interface Deciding extends Pick<CheckedManyOptions, "callOptions" | "signal" | "onProgress"> {
  /** Everything that it is told and asked goes through here: a trap is thrown as an InternalError. */
  decide<T>(act: (many: Many) => T): T;
  /** Tells it of the 429s that the client met. */
  tellLimit(): void;
  free(): void;
}

/** How a client sends, as far as that is no secret. */
export interface Outline extends Pick<CheckedClientOptions, "baseUrl" | "credentials" | "fetch"> {
  isJsonl: boolean;
  /** In lower case, besides Accept. */
  headerNames: string[];
}

/** What a client does, apart from its face. */
export class Calls {
  /** For a sub-entry, as {@link load}. */
  readonly nearest = nearest;
  /** Those of `bookmore-sdk/watch` that go on, by company. */
  readonly polls = new Map<string, { setToken(sameIdentity: boolean): void }>();
  /** Counts the identities that the tokens stood for. */
  identity = 0;
  /** For `bookmore-sdk/diagnose`: each is told of the headers of each request. */
  readonly sendListeners = new Set<(headers: Readonly<Record<string, string>>) => void>();
  readonly #options: CheckedClientOptions;
  readonly #load: Loader;
  readonly #world: World;
  #token: string | undefined;
  #provider: TokenProvider | undefined;
  #engine: Engine | undefined;
  /** Which function of the application runs just now: what it calls cannot wait for it. */
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
    await this.#load();
  }

  /** The running module, for a sub-entry. */
  load(): Promise<Instance> {
    return this.#load();
  }

  /** For `bookmore-sdk/diagnose`: where and how it sends, and the names of its headers. No value of one is in it. */
  outline(): Outline {
    const { baseUrl, credentials, fetch, headers, apiKey, isJsonl } = this.#options;
    const hasToken = this.#token !== undefined || this.#provider !== undefined;
    const own = [...(hasToken ? ["authorization"] : []), ...(apiKey === undefined ? [] : ["x-api-key"])];
    return { baseUrl, credentials, fetch, isJsonl: isJsonl ?? false, headerNames: [...own, ...Object.keys(headers)] };
  }

  setBearerToken(token: string | TokenProvider | null, options: SetBearerTokenOptions = {}): void {
    const sameIdentity = isSameIdentity(options);
    this.#useToken(checkedToken(token, this.#options));
    if (this.#engine) this.#tellToken(this.#engine, sameIdentity);
    if (!sameIdentity) this.identity++;
    for (const poll of [...this.polls.values()]) poll.setToken(sameIdentity);
  }

  /** Gives up the engine; a later call makes another one. */
  close(): void {
    const engine = this.#engine;
    this.#engine = undefined;
    if (engine?.driver) engine.driver.close();
    else if (engine) release(engine.instance, engine.core);
  }

  async getAiChatUsage(request?: GetAiChatUsage, options?: RequestOptions): Promise<AiChatUsageResponse> {
    const { data, error, ...outcome } = await this.#call(request, options);
    // Made here, so that its stack names the caller.
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

  /** For `bookmore-sdk/many`: checks what it was given. */
  async many(client: unknown, companyIds: unknown, options: RequestOptions & ManyLimits): Promise<Deciding> {
    const { concurrency, rounds, totalTimeoutMs, ...checked } = manyOptions(client, companyIds, options);
    const instance = await this.#loaded(this.#totalTimeout(totalTimeoutMs), checked.signal);
    const inside = <T>(act: () => T): T => guarded(instance, act);
    const many = inside(() => new instance.glue.Many(concurrency, rounds, checked.onProgress !== undefined, now()));
    return {
      ...checked,
      decide: (act) => inside(() => act(many)),
      tellLimit: () => {
        const engine = this.#engine;
        // Before the first call there is no engine, and after a trap one of another instance, which does not know it.
        if (engine?.instance === instance && instance.trap === undefined) inside(() => engine.core.tellLimit(many));
      },
      free: () => release(instance, many),
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
    const of = this.#options;
    if (signal?.aborted) throw abortReason(signal);
    checkPlatform();
    const started = now();
    const totalTimeout = this.#totalTimeout(checked.totalTimeoutMs);
    let engine = this.#engine;
    if (!engine || engine.instance.trap !== undefined) {
      try {
        engine = this.#engineOf(await this.#loaded(totalTimeout, signal));
      } catch (thrown) {
        if (signal?.aborted) throw thrown;
        // Each caller gets an error of its own.
        const error = thrown instanceof BookMoreError ? thrown : unsupported(thrown);
        const { message, cause } = error;
        return { error: { ...error, message, cause }, attempts: [], elapsedMs: now() - started };
      }
    }
    if (typeof (of.fetch ?? globalThis.fetch) !== "function") {
      throw errorOf({
        code: "runtime_unsupported",
        message: "This runtime has no fetch. Pass one as the option fetch.",
      });
    }
    if (engine.core.hasRoom === false) {
      throw errorOf({
        code: "internal_error",
        message: "Calls in flight, or clients that nobody closed, fill the SDK's memory, which cannot grow without WebAssembly. Make fewer calls at once, and close() clients.",
        isRetryable: true,
      });
    }
    // A driver of its own ends with its call.
    const driver = engine.driver ?? new Driver(engine.instance, engine.core.fork(), this.#world, true);
    // In one order, so that equal calls are equal.
    const headers = Object.entries({ ...of.headers, ...checked.headers }).sort();
    // A test's clock may jump back, or give no number.
    const waited = Math.max(0, now() - started) || 0;
    return driver.call(signal, (core, at) =>
      core.call(
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
      ),
    );
  }

  /** The running module: it is a part of what a call's total limit covers. */
  #loaded(totalTimeout: number, signal: AbortSignal | undefined): Promise<Instance> {
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout> | undefined;
      if (totalTimeout !== Infinity) {
        const message = `The WebAssembly module was not there within ${totalTimeout} ms. Try again, or allow more time.`;
        const error = { code: "timeout", message, phase: "module", scope: "total", timeoutMs: totalTimeout, isRetryable: true } as const;
        timer = setTimeout(() => reject(errorOf(error)), totalTimeout);
      }
      unlessAborted(signal, this.#load(totalTimeout))
        .then(resolve, reject)
        .finally(() => clearTimeout(timer));
    });
  }

  /** The engine of this client, made anew when the module was. */
  #engineOf(instance: Instance): Engine {
    // Where calls load side by side, the first one's engine is everybody's.
    if (!this.#engine || this.#engine.instance.trap !== undefined) {
      const { baseUrl, originLength, apiKey, retryPacing, onEvent } = this.#options;
      const alone = isWorkers();
      const listens = onEvent !== undefined;
      const core = guarded(instance, () => new instance.glue.Core(baseUrl, originLength, apiKey, retryPacing, listens, !alone));
      const driver = alone ? undefined : new Driver(instance, core, this.#world);
      this.#engine = { instance, core, driver };
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

  /** What a listener throws, at once or later, changes nothing. */
  #emit(event: ClientEvent): void {
    try {
      const { onEvent } = this.#options;
      Promise.resolve(onEvent?.(event) as unknown).catch(() => {});
    } catch {
      // See above.
    }
  }
}

/** By the monotonic clock; a page may have put anything in its place. */
function now(): number {
  try {
    return performance.now();
  } catch (cause) {
    throw unsupported(cause);
  }
}

/** The error of a call, or what a framework wants to reach its caller as it came. */
function failure(error: NonNullable<Outcome["error"]>, { attempts, elapsedMs }: Pick<Outcome, "attempts" | "elapsedMs">): unknown {
  const { isControlFlow, ...details } = error;
  return isControlFlow ? details.cause : errorOf({ ...details, attempts, elapsedMs });
}

/** What `promise` comes to, unless `signal` aborts before: then its reason. */
function unlessAborted<T>(signal: AbortSignal | undefined, promise: Promise<T>): Promise<T> {
  if (!signal) return promise;
  return new Promise((resolve, reject) => {
    const abort = () => reject(abortReason(signal));
    if (signal.aborted) return abort();
    const ignore = onAbort(signal, abort);
    promise.then(resolve, reject).finally(ignore);
  });
}
