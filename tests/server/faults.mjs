// Routes that misbehave on purpose, one fault for each name:
//
//   /faults/<name>/<key>/…      does what the name says; the key keeps parallel runs apart
//   /faults-log/<name>/<key>    what arrived there: JSON, [{ at, headers }]
//   /faults                     the list
//
// `/faults/<name>/assistant/…` works as well and has the empty key. The replies are recorded ones
// (tests/fixtures/exchanges) where possible; only the faults are made up.
import { once } from "node:events";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { bodyBytes } from "./exchanges.mjs";
import { sendText } from "./replay.mjs";

// Node adds framing and date itself, and session cookies are irrelevant to the tests.
const LEFT_OUT = new Set(["connection", "content-length", "transfer-encoding", "date", "set-cookie"]);

// Fast enough to end before a timeout of 2 s, slow enough for each byte to be a chunk of its own.
const DRIP_MS = 5;

/** The route of all faults. The replies come from the recorded `exchanges`. */
export function faults(exchanges) {
  const known = scripted((id) => exchanges.find((exchange) => exchange.id === id));
  const logs = new Map();
  const logOf = (name, key) => {
    const id = `${name}/${key}`;
    if (!logs.has(id)) logs.set(id, []);
    return logs.get(id);
  };
  let otherOrigin;

  async function route(req, res) {
    const [, kind, name, key = ""] =
      /^\/(faults|faults-log)(?:\/([^/?]+)(?:\/(?!assistant\/)([^/?]+))?|\/?(?:\?|$))/.exec(req.url) ?? [];
    if (!kind) return false;

    if (!name) sendText(res, 200, listOf(known));
    else if (!Object.hasOwn(known, name)) sendText(res, 404, `There is no fault "${name}"; /faults lists them`);
    else if (kind === "faults-log") sendText(res, 200, JSON.stringify(logOf(name, key)));
    else if (req.method === "OPTIONS") allow(res);
    else {
      const log = logOf(name, key);
      const at = Date.now();
      log.push({ at, headers: req.headers });
      // Started when first needed, so that a server without such a test has one port.
      const other = async () => `${await (otherOrigin ??= startOther(route, req.socket))}/faults/other-origin/${key}`;
      await known[name].answer({ req, res, at, key, log, other });
    }
    return true;
  }
  return route;
}

