// Sends the recorded requests to a host, and writes its answers or compares them with the recordings.
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadExchanges } from "../server/exchanges.mjs";
import { ask, isLoopback } from "./ask.mjs";
import { differences } from "./differences.mjs";
import { drift, METADATA } from "./shape.mjs";

const OUT = fileURLToPath(new URL("../out/exchanges", import.meta.url));
const SAFE = ["GET", "HEAD", "OPTIONS"];
const EXCHANGES = loadExchanges();
const HOSTS = [...new Set(EXCHANGES.map(({ file }) => file))];

const USAGE = `Usage: node tests/recording/record.mjs URL [--host NAME]… [--out FOLDER | --compare | --shape]

Sends a host the requests of tests/fixtures/exchanges and writes its answers in the same form.

  URL           where the host is; {host} in it stands for the name of each recorded host in turn
  --host NAME   which recorded host's requests to send: ${HOSTS.join(", ")}
                (default: pascal, or all of them if the URL has {host})
  --out FOLDER  where NAME.json is written (default tests/out/exchanges)
  --compare     write nothing: print each difference from the recordings, apart from dates and ids
  --shape       send none of these: compare the crate's structs with the host's description of the operation
                at /types/metadata, and name each member that was added, was removed or changed its type
  --help        print this text

BOOKMORE_TOKEN and BOOKMORE_KEY in the environment are sent in place of the credentials that the recorded hosts
accepted. A host that is not on this machine gets no verb that could write.

Exit status: 0 equal or written, 1 there are differences, 2 bad usage, 3 no usable answer from the host.
`;

/** A mistake in the command line. */
class UsageError extends Error {}

async function main(args) {
  const options = read(args);
  if (!options) return process.stdout.write(USAGE), 0;
  if (options.shape) return shape(options);
  let differing = 0;
  let equal = 0;
  for (const host of options.hosts) {
    const base = urlOf(options.url, host);
    const recorded = EXCHANGES.filter(({ file }) => file === host);
    const sent = recorded.filter(({ request }) => isLoopback(base) || SAFE.includes(request.method));
    const left = recorded.length - sent.length;
    const now = [];
    for (const exchange of sent) now.push(await asked(base, exchange));
    const not = left > 0 ? `; ${left} not sent, because their verbs could write` : "";
    if (options.compare) {
      const found = sent.map((exchange, i) => [exchange.id, differences(exchange, now[i])]).filter(([, all]) => all.length > 0);
      for (const [id, all] of found) print(id, all);
      console.log(`${host}: ${sent.length - found.length} of ${sent.length} equal${not}`);
      differing += found.length;
      equal += sent.length - found.length;
    } else {
      mkdirSync(options.out, { recursive: true });
      const file = join(options.out, `${host}.json`);
      writeFileSync(file, `[\n${now.map((exchange) => JSON.stringify(exchange)).join(",\n")}\n]\n`);
      console.log(`${file}: ${now.length} exchanges${not}`);
    }
  }
  if (options.compare && options.hosts.length > 1) console.log(`${equal} of ${equal + differing} equal`);
  return differing > 0 ? 1 : 0;
}

/** Parses the command line; undefined if only help is wanted. */
function read(args) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        host: { type: "string", multiple: true },
        out: { type: "string" },
        compare: { type: "boolean", default: false },
        shape: { type: "boolean", default: false },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(error.message.split(/\. |\n/)[0].replace(/\.$/, ""));
  }
  const { positionals, values } = parsed;
  if (values.help) return undefined;
  const [url] = positionals;
  if (positionals.length !== 1) throw new UsageError(url ? `Give one URL, not ${positionals.length}` : "The URL of the host is missing");
  if ([values.out !== undefined, values.compare, values.shape].filter(Boolean).length > 1) {
    throw new UsageError("--out, --compare and --shape exclude each other");
  }
  const unknown = values.host?.find((name) => !HOSTS.includes(name));
  if (unknown !== undefined) throw new UsageError(`No host named "${unknown}" was recorded; choose one of ${HOSTS.join(", ")}`);
  const hosts = values.host ?? (url.includes("{host}") ? HOSTS : ["pascal"]);
  hosts.forEach((host) => urlOf(url, host));
  return { url, hosts: [...new Set(hosts)], out: resolve(values.out ?? OUT), compare: values.compare, shape: values.shape };
}

function urlOf(text, host) {
  const given = text.replaceAll("{host}", host);
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (!url || !/^https?:$/.test(url.protocol)) throw new UsageError(`"${text}" is not an http or https URL; give one such as http://127.0.0.1:5900`);
  if (url.username || url.search || url.hash) throw new UsageError("The URL may have a path, but no user, query or fragment");
  return url;
}

function asked(base, exchange) {
  const credentials = { bearerToken: process.env.BOOKMORE_TOKEN || undefined, apiKey: process.env.BOOKMORE_KEY || undefined };
  return ask(base, exchange, credentials).catch((cause) => {
    const why = cause.code ?? cause.message;
    throw new Error(`${exchange.id}: no answer from ${base.href} (${why}). Start the host, or check its URL.`, { cause });
  });
}

function print(id, found) {
  console.log(id);
  for (const { what, recorded, now } of found) console.log(`  ${what}\n    recorded ${shown(recorded)}\n    now      ${shown(now)}`);
}

const shown = (text) => (text === undefined ? "nothing" : JSON.stringify(text));

async function shape({ url, hosts }) {
  const base = urlOf(url, hosts[0]);
  const request = { method: "GET", path: METADATA, headers: { Accept: "application/json" } };
  const { response } = await asked(base, { id: "metadata", request });
  if (response.status !== 200) throw new Error(`The host answered ${response.status} to ${METADATA}; its metadata may be disabled.`);
  let metadata;
  try {
    metadata = JSON.parse(response.body);
  } catch (cause) {
    throw new Error(`The host's answer to ${METADATA} is not JSON.`, { cause });
  }
  const found = drift(metadata);
  console.log(found.length > 0 ? found.join("\n") : "The host and the crate have the same members.");
  return found.length > 0 ? 1 : 0;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage = error instanceof UsageError;
  process.stderr.write(isUsage ? `${error.message}; see --help.\n` : `${error.message}\n`);
  process.exitCode = isUsage ? 2 : 3;
}
