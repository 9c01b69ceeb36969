import { carryOut, type Outcome, type World } from "./call.js";
import type { Core } from "./core.js";
import { errorOf, isBranded } from "./errors.js";
import type { Instance, Loader } from "./instance.js";
import {
  checkedToken,
  clientOptions,
  companyId,
  requestOptions,
  type CheckedClientOptions,
  type CheckedRequestOptions,
} from "./options.js";
import { until } from "./timing.js";
import { TokenAsker, type Sink } from "./tokens.js";
import type {
  AiChatUsageResponse,
  ClientOptions,
  ClientEvent,
  GetAiChatUsage,
  RequestOptions,
  ResponseInfo,
  TokenProvider,
  WithResponse,
} from "./types.js";

/** A call in flight, and how many wait for it. */
interface Shared {
  waiting: number;
  controller: AbortController;
  outcome: Promise<Outcome>;
}

/**
 * Calls the BookMore API. One client is for one identity and can carry out any
 * number of calls, also at the same time.
 */
export class BookMoreClientBase {
  readonly #options: CheckedClientOptions;
  readonly #load: Loader;
  readonly #inFlight = new Map<string, Shared>();
  #token: string | undefined;
  #asker: TokenAsker | undefined;
  #core: { of: Instance; core: Core } | undefined;
  /** Whether code of the caller's runs just now, which must not wait for itself. */
  #isOutside = false;

  /** @internal */
  constructor(options: ClientOptions, load: Loader) {
    this.#options = clientOptions(options);
    this.#load = load;
    this.#useToken(this.#options.bearerToken);
  }

  /**
   * Loads the WebAssembly module ahead of the first call, which otherwise
   * does it.
   *
   * @throws {@link RuntimeUnsupportedError} where there is no WebAssembly.
   */
  async ready(): Promise<void> {
    await this.#load();
  }

  /**
   * From now on sends this token, or what the function gives; null to send
   * none. Attempts that are under way are not changed, later ones of the same
   * call are.
   *
   * @throws {@link ConfigError} where it cannot be used.
   */
  setBearerToken(token: string | TokenProvider | null): void {
    this.#useToken(checkedToken(token, this.#options));
    this.#tellToken();
  }

  /**
   * Get the AI assistant token usage and limit for a company.
   *
   * @param request Whose usage; the logged-in user's company when omitted.
   * @throws {@link BookMoreError}, or the reason of the signal.
   */
  async getAiChatUsage(
    request?: GetAiChatUsage,
    options?: RequestOptions,
  ): Promise<AiChatUsageResponse> {
    return (await this.getAiChatUsageWithResponse(request, options)).data;
  }

