// The time to the first value, compared with other clients, in Node and in Chromium. `make bench-start`.
import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { json } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { brotliCompressSync } from "node:zlib";
import { isSameUsage } from "../faults/usage.mjs";
import { BROWSERS } from "../package/browser-drivers.mjs";
import { startServer } from "../server/server.mjs";
import { median, prepare } from "./peers.mjs";

const USAGE = `Usage: node tests/bench/start.mjs [--samples N] [--node-only]

Measures the time to the first value, from nothing loaded, against the stand-in server. Prints Markdown with
the ratios to bookmore-sdk:

  Node       import and first call, in a fresh process for each sample
  Chromium   bytes of script and wasm that a page transfers (bundled and minified by esbuild, brotli), and the
             time from the page's own start to the value, in a fresh renderer and cache for each sample

Clients take turns, so that the machine's other load affects all of them; medians are printed.

  --samples N    samples for each client, in Node and in Chromium (default 15)
  --node-only    without Chromium
  --help         print this text
`;

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const TRUTH = { tokensUsed: "1234", tokenLimit: "100000", tokensRemaining: "98766", isWithinBudget: true, windowDays: "30" };

async function main() {
  const options = { samples: { type: "string", default: "15" }, "node-only": { type: "boolean" }, help: { type: "boolean" } };
  const { values } = parseArgs({ options });
  if (values.help) return process.stdout.write(USAGE);
  const count = Number(values.samples);
  if (!(Number.isInteger(count) && count > 0)) throw new Error("--samples must be a whole number above 0; see --help.");

  const folder = prepare(["once.mjs", "page.mjs"]);
  const { clients } = folder;
  const api = await startServer({ replay: true });
  try {
    const inNode = await sample(clients, count, (client) => nodeSample(folder.path, client, api.url));
    printTable(`Node ${process.version}, ms`, inNode, [
      ["import", ({ importMs }) => importMs],
      ["first call", ({ callMs }) => callMs],
      ["together", ({ importMs, callMs }) => importMs + callMs],
    ]);
    if (values["node-only"]) return;
    const pages = await startPages(await bundles(folder), api.url);
    const browser = await BROWSERS.find(({ name }) => name === "chromium").start();
    try {
      const version = (await browser.driver.getCapabilities()).getBrowserVersion();
      const inBrowser = await sample(clients, count, (client) => browserSample(browser.driver, client, pages));
      printTable(`Chromium ${version}`, inBrowser, [
        ["bytes", ({ bytes }) => bytes, 0],
        ["first value, ms", ({ valueMs }) => valueMs],
      ]);
    } finally {
      await browser.stop();
      pages.close();
    }
  } finally {
    await api.close();
    folder.remove();
  }
}

/** Clients take turns. The first round fills the machine's caches and is not counted. */
async function sample(clients, count, once) {
  const samples = new Map(clients.map((client) => [client, []]));
  for (let round = 0; round <= count; round++) {
    for (const client of clients) {
      const measured = await once(client);
      if (!isSameUsage(measured.value, TRUTH)) throw new Error(`${client.name} gave ${JSON.stringify(measured.value)}`);
      if (round > 0) samples.get(client).push(measured);
    }
  }
  return samples;
}

async function nodeSample(cwd, { file }, url) {
  const { stdout } = await promisify(execFile)(process.execPath, ["once.mjs", file, url], { cwd });
  return JSON.parse(stdout);
}

// Times are taken in the page, because most of a navigation is the browser's work before the page runs.
const PAGE = Buffer.from(
  '<!doctype html><script>var started = performance.now()</script><script type="module" src="page.js"></script>',
);

let visits = 0;

async function browserSample(driver, { file }, pages) {
  // The last page's renderer ends and the browser prepares the next one, before the time runs.
  await driver.get("about:blank");
  await sleep(300);
  const arrived = pages.nextSample();
  // A new site each time, so that neither a cache nor a renderer process is reused.
  await driver.get(`http://visit-${++visits}.localhost:${pages.port}/${file}/`);
  const late = sleep(30_000, undefined, { ref: false }).then(() => {
    throw new Error(`${file}: no value after 30 s`);
  });
  return Promise.race([arrived, late]);
}

/** The files of the pages: path → [media type, bytes]. */
async function bundles({ path: folder, clients }) {
  const { build } = createRequire(at("../../pkg/package.json"))("esbuild");
  const files = new Map();
  for (const { file } of clients) {
    const { outputFiles } = await build({
      absWorkingDir: folder,
      entryPoints: ["page.mjs"],
      alias: { client: `./clients/${file}.mjs` },
      bundle: true,
      minify: true,
      format: "esm",
      write: false,
      logLevel: "warning",
    });
    files.set(`/${file}/`, ["text/html", PAGE]);
    files.set(`/${file}/page.js`, ["text/javascript", outputFiles[0].contents]);
    files.set(`/${file}/sdk.wasm`, ["application/wasm", readFileSync(join(folder, "node_modules/bookmore-sdk/dist/sdk.wasm"))]);
  }
  return files;
}

/** Serves the pages, compressed with brotli, and the API from the same origin; takes the samples that pages send. */
async function startPages(files, apiUrl) {
  let settle;
  const compressed = new Map([...files].map(([path, [type, bytes]]) => [path, [type, brotliCompressSync(bytes)]]));
  const server = createServer(async (req, res) => {
    if (req.url === "/sample") {
      settle(await json(req));
      return res.writeHead(204).end();
    }
    const file = compressed.get(req.url);
    if (!file) return forward(req, res, apiUrl);
    if (!/\bbr\b/.test(req.headers["accept-encoding"])) return res.writeHead(406).end();
    res.writeHead(200, { "content-type": file[0], "content-encoding": "br", "content-length": file[1].length });
    res.end(file[1]);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: server.address().port,
    nextSample: () => new Promise((resolve) => (settle = resolve)),
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function forward(req, res, apiUrl) {
  const { method, headers } = req;
  const asked = request(apiUrl + req.url, { method, headers }, (reply) => {
    res.writeHead(reply.statusCode, reply.headers);
    reply.pipe(res);
  });
  asked.on("error", () => res.destroy());
  req.pipe(asked);
}

/** A row for each client: the median of each column, and its ratio to the first client's. */
function printTable(title, samples, columns) {
  const rows = [...samples].map(([client, measured]) => [client, columns.map(([, pick]) => median(measured.map(pick)))]);
  const [[, ours]] = rows;
  const cell = (value, i) => `${value.toFixed(columns[i][2] ?? 1)} | ${(value / ours[i]).toFixed(2)}`;
  console.log(`\n| ${title} | ${columns.map(([name]) => `${name} | ×`).join(" | ")} |`);
  console.log(`|---|${"--:|--:|".repeat(columns.length)}`);
  for (const [{ name, version }, values] of rows) console.log(`| ${`${name} ${version}`.trim()} | ${values.map(cell).join(" | ")} |`);
}

await main().catch((error) => {
  console.error(`bench-start: ${error.message}`);
  process.exitCode = 1;
});
