// The routes that answer with recorded exchanges.
//
// A route is `(req, res) => boolean`, possibly async: true once it has taken the request, false to
// leave it to the next one. It writes to `res` itself, so that a route may also misbehave.
import { readFileSync } from "node:fs";
import { bodyBytes } from "./exchanges.mjs";
import { createFinder, DEFAULT_FILE } from "./match.mjs";

const METADATA = new URL("../fixtures/metadata.json", import.meta.url);

const LOOPBACK_ORIGIN = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/i;

// Node frames the message itself, so a recorded value could contradict what is sent.
const FRAMING = new Set(["connection", "content-length", "transfer-encoding"]);

/** /replay/<exchange id>/…: that exchange's response, whatever the request. */
export function replayById(exchanges) {
  const byId = new Map(exchanges.map((exchange) => [exchange.id, exchange]));
  return (req, res) => {
    if (!/^\/replay(?=[/?]|$)/.test(req.url)) return false;
    const id = /^\/replay\/([^/?]*\/[^/?]*)/.exec(req.url)?.[1];
    const exchange = byId.get(id);
    if (exchange) sendExchange(res, exchange);
    else sendText(res, 404, `No exchange has the id "${id ?? ""}"; see tests/fixtures/exchanges/README.md`);
    return true;
  };
}

/** /<file>/…: the exchange recorded for such a request. With `isDefault` also without a prefix, by the default host. */
export function replayByRequest(exchanges, { isDefault }) {
  const find = createFinder(exchanges);
  const files = new Set(exchanges.map(({ file }) => file));
  const openCors = openCorsHeaders(exchanges);

  return (req, res) => {
    const prefix = /^\/([^/?]+)/.exec(req.url)?.[1];
    const prefixed = files.has(prefix);
    if (!prefixed && !isDefault) return false;
    const request = {
      method: req.method,
      path: prefixed ? req.url.slice(prefix.length + 1) : req.url,
      headers: req.headers,
    };
    // The default host allows pages of loopback origins, as a server configured for them would.
    // Under a prefix everything stays as recorded.
    const open = !prefixed && LOOPBACK_ORIGIN.test(req.headers.origin ?? "");
    const isPreflight = req.method === "OPTIONS" && "access-control-request-headers" in req.headers;
    const file = prefixed ? prefix : open && isPreflight ? "cors-open" : DEFAULT_FILE;

    const exchange = find(file, request);
    if (exchange) sendExchange(res, exchange, open ? openCors : undefined);
    else
      sendText(res, 404, `No exchange was recorded for ${req.method} ${req.url}; see tests/fixtures/exchanges/README.md`);
    return true;
  };
}

/** /types/metadata and /<file>/types/metadata: a recorded host's metadata of the operation. */
export function replayMetadata(req, res) {
  if (!/^(\/[\w-]+)?\/types\/metadata(?=\?|$)/.test(req.url)) return false;
  res.writeHead(200, { "content-type": "application/json; charset=utf-8" });
  res.end(readFileSync(METADATA));
  return true;
}

/** The CORS headers of the recorded host that lets pages send the SDK's headers. */
export function openCorsHeaders(exchanges) {
  return exchanges.find(({ id }) => id === "cors-open/cors-ok").response.headers.filter(isCorsHeader);
}

/** Sends a recorded response: status, reason, headers in their order and case, body bytes. */
function sendExchange(res, exchange, cors) {
  const { status, reason, headers } = exchange.response;
  const body = bodyBytes(exchange);
  const hasBody = status !== 204 && status !== 304;
  const chunked = headers.some(([name]) => name.toLowerCase() === "transfer-encoding");

  const sent = (cors ? replaceCors(headers, cors) : headers).filter(
    ([name]) => !FRAMING.has(name.toLowerCase()),
  );
  if (hasBody && !chunked) sent.push(["Content-Length", String(body.length)]);

  res.sendDate = false; // the recorded Date is among the headers
  res.writeHead(status, reason, sent.flat()); // flat: Node then keeps order, case and duplicates
  res.end(hasBody ? body : undefined); // Node leaves the body of an answer to HEAD out by itself
}

// Replaces, never adds: a reply made outside the framework has no such header on any host.
function replaceCors(headers, cors) {
  const at = headers.findIndex(isCorsHeader);
  if (at === -1) return headers;
  const others = headers.filter((header) => !isCorsHeader(header));
  return others.toSpliced(at, 0, ...cors);
}

function isCorsHeader([name]) {
  return name.toLowerCase().startsWith("access-control-");
}

/** A message of the stand-in server itself. Scripts of any origin can read it. */
export function sendText(res, status, text) {
  res.writeHead(status, {
    "access-control-allow-origin": "*",
    "cache-control": "no-store",
    "content-type": "text/plain; charset=utf-8",
  });
  res.end(`${text}\n`);
}
