import { setTimeout as sleep } from "node:timers/promises";
import type { BookMoreClient } from "bookmore-sdk";
import { getManyAiChatUsage } from "bookmore-sdk/many";
import { Appended } from "./append.js";
import { numberOf, oneOf, parsed } from "./arguments.js";
import { CALL_OPTIONS, clientOf, type Given } from "./credentials.js";
import { badArguments, EXIT, Failure, isForCredentials, messageOf, unlessEnded } from "./exit.js";
import { checkFile, idsOf } from "./ids.js";
import { dataOf, inOrder, ORDER_NAMES, reaches, sorted, wordsOf, type Outcome, type Success } from "./outcome.js";
import { canErase, outliveReader, print, say, styled } from "./output.js";
import { DOCTOR, shellWord, urlOption } from "../diagnose/shell.js";
import { CONCURRENCY } from "../options.js";
import { printable } from "../printable.js";
import { ProgressLine } from "./progress.js";
import { endReconnecting } from "./reconnecting.js";
import { table } from "./table.js";

const CLEAR_SCREEN = "\u001b[2J\u001b[H";

function read(args: string[]) {
  const string = { type: "string" } as const;
  const boolean = { type: "boolean" } as const;
  const { values, positionals } = parsed(args, {
    ...CALL_OPTIONS, file: string, append: string, format: string, sort: string,
    "fail-at": string, concurrency: string, timeout: string, interval: string,
    json: boolean, jsonl: boolean, watch: boolean,
  });
  if (values.json && values.jsonl) throw badArguments("--json and --jsonl exclude each other.");
  if (values.interval !== undefined && !values.watch) throw badArguments("--interval goes with --watch.");
  if (positionals.filter((given) => given === "-").length > 1) throw badArguments("Standard input can be read once.");
  return {
    positionals,
    file: values.file,
    given: values,
    append: values.append,
    output: values.json ? "json" : values.jsonl ? "jsonl" : "table",
    format: oneOf("format", values.format, ["json", "jsonl"]),
    sort: oneOf("sort", values.sort, ORDER_NAMES),
    failAt: numberOf("fail-at", values["fail-at"], 0, 100_000, false),
    concurrency: numberOf("concurrency", values.concurrency, 1, 1000),
    timeout: numberOf("timeout", values.timeout, 0.001, 2_000_000, false),
    watch: values.watch ?? false,
    interval: numberOf("interval", values.interval, 5, 2_000_000, false) ?? 60,
  } as const;
}

type Options = ReturnType<typeof read>;

/** `bookmore-sdk usage`. */
export async function usage(args: string[], signal: AbortSignal): Promise<number> {
  const options = read(args);
  if (options.file !== undefined) await checkFile(options.file);
  const timeoutMs = options.timeout && Math.ceil(options.timeout * 1000);
  const client = await unlessEnded(signal, clientOf(options.given, { format: options.format, totalTimeoutMs: timeoutMs, attemptTimeoutMs: timeoutMs }));
  // Loads the module first, so that its time is not part of the rate.
  await client.ready();
  const appended = options.append === undefined ? undefined : new Appended(options.append);
  if (appended) outliveReader();
  let exitCode: number = EXIT.fine;
  let failure: unknown;
  const isStreamed = options.positionals.includes("-") && !options.watch;
  const ids = isStreamed ? undefined : await unlessEnded(signal, all(idsOf(options.positionals, options.file)));
  endReconnecting(isOwnCompany(ids, options) ? 1 : (options.concurrency ?? CONCURRENCY));
  do {
    const came = await pass(client, ids, options, appended, signal);
    exitCode = Math.max(exitCode, came.exitCode);
    failure = came.failure;
  } while (options.watch && failure === undefined && (await waited(options.interval, signal)));
  appended?.close();
  if (failure !== undefined) {
    say(messageOf(failure));
    exitCode = Math.max(exitCode, failure instanceof Failure ? failure.exitCode : EXIT.someFailed);
  }
  return signal.aborted ? Math.max(exitCode, (signal.reason as Failure).exitCode) : exitCode;
}

/** The result of asking for all companies once. `failure`: why there is no next pass. */
interface Pass {
  exitCode: number;
  failure: unknown;
}

