// The stand-in API server: the fake API behind HTTP, the recorded hosts, and routes that misbehave. It serves the demo, too.
// Run it with `node tests/server/server.mjs`, or start it from a test with `startServer()`.
import { realpathSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadExchanges } from "./exchanges.mjs";
import { faults } from "./faults.mjs";
import { answerByKit, createKit, driveKit } from "./kit.mjs";
import { replayById, replayByRequest, replayMetadata, sendText } from "./replay.mjs";
import { SCENARIOS } from "./scenarios.mjs";
import { health, home, noIcon, staticFiles } from "./static.mjs";

const PROJECT_ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Starts the server; port 0 takes any free one.
 * With `replay` the recordings answer instead of the fake; under their prefixes they always do.
 * `requests` has `{ method, url, headers }` of everything received except pages and /health.
 * `fake` is the fake API. `close()` also ends open connections.
 */
export async function startServer({ port = 0, host = "127.0.0.1", root = PROJECT_ROOT, replay = false } = {}) {
  const exchanges = loadExchanges();
  const pageRoutes = [health, home, noIcon, staticFiles(root)];
  let apiRoutes;
  const requests = [];

  const server = createServer(async (req, res) => {
    try {
      if (await offer([driveKit(fake), ...pageRoutes], req, res)) return;
      req.resume(); // bodies are not needed, but must be read for the connection to continue
      requests.push({ method: req.method, url: req.url, headers: req.headers });
      await offer(apiRoutes, req, res);
    } catch (error) {
      // A fault of this server must not look like a recorded 500.
      if (res.headersSent) res.destroy(error);
      else sendText(res, 500, `The stand-in server failed: ${error.stack}`);
    }
  });

  // Longer than any pause of a test, because a client may send on a connection just as it is closed.
  server.keepAliveTimeout = 60_000;
  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });

  const address = server.address();
  const url = `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`;
  const fake = createKit(url);
  apiRoutes = [
    replayById(exchanges),
    ...(replay ? [replayMetadata] : []),
    faults(exchanges),
    replayByRequest(exchanges, { isDefault: replay }),
    answerByKit(fake, exchanges), // takes whatever is left, so it stays last
  ];
  return {
    url,
    port: address.port,
    requests,
    fake,
    close() {
      const closed = new Promise((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

async function offer(routes, req, res) {
  for (const route of routes) {
    if (await route(req, res)) return true;
  }
  return false;
}

// ---- Command line ----

const USAGE = `Usage: node tests/server/server.mjs [--port N] [--replay]

Starts the stand-in API server on 127.0.0.1 for demos and tests.

  --port N   the port to listen on, 0 for any free one (default 8787)
  --replay   answer from the recordings, which have more formats and verbs, and never change between requests
  --help     print this text
`;

// Scenarios worth trying by hand.
const SHOWN = [
  "zero-used", "over-limit", "past-2-53", "null-result", "redirect-login", "unauthorized-by-service",
  "forbidden-unicode", "not-found", "too-many-retry-after", "server-error", "html-503", "plain-string",
];

async function main() {
  let options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
    return;
  }
  if (options === undefined) {
    process.stdout.write(USAGE);
    return;
  }

  let server;
  try {
    server = await startServer(options);
  } catch (error) {
    const reason =
      error.code === "EADDRINUSE"
        ? `Port ${options.port} is already in use; choose another one with --port N.`
        : `The server could not start: ${error.message}`;
    process.stderr.write(`${reason}\n`);
    process.exitCode = 1;
    return;
  }
  // Before the greeting, because whoever has read it may send a signal at once.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
  process.stdout.write(greeting(server.url, options.replay));
}

// What to start; undefined if only help is wanted. Throws errors with a clear sentence.
function readOptions(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: {
        port: { type: "string", default: "8787" },
        replay: { type: "boolean", default: false },
        help: { type: "boolean" },
      },
    }));
  } catch (error) {
    throw new Error(`${error.message.split(/\. |\n/)[0].replace(/\.$/, "")}; see --help.`);
  }
  if (values.help) return undefined;
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65535)
    throw new Error(`--port must be a number from 0 to 65535, not "${values.port}".`);
  return { port: Number(values.port), replay: values.replay };
}

function greeting(url, replay) {
  const files = [...new Set(loadExchanges().map(({ file }) => file))];
  const scenarios = SCENARIOS.filter(([name]) => SHOWN.includes(name)).map(([name, companyId]) => `    ${companyId}  ${name}`);
  const api = replay
    ? [`API:        ${url}  (like /pascal, and open to pages on localhost)`]
    : [
        `React app:  ${url}/examples/react-chat/`,
        `API:        ${url}  (the fake of bookmore-sdk/testing; --replay answers from the recordings)`,
        `To change its answers (null is the caller's own company):`,
        `    curl ${url}/fake/record -d '[null, 500]'`,
        `    curl ${url}/fake/set -d '[null, { "status": 429, "retryAfter": 2, "times": 1 }]'`,
        `    curl ${url}/fake/advance -d '[86400000]'`,
        `    curl ${url}/fake/reset -d '[]'; curl ${url}/fake/requests`,
      ];
  return [
    `Demo page:  ${url}/examples/usage-meter/`,
    ...api,
    `Recorded hosts, as base URLs:`,
    ...files.map((file) => `    ${url}/${file}`),
    `One exchange for any request:     ${url}/replay/pascal/ok-json`,
    `Accepted:   Authorization: Bearer good-token`,
    `Companies to try (none gives the caller's own, 200):`,
    ...scenarios,
    `Stop with Ctrl+C.`,
    ``,
  ].join("\n");
}

// True when run directly rather than imported; the path may have come through a link.
const isMain =
  process.argv[1] !== undefined &&
  realpathSync(process.argv[1]) === realpathSync(fileURLToPath(import.meta.url));
if (isMain) await main();
