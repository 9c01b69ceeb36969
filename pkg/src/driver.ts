import { abortReason, onAbort } from "./abort.js";
import { safeCause } from "./causes.js";
import type { Command, Settled } from "./command.js";
import type { Core, Moment } from "./core.js";
import { errorOf, internalError, type ErrorDetails } from "./errors.js";
import { giveUp, send, unusableIn, type Cancelable, type Reply } from "./fetch.js";
import type { Instance } from "./instance.js";
import { isControlFlow, signsOf, wordsOf } from "./thrown.js";
import { Timer } from "./timer.js";
import { trapped } from "./trap.js";
import type { ClientEvent } from "./types.js";

/** The outcome of a call. */
export interface Outcome extends Settled {
  /** The reply that contained the usage. */
  reply?: Reply;
}

/** A provider's token, or why it cannot be used. */
export type Answer = { token: string | undefined; expiresAt: number } | { unusable: string };

/** The driver's access to the outside world. */
export interface World {
  /** Calls the given or the global `fetch`. */
  fetch(url: string, init: RequestInit): Promise<Response>;
  credentials: RequestInit["credentials"];
  ask(about: { forceRefresh: boolean; signal: AbortSignal }): Promise<Answer>;
  emit(event: ClientEvent): void;
}

/** How sending failed, as `Core.fail` takes it. */
const THROWN = 0;
const CONTROL_FLOW = 1;
const UNUSABLE = 2;

/** A send or a question in flight. */
interface Flight {
  controller: AbortController;
  /** The body that is being read, once the headers have arrived. */
  body?: Cancelable;
}

/** Executes the engine's commands, and reports the results to it. */
export class Driver {
  readonly #instance: Instance;
  readonly #core: Core;
  readonly #world: World;
  readonly #callers = new Map<number, (outcome: Outcome) => void>();
  readonly #flights = new Map<number, Flight>();
  /** Thrown values, for as long as an error may still need them as its cause. */
  readonly #thrown = new Map<number, unknown>();
  #reply: Reply | undefined;
  readonly #timer = new Timer();
  #isDraining = false;
  /** Whether it ends with the calls that are under way. */
  #endsIdle: boolean;
  /** Whether it has ended. */
  isOver = false;

  constructor(instance: Instance, core: Core, world: World, endsIdle = false) {
    this.#instance = instance;
    this.#core = core;
    this.#world = world;
    this.#endsIdle = endsIdle;
  }

