import { BookMoreClient, isBookMoreError, type AnyBookMoreError, type WithResponse } from "bookmore-sdk";
import { parsed } from "./arguments.js";
import { badArguments, EXIT, unlessEnded, unreadable } from "./exit.js";
import { gathered, opened } from "./file.js";
import { firstLook } from "../watch/gauge.js";
import { percentOf } from "./outcome.js";
import { print } from "./output.js";
import { printable } from "../printable.js";
import { saved, type SavedReply } from "./saved.js";

/** `bookmore-sdk explain`. */
export async function explain(args: string[], signal: AbortSignal): Promise<number> {
  const { values, positionals } = parsed(args, { company: { type: "string" } });
  if (positionals.length !== 1) throw badArguments("explain takes one file, or - for standard input; see --help.");
  const reply = saved(await unlessEnded(signal, bytesOf(positionals[0]!)));
  const lines = await judged(reply, values.company, signal);
  await print(`${lines.map(printable).join("\n")}\n`);
  return EXIT.fine;
}

async function bytesOf(file: string): Promise<Buffer> {
  if (file === "-") return gathered(process.stdin);
  try {
    return await gathered(opened(file));
  } catch (error) {
    throw unreadable(file, error as NodeJS.ErrnoException);
  }
}

async function judged(reply: SavedReply, companyId: string | undefined, signal: AbortSignal): Promise<string[]> {
  const heading = [`Reply:     ${`${reply.status} ${reply.reason}`.trim()}, ${reply.body.length} bytes of ${reply.headers["content-type"] ?? "no content type"}`];
  if (reply.isShort) heading.push("           The body is shorter than its Content-Length: it broke off.");
  const client = new BookMoreClient({ maxRetries: 0, fetch: async () => response(reply) });
  try {
    const told = await client.getAiChatUsageWithResponse({ companyId }, { signal });
    return [...heading, ...usageLines(told)];
  } catch (error) {
    if (!isBookMoreError(error)) throw error;
    if (error.code === "config_error") throw badArguments(error.message);
    return [...heading, ...failureLines(error)];
  }
}

/** The reply as `fetch` would give it, except that any status is allowed. */
function response({ status, headers, body, isShort }: SavedReply) {
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new Uint8Array(body));
      if (isShort) controller.error(new TypeError("terminated"));
      else controller.close();
    },
  });
  return { status, headers: new Headers(headers), body: stream, arrayBuffer: () => new Response(stream).arrayBuffer() };
}

function usageLines({ data, response }: WithResponse): string[] {
  const { companyId, tokensUsed, tokenLimit, tokensRemaining, windowDays, isWithinBudget } = data;
  const { share, level } = firstLook(data);
  const percent = share === undefined ? "" : ` (${percentOf(share)})`;
  return [
    "Result:    a usage",
    `           Company ${companyId ?? "(not named)"} has used ${tokensUsed} of ${tokenLimit} tokens${percent} in ${windowDays} days.`,
    `           ${tokensRemaining} are left; it is ${isWithinBudget ? "within" : "over"} its budget (${level}).`,
    ...(response.requestId ? [`Request:   ${response.requestId}`] : []),
  ];
}

function failureLines(error: AnyBookMoreError): string[] {
  const { code, name, message, retryAt } = error;
  const { errorCode, requestId, fieldErrors = [], retryAfterMs } = error as Partial<Extract<AnyBookMoreError, { code: "api_error" }>>;
  const lines = [`Result:    ${code} (${name})`, `           ${message}`];
  if (errorCode) lines.push(`Server:    ${errorCode}`);
  for (const { fieldName, errorCode, message } of fieldErrors) lines.push(`           ${[fieldName, errorCode, message].filter(Boolean).join(": ")}`);
  lines.push(`Client:    ${next(error)}`);
  if (retryAfterMs !== undefined) lines.push(`           The server asks to wait for ${retryAfterMs / 1000} s${retryAt ? `, until ${retryAt.toISOString()} if the reply is from now` : ""}.`);
  if (requestId) lines.push(`Request:   ${requestId}`);
  return lines;
}

/** What the client does about an error. */
function next({ code, isRetryable, retryAt }: AnyBookMoreError): string {
  if (code === "authentication_error") return "Calls its bearerToken function for another token, and retries once.";
  if (!isRetryable) return "Does not retry, because the result would be the same.";
  if (retryAt && retryAt.getTime() - Date.now() > 60_000) return "Does not wait that long, but fails at once; the error's retryAt says when to call again.";
  return "Retries by itself: twice, unless maxRetries is set.";
}