// Every fault. `answer` gets `{ req, res, at, key, log, other }`; this request is the last in `log`.
function scripted(recorded) {
  const ok = recorded("pascal/ok-json");
  const body = String(bodyBytes(ok));
  const half = body.slice(0, body.length / 2);
  const unavailable = recorded("limiter/ok-json");
  const tooMany = recorded("pascal/too-many-retry-after-json");
  const page = recorded("pascal/accept-any");

  // An answer that sends the recording, optionally with other headers or another body.
  const sends = (exchange, changes) => ({ res }) => send(res, exchange, changes);
  // The first request gets `first`, any later one a usage.
  const onceThenOk = (first) => (call) => (call.log.length === 1 ? first : sends(ok))(call);
  const askLater = (value) => onceThenOk(sends(unavailable, { headers: { "Retry-After": value } }));
  const askAtDate = (ahead) =>
    onceThenOk(({ res, at }) => {
      const date = (ms) => new Date(at + ahead + ms).toUTCString();
      send(res, unavailable, { headers: { Date: date(0), "Retry-After": date(2000) } });
    });

  const table = {
    "stall-headers": ["never answers", () => {}],
    "stall-body": ["half of the body, then nothing", ({ res }) => begin(res, ok, { length: body.length }).write(half)],
    "truncated": ["half of the Content-Length, then the connection ends",
      ({ res }) => begin(res, ok, { length: body.length }).write(half, () => res.destroy())],
    "truncated-clean": ["half of the body, properly ended (chunked)", ({ res }) => begin(res, ok).end(half)],
    "reset": ["the connection is reset", ({ req }) => req.socket.resetAndDestroy()],
    "reset-then-200": ["the connection is reset, then 200", onceThenOk(({ req }) => req.socket.resetAndDestroy())],
    "slow-drip": [`the whole body, a byte every ${DRIP_MS} ms`, async ({ res }) => {
      begin(res, ok);
      for (const byte of bodyBytes(ok)) {
        if (res.destroyed) return;
        res.write(Buffer.of(byte));
        await sleep(DRIP_MS);
      }
      res.end();
    }],

    "retry-after-seconds": ["503 with Retry-After: 1, then 200", askLater("1")],
    "retry-after-ms": ["503 with retry-after-ms: 700, then 200", onceThenOk(sends(unavailable, { headers: { "retry-after-ms": "700" } }))],
    "retry-after-date": ["503 with Retry-After: the date in 2 s, then 200", askAtDate(0)],
    "retry-after-skewed": ["the same, by a clock that is an hour ahead", askAtDate(3_600_000)],
    "retry-after-0": ["503 with Retry-After: 0, then 200", askLater("0")],
    "retry-after-malformed": ["503 with Retry-After: soon, then 200", askLater("soon")],
    "retry-after-3600": ["503 with Retry-After: 3600, always", sends(unavailable, { headers: { "Retry-After": "3600" } })],
    "503-forever": ["503, always", sends(unavailable)],
    "503-then-200": ["503, then 200", onceThenOk(sends(unavailable))],
    "429-then-200": ["429 with Retry-After: 1, then 200", onceThenOk(sends(tooMany, { headers: { "Retry-After": "1" } }))],
    "429-quota": ["429 with ErrorCode insufficient_quota, always", sends(recorded("pascal/quota-json"))],
    "zero-filled-500": ["500 with a usage full of zeros, always", sends(recorded("pascal/server-error-json"))],

    "401-empty": ["401 without a body, always", sends(recorded("endpoints/noauth-json"))],
    "401-body": ["401 with a ResponseStatus, always", sends(recorded("pascal/noauth-json"))],
    "401-then-200": ["401 for the Authorization that came first, 200 for any other", (call) => {
      const isStale = call.req.headers.authorization === call.log[0].headers.authorization;
      send(call.res, isStale ? recorded("pascal/noauth-json") : ok);
    }],
    "redirect-other-origin": ["302 to another port, where the fault other-origin logs what arrives",
      async ({ req, res, other }) => redirect(res, (await other()) + pathAfterKey(req))],
    "other-origin": ["200; the target of redirect-other-origin", sends(ok)],
    "redirect-login": ["302 to a login page at 200",
      ({ res, key }) => redirect(res, `/faults/html-200/${key}-login/Account/Login?ReturnUrl=%2F`)],

    "html-200": ["200 with HTML", sends(page)],
    "empty-200": ["200 with application/json and no body", sends(ok, { body: "" })],
    "wrong-types": ["200 with TokensUsed as words", sends(ok, { body: body.replace('"TokensUsed":1234', '"TokensUsed":"a lot"') })],
    "big-int": ["200 with TokensUsed 2^53 + 1", sends(recorded("pascal/past-2-53-json"))],
    "error-200": ["200 with an ErrorCode", sends(recorded("pascal/ok-status-with-error-code-json"))],
    "other-company": ["200 with another company's usage", sends(recorded("pascal/other-company-json"))],
    "camel-case": ["200 in camelCase, Guids without dashes", sends(recorded("camel/ok-json"))],
    "gzip": ["200, Content-Encoding: gzip", sends(ok, { headers: { "Content-Encoding": "gzip" }, body: gzipSync(body) })],
    "jsonl-crlf": ["200 in JSON Lines that end in CRLF", sends(ok, { headers: { "Content-Type": "text/jsonl" }, body: `${body}\r\n` })],
  };
  return Object.fromEntries(Object.entries(table).map(([name, [about, answer]]) => [name, { about, answer }]));
}

function send(res, exchange, { headers, body = bodyBytes(exchange) } = {}) {
  begin(res, exchange, { headers, length: Buffer.byteLength(body) }).end(body);
}

// Sends the recording's status and headers, overridden by `headers`. Returns `res`.
function begin(res, { response }, { headers = {}, length } = {}) {
  const replaced = new Set(Object.keys(headers).map((name) => name.toLowerCase()));
  const kept = response.headers.filter(([name]) => {
    const lower = name.toLowerCase();
    return !LEFT_OUT.has(lower) && !replaced.has(lower);
  });
  const framing = length === undefined ? [] : [["Content-Length", String(length)]];
  // A flat list: Node then keeps order, case and duplicates, and does not add a Date.
  const dated = replaced.has("date") ? [] : [["Date", new Date().toUTCString()]];
  res.writeHead(response.status, response.reason, [...kept, ...Object.entries(headers), ...dated, ...framing].flat());
  return res;
}

function redirect(res, location) {
  res.writeHead(302, { location, "content-length": "0" });
  res.end();
}

// Preflights do not count as attempts. They allow everything that the SDK sends, from any origin.
function allow(res) {
  res.writeHead(204, {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": "authorization, x-api-key, x-language",
  });
  res.end();
}

function pathAfterKey(req) {
  return /\/assistant\/.*$/.exec(req.url)?.[0] ?? "/";
}

// Another port of the same host is another origin. It serves the same faults, and closes with the
// server of this `socket`.
async function startOther(route, socket) {
  const other = createServer((req, res) => route(req, res));
  other.listen(0, socket.localAddress);
  socket.server.once("close", () => other.close().closeAllConnections());
  await once(other, "listening");
  const { address, port, family } = other.address();
  return `http://${family === "IPv6" ? `[${address}]` : address}:${port}`;
}

function listOf(known) {
  const width = Math.max(...Object.keys(known).map((name) => name.length));
  return Object.entries(known)
    .map(([name, { about }]) => `/faults/${name.padEnd(width)}  ${about}`)
    .join("\n");
}
