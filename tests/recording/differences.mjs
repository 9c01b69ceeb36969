// The differences between two exchanges, ignoring what always differs: dates, and the ids of sessions, requests and
// traces.

const HTTP_DATE = /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\b/g;
const ISO_DATE = /\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?/g;
const COOKIE = /^([^=;]+)=[^;]*/;
const TRACE_ID = /"(traceId|requestId)":"[^"]*"/gi;
const ID_HEADERS = new Set(["x-request-id", "x-correlation-id", "request-id", "traceparent"]);

/** Headers of the framing, which every hop may change. */
const FRAMING = new Set(["connection", "content-length", "transfer-encoding", "keep-alive"]);

/** @returns {{ what: string, recorded: string | undefined, now: string | undefined }[]} */
export function differences(recorded, now) {
  const found = [];
  const compare = (what, before, after) => {
    if (before !== after) found.push({ what, recorded: before, now: after });
  };
  const [before, after] = [recorded.response, now.response];
  compare("status", String(before.status), String(after.status));
  compare("reason", before.reason, after.reason);
  const [old, current] = [headersOf(before), headersOf(after)];
  for (const name of new Set([...old.keys(), ...current.keys()])) compare(name, old.get(name), current.get(name));
  compare("body", bodyOf(before), bodyOf(after));
  // A replayed recording has the shortened page.
  const { shortenedFrom: long } = before;
  if (long !== undefined && after.shortenedFrom !== undefined) compare("length of the page", String(long), String(after.shortenedFrom));
  return found;
}

/** The values by lower-case name; a repeated name keeps their order. */
function headersOf({ headers }) {
  const values = new Map();
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (FRAMING.has(key)) continue;
    const shown = ID_HEADERS.has(key) ? "an id" : dateless(key === "set-cookie" ? value.replace(COOKIE, "$1=…") : value);
    values.set(key, values.has(key) ? `${values.get(key)}\n${shown}` : shown);
  }
  return values;
}

const dateless = (text) => text.replace(HTTP_DATE, "a date").replace(ISO_DATE, "a date");

function bodyOf({ body, bodyBase64 }) {
  return body === undefined ? `base64 ${bodyBase64}` : dateless(body).replace(TRACE_ID, '"$1":"…"');
}
