// What one call costs beside other clients, on a stubbed fetch, in several versions of Node. `make bench-call`.
import { execFile } from "node:child_process";
import { parseArgs, promisify } from "node:util";
import { nodeProgram } from "../peers/node.mjs";
import { median, prepare } from "./peers.mjs";

const USAGE = `Usage: node tests/bench/call.mjs [--rounds N] [--node MAJOR]...

Measures what a call costs besides the network: fetch is a stub that answers at once. Prints microseconds a call,
one call after the other, and the ratios to raw fetch and to ky; and how much longer a call takes where 2000 are made
at once than where 100 are. Clients take turns, so that what else the machine does meets all of them; medians are
printed. Exits with 1 where a call of bookmore-sdk takes more than 1.25 times as long as one of ky, or more than
1.5 times as long among 2000.

  --rounds N     rounds of 300 calls each (default 40)
  --node MAJOR   only this version of Node (default: 22, then 24)
  --help         print this text
`;

const MOST_TIMES_KY = 1.25;
const MOST_TIMES_AT_ONCE = 1.5;
const NAMES = ["bookmore-sdk", "ky", "@servicestack/client", "openai", "fetch, no client"];

async function main() {
  const options = { rounds: { type: "string", default: "40" }, node: { type: "string", multiple: true }, help: { type: "boolean" } };
  const { values } = parseArgs({ options });
  if (values.help) return process.stdout.write(USAGE);
  const rounds = Number(values.rounds);
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error("--rounds must be a whole number above 0; see --help.");
  const programs = (values.node ?? ["22", "24"]).map(nodeProgram);

  const folder = prepare(["calls.mjs"], NAMES);
  const missed = [];
  try {
    for (const program of programs) missed.push(...(await compare(program, rounds, folder)));
  } finally {
    folder.remove();
  }
  if (missed.length > 0) throw new Error(missed.join("; "));
}

/** Prints the table of one version of Node, and gives what it does not keep. */
async function compare(program, rounds, { path, clients }) {
  const { stdout: version } = await promisify(execFile)(program, ["--version"]);
  const args = ["calls.mjs", `${rounds}`, ...clients.map(({ file }) => file)];
  const { stdout } = await promisify(execFile)(program, args, { cwd: path, maxBuffer: 1e8 });
  const rows = JSON.parse(stdout).map(({ file, ms, atOnce }) => {
    const { name, version } = clients.find((client) => client.file === file);
    return { name, version, us: 1000 * median(ms), atOnce: atOnce.map((some) => 1000 * median(some)) };
  });
  const of = (name) => rows.find((row) => row.name === name);
  const [ours, ky, raw] = ["bookmore-sdk", "ky", "fetch, no client"].map(of);
  console.log(`\n| Node ${version.trim()} | µs a call | × raw fetch | × ky |\n|---|--:|--:|--:|`);
  for (const { name, version, us } of rows) {
    console.log(`| ${`${name} ${version}`.trim()} | ${us.toFixed(1)} | ${(us / raw.us).toFixed(2)} | ${(us / ky.us).toFixed(2)} |`);
  }
  const [few, many] = ours.atOnce;
  console.log(`\nbookmore-sdk at once: ${few.toFixed(1)} µs a call among 100, ${many.toFixed(1)} among 2000: ${(many / few).toFixed(2)} times`);
  const missed = [];
  if (ours.us > MOST_TIMES_KY * ky.us) missed.push(`a call takes ${(ours.us / ky.us).toFixed(2)} times as long as ky's in Node ${version.trim()}`);
  if (many > MOST_TIMES_AT_ONCE * few) missed.push(`a call among 2000 takes ${(many / few).toFixed(2)} times as long as among 100 in Node ${version.trim()}`);
  return missed;
}

await main().catch((error) => {
  console.error(`bench-call: ${error.message}`);
  process.exitCode = 1;
});
