// How calls survive a server that is killed and restarted, compared with other clients. `make restart`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { isSameUsage } from "../faults/usage.mjs";
import { prepare } from "./peers.mjs";

const USAGE = `Usage: node tests/bench/restart.mjs [--workers N]... [--client NAME]... [--part calls|many]

Makes 2000 calls while the stand-in server, in a process of its own, is killed four times and restarted 3 s
later. Each worker calls, waits, and calls again; no call shares another's request. Prints how many calls gave
the right numbers, how many were lost, the requests sent and the longest call. Exits with 1 if fewer than 1990
calls of bookmore-sdk were right, or if it sent as many requests as ky.

Then requests 2000 companies, 6 and 50 in flight, by getManyAiChatUsage and by a plain pool over fetch. Exits with 1 if
getManyAiChatUsage lost one, or sent as many requests as the pool while the server was down.

  --workers N    how many workers (default: 20, then 50)
  --part PART    only the calls, or only the companies: calls, many
  --client NAME  only these clients: bookmore-sdk, ky, fetch
  --help         print this text
`;

const CALLS = 2000;
const REQUIRED = 1990;
const OUTAGES = 4;
const UP_MS = 1500;
const DOWN_MS = 3000;
/** Milliseconds between calls, all workers together: long enough for the calls to span all outages. */
const PACE_MS = 3;
const NAMES = { "bookmore-sdk": "bookmore-sdk", ky: "ky", fetch: "fetch, no client" };
/** Milliseconds between company ids: long enough for the run to span all outages. */
const IDS_MS = 9;
const UNUSED = { tokensUsed: "0", tokenLimit: "100000", tokensRemaining: "100000", isWithinBudget: true, windowDays: "30" };
const TRUTH = { tokensUsed: "1234", tokenLimit: "100000", tokensRemaining: "98766", isWithinBudget: true, windowDays: "30" };

function readArguments() {
  const several = { type: "string", multiple: true };
  const { values } = parseArgs({ options: { workers: several, client: several, part: { type: "string" }, help: { type: "boolean" } } });
  const workers = (values.workers ?? ["20", "50"]).map(Number);
  if (!workers.every((n) => Number.isInteger(n) && n > 0)) throw new Error("--workers must be a whole number above 0; see --help.");
  const names = values.client ?? Object.keys(NAMES);
  const unknown = names.find((name) => !(name in NAMES));
  if (unknown) throw new Error(`--client must be one of ${Object.keys(NAMES).join(", ")}, not "${unknown}".`);
  if (![undefined, "calls", "many"].includes(values.part)) throw new Error(`--part must be calls or many, not "${values.part}".`);
  return { help: values.help, part: values.part, workers, names: names.map((name) => NAMES[name]) };
}

/** The stand-in server in its own process. The first start takes a free port, later ones reuse it. */
class Server {
  port = 0;
  isAway = true;
  #process;

