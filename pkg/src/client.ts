import { CALLS, CLIENT_BRAND } from "./brands.js";
import { Calls } from "./calls.js";
import { isBranded } from "./errors.js";
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

/** What both clients are, apart from where their module comes from. */
export class BookMoreClientBase implements BookMoreClientLike {
  /** @internal */
  declare readonly [CALLS]: () => Calls;

  /** @internal */
  constructor(options: ClientOptions, load: Loader, known: readonly string[] = CLIENT, parse?: Parse) {
    const calls = new Calls(clientOptions(options, known, parse), load);
    define(this, CLIENT_BRAND, true);
    define(this, CALLS, () => calls);
    // Bound, so that they work on their own and inside a proxy such as that of Vue's `reactive`.
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
   * Frees the memory that the client takes, once the calls that are in flight
   * have come to their end. A platform with FinalizationRegistry does it by
   * itself when the client is not used any more; React Native has none. A client
   * that is called again begins as a new one does.
   */
  close(): void {
    this[CALLS]().close();
  }
}

/**
 * What a client can do, for code that takes one: a plain object with these
 * functions will do in tests.
 */
export interface BookMoreClientLike {
  /**
   * Loads the module ahead of the first call, which otherwise does it.
   *
   * @throws A {@link RuntimeUnsupportedError} where there is no WebAssembly, unless the client is that of
   * `bookmore-sdk/no-wasm`.
   */
  ready(): Promise<void>;

  /**
   * From now on sends this token, or what the function gives; null to send
   * none. Requests that have been sent are not changed, later ones of the same
   * call are. Unless it is the same identity, their replies are only given to
   * those who wait for them already, and the pauses that the server has asked
   * for end.
   *
   * @throws A {@link ConfigError} where it cannot be used.
   */
  setBearerToken(token: string | TokenProvider | null, options?: SetBearerTokenOptions): void;

  /**
   * Get the AI assistant token usage and limit for a company.
   *
   * @param request Whose usage; the logged-in user's company when omitted.
   * @throws A {@link BookMoreError}, or the reason of the signal.
   */
  getAiChatUsage(request?: GetAiChatUsage, options?: RequestOptions): Promise<AiChatUsageResponse>;

  /**
   * The same, with the reply's status and headers, and every attempt.
   *
   * @throws A {@link BookMoreError}, or the reason of the signal.
   */
  getAiChatUsageWithResponse(request?: GetAiChatUsage, options?: RequestOptions): Promise<WithResponse>;
}

/** Whether `value` is a client of this package, also of another copy of it. */
export function isBookMoreClient(value: unknown): value is BookMoreClientLike {
  return isBranded(value, CLIENT_BRAND);
}
