import { errorOf } from "./errors.js";
import { isSecret } from "./options.js";
import { until } from "./timing.js";
import type { TokenProvider } from "./types.js";

/** What takes the answers of a provider: `src/policy/token.rs`. */
export interface Sink {
  give(token: string | undefined, expiresAt: number): unknown;
  failed(): unknown;
}

interface Asking {
  forced: boolean;
  waiting: number;
  controller: AbortController;
  answer: Promise<void>;
}

/** Asks a token provider, once at a time, however many calls wait for it. */
export class TokenAsker {
  readonly #provider: TokenProvider;
  #asking: Asking | undefined;

  constructor(provider: TokenProvider) {
    this.#provider = provider;
  }

  /**
   * Waits for the answer. `false`: the provider was asked before, without being
   * told that its token was refused.
   */
  async ask(sink: Sink, force: boolean, signal: AbortSignal): Promise<boolean> {
    const asking = this.start(sink, force);
    const fits = asking.forced || !force;
    asking.waiting++;
    try {
      await until(signal, asking.answer);
    } catch (error) {
      if (fits || signal.aborted) throw error;
    } finally {
      // The provider goes on for others; when nobody is left it is given up,
      // and the next call asks anew.
      if (--asking.waiting === 0 && this.#asking === asking) {
        this.#asking = undefined;
        asking.controller.abort(signal.reason);
      }
    }
    return fits;
  }

  /** Asks, unless an answer is on its way already. */
  start(sink: Sink, force: boolean): Asking {
    if (this.#asking) return this.#asking;
    const controller = new AbortController();
    const asking: Asking = { forced: force, waiting: 0, controller, answer: Promise.resolve() };
    this.#asking = asking;
    asking.answer = this.#answer(force, controller.signal).then(
      ({ token, expiresAt }) => {
        if (this.#asking !== asking) return;
        this.#asking = undefined;
        sink.give(token, expiresAt);
      },
      (error) => {
        if (this.#asking === asking) {
          this.#asking = undefined;
          sink.failed();
        }
        throw error;
      },
    );
    // Nobody may be waiting.
    asking.answer.catch(() => {});
    return asking;
  }

  async #answer(forceRefresh: boolean, signal: AbortSignal) {
    const given = await this.#provider({ forceRefresh, signal });
    const { token, expiresAt = Infinity } =
      typeof given === "object" && given !== null ? given : { token: given ?? undefined };
    const at = Number(expiresAt);
    if (token !== undefined && !isSecret(token)) {
      throw unusable("The bearerToken function must give a string of visible ASCII characters, without spaces or line breaks, or null to send no token.");
    }
    if (Number.isNaN(at) || (typeof expiresAt !== "number" && !((expiresAt as unknown) instanceof Date))) {
      throw unusable("expiresAt must be a Date, or a number of milliseconds since 1970.");
    }
    return { token, expiresAt: at - Date.now() + performance.now() };
  }
}

function unusable(message: string) {
  return errorOf({ code: "token_provider_error", message });
}