  /** The outcome of a call; rejects with the reason of `signal` if that aborts first. */
  call(signal: AbortSignal | undefined, begin: (core: Core, at: Moment) => number): Promise<Outcome> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(abortReason(signal));
      let id: number | undefined;
      // Listens before any command is executed, because an event listener or a fetch may abort at once.
      const ignore = signal && onAbort(signal, () => {
        reject(abortReason(signal));
        if (id !== undefined && this.#callers.delete(id)) this.#input((core, at) => core.abandon(id!, ...at), false);
      });
      const settle = (outcome: Outcome) => {
        ignore?.();
        resolve(outcome);
      };
      this.#input((core, at) => this.#callers.set((id = begin(core, at)), settle), false);
      if (id === undefined) settle(this.#failure());
    });
  }

  close(): void {
    this.#endsIdle = true;
    this.#input(() => {}, false);
  }

  setToken(token: string | undefined, hasProvider: boolean, sameIdentity: boolean): void {
    this.#input((core, at) => core.setToken(token, hasProvider, sameIdentity, ...at), false);
  }

  /**
   * Passes an input to the engine; the only exception it can throw is a trap. `looks`: whether the wall clock and a random
   * number may be read, which prerendering forbids before its first request.
   */
  #input(act: (core: Core, at: Moment) => unknown, looks = true): void {
    if (this.#instance.trap !== undefined) return this.#die();
    try {
      const core = this.#core;
      act(core, [this.#timer.now(), looks || core.wantsWall ? Date.now() : NaN, looks ? Math.random() : NaN]);
      this.#drain();
    } catch (trap) {
      trapped(this.#instance, trap);
      this.#die();
    }
  }

  /** Takes commands one at a time, because executing one may call the client. */
  #drain(): void {
    if (this.#isDraining) return;
    this.#isDraining = true;
    try {
      for (let text; (text = this.#core.command()) !== undefined; ) this.#carryOut(JSON.parse(text));
    } finally {
      this.#isDraining = false;
    }
    this.isOver = this.#endsIdle && this.#flights.size === 0 && this.#core.isIdle;
    this.#timer.set(this.isOver ? Infinity : this.#core.pollTimeout(), this.timeout, this.#callers.size > 0);
    if (this.isOver) this.#core.free();
  }

  #carryOut(command: Command): void {
    const { id } = command as { id: number };
    switch (command.do) {
      case "send":
        void this.#send(id, command.url, command.headers);
        break;
      case "ask":
        void this.#ask(id, command.forceRefresh);
        break;
      case "cancel": {
        const flight = this.#flights.get(id);
        this.#flights.delete(id);
        flight?.controller.abort();
        // A custom `fetch` may ignore the signal.
        giveUp(flight?.body);
        break;
      }
      case "forget":
        this.#thrown.delete(id);
        break;
      case "emit":
        this.#world.emit(command.event);
        break;
      case "settle": {
        const { error } = command;
        if (error) command.error = this.#withCause(error);
        this.#callers.get(id)?.({ ...command, reply: this.#reply! });
        this.#callers.delete(id);
      }
    }
  }

  async #send(id: number, url: string, headers: Record<string, string>): Promise<void> {
    const flight: Flight = { controller: new AbortController() };
    this.#flights.set(id, flight);
    const { signal } = flight.controller;
    const init: RequestInit = { headers, signal };
    if (this.#world.credentials) init.credentials = this.#world.credentials;
    let reply: Reply;
    let most = 0;
    try {
      reply = await send(this.#world.fetch, url, init, (body, { status, url, headers, receivedAt }) => {
        const isFirst = !("body" in flight);
        flight.body = body;
        if (!this.#flights.has(id)) return 0;
        const lines = () => headers.map(([name, value]) => `${name}:${value}\n`).join("");
        if (isFirst) this.#input((core) => (most = core.headers(id, status, url, lines(), receivedAt)), false);
        return most;
      });
    } catch (thrown) {
      if (!this.#flights.delete(id)) return;
      const unusable = unusableIn(thrown);
      const kind = unusable !== undefined ? UNUSABLE : isControlFlow(thrown) ? CONTROL_FLOW : THROWN;
      this.#keep(id, thrown, kind === CONTROL_FLOW);
      const words = unusable ?? wordsOf(thrown);
      this.#input((core, at) => core.fail(id, kind, words, ...signsOf(thrown), ...at));
      return;
    }
    if (!this.#flights.delete(id)) return;
    const { body, end, thrown } = reply;
    if (end === 2) this.#keep(id, thrown, false);
    this.#reply = reply;
    this.#input((core, at) => core.body(id, body, end, end === 2 ? wordsOf(thrown) : "", ...at));
    this.#reply = undefined;
  }

  async #ask(id: number, forceRefresh: boolean): Promise<void> {
    const controller = new AbortController();
    this.#flights.set(id, { controller });
    let message = "The bearerToken function failed; its error is the cause.";
    let isFlow = false;
    try {
      const answer = await this.#world.ask({ forceRefresh, signal: controller.signal });
      if (!("unusable" in answer)) {
        // The answer to a cancelled question is ignored, and the engine may be gone.
        if (!this.#flights.delete(id)) return;
        const { token, expiresAt } = answer;
        this.#input((core, [now, wall, random]) => core.token(id, token, expiresAt, now, isNaN(expiresAt) ? wall : Date.now(), random), false);
        return;
      }
      message = answer.unusable;
    } catch (thrown) {
      isFlow = isControlFlow(thrown);
      this.#keep(id, thrown, isFlow);
    }
    if (this.#flights.delete(id)) this.#input((core, at) => core.tokenFailed(id, message, isFlow, ...at), false);
    this.#thrown.delete(id);
  }

  /** Keeps a thrown value, without secrets unless it must reach the caller unchanged. */
  #keep(id: number, thrown: unknown, unchanged: boolean): void {
    if (this.#instance.trap !== undefined) return;
    try {
      this.#thrown.set(id, unchanged ? thrown : safeCause(thrown, (text) => this.#core.redact(id, text)));
    } catch {
      // A trap; the next input will trap again and handle it.
    }
  }

  #withCause({ thrown, ...error }: ErrorDetails): ErrorDetails {
    // The failure that there was no time left to retry.
    if (error.cause) return { ...error, cause: errorOf(this.#withCause(error.cause as ErrorDetails)) };
    return this.#thrown.has(thrown as number) ? { ...error, cause: this.#thrown.get(thrown as number) } : error;
  }

  /** Executes what is due, and drops pauses that have ended. */
  readonly timeout = (): void => this.#input((core, at) => core.timeout(...at));

  /** Ends everything after a trap, because the instance can no longer be trusted. */
  #die(): void {
    this.#timer.stop();
    this.#core.__destroy_into_raw();
    for (const { controller, body } of this.#flights.values()) {
      controller.abort();
      giveUp(body);
    }
    this.#flights.clear();
    for (const resolve of this.#callers.values()) resolve(this.#failure());
    this.#callers.clear();
  }

  #failure(): Outcome {
    const { code, message, isRetryable, cause } = internalError(this.#instance.trap);
    return { error: { code, message, isRetryable, cause }, attempts: [], elapsedMs: 0 };
  }
}
