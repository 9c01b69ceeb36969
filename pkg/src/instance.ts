import type { Glue } from "./core.js";
import { BookMoreError, errorOf } from "./errors.js";

/** Makes an instance of the module. */
export type Source = () => Glue | Promise<Glue>;

/** A running module. */
export class Instance {
  readonly glue: Glue;
  /** The exception of a trap, after which its memory can no longer be trusted. */
  trap: unknown;

  constructor(glue: Glue) {
    this.glue = glue;
  }
}

/**
 * In Cloudflare Workers promises and timers belong to the request that made
 * them, and end with it: nothing in flight can be shared between calls.
 */
export const isWorkers = (): boolean => globalThis.navigator?.userAgent === "Cloudflare-Workers";

/** @throws A RuntimeUnsupportedError that names the missing global. fetch is checked elsewhere. */
export function checkPlatform(): void {
  const needed = ["AbortController", "TextDecoder", "TextEncoder", "performance"];
  const missing = needed.find((name) => !(globalThis as Record<string, unknown>)[name]);
  if (missing) {
    const message = `This runtime has no ${missing}. Load a polyfill of it before the first call.`;
    throw errorOf({ code: "runtime_unsupported", message });
  }
}

/** Resolves to the instance to call. `limitMs`: how long the caller waits at most. */
export type Loader = (limitMs?: number) => Promise<Instance>;

/** A load older than this is not joined, even by a caller without a limit. */
const LONGEST_LOAD_MS = 30_000;

/**
 * Takes the module from `source` at the first call. A failure is forgotten, so
 * that the next call tries again. A load that has already taken longer than a
 * caller would wait is aborted and started again, for all who wait for it.
 */
export function loader(source: (signal: AbortSignal) => Promise<Source>): Loader {
  let known: Source | undefined;
  const begin = async (signal: AbortSignal) => new Instance(await (known ??= await source(signal))());
  let loading: { since: number; instance: Promise<Instance>; isOver: boolean; controller: AbortController } | undefined;
  return async function load(limitMs = Infinity): Promise<Instance> {
    checkPlatform();
    const now = performance.now();
    const longest = isWorkers() ? 0 : Math.min(limitMs, LONGEST_LOAD_MS);
    if (loading && !loading.isOver && now - loading.since >= longest) {
      if (longest > 0) loading.controller.abort();
      loading = undefined;
    }
    if (!loading) {
      const controller = new AbortController();
      const started = { since: now, instance: begin(controller.signal), isOver: false, controller };
      const end = () => (started.isOver = true);
      started.instance.then(end, end);
      loading = started;
    }
    const own = loading;
    let instance;
    try {
      instance = await own.instance;
    } catch (cause) {
      if (own.controller.signal.aborted) return load(limitMs);
      if (loading === own) loading = undefined;
      if (!(cause instanceof BookMoreError)) throw unsupported(cause);
      // Each caller gets an error of its own.
      throw errorOf({ ...cause, message: cause.message, cause: cause.cause });
    }
    if (instance.trap === undefined) return instance;
    if (loading === own) loading = undefined;
    return load(limitMs);
  };
}

export function unsupported(cause: unknown): BookMoreError {
  const message = `This runtime lacks something that the SDK needs: ${String(cause).replace(/\.$/, "")}.`;
  return errorOf({ code: "runtime_unsupported", message, cause });
}
