// The routes that serve the demo page and what it imports.
import { readFile, realpath, stat } from "node:fs/promises";
import { extname, join, sep } from "node:path";
import { sendText } from "./replay.mjs";

const FOLDERS = ["examples", "pkg"];
/** Redirects: from the root to the demo page, from an example with a build to its output. */
const REDIRECTS = { "/": "/examples/usage-meter/", "/examples/react-chat/": "/examples/react-chat/dist/" };

const TYPES = {
  ".cjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".map": "application/json; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".svg": "image/svg+xml",
  ".ts": "text/plain; charset=utf-8", // its registered type is a video format
  ".wasm": "application/wasm", // WebAssembly.instantiateStreaming accepts nothing else
};

/** /health: for scripts that wait until the server is up. */
export function health(req, res) {
  if (pathOf(req) !== "/health") return false;
  sendText(res, 200, "ok");
  return true;
}

/** /favicon.ico, which browsers request by themselves: there is none. */
export function noIcon(req, res) {
  if (pathOf(req) !== "/favicon.ico") return false;
  sendText(res, 404, "There is no icon");
  return true;
}

/** Redirects to pages. */
export function home(req, res) {
  const page = REDIRECTS[pathOf(req)];
  if (!page) return false;
  redirect(res, page);
  return true;
}

/** /examples/… and /pkg/… below `root`, nothing else. */
export function staticFiles(root) {
  return async (req, res) => {
    const path = pathOf(req);
    if (!FOLDERS.includes(path.split("/")[1])) return false;
    if (req.method !== "GET" && req.method !== "HEAD") {
      sendText(res, 405, `${path} can only be read`);
      return true;
    }
    const file = await locate(root, path);
    if (!file) sendText(res, 404, `There is no file ${path}`);
    else if (file.isDirectory && !path.endsWith("/")) redirect(res, `${path}/`); // for relative links
    else await sendFile(res, file.isDirectory ? join(file.path, "index.html") : file.path, path);
    return true;
  };
}

// The file or folder of a URL path, or undefined if there is none that may be shown.
async function locate(root, path) {
  try {
    const decoded = decodeURIComponent(path);
    // A segment that begins with a dot leads out of the folder ("..") or is a private file (".npmrc").
    if (/[\\/]\./.test(decoded)) return undefined;
    // Links are resolved first, so that none leads out of the two folders.
    const real = await realpath(join(root, decoded));
    const realRoot = await realpath(root);
    const inside = FOLDERS.some((folder) => (real + sep).startsWith(join(realRoot, folder) + sep));
    if (!inside) return undefined;
    return { path: real, isDirectory: (await stat(real)).isDirectory() };
  } catch {
    return undefined; // not there, or not a path at all ("%zz", NUL)
  }
}

async function sendFile(res, file, path) {
  let bytes;
  try {
    bytes = await readFile(file);
  } catch {
    return sendText(res, 404, `There is no file ${path}`);
  }
  res.writeHead(200, {
    "cache-control": "no-store", // a rebuilt package must show on the next reload
    "content-length": bytes.length,
    "content-type": TYPES[extname(file).toLowerCase()] ?? "application/octet-stream",
  });
  res.end(bytes);
}

function redirect(res, location) {
  res.writeHead(302, { "cache-control": "no-store", location });
  res.end();
}

function pathOf(req) {
  return req.url.split("?")[0];
}
