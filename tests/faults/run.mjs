// Compares this SDK with other clients on the fault server and on the recorded exchanges. The
// tables go to stdout as Markdown, everything else to stderr. `make faults`, or see --help.
import { AsyncLocalStorage } from "node:async_hooks";
import dns from "node:dns";
import { createRequire } from "node:module";
import { isIP } from "node:net";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { install } from "../package/installed.mjs";
import { ATTEMPT_MS, clients, replayClients } from "../peers/clients.mjs";
import { startServer } from "../server/server.mjs";
import { BOUND_MS, CASES, fault } from "./cases.mjs";
import { replay } from "./replays.mjs";
import { RUST, startRust, wasmFailure } from "./servicestack-rust.mjs";

const OURS = "bookmore-sdk";
const REPLAYS = "replays";
const TITLES = { fetch: "five lines of `fetch`", [RUST]: "`servicestack` 0.1.3, the crate, with the types that its hosts generate" };
const CASE_NAMES = [...CASES.map(({ name }) => name), REPLAYS];
const CLIENT_NAMES = [...new Set([...clients(), ...replayClients()].map(({ name }) => name)), RUST];

const USAGE = `Usage: node tests/faults/run.mjs [--only CASE]... [--client NAME]...

Runs this SDK and other clients against a server that misbehaves, and prints which cases each client got right.
Exits with 1 if this SDK got one wrong.

  --only CASE    only this case (${REPLAYS}: only the recorded exchanges)
  --client NAME  only this client
  --help         print this text

Cases:   ${CASE_NAMES.join(", ")}
Clients: ${CLIENT_NAMES.join(", ")}
`;

function readArguments(args) {
  const several = { type: "string", multiple: true, default: [] };
  let values;
  try {
    ({ values } = parseArgs({ args, options: { only: several, client: several, help: { type: "boolean" } } }));
  } catch (error) {
    throw new Error(`${error.message.split(/\. |\n/)[0].replace(/\.$/, "")}; see --help.`);
  }
  for (const [option, names] of [["only", CASE_NAMES], ["client", CLIENT_NAMES]]) {
    const unknown = values[option].find((name) => !names.includes(name));
    if (unknown !== undefined) throw new Error(`--${option} must be one of ${names.join(", ")}, not "${unknown}".`);
  }
  const chosen = (wanted) => (name) => wanted.length === 0 || wanted.includes(name);
  return { help: values.help, hasCase: chosen(values.only), hasClient: chosen(values.client) };
}

// ---- The faults ----

// The running case, to which a stray rejection is attributed.
const current = new AsyncLocalStorage();
for (const event of ["unhandledRejection", "uncaughtException"]) {
  process.on(event, (error) => {
    const outcome = current.getStore();
    if (outcome) outcome.unhandled = String(error);
    else say(`An error that belongs to no case: ${error?.stack ?? error}`);
  });
}

async function runCase(server, client, { name }) {
  const outcome = {};
  const key = client.name.replace(/\W/g, "");
  const call = current.run(outcome, () =>
    Promise.resolve()
      .then(() => client.call({ url: `${server.url}/faults/${name}/${key}`, session: newSession() }))
      .then((value) => ({ value }), (error) => ({ error: error ?? new Error("nothing was thrown") })),
  );
  let timer;
  const bound = new Promise((resolve) => (timer = setTimeout(resolve, BOUND_MS, { pending: true })));
  Object.assign(outcome, await Promise.race([call, bound]));
  clearTimeout(timer);
  const log = async (fault) => (await fetch(`${server.url}/faults-log/${fault}/${key}`)).json();
  return Object.assign(outcome, { requests: await log(name), elsewhere: await log("other-origin") });
}

/** A token that the server of `401-then-200` refuses, and the way to get another one. */
function newSession() {
  const session = {
    token: "first-token",
    apiKey: "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c",
    refresh: async () => (session.token = "fresh-token"),
  };
  return session;
}

/** One client after the other; all cases of a client run concurrently. */
async function runFaults(server, chosenClients, cases) {
  const reasons = new Map();
  for (const client of chosenClients) {
    const outcomes = await Promise.all(cases.map((row) => runCase(server, client, row)));
    const wrong = cases.map((row, at) => fault(row, outcomes[at]));
    reasons.set(client, wrong);
    say(`${client.name} ${client.version}: ${wrong.filter((why) => !why).length} of ${cases.length}`);
    wrong.forEach((why, at) => why && say(`  ✘ ${cases[at].name}: ${why}`));
  }
  return reasons;
}

