// Wall time and memory for many companies, compared with p-limit on plain fetch and on ky. `make bench-many`.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { median, prepare } from "./peers.mjs";

const USAGE = `Usage: node tests/bench/many.mjs [--rounds N] [--companies N]

Requests the usage of 1000 companies, 6 and 50 at once, from a server that answers after 20 ms and from one that
answers at once, in three ways: getManyAiChatUsage, p-limit with plain fetch, and p-limit with ky. Each sample is a
process of its own, and the ways take turns. Prints medians of time and peak memory, and of getManyAiChatUsage's ratio
to each way in the same round. Exits with 1 if getManyAiChatUsage takes more than 1.1 times as long as plain fetch at
20 ms, or as ky at 0 ms.

  --rounds N      samples of each (default 7)
  --companies N   how many (default 1000)
  --help          print this text
`;

const MOST = 1.1;
const OURS = "bookmore-sdk/many";
const NAMES = [OURS, "p-limit, fetch", "p-limit, ky"];

function readArguments() {
  const options = { rounds: { type: "string", default: "7" }, companies: { type: "string", default: "1000" }, help: { type: "boolean" } };
  const { values } = parseArgs({ options });
  const [rounds, companies] = [values.rounds, values.companies].map(Number);
  if (![rounds, companies].every((n) => Number.isInteger(n) && n > 0)) throw new Error("--rounds and --companies must be whole numbers above 0; see --help.");
  return { help: values.help, rounds, companies };
}

async function measured(folder, delayMs, concurrency, rounds, companies) {
  const program = fileURLToPath(new URL("slow-server.mjs", import.meta.url));
  const server = spawn(process.execPath, [program, `${delayMs}`], { stdio: ["ignore", "pipe", "inherit"] });
  try {
    const [port] = await once(server.stdout, "data");
    const samples = Object.fromEntries(NAMES.map((name) => [name, []]));
    for (let round = 0; round < rounds; round++) {
      for (const name of NAMES) {
        const args = ["many-once.mjs", name, `http://127.0.0.1:${Number(port)}`, `${companies}`, `${concurrency}`];
        const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: folder });
        const sample = JSON.parse(stdout);
        if (sample.right !== companies) throw new Error(`${name}: ${sample.right} of ${companies} companies got their usage.`);
        samples[name].push(sample);
      }
    }
    return samples;
  } finally {
    server.kill();
  }
}

async function main() {
  const { help, rounds, companies } = readArguments();
  if (help) return process.stdout.write(USAGE);
  const folder = prepare(["many-once.mjs", "pools.mjs"], ["bookmore-sdk", "ky"], ["p-limit"]);
  const missed = [];
  try {
    for (const delayMs of [20, 0]) {
      for (const concurrency of [6, 50]) {
        const samples = await measured(folder.path, delayMs, concurrency, rounds, companies);
        // Ratios within a round, because the machine's other load varies between rounds.
        const times = (name, figure) => median(samples[OURS].map((ours, round) => ours[figure] / samples[name][round][figure]));
        console.log(`\n| ${companies} companies, ${concurrency} at once, ${delayMs} ms | ms | MB at most | ours × ms | ours × MB |`);
        console.log("|---|--:|--:|--:|--:|");
        for (const name of NAMES) {
          const of = (figure) => median(samples[name].map((sample) => sample[figure]));
          const cells = [name, Math.round(of("ms")), Math.round(of("kilobytes") / 1024), times(name, "ms").toFixed(2), times(name, "kilobytes").toFixed(2)];
          console.log(`| ${cells.join(" | ")} |`);
        }
        const other = delayMs > 0 ? "p-limit, fetch" : "p-limit, ky";
        const ratio = times(other, "ms");
        if (ratio > MOST) missed.push(`${ratio.toFixed(2)} times ${other} at ${delayMs} ms, ${concurrency} at once`);
      }
    }
  } finally {
    folder.remove();
  }
  if (missed.length > 0) throw new Error(missed.join("; "));
}

await main().catch((error) => {
  console.error(`bench-many: ${error.message}`);
  process.exitCode = 1;
});
