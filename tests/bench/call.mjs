// The cost of one call compared with other clients, on a stubbed fetch, in several versions of Node. `make bench-call`.
import { execFile } from "node:child_process";
import { parseArgs, promisify } from "node:util";
import { nodeProgram } from "../peers/node.mjs";
import { median, prepare } from "./peers.mjs";

const USAGE = `Usage: node tests/bench/call.mjs [--rounds N] [--node MAJOR]...

Measures what a call costs without the network: fetch is a stub that answers at once. Prints the processor time of a
call in microseconds: of calls one after the other, with the ratios to raw fetch and to ky, and of 100 and 2000 calls
at once. Clients take turns; medians are printed. Exits with 1 if a call of bookmore-sdk costs more than 1.25 times as
much as one of ky, or one of 2000 calls at once more than 1.5 times as much as one of 100.

  --rounds N     rounds of 200 calls each (default 60)
  --node MAJOR   only this version of Node (default: 22, then 24)
  --help         print this text
`;

const MOST_TIMES_KY = 1.25;
const MOST_TIMES_AT_ONCE = 1.5;
const NAMES = ["bookmore-sdk", "bookmore-sdk/no-wasm", "ky", "@servicestack/client", "openai", "fetch, no client"];

async function main() {
  const options = { rounds: { type: "string", default: "60" }, node: { type: "string", multiple: true }, help: { type: "boolean" } };
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

/** Prints the table of one version of Node. Returns the limits that it exceeds. */
async function compare(program, rounds, { path, clients }) {
  const { stdout: version } = await promisify(execFile)(program, ["--version"]);
  const args = ["calls.mjs", `${rounds}`, ...clients.map(({ file }) => file)];
  const { stdout } = await promisify(execFile)(program, args, { cwd: path, maxBuffer: 1e8 });
  const rows = JSON.parse(stdout).map(({ file, inTurn, atOnce }) => {
    const { name, version } = clients.find((client) => client.file === file);
    const [few, many] = atOnce.map(median);
    return { name, title: `${name} ${version}`.trim(), inTurn, us: median(inTurn), few, many };
  });
  const of = (name) => rows.find((row) => row.name === name);
  const [ours, ky, raw] = ["bookmore-sdk", "ky", "fetch, no client"].map(of);
  // Ratios within a round, because the machine's other load varies between rounds.
  const times = (one, other) => median(one.inTurn.map((us, round) => us / other.inTurn[round]));
  console.log(`\n| Node ${version.trim()}, µs a call | in turn | × fetch | × ky | 100 at once | 2000 at once | × 100 |`);
  console.log(`|---${"|--:".repeat(6)}|`);
  for (const row of rows) {
    const { title, us, few, many } = row;
    const cells = [us.toFixed(1), times(row, raw).toFixed(2), times(row, ky).toFixed(2), few.toFixed(1), many.toFixed(1), (many / few).toFixed(2)];
    console.log(`| ${title} | ${cells.join(" | ")} |`);
  }
  const missed = (what, times, than, most) => (times > most ? [`Node ${version.trim()}: ${what} costs ${times.toFixed(2)} times as much as ${than}`] : []);
  return [
    ...missed("a call", times(ours, ky), "one of ky", MOST_TIMES_KY),
    ...missed("one of 2000 calls at once", ours.many / ours.few, "one of 100", MOST_TIMES_AT_ONCE),
  ];
}

await main().catch((error) => {
  console.error(`bench-call: ${error.message}`);
  process.exitCode = 1;
});
