import type { AiChatUsageResponse, AnyBookMoreError, GetAiChatUsage, RequestOptions } from "bookmore-sdk";
import type { Moment, Watch } from "../core.js";
import { companyOf } from "../guid.js";
import type { Instance } from "../instance.js";
import { Timer } from "../timer.js";
import { release, trapped } from "../trap.js";
import { isUsage, NO_USAGE } from "./options.js";
import type { Source } from "./source.js";
import { inTurn } from "./turns.js";
import type { UsageState } from "./types.js";

/** The pause before starting over after a trap. */
const RESTART_MS = 60_000;
/** What `Watch.error` returns if repeating the request would not change the error. */
const STOPPED = 2;
const EVENTS = ["online", "offline", "pageshow"];

/** What a poll knows: a new object after each change. */
export interface Known {
  status: UsageState["status"];
  usage?: AiChatUsageResponse;
  error?: AnyBookMoreError;
  updatedAt?: number;
}

/** A store with subscribers. */
export interface Listener {
  /** Its intervals: the arguments of `Watch.listen`. */
  readonly pace: Parameters<Watch["listen"]>;
  changed(): void;
}

/** The only poll of a client and a company. Carries out the decisions of the schedule in Rust. */
export class Poll {
  known: Known = { status: "pending" };
  /** The module's instance, once it is loaded. */
  instance: Instance | undefined;
  readonly #source: Source;
  readonly #company: string;
  readonly #request: GetAiChatUsage;
  readonly #listeners = new Map<Listener, number>();
  #watch: Watch | undefined;
  #loading: Promise<Watch> | undefined;
  /** Cancels the poll that is in flight or waits for its turn. */
  #controller: AbortController | undefined;
  readonly #timer = new Timer();
  #refreshes = 0;
  #isOffline = false;

  /** The poll of a company: the running one, or a new one. */
  static of(source: Source, request: GetAiChatUsage): Poll {
    const company = companyOf(request.companyId);
    return source.polls.get(company) ?? new Poll(source, request, company);
  }

