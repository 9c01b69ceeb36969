// Servers that make calls fail, one for each cause, each with a port for http and one for https.
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createSecureServer as createHttp2Server } from "node:http2";
import { createServer as createTcpServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { answer } from "../../../pkg/dist/cli/http.js";
import { createFakeBookMore } from "../../../pkg/dist/testing/index.js";
import { GOOD } from "./causes.mjs";

const PATH = "/assistant/ai-chat/usage";
const UNAUTHORIZED = '{"ResponseStatus":{"ErrorCode":"Unauthorized"}}';
const OPEN = { "access-control-allow-origin": "*", "access-control-allow-headers": "authorization,x-api-key", "access-control-expose-headers": "date" };

/** Begins a server. `baseUrl` is for the client; `requests` what came. */
export async function host({ cors = "open", fake: fakeOptions = {}, answers, company, tls, dead, url, raw, scheme, path = "", moved, redirect, limit, late, corp, headers, strict, mislabelled, preflightOnly, resets, gate, slash, empty, tunnel, says, refusesOrigin, allows = "authorization,x-tenant,content-type" }, certificates) {
  if (url) return { baseUrl: url, requests: [], close() {} };
  if (dead) return { baseUrl: `http://127.0.0.1:${await freePort()}`, requests: [], close() {} };
  if (raw) return rawHost(raw, certificates);
  const requests = [];
  let respond;
  const handle = (req, res) => {
    requests.push({ method: req.method, url: req.url, headers: req.headers });
    respond(req, res);
  };
  const server = tls ? createSecureServer(certificates[tls], handle) : createServer(handle);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const origin = `${tls ? "https" : "http"}://127.0.0.1:${server.address().port}`;
  const fake = createFakeBookMore({ baseUrl: origin, cors: headers ? "none" : cors, ...fakeOptions });
  if (answers) fake.set(company, answers);
  let count = 0;
  const send = (res, status, headers, body = "") => res.writeHead(status, headers).end(body);
  const isPreflight = ({ method }) => method === "OPTIONS";
  respond = (req, res) => {
    // As a server's settings add them to each reply.
    for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value);
    if (headers && isPreflight(req)) return send(res, 204, {});
    // As Spring does.
    if (refusesOrigin && req.headers.origin) return send(res, 403, {}, "Invalid CORS request");
    if (corp) return send(res, 401, { "cross-origin-resource-policy": "same-origin" });
    if (redirect) return send(res, 302, { location: redirect, "set-cookie": "gate=1" });
    if (limit !== undefined && !isPreflight(req) && ++count > limit) return send(res, 429, {});
    if (strict) {
      // CORS for everything but what it refuses because of this header.
      const cors = { "access-control-allow-origin": req.headers.origin ?? "*", "access-control-allow-credentials": "true", "access-control-allow-headers": allows };
      return send(res, isPreflight(req) ? 204 : 401, req.headers[strict] ? {} : cors);
    }
    if (mislabelled && !isPreflight(req)) return send(res, 200, { ...OPEN, "content-type": "application/json", "content-encoding": "gzip" }, "{}");
    if (tunnel && !isPreflight(req) && /^Mozilla/.test(req.headers["user-agent"])) return send(res, 200, { "content-type": "text/html" }, "<h1>You are about to visit</h1>");
    if (gate && !isPreflight(req)) return send(res, 401, { ...OPEN, "content-type": "text/html", "www-authenticate": 'Basic realm="Staging"' }, "<h1>Sign in</h1>");
    if (says && !isPreflight(req) && (says.isForAll || req.headers.authorization)) return send(res, says.status, { ...OPEN, "content-type": says.type ?? "application/json" }, says.body);
    if (empty && !isPreflight(req)) return send(res, 200, { ...OPEN, "content-type": "application/json" });
    if (preflightOnly && isPreflight(req)) return send(res, 204, OPEN);
    // Probes send a placeholder, which is short.
    if (resets && req.headers[resets]?.length > 40) return req.socket.destroy();
    if (slash) {
      if (!req.url.endsWith("/")) return send(res, 308, { ...OPEN, location: `${req.url}/` });
      return send(res, isPreflight(req) ? 204 : 401, { ...OPEN, "content-type": "application/json" }, isPreflight(req) ? "" : UNAUTHORIZED);
    }
    if (moved) {
      if (isPreflight(req) && moved !== "with OPTIONS") return send(res, 204, OPEN);
      if (req.url === PATH) return send(res, 301, { ...OPEN, location: `${origin}/v2${PATH}` });
      return send(res, 401, OPEN, "{}");
    }
    if (late) {
      // Its clock is two hours ahead, so that a token valid for one hour has expired.
      const date = new Date(Date.now() + 2 * 3_600_000).toUTCString();
      if (isPreflight(req)) return send(res, 204, OPEN);
      res.sendDate = false;
      return send(res, 401, { ...OPEN, date }, "");
    }
    // Where the fake says that the API has moved to.
    if (req.url.startsWith("/moved/")) return send(res, 401, { "content-type": "application/json" }, UNAUTHORIZED);
    answer(fake, req, res, {}).catch(() => res.destroy());
  };
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { baseUrl: (scheme ? origin.replace(/^\w+/, scheme) : origin) + path, requests, close };
}

/** Servers that do not speak HTTP/1.1 or a current TLS, with the scheme of the client's base URL. */
const RAW = {
  oldTls: ["https", ({ good }) => createTlsServer({ ...good, minVersion: "TLSv1", maxVersion: "TLSv1.1", ciphers: "DEFAULT:@SECLEVEL=0" })],
  http2: ["https", ({ good }) => createHttp2Server({ ...good, allowHTTP1: false })],
  clientCertificate: ["https", ({ good }) => createSecureServer({ ...good, requestCert: true, rejectUnauthorized: true })],
  clientCertificateOfOld: ["https", ({ good }) => createSecureServer({ ...good, requestCert: true, rejectUnauthorized: true, maxVersion: "TLSv1.2" })],
  unknownName: ["https", () => createTcpServer((socket) => socket.once("data", () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, 112]))))],
  closed: ["http", () => createTcpServer((socket) => socket.destroy())],
  otherService: ["http", () => createTcpServer((socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH_9.2\r\n"))],
};

async function rawHost(name, certificates) {
  const [scheme, make] = RAW[name];
  const server = make(certificates);
  const sockets = new Set();
  server.on("connection", (socket) => sockets.add(socket.on("error", () => {})));
  for (const event of ["tlsClientError", "unknownProtocol"]) server.on(event, (...given) => given.at(-1).destroy());
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  return { baseUrl: `${scheme}://127.0.0.1:${server.address().port}`, requests: [], close };
}

/** The options of the client. */
export const clientOptions = ({ options = {} }, baseUrl) => ({ baseUrl, bearerToken: GOOD, ...options });

async function freePort() {
  const server = createTcpServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