async function faultTable(server, cases, reasons) {
  const list = await (await fetch(`${server.url}/faults`)).text();
  const about = Object.fromEntries([...list.matchAll(/^\/faults\/(\S+) +(.*)$/gm)].map(([, name, text]) => [name, text]));
  const columns = [...reasons];
  return table(
    ["case", "the server's reply", "right if the client", ...columns.map(([{ name, version }]) => `${name} ${version}`)],
    [
      ...cases.map(({ name, rule }, row) => [`\`${name}\``, about[name], rule, ...columns.map(([, wrong]) => (wrong[row] ? "✘" : "✔"))]),
      ["**right**", "", "", ...columns.map(([, wrong]) => `**${wrong.filter((why) => !why).length} of ${cases.length}**`)],
    ],
  );
}

const FAULT_NOTE = `
Each client has its own defaults and its documented way to a fresh token. An attempt is limited to
${ATTEMPT_MS / 1000} s if the client has an option for it: @servicestack/client has none. All send a token and an x-api-key. A
case is lost after ${BOUND_MS / 1000} s. A rejection may be with any value, and members may have names in any letter case.
`;

const REPLAY_NOTE = `
A usage with the true numbers is right; if the reply has no usage, any rejection is. Redirects lead nowhere
here, so clients that follow them reject as well.
`;

function rustNote() {
  const failure = wasmFailure();
  const compiles = failure === undefined ? "compiles for wasm32" : `does not compile for wasm32: ${failure}`;
  return `
The crate \`servicestack\` ${compiles}.
The types that a host generates for it read camelCase; they read PascalCase as a usage full of zeros.
`;
}

// ---- The run ----

function table(head, rows) {
  const lines = [head, head.map((_, at) => (at === 0 ? ":--" : "---")), ...rows];
  return `${lines.map((cells) => `| ${cells.join(" | ")} |`).join("\n")}\n`;
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Recorded redirects name the real host, so clients must not follow them here. */
function stayHere() {
  const { lookup } = dns;
  dns.lookup = (host, ...rest) => {
    if (host === "localhost" || isIP(host)) return lookup(host, ...rest);
    rest.at(-1)(Object.assign(new Error(`${host} is elsewhere`), { code: "ENOTFOUND" }));
  };
  for (const name of Object.keys(process.env)) if (/^(https?|all)_proxy$/i.test(name)) delete process.env[name];
}

async function main() {
  const { help, hasCase, hasClient } = readArguments(process.argv.slice(2));
  if (help) return process.stdout.write(USAGE);

  let user, server, rust;
  let complete = true;
  try {
    if (hasClient(OURS)) {
      say("Packing and installing this SDK.");
      user = install();
    }
    const sdk = user && createRequire(join(user.folder, "package.json"))(OURS);
    stayHere();
    server = await startServer({ replay: true });

    const cases = CASES.filter(({ name }) => hasCase(name));
    const table1 = clients(sdk).filter(({ name }) => hasClient(name));
    if (cases.length > 0 && table1.length > 0) {
      const reasons = await runFaults(server, table1, cases);
      complete &&= ![...reasons].some(([{ name }, wrong]) => name === OURS && wrong.some(Boolean));
      process.stdout.write((await faultTable(server, cases, reasons)) + FAULT_NOTE);
    }

    const table2 = replayClients(sdk).filter(({ name }) => hasClient(name));
    if (hasCase(REPLAYS) && hasClient(RUST)) {
      say("Building ServiceStack's client for Rust.");
      rust = startRust();
      table2.push({ name: RUST, call: rust.call });
    }
    if (hasCase(REPLAYS) && table2.length > 0) {
      say("Replaying the recorded exchanges.");
      const { total, counts } = await replay(table2, server.url, newSession);
      complete &&= !counts.some(({ name, wrong }) => name === OURS && wrong > 0);
      for (const { name, ids } of counts) if (ids.length > 0) say(`${name} was wrong at ${ids.join(", ")}`);
      process.stdout.write(
        `\n${table(
          [`${total} recorded replies`, "right", "wrong", "of these, failures taken for data"],
          counts.map(({ name, right, wrong, takenForData }) => [TITLES[name] ?? name, right, wrong, takenForData]),
        )}${REPLAY_NOTE}${rust ? rustNote() : ""}`,
      );
    }
  } finally {
    rust?.stop();
    await server?.close();
    user?.remove();
  }
  process.exitCode = complete ? 0 : 1;
}

try {
  await main();
} catch (error) {
  say(error.message);
  process.exitCode = 2;
}
// Some clients are still sleeping, for an hour if the server asked for that.
process.stdout.write("", () => process.exit());