  async start() {
    const program = fileURLToPath(new URL("../server/server.mjs", import.meta.url));
    this.#process = spawn(process.execPath, [program, "--port", `${this.port}`], { stdio: ["ignore", "pipe", "inherit"] });
    const [greeting] = await once(this.#process.stdout, "data");
    this.port = Number(/:(\d+)/.exec(greeting)[1]);
    this.isAway = false;
  }

  async kill() {
    if (this.#process.exitCode !== null) throw new Error("The stand-in server has ended by itself.");
    this.isAway = true;
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}

/** Counts requests by wrapping the global fetch, which all clients use. */
let sends = 0;
let sendsWhileAway = 0;
const server = new Server();
const platformFetch = globalThis.fetch;
globalThis.fetch = (...args) => {
  sends++;
  if (server.isAway) sendsWhileAway++;
  return platformFetch(...args);
};

/** Kills and restarts the server. `outages.met` counts the outages so far; `over` resolves after the last one. */
function restarts() {
  const outages = { met: 0 };
  const over = (async () => {
    while (outages.met < OUTAGES) {
      await sleep(UP_MS);
      await server.kill();
      outages.met++;
      await sleep(DOWN_MS);
      await server.start();
    }
  })();
  return { outages, over };
}

async function run(client, workers) {
  sends = 0;
  const counts = { right: 0, lost: 0, longestMs: 0 };
  const { outages, over } = restarts();
  let begun = 0;
  const work = async () => {
    while (begun < CALLS) {
      begun++;
      const started = performance.now();
      // A wrong answer is neither right nor lost.
      const isRight = await client().then((value) => isSameUsage(value, TRUTH), () => undefined);
      if (isRight) counts.right++;
      if (isRight === undefined) counts.lost++;
      counts.longestMs = Math.max(counts.longestMs, performance.now() - started);
      await sleep(PACE_MS * workers);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  // A client that gives up early can finish before the last outage, and then met fewer.
  const met = outages.met;
  await over;
  return { ...counts, outages: met, sends };
}

/** Ways to request the companies of a source. Each resolves with how many got the right usage. */
const WAYS = {
  async "bookmore-sdk/many"({ BookMoreClient, getManyAiChatUsage }, source, concurrency) {
    const client = new BookMoreClient({ baseUrl: `http://127.0.0.1:${server.port}`, bearerToken: "good-token" });
    const outcomes = await getManyAiChatUsage(client, source, { concurrency });
    return outcomes.filter(({ usage }) => isSameUsage(usage, UNUSED)).length;
  },
  async "a pool over fetch"(_, source, concurrency) {
    const headers = { Accept: "application/json", Authorization: "Bearer good-token" };
    let right = 0;
    const work = async () => {
      for (let next; !(next = await source.next()).done; ) {
        const url = `http://127.0.0.1:${server.port}/assistant/ai-chat/usage?CompanyId=${next.value}`;
        // The body may also break off.
        if (await fetch(url, { headers }).then((reply) => reply.json()).then((usage) => isSameUsage(usage, UNUSED)).catch(() => false)) right++;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, work));
    return right;
  },
};

async function* companies() {
  for (let number = 1; number <= CALLS; number++) {
    yield `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
    await sleep(IDS_MS);
  }
}

/** Checks the requirements for many companies. */
async function runMany(folder) {
  const entry = (name) => import(pathToFileURL(join(folder.path, `node_modules/bookmore-sdk/dist/${name}.js`)));
  const sdk = { ...(await entry("index")), ...(await entry("many/index")) };
  let isMet = true;
  for (const inFlight of [6, 50]) {
    console.log(`\n| ${CALLS} companies, ${inFlight} in flight | right | sends | sends while it was down | s | outages met |`);
    console.log("|---|--:|--:|--:|--:|--:|");
    const seen = {};
    for (const [name, way] of Object.entries(WAYS)) {
      sends = sendsWhileAway = 0;
      const started = performance.now();
      const { outages, over } = restarts();
      const right = await way(sdk, companies(), inFlight);
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const { met } = outages;
      seen[name] = { right, away: sendsWhileAway };
      console.log(`| ${[name, right, sends, sendsWhileAway, seconds, met].join(" | ")} |`);
      await over;
    }
    const [ours, pool] = Object.values(seen);
    isMet &&= ours.right === CALLS && ours.away < pool.away;
  }
  return isMet;
}

async function main() {
  const { help, part, workers, names } = readArguments();
  if (help) return process.stdout.write(USAGE);
  const folder = prepare([], names);
  let isMet = true;
  let isManyMet = true;
  try {
    await server.start();
    for (const count of part === "many" ? [] : workers) {
      console.log(`\n| ${count} workers, ${CALLS} calls | right | lost | sends | longest call, ms | outages met |`);
      console.log("|---|--:|--:|--:|--:|--:|");
      const seen = {};
      for (const { name, file, version } of folder.clients) {
        const { client } = await import(pathToFileURL(join(folder.path, "clients", `${file}.mjs`)));
        const of = (seen[name] = await run(client(`http://127.0.0.1:${server.port}`), count));
        const cells = [`${name} ${version}`.trim(), of.right, of.lost, of.sends, Math.round(of.longestMs), of.outages];
        console.log(`| ${cells.join(" | ")} |`);
      }
      const ours = seen["bookmore-sdk"];
      if (ours) isMet &&= ours.right >= REQUIRED && ours.sends < (seen.ky?.sends ?? Infinity);
    }
    if (part !== "calls") isManyMet = await runMany(folder);
  } finally {
    await server.kill();
    folder.remove();
  }
  if (!isMet) throw new Error(`fewer than ${REQUIRED} calls of bookmore-sdk were right, or it sent as many requests as ky`);
  if (!isManyMet) throw new Error("getManyAiChatUsage lost a company, or sent as many requests as a plain pool while the server was down");
}

await main().catch((error) => {
  console.error(`restart: ${error.message}`);
  process.exitCode = 1;
});
