// How calls come through a server that is killed and started again, beside other clients. `make restart`.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { isSameUsage } from "../faults/usage.mjs";
import { prepare } from "./peers.mjs";

const USAGE = `Usage: node tests/bench/restart.mjs [--workers N]... [--client NAME]...

Makes 2000 calls while the stand-in server, in a process of its own, is killed and started again four times,
3 s down each time. Each worker calls, waits, and calls again; no call shares another's request. Prints how
many calls gave the right numbers, how many were lost, the requests sent and the longest call. Exits with 1
if fewer than 1990 calls of bookmore-sdk were right, or if it sent as many requests as ky.

  --workers N    how many workers (default: 20, then 50)
  --client NAME  only these clients: bookmore-sdk, ky, fetch
  --help         print this text
`;

const CALLS = 2000;
const REQUIRED = 1990;
const OUTAGES = 4;
const UP_MS = 1500;
const DOWN_MS = 3000;
/** Between the calls of all workers together, so that they last for all outages. */
const PACE_MS = 3;
const NAMES = { "bookmore-sdk": "bookmore-sdk", ky: "ky", fetch: "fetch, no client" };
const TRUTH = { tokensUsed: "1234", tokenLimit: "100000", tokensRemaining: "98766", isWithinBudget: true, windowDays: "30" };

function readArguments() {
  const several = { type: "string", multiple: true };
  const { values } = parseArgs({ options: { workers: several, client: several, help: { type: "boolean" } } });
  const workers = (values.workers ?? ["20", "50"]).map(Number);
  if (!workers.every((n) => Number.isInteger(n) && n > 0)) throw new Error("--workers must be a whole number above 0; see --help.");
  const names = values.client ?? Object.keys(NAMES);
  const unknown = names.find((name) => !(name in NAMES));
  if (unknown) throw new Error(`--client must be one of ${Object.keys(NAMES).join(", ")}, not "${unknown}".`);
  return { help: values.help, workers, names: names.map((name) => NAMES[name]) };
}

/** The stand-in server in a process of its own: the first start takes a free port, the later ones the same. */
class Server {
  port = 0;
  #process;

  async start() {
    const program = fileURLToPath(new URL("../server/server.mjs", import.meta.url));
    this.#process = spawn(process.execPath, [program, "--port", `${this.port}`], { stdio: ["ignore", "pipe", "inherit"] });
    const [greeting] = await once(this.#process.stdout, "data");
    this.port = Number(/:(\d+)/.exec(greeting)[1]);
  }

  async kill() {
    if (this.#process.exitCode !== null) throw new Error("The stand-in server has ended by itself.");
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}

/** The clients reach the network through the global fetch, which counts. */
let sends = 0;
const platformFetch = globalThis.fetch;
globalThis.fetch = (...args) => {
  sends++;
  return platformFetch(...args);
};

async function run(client, workers, server) {
  sends = 0;
  const counts = { right: 0, lost: 0, longestMs: 0, outages: 0 };
  const restarts = (async () => {
    while (counts.outages < OUTAGES) {
      await sleep(UP_MS);
      await server.kill();
      counts.outages++;
      await sleep(DOWN_MS);
      await server.start();
    }
  })();
  let begun = 0;
  const work = async () => {
    while (begun < CALLS) {
      begun++;
      const started = performance.now();
      // A wrong answer is neither right nor lost, and shows as such.
      const isRight = await client().then((value) => isSameUsage(value, TRUTH), () => undefined);
      if (isRight) counts.right++;
      if (isRight === undefined) counts.lost++;
      counts.longestMs = Math.max(counts.longestMs, performance.now() - started);
      await sleep(PACE_MS * workers);
    }
  };
  await Promise.all(Array.from({ length: workers }, work));
  // Calls of a client that gives up early can be over before the last outage: then fewer met it.
  const outages = counts.outages;
  await restarts;
  return { ...counts, outages, sends };
}

async function main() {
  const { help, workers, names } = readArguments();
  if (help) return process.stdout.write(USAGE);
  const folder = prepare([], names);
  const server = new Server();
  let isMet = true;
  try {
    await server.start();
    for (const count of workers) {
      console.log(`\n| ${count} workers, ${CALLS} calls | right | lost | sends | longest call, ms | outages met |`);
      console.log("|---|--:|--:|--:|--:|--:|");
      const seen = {};
      for (const { name, file, version } of folder.clients) {
        const { client } = await import(pathToFileURL(join(folder.path, "clients", `${file}.mjs`)));
        const of = (seen[name] = await run(client(`http://127.0.0.1:${server.port}`), count, server));
        const cells = [`${name} ${version}`.trim(), of.right, of.lost, of.sends, Math.round(of.longestMs), of.outages];
        console.log(`| ${cells.join(" | ")} |`);
      }
      const ours = seen["bookmore-sdk"];
      if (ours) isMet &&= ours.right >= REQUIRED && ours.sends < (seen.ky?.sends ?? Infinity);
    }
  } finally {
    await server.kill();
    folder.remove();
  }
  if (!isMet) throw new Error(`fewer than ${REQUIRED} calls of bookmore-sdk were right, or it sent as many requests as ky`);
}

await main().catch((error) => {
  console.error(`restart: ${error.message}`);
  process.exitCode = 1;
});
