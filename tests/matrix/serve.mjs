// Serves a user's folder as a static file server does.
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { extname, join, normalize } from "node:path";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".wasm": "application/wasm",
};

/**
 * @param {string} folder
 * @param {object} headers sent with every file
 * @param {{ key: Buffer, cert: Buffer }} [certificate] for https
 * @param {Record<string, string>} redirects the paths that are redirected, and where to
 * @param {Record<string, [status: number, headers: object, body: string]>} replies the paths that are answered otherwise, and how
 * @returns {Promise<{ url: string, close(): Promise<void> }>} `url` ends with a slash
 */
export async function serve(folder, headers = {}, certificate, redirects = {}, replies = {}) {
  const handle = async (req, res) => {
    const { pathname } = new URL(req.url, "http://host");
    if (redirects[pathname]) return res.writeHead(302, { location: redirects[pathname] }).end();
    if (replies[pathname]) {
      const [status, own, body] = replies[pathname];
      return res.writeHead(status, own).end(body);
    }
    const path = normalize(pathname.endsWith("/") ? `${pathname}index.html` : pathname);
    try {
      const bytes = await readFile(join(folder, decodeURIComponent(path)));
      res.writeHead(200, { "content-type": TYPES[extname(path)] ?? "application/octet-stream", ...headers });
      res.end(bytes);
    } catch {
      res.writeHead(404).end();
    }
  };
  const server = certificate ? createSecureServer(certificate, handle) : createServer(handle);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http${certificate ? "s" : ""}://127.0.0.1:${server.address().port}/`,
    close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      return closed;
    },
  };
}
