// Passes a command's output on and, if WRITE is set, writes it to docs/measured/NAME.md: `make faults WRITE=1`.
import { mkdirSync, writeFileSync } from "node:fs";
import { text } from "node:stream/consumers";

/** The first lines of each page. */
const TITLES = {
  faults: "Clients compared on a server that misbehaves",
  matrix: "Where the package runs",
  restart: "Clients compared on a server that is killed and restarted",
  "bench-call": "What a call costs, without the network",
  "bench-many": "What many companies cost",
  "bench-start": "The time to the first value",
};

const name = process.argv[2];
if (!Object.hasOwn(TITLES, name)) {
  process.stderr.write(`page: there is no page "${name}"; choose one of ${Object.keys(TITLES).join(", ")}\n`);
  process.exit(2);
}
process.stdin.on("data", (chunk) => process.stdout.write(chunk));
const printed = await text(process.stdin);
if (process.env.WRITE) {
  const folder = new URL("../docs/measured/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  const heading = `# ${TITLES[name]}\n\nWritten by \`make ${name} WRITE=1\`; do not edit.`;
  writeFileSync(new URL(`${name}.md`, folder), `${heading}\n\n${printed.trim()}\n`);
}
