import type { Call } from "./core.js";
import { BookMoreError, errorOf, type ErrorDetails } from "./errors.js";
import { send, type Reply } from "./fetch.js";
import { hidden, safeCause } from "./secrets.js";
import { limited, sleep, TIMED_OUT } from "./timing.js";
import type { AiChatUsageResponse, AttemptInfo, ErrorCode, ClientEvent } from "./types.js";

/** What `src/js/step.rs` writes. */
type Step =
  | { do: "token"; forceRefresh: boolean; timeoutMs?: number }
  | { do: "send"; url: string; headers: Record<string, string>; timeoutMs?: number; refresh: boolean }
  | { do: "wait"; waitMs: number; code: ErrorCode; status?: number }
  | Done;

interface Done {
  do: "done";
  data?: AiChatUsageResponse;
  requestId?: string;
  error?: ErrorDetails;
  attempts: AttemptInfo[];
  elapsedMs: number;
}

/** What a call reaches of the world. */
export interface World {
  fetch: typeof fetch;
  /** Besides those of the API; names in lower case. */
  headers: Record<string, string>;
  credentials: RequestInit["credentials"];
  /** Waits for the token provider, see `TokenAsker.ask`. */
  askToken(force: boolean, signal: AbortSignal): Promise<boolean>;
  refreshBehind(): void;
  emit(event: ClientEvent): void;
}

/** What a call came to: the step as text, so that each caller can have its own object. */
export interface Outcome {
  text: string;
  reply: Reply;
}

const now = () => performance.now();

/** Does what the call says, until it is over. */
export async function carryOut(call: Call, world: World, signal: AbortSignal): Promise<Outcome> {
  const secrets = new Set<string>();
  let cause: unknown;
  let reply: Reply | undefined;
  let attempt = 0;
  let text = call.next(false, now());
  for (;;) {
    const step = JSON.parse(text) as Step;
    switch (step.do) {
      case "token":
        try {
          const asked = await limited(signal, step.timeoutMs, (signal) => world.askToken(step.forceRefresh, signal));
          text = call.next(asked, now());
        } catch (thrown) {
          if (signal.aborted) throw thrown;
          const ours = thrown instanceof BookMoreError;
          cause = ours ? undefined : thrown;
          const words = ours ? thrown.message : "The bearerToken function failed; its error is the cause.";
          text = call.fail(0, thrown === TIMED_OUT ? undefined : words, now(), 0);
        }
        break;
      case "send": {
        const { headers } = step;
        const [url] = step.url.split("?") as [string];
        for (const secret of [headers.Authorization?.slice(7), headers["x-api-key"]]) {
          if (secret) secrets.add(secret);
        }
        if (step.refresh) world.refreshBehind();
        world.emit({ type: "attempt", attempt: ++attempt, url });
        cause = undefined;
        let phase: 1 | 2 = 1;
        const init: RequestInit = { headers: { ...world.headers, ...headers } };
        if (world.credentials) init.credentials = world.credentials;
        try {
          reply = await limited(signal, step.timeoutMs, (signal) =>
            send(world.fetch, step.url, { ...init, signal }, () => (phase = 2)),
          );
          const { status, body, end, thrown, receivedAt } = reply;
          cause = thrown;
          text = call.reply(
            status,
            reply.url,
            Object.entries(reply.headers)
              .map(([name, value]) => `${name}:${value}\n`)
              .join(""),
            body,
            end,
            words(thrown),
            receivedAt,
            now(),
            Math.random(),
          );
          world.emit({ type: "response", attempt, status });
        } catch (thrown) {
          if (signal.aborted) throw thrown;
          const late = thrown === TIMED_OUT;
          cause = late ? undefined : thrown;
          text = call.fail(phase, late ? undefined : words(thrown), now(), Math.random());
        }
        break;
      }
      case "wait": {
        const { do: _, ...told } = step;
        world.emit({ type: "retry", attempt, ...told });
        await sleep(signal, told.waitMs);
        text = call.next(false, now());
        break;
      }
      default: {
        const { error, attempts, elapsedMs } = step;
        if (!error) return { text, reply: reply! };
        const details = withCause(hidden(error, secrets), safeCause(cause, secrets));
        const failure = errorOf({ ...details, attempts, elapsedMs });
        const { code, status } = error;
        world.emit({ type: "error", attempt, code, elapsedMs, ...(status === undefined ? {} : { status }) });
        throw failure;
      }
    }
  }
}

/** The cause of a failure is what was thrown, or the failure that was to be retried. */
function withCause(error: ErrorDetails, thrown: unknown): ErrorDetails {
  const { cause } = error;
  return cause
    ? { ...error, cause: errorOf(withCause(cause as ErrorDetails, thrown)) }
    : { ...error, cause: thrown };
}

/** What was thrown, which can be anything, says of itself. */
function words(thrown: unknown): string {
  // Node says only "fetch failed"; the reason is the cause.
  const { message = thrown, cause } = (thrown ?? {}) as { message?: unknown; cause?: { code?: unknown } };
  return [message, cause?.code]
    .filter((word) => typeof word === "string")
    .map((word) => `: ${word}`)
    .join("");
}