/** Asks for all companies once and shows the outcomes, even if it was interrupted. */
async function pass(client: BookMoreClient, ids: string[] | undefined, options: Options, appended: Appended | undefined, signal: AbortSignal): Promise<Pass> {
  const { output, sort, watch } = options;
  const began = performance.now();
  const progress = new ProgressLine();
  const given: string[] = [];
  const outcomes: Outcome[] = [];
  const isOwn = isOwnCompany(ids, options);
  const source = async function* () {
    for await (const id of ids ?? idsOf(options.positionals, options.file)) {
      given.push(id);
      yield id;
    }
  };
  const many = { concurrency: options.concurrency, signal, onProgress: progress.show };
  // With an array, the total is known.
  const coming = isOwn ? own(client, signal) : getManyAiChatUsage(client, ids ?? source(), many);
  let failure: unknown;
  try {
    for await (const outcome of coming) {
      const at = new Date().toISOString();
      outcomes.push(outcome);
      appended?.line(dataOf(outcome, at));
      if (output !== "jsonl" || sort) continue;
      progress.hide();
      await print(`${JSON.stringify(dataOf(outcome, watch ? at : undefined))}\n`);
    }
  } catch (error) {
    if (!signal.aborted) failure = error;
  }
  progress.end();
  if (failure === undefined && !signal.aborted && !isOwn && (ids ?? given).length === 0) failure = badArguments(`There are no company ids in ${options.file ?? "standard input"}.`);
  else await show(sort ? sorted(outcomes, sort) : isOwn ? outcomes : inOrder(outcomes, ids ?? given), options);
  const failed = outcomes.filter(({ error }) => error);
  // The message for an invalid id says all there is to say.
  const unclear = failed.find(({ error }) => error!.code !== "config_error");
  if (unclear && !watch) say(tellsMore(unclear, options.given));
  const over = outcomes.filter(({ usage }) => usage && options.failAt !== undefined && reaches(usage, options.failAt));
  if (process.stderr.isTTY) {
    const seconds = ((performance.now() - began) / 1000).toFixed(1);
    const asked = ids && outcomes.length < ids.length ? `${outcomes.length} of ${ids.length}` : outcomes.length;
    const parts = [`${asked} asked`, `${failed.length} failed`, ...(options.failAt === undefined ? [] : [`${over.length} at or over ${options.failAt} %`]), `${seconds} s`];
    say(parts.join(", "));
  }
  const isRefused = failed.some(({ error }) => isForCredentials(error!));
  const exitCode = Math.max(failed.length ? EXIT.someFailed : 0, over.length ? EXIT.overLimit : 0, isRefused ? EXIT.badCredentials : 0);
  return { exitCode, failure: failure ?? appended?.failure };
}

/** Whether no ids are given, which means the logged-in user's company. */
const isOwnCompany = (ids: string[] | undefined, { file }: Options): boolean => ids?.length === 0 && file === undefined;

/** The logged-in user's company, for which no id is sent. */
async function* own(client: BookMoreClient, signal: AbortSignal): AsyncGenerator<Outcome> {
  try {
    yield { usage: await client.getAiChatUsage({}, { signal }) };
  } catch (error) {
    if (signal.aborted) throw error;
    yield { error: error as Exclude<Outcome["error"], undefined> };
  }
}

async function show(outcomes: Outcome[], { output, sort, watch }: Options): Promise<void> {
  const at = watch ? new Date().toISOString() : undefined;
  const usages = outcomes.filter((outcome): outcome is Success => outcome.usage !== undefined);
  if (output === "json") await print(`${JSON.stringify(outcomes.map((outcome) => dataOf(outcome, at)), null, watch ? 0 : 2)}\n`);
  else if (output === "jsonl") {
    if (sort) await print(outcomes.map((outcome) => `${JSON.stringify(dataOf(outcome, at))}\n`).join(""));
  } else {
    if (watch) await print(`${canErase(process.stdout) ? CLEAR_SCREEN : ""}${new Date().toLocaleTimeString("en-GB")}\n`);
    if (usages.length) await print(table(usages, process.stdout.columns || 120));
  }
  for (const { companyId, error } of outcomes) {
    if (!error) continue;
    const words = printable(`${companyId ?? "(own)"} ${error.code ?? "unknown"}: ${wordsOf(error)}`);
    say(`${styled("red", "✘", process.stderr)} ${words}`);
  }
}

/** The command that tells more about a failure. */
function tellsMore({ companyId }: Outcome, { url, "token-file": tokenFile }: Given): string {
  const words = [...(url === undefined ? [] : [urlOption(url)]), ...(tokenFile === undefined ? [] : [`--token-file ${shellWord(tokenFile)}`]), ...(companyId === undefined ? [] : [shellWord(companyId)])];
  return `To see why: ${[DOCTOR, ...words].join(" ")}`;
}

async function all(source: AsyncIterable<string>): Promise<string[]> {
  const ids = [];
  for await (const id of source) ids.push(id);
  return ids;
}

/** Waits for the next pass. Resolves with false if interrupted. */
async function waited(seconds: number, signal: AbortSignal): Promise<boolean> {
  await sleep(seconds * 1000, undefined, { signal }).catch(() => {});
  return !signal.aborted;
}