  private constructor(source: Source, request: GetAiChatUsage, company: string) {
    this.#source = source;
    this.#request = request;
    this.#company = company;
    source.polls.set(company, this);
    globalThis.document?.addEventListener("visibilitychange", this.#look);
    for (const name of EVENTS) globalThis.addEventListener?.(name, this.#look);
  }

  join(listener: Listener): void {
    this.#listeners.set(listener, this.#input((watch) => watch.listen(...listener.pace)) ?? 0);
    // Deferred, so that subscribing and leaving within one task sends nothing.
    if (!this.#watch) this.#startIn(0);
  }

  leave(listener: Listener): void {
    const id = this.#listeners.get(listener) ?? 0;
    this.#listeners.delete(listener);
    this.#input((watch, [now]) => watch.leave(id, now));
    // Without a schedule, loaded or loading, nothing else would end the poll.
    if (!this.#loading && this.#isUnused) this.#startIn(0);
  }

  /** The client has a new token. */
  setToken(isSameIdentity: boolean): void {
    if (isSameIdentity) return void this.#input((watch) => watch.resume());
    this.#drop();
    this.#set({ status: "pending" });
    this.#startIn(0);
  }

  async refresh(): Promise<AiChatUsageResponse> {
    this.#refreshes++;
    try {
      const watch = await this.#load();
      return await this.#ask(watch, this.#input(() => watch.refresh()) ?? 0, { fresh: true });
    } finally {
      this.#refreshes--;
      if (!this.#watch) this.#start();
    }
  }

  get #isUnused(): boolean {
    return this.#refreshes + this.#listeners.size === 0;
  }

  #startIn(ms: number): void {
    this.#timer.set(this.#timer.now() + ms, this.#start, false);
  }

  readonly #start = (): void => {
    if (this.#isUnused) this.#end();
    else this.#load().catch(() => {});
  };

  /** The schedule of the current identity, in an instance that has not trapped. */
  #load(): Promise<Watch> {
    if (this.#loading && this.instance?.trap === undefined) return this.#loading;
    this.#drop();
    const begin = async (): Promise<Watch> => {
      const instance = await this.#source.load();
      if (loading !== this.#loading) return this.#load();
      const watch = new instance.glue.Watch(this.#at()[0]);
      this.instance = instance;
      this.#watch = watch;
      for (const listener of this.#listeners.keys()) this.#listeners.set(listener, watch.listen(...listener.pace));
      this.#look();
      return watch;
    };
    const loading = begin();
    this.#loading = loading;
    loading.catch((error: AnyBookMoreError) => {
      if (loading !== this.#loading) return;
      // A refresh or the next subscriber tries again.
      this.#loading = undefined;
      this.#set({ ...this.known, status: "stopped", error });
      if (this.#isUnused) this.#end();
    });
    return loading;
  }

  /** Passes the state of the page and the network on to the schedule. */
  readonly #look = (event?: Event): void => {
    if (event?.type === "offline" || event?.type === "online") this.#isOffline = event.type === "offline";
    this.#input((watch, at) => {
      // No event said that the page was hidden or offline: it was in the back/forward cache, or offline from the start.
      if ((event as PageTransitionEvent)?.persisted || event?.type === "online") watch.pause(true, true, ...at);
      watch.pause(globalThis.document?.visibilityState === "hidden", this.#isOffline, ...at);
    });
  };

  /** Calls the schedule. All calls go through here, and it never throws. */
  #input<T>(act: (watch: Watch, at: Moment) => T): T | undefined {
    const { instance } = this;
    const watch = this.#watch;
    if (!instance || !watch) return undefined;
    if (instance.trap === undefined) {
      try {
        const given = act(watch, this.#at());
        this.#timer.set(watch.pollTimeout(), this.#timeout, false);
        return given;
      } catch (trap) {
        trapped(instance, trap);
      }
    }
    this.#drop();
    this.#startIn(RESTART_MS);
    return undefined;
  }

  readonly #timeout = (): void => {
    const id = this.#input((watch, [now]) => watch.timeout(now)) ?? 0;
    if (id < 0) return this.#end();
    if (id === 0) return;
    const { signal } = (this.#controller = new AbortController());
    const watch = this.#watch!;
    // A stand-in for a client may ignore the signal, and must not keep the turn then.
    const cancelled = new Promise<unknown>((resolve) => signal.addEventListener("abort", resolve));
    void inTurn(this.#source.turns, async () => {
      // The state tells how it failed.
      if (!signal.aborted) await Promise.race([this.#ask(watch, id, { maxRetries: 0, signal }).catch(() => {}), cancelled]);
    });
  };

  /** Sends a request to which the schedule gave this id. */
  async #ask(watch: Watch, id: number, options: RequestOptions): Promise<AiChatUsageResponse> {
    // A reply to another identity's request does not count.
    const counts = (tell: (at: Moment) => boolean | number, orTrapped: boolean) =>
      watch === this.#watch && !options.signal?.aborted && (this.#input((_, at) => tell(at)) ?? orTrapped);
    try {
      const usage = await this.#source.client.getAiChatUsage(this.#request, options);
      // A stand-in for a client may return anything, which must not look like a fault of the module.
      if (!isUsage(usage)) throw new TypeError(NO_USAGE);
      const { tokensUsed, tokenLimit, isWithinBudget, windowDays } = usage;
      if (counts((at) => watch.usage(id, tokensUsed, tokenLimit, isWithinBudget, windowDays, ...at), false)) {
        this.#set({ status: "ok", usage, updatedAt: Date.now() });
      }
      return usage;
    } catch (thrown) {
      const error = thrown as AnyBookMoreError;
      // An object that stands in for a client may throw anything.
      const { code, retryAt = NaN } = Object(thrown) as Partial<AnyBookMoreError>;
      const how = counts((at) => watch.error(id, String(code), Number(retryAt), ...at), true);
      if (how) this.#set({ ...this.known, status: how === STOPPED ? "stopped" : "error", error });
      throw thrown;
    }
  }

  #set(known: Known): void {
    this.known = known;
    for (const listener of [...this.#listeners.keys()]) listener.changed();
  }

  /** Frees the schedule. A new one may replace it. */
  #drop(): void {
    this.#timer.stop();
    if (this.instance && this.#watch) release(this.instance, this.#watch);
    this.#watch = this.#loading = undefined;
    this.#controller?.abort();
  }

  /** Ends the poll after the last subscriber has left. */
  #end(): void {
    this.#drop();
    // A late refresh may end this poll once more, when the map already has another one.
    if (this.#source.polls.get(this.#company) === this) this.#source.polls.delete(this.#company);
    globalThis.document?.removeEventListener("visibilitychange", this.#look);
    for (const name of EVENTS) globalThis.removeEventListener?.(name, this.#look);
  }

  #at(): Moment {
    return [this.#timer.now(), Date.now(), Math.random()];
  }
}
