import { CALLS, CLIENT_BRAND, isBranded } from "./brands.js";
import { Calls } from "./calls.js";
import type { Loader } from "./instance.js";
import { CLIENT, clientOptions, type Parse } from "./options.js";
import type { AiChatUsageResponse } from "./reply.js";
import { define } from "./thrown.js";
import type {
  ClientOptions,
  GetAiChatUsage,
  RequestOptions,
  SetBearerTokenOptions,
  TokenProvider,
  WithResponse,
} from "./types.js";

/** What both clients share; they differ in where their module comes from. */
export class BookMoreClientBase implements BookMoreClientLike {
  /** @internal */
  declare readonly [CALLS]: () => Calls;

  /** @internal */
  constructor(options: ClientOptions, load: Loader, known: readonly string[] = CLIENT, parse?: Parse) {
    const calls = new Calls(clientOptions(options, known, parse), load);
    define(this, CLIENT_BRAND, true);
    define(this, CALLS, () => calls);
    // Bound, so that they work detached and inside a proxy such as Vue's `reactive`.
    for (const name of ["ready", "setBearerToken", "getAiChatUsage", "getAiChatUsageWithResponse", "close"] as const) {
      define(this, name, this[name].bind(this as never));
    }
  }

  ready(): Promise<void> {
    return this[CALLS]().ready();
  }

  setBearerToken(token: string | TokenProvider | null, options?: SetBearerTokenOptions): void {
    this[CALLS]().setBearerToken(token, options);
  }

  getAiChatUsage(request?: GetAiChatUsage, options?: RequestOptions): Promise<AiChatUsageResponse> {
    return this[CALLS]().getAiChatUsage(request, options);
  }

  getAiChatUsageWithResponse(request?: GetAiChatUsage, options?: RequestOptions): Promise<WithResponse> {
    return this[CALLS]().getAiChatUsageWithResponse(request, options);
  }

  /**
   * Frees the client's memory once its calls in flight have ended. Where there is
   * FinalizationRegistry, this also happens when the client is garbage-collected;
   * React Native has none. A closed client can be called again, and then starts
   * as a new one does.
   */
  close(): void {
    this[CALLS]().close();
  }
}

/**
 * The interface of a client, for code that takes one. In tests, a plain object
 * with these functions is enough.
 */
export interface BookMoreClientLike {
  /**
   * Loads the module ahead of the first call, which otherwise does it.
   *
   * @throws A {@link RuntimeUnsupportedError} if the platform has no WebAssembly and the client is not from
   * `bookmore-sdk/no-wasm`.
   */
  ready(): Promise<void>;

  /**
   * Replaces the token or the function that provides it; null to send none.
   * Requests already sent keep the old one; later ones, also of the same call,
   * use the new one. Unless `sameIdentity` is set, replies to earlier requests go
   * only to the calls that already wait for them, and pauses that the server
   * asked for end.
   *
   * @throws A {@link ConfigError} if the token is invalid.
   */
  setBearerToken(token: string | TokenProvider | null, options?: SetBearerTokenOptions): void;

  /**
   * Gets a company's AI-assistant token usage and its limit.
   *
   * @param request Whose usage to get. Default: the logged-in user's company.
   * @throws A {@link BookMoreError}, or the reason of the signal.
   */
  getAiChatUsage(request?: GetAiChatUsage, options?: RequestOptions): Promise<AiChatUsageResponse>;

  /**
   * Like `getAiChatUsage`, and also returns the reply's status and headers, and
   * every attempt.
   *
   * @throws A {@link BookMoreError}, or the reason of the signal.
   */
  getAiChatUsageWithResponse(request?: GetAiChatUsage, options?: RequestOptions): Promise<WithResponse>;
}

/** Whether `value` is a client of this package, or of another copy of it. */
export function isBookMoreClient(value: unknown): value is BookMoreClientLike {
  return isBranded(value, CLIENT_BRAND);
}
