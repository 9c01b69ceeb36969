// The stand-in API server: answers like recorded hosts of the real framework, and serves the demo.
// Run it with `node tests/server/server.mjs`, or start it from a test with `startServer()`.
import { realpathSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { loadExchanges } from "./exchanges.mjs";
import { faults } from "./faults.mjs";
import { replayById, replayByRequest, sendText } from "./replay.mjs";
import { health, home, staticFiles } from "./static.mjs";

const PROJECT_ROOT = fileURLToPath(new URL("../../", import.meta.url));

/**
 * Starts the server; port 0 takes any free one.
 * `requests` holds `{ method, url, headers }` of everything received except pages and /health.
 * `close()` also ends open connections.
 */
export async function startServer({ port = 0, host = "127.0.0.1", root = PROJECT_ROOT } = {}) {
  const exchanges = loadExchanges();
  const pageRoutes = [health, home, staticFiles(root)];
  const apiRoutes = [
    replayById(exchanges),
    faults(exchanges),
    replayByRequest(exchanges), // takes whatever is left, so it stays last
  ];
  const requests = [];

  const server = createServer(async (req, res) => {
    req.resume(); // bodies are of no interest, but must be read for the connection to go on
    try {
      if (await offer(pageRoutes, req, res)) return;
      requests.push({ method: req.method, url: req.url, headers: req.headers });
      await offer(apiRoutes, req, res);
    } catch (error) {
      // A fault of this server must not pass for one of the recorded 500s.
      if (res.headersSent) res.destroy(error);
      else sendText(res, 500, `The stand-in server failed: ${error.stack}`);
    }
  });

  await new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });

  const address = server.address();
  return {
    url: `http://${address.family === "IPv6" ? `[${address.address}]` : address.address}:${address.port}`,
    port: address.port,
    requests,
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

const USAGE = `Usage: node tests/server/server.mjs [--port N]

Starts the stand-in API server on 127.0.0.1 for demos and tests.

  --port N   the port to listen on, 0 for any free one (default 8787)
  --help     print this text
`;

// Scenarios worth trying by hand; the company ids are looked up in the recordings.
const SHOWN = [
  "zero-used", "over-limit", "past-2-53", "null-result", "redirect-login", "unauthorized-by-service",
  "forbidden-unicode", "not-found", "too-many-retry-after", "server-error", "html-503", "plain-string",
];

async function main() {
  let port;
  try {
    port = readPort(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 2;
    return;
  }
  if (port === undefined) {
    process.stdout.write(USAGE);
    return;
  }

  let server;
  try {
    server = await startServer({ port });
  } catch (error) {
    const reason =
      error.code === "EADDRINUSE"
        ? `Port ${port} is already in use; choose another one with --port N.`
        : `The server could not start: ${error.message}`;
    process.stderr.write(`${reason}\n`);
    process.exitCode = 1;
    return;
  }
  // Before the greeting: whoever has read it may already send a signal.
  for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => server.close());
  process.stdout.write(greeting(server.url));
}

// The port to listen on; undefined if only help is wanted. Throws one clear sentence.
function readPort(args) {
  let values;
  try {
    ({ values } = parseArgs({
      args,
      options: { port: { type: "string", default: "8787" }, help: { type: "boolean" } },
    }));
  } catch (error) {
    throw new Error(`${error.message.split(/\. |\n/)[0].replace(/\.$/, "")}; see --help.`);
  }
  if (values.help) return undefined;
  if (!/^\d{1,5}$/.test(values.port) || Number(values.port) > 65535)
    throw new Error(`--port must be a number from 0 to 65535, not "${values.port}".`);
  return Number(values.port);
}

function greeting(url) {
  const exchanges = loadExchanges();
  const files = [...new Set(exchanges.map(({ file }) => file))];
  const scenarios = SHOWN.map((name) => {
    const { request, response } = exchanges.find(({ id }) => id === `pascal/${name}-json`);
    const company = /CompanyId=([^&]*)/.exec(request.path)[1];
    return `    ${company}  ${response.status} ${name}`;
  });
  return [
    `Demo page:  ${url}/examples/usage-meter/`,
    `API:        ${url}  (like /pascal, and open to pages on localhost)`,
    `Other recorded hosts, as base URLs:`,
    ...files.map((file) => `    ${url}/${file}`),
    `One exchange, whatever is asked:  ${url}/replay/pascal/ok-json`,
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