  /**
   * The same, with the reply's status and headers, and every attempt.
   *
   * @throws {@link BookMoreError}, or the reason of the signal.
   */
  async getAiChatUsageWithResponse(
    request: GetAiChatUsage = {},
    options: RequestOptions = {},
  ): Promise<WithResponse> {
    const company = companyId(request);
    const checked = requestOptions(options);
    const { signal } = options;
    const isNested = this.#isOutside;
    if (signal?.aborted) throw signal.reason;
    const running = await until(signal, this.#load());
    if (signal?.aborted) throw signal.reason;
    const shared = this.#share(running, company, checked, isNested);
    shared.waiting++;
    try {
      const { text, reply } = await until(signal, shared.outcome);
      const { data, requestId, attempts, elapsedMs } = JSON.parse(text);
      const { status, headers, receivedAt } = reply;
      const response: ResponseInfo = { status, headers: { ...headers }, attempts, elapsedMs, receivedAt };
      if (requestId) response.requestId = requestId;
      return { data, response };
    } finally {
      if (--shared.waiting === 0) shared.controller.abort();
    }
  }

  /** The call in flight that is equal, or a new one. */
  #share(
    running: Instance,
    company: string | undefined,
    checked: CheckedRequestOptions,
    isNested: boolean,
  ): Shared {
    const core = this.#coreOf(running);
    // JSON has no Infinity: null there.
    const key = JSON.stringify([core.generation, company, checked]);
    const known = checked.coalesce && !isNested ? this.#inFlight.get(key) : undefined;
    if (known) return known;
    const controller = new AbortController();
    const shared: Shared = {
      waiting: 0,
      controller,
      outcome: this.#run(running, core, company, checked, isNested, controller.signal),
    };
    if (checked.coalesce && !isNested) this.#inFlight.set(key, shared);
    const forget = () => {
      if (this.#inFlight.get(key) === shared) this.#inFlight.delete(key);
    };
    controller.signal.addEventListener("abort", forget, { once: true });
    shared.outcome.then(forget, forget);
    return shared;
  }

  async #run(
    running: Instance,
    core: Core,
    company: string | undefined,
    checked: CheckedRequestOptions,
    isNested: boolean,
    signal: AbortSignal,
  ): Promise<Outcome> {
    const of = this.#options;
    const fetchFunction = of.fetch ?? globalThis.fetch;
    if (typeof fetchFunction !== "function") {
      throw errorOf({
        code: "runtime_unsupported",
        message: "This runtime has no fetch. Pass one as the option fetch.",
      });
    }
    const world: World = {
      fetch: (...given) => this.#outside(() => fetchFunction(...given)),
      headers: { ...of.headers, ...checked.headers },
      credentials: of.credentials,
      // A call that the provider makes cannot wait for the provider.
      askToken: async (force, signal) =>
        isNested || !this.#asker || this.#asker.ask(this.#sink(core, this.#asker), force, signal),
      refreshBehind: () => this.#asker?.start(this.#sink(core, this.#asker), false),
      emit: (event) => this.#emit(event),
    };
    const call = running.guarded(
      core.call(
        company,
        checked.isJsonl ?? of.isJsonl ?? false,
        checked.maxRetries ?? of.maxRetries ?? NaN,
        checked.attemptTimeoutMs ?? of.attemptTimeoutMs ?? NaN,
        checked.totalTimeoutMs ?? of.totalTimeoutMs ?? NaN,
        performance.now(),
      ),
    );
    try {
      return await carryOut(call, world, signal);
    } finally {
      if (!running.isDead) call.free();
    }
  }

  /** The Rust client, made anew when its instance was. */
  #coreOf(running: Instance): Core {
    if (this.#core?.of !== running) {
      const { baseUrl, originLength, apiKey } = this.#options;
      const core = running.guarded(new running.glue.Core(baseUrl, originLength, apiKey));
      this.#core = { of: running, core };
      this.#tellToken();
    }
    return this.#core.core;
  }

  #useToken(token: string | TokenProvider | null | undefined): void {
    const isProvider = typeof token === "function";
    this.#token = isProvider ? undefined : (token ?? undefined);
    this.#asker = isProvider ? new TokenAsker((about) => this.#outside(() => token(about))) : undefined;
  }

  #tellToken(): void {
    this.#core?.core.setToken(this.#token, this.#asker !== undefined);
  }

  /** Takes the answers of a provider, unless another one has taken its place. */
  #sink(core: Core, asker: TokenAsker): Sink {
    const isCurrent = () => this.#asker === asker;
    return {
      give: (token, expiresAt) => isCurrent() && core.giveToken(token, expiresAt),
      failed: () => isCurrent() && core.tokenFailed(performance.now()),
    };
  }

  #outside<T>(run: () => T): T {
    const before = this.#isOutside;
    this.#isOutside = true;
    try {
      return run();
    } finally {
      this.#isOutside = before;
    }
  }

  /** What a listener throws, at once or later, changes nothing. */
  #emit(event: ClientEvent): void {
    const { onEvent } = this.#options;
    if (!onEvent) return;
    try {
      Promise.resolve(this.#outside(() => onEvent(event) as unknown)).catch(() => {});
    } catch {
      // See above.
    }
  }
}

/** By which a client is known whatever copy of the package made it. */
const BRAND = Symbol.for("bookmore-sdk.client");
Object.defineProperty(BookMoreClientBase.prototype, BRAND, { value: true });

/** Whether `value` is a client of this package, also of another copy of it. */
export function isBookMoreClient(value: unknown): value is BookMoreClientBase {
  return isBranded(value, BRAND);
}
