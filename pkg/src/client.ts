import type { Core } from "./core.js";
import { BookMoreError, errorOf, internalError } from "./errors.js";
import { instance, type Instance } from "./instance.js";
import { clientOptions, companyId, requestOptions } from "./options.js";
import type {
  AiChatUsageResponse,
  ClientOptions,
  GetAiChatUsage,
  RequestOptions,
  WithResponse,
} from "./types.js";

/** Calls the BookMore API. One client can carry out any number of calls. */
export class BookMoreClient {
  readonly #options: object;
  #core: { of: Instance; core: Core } | undefined;

  /**
   * @throws {@link ConfigError} where an option cannot be used.
   */
  constructor(options: ClientOptions = {}) {
    this.#options = clientOptions(options);
  }

  /**
   * Loads the WebAssembly module ahead of the first call, which otherwise
   * does it.
   *
   * @throws {@link RuntimeUnsupportedError} where there is no WebAssembly.
   */
  async ready(): Promise<void> {
    await instance();
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
   * The same, with the reply's status and headers.
   *
   * @throws {@link BookMoreError}, or the reason of the signal.
   */
  async getAiChatUsageWithResponse(
    request: GetAiChatUsage = {},
    options: RequestOptions = {},
  ): Promise<WithResponse> {
    const company = companyId(request);
    const callOptions = requestOptions(options);
    return abortable(options.signal, async (cancelled, isCancelled) => {
      const running = await instance();
      if (isCancelled()) return undefined as never;
      try {
        return await running.run(
          () =>
            this.#coreOf(running).getAiChatUsage(company, callOptions, cancelled) as Promise<WithResponse>,
        );
      } catch (failure) {
        if (failure instanceof BookMoreError) throw failure;
        // Rust rejects with plain objects, which have a code.
        const { code } = (failure ?? {}) as { code?: unknown };
        throw code === undefined ? internalError(failure) : errorOf(failure as never);
      }
    });
  }

  /** The Rust client, made anew when its instance was. */
  #coreOf(running: Instance): Core {
    if (this.#core?.of !== running) {
      this.#core = { of: running, core: running.core(this.#options) };
    }
    return this.#core.core;
  }
}

/**
 * Runs `call` until `signal` aborts, and takes its listener away in the end.
 * `cancelled` is settled in the end either way.
 */
async function abortable<T>(
  signal: AbortSignal | null | undefined,
  call: (cancelled: Promise<void>, isCancelled: () => boolean) => Promise<T>,
): Promise<T> {
  if (signal?.aborted) throw signal.reason;
  let cancel!: () => void;
  const cancelled = new Promise<void>((resolve) => (cancel = resolve));
  let onAbort: (() => void) | undefined;
  const aborted = new Promise<never>((_, reject) => {
    onAbort = () => {
      cancel();
      reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort);
  });
  try {
    return await Promise.race([call(cancelled, () => Boolean(signal?.aborted)), aborted]);
  } finally {
    cancel();
    if (onAbort) signal?.removeEventListener("abort", onAbort);
  }
}
