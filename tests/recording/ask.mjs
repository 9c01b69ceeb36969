// Sends a recorded request to a host and returns the exchange, in the form of tests/fixtures/exchanges.
import http from "node:http";
import https from "node:https";
import { CREDENTIALS } from "../server/scenarios.mjs";

const PATIENCE_MS = 10_000;

/** The host name under which the recordings were made; redirects repeat it. */
const RECORDED_HOST = "api.bookmore.com";

/** Longer pages are cut to their title, because nothing reads more of them. */
const LONGEST_PAGE = 1000;

/**
 * @param {URL} base the URL of the host; its path is put before the recorded one
 * @param {{ id: string, request: { method: string, path: string, headers: object } }} exchange
 * @param {{ bearerToken?: string, apiKey?: string }} credentials sent instead of those that the recorded host accepted;
 *   the exchange keeps the recorded ones
 */
export async function ask(base, { id, request }, credentials = {}) {
  const { status, ...reply } = await send(base, request, credentials);
  const reason = hidden(reply.reason, credentials);
  const headers = reply.headers.map(([name, value]) => [name, hidden(value, credentials)]);
  const bytes = Buffer.from(hidden(reply.bytes.toString("latin1"), credentials), "latin1");
  return { id, request, response: { status, reason, headers: scrubbed(headers), ...bodyOf(headers, bytes) } };
}

/** A host may quote the request, so the recorded credentials replace the ones that were sent. */
function hidden(text, { bearerToken, apiKey }) {
  if (bearerToken) text = text.replaceAll(bearerToken, CREDENTIALS.bearerToken);
  return apiKey ? text.replaceAll(apiKey, CREDENTIALS.apiKey) : text;
}

function send(base, { method, path, headers }, credentials) {
  const { request } = base.protocol === "https:" ? https : http;
  return new Promise((resolve, reject) => {
    const sent = {
      Host: isLoopback(base) ? RECORDED_HOST : base.host,
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, exchanged(value, credentials)])),
      Connection: "close",
    };
    const asked = request(new URL(base.origin), { method, path: base.pathname.replace(/\/$/, "") + path, headers: sent, agent: false });
    asked.setTimeout(PATIENCE_MS, () => asked.destroy(new Error(`no answer within ${PATIENCE_MS / 1000} s`)));
    asked.on("error", reject);
    asked.on("response", async (reply) => {
      try {
        const bytes = Buffer.concat(await reply.toArray());
        const raw = reply.rawHeaders;
        const pairs = raw.flatMap((name, i) => (i % 2 ? [] : [[name, raw[i + 1]]]));
        resolve({ status: reply.statusCode, reason: reply.statusMessage, headers: pairs, bytes });
      } catch (error) {
        reject(error);
      }
    });
    asked.end();
  });
}

function exchanged(value, { bearerToken, apiKey }) {
  if (bearerToken !== undefined && value === `Bearer ${CREDENTIALS.bearerToken}`) return `Bearer ${bearerToken}`;
  return apiKey !== undefined && value === CREDENTIALS.apiKey ? apiKey : value;
}

export function isLoopback({ hostname }) {
  return hostname === "localhost" || hostname.endsWith(".localhost") || hostname === "[::1]" || /^127(\.\d+){3}$/.test(hostname);
}

/** Session ids are removed. */
function scrubbed(headers) {
  return headers.map(([name, value]) => {
    if (name.toLowerCase() !== "set-cookie") return [name, value];
    return [name, value.replace(/^([^=]+)=[^;]*/, "$1=scrubbed")];
  });
}

function bodyOf(headers, bytes) {
  const text = bytes.toString("utf8");
  const isText = Buffer.from(text, "utf8").equals(bytes);
  if (!isText) return { bodyBase64: bytes.toString("base64") };
  const type = headers.find(([name]) => name.toLowerCase() === "content-type")?.[1] ?? "";
  if (!type.startsWith("text/html") || bytes.length <= LONGEST_PAGE) return { body: text };
  const title = /<title>([^<]*)<\/title>/i.exec(text)?.[1].trim() ?? "";
  const body = `<!doctype html>\n<html lang="en">\n<head><title>${title}</title></head>\n<body>…</body>\n</html>\n`;
  return { body, shortenedFrom: bytes.length };
}
