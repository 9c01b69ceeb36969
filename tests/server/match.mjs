// Finds the recorded exchange that answers a request.
//
// Two requests are of the same scenario if the recorded host would answer both alike: same method
// and route, same company, same negotiated format, same kind of credentials. Among the exchanges
// of one scenario the one whose request is most alike wins, so that a request sent exactly as
// recorded always gets its own answer back.

/** The host that answers when another one has nothing recorded: closest to the documented server. */
export const DEFAULT_FILE = "pascal";

const GOOD_TOKEN = "Bearer good-token";
const GOOD_KEY = "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c";
const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const FORMATS = new Set(["json", "jsonl", "xml", "csv", "html"]);

// Query parameters, besides the company and the format, that change the reply.
const OPTIONS = ["callback", "jsconfig", "take"];

// What defines a scenario, besides method and route.
const SCENARIO = ["company", "format", "credentials", "options"];

// Hosts where something in front of the service answers, whatever the company and the format are:
// always, or only when the caller is not signed in. Without this, a company that was not recorded
// there would get past the rate limiter or the login page to the answer of another host.
const ANSWERS_IN_FRONT = {
  cancel: () => true,
  cookie: () => true,
  limiter: () => true,
  endpoints: (request) => request.credentials !== "good",
};

/** Returns `find(file, { method, path, headers })`: the exchange to answer with, or undefined. */
export function createFinder(exchanges) {
  const recorded = exchanges.map((exchange) => ({ exchange, request: describe(exchange.request) }));

  return function find(file, request) {
    const wanted = describe(request);
    for (const host of new Set([file, DEFAULT_FILE])) {
      const own = recorded.filter(
        ({ exchange, request }) => exchange.file === host && sameOperation(request, wanted),
      );
      for (const attempt of attempts(wanted)) {
        const answers = own.filter(({ request }) => sameScenario(host, request, attempt));
        if (answers.length > 0) return mostAlike(answers, wanted).exchange;
      }
    }
    return undefined;
  };
}

// As the recordings show, the host refuses callers before it looks at the company, and treats a bad
// token like none; hence these looser attempts. The exception, a malformed company, is recorded.
function attempts(wanted) {
  if (wanted.credentials === "good") return [wanted];
  return [wanted, { ...wanted, company: "" }, { ...wanted, company: "", credentials: "none" }];
}

function sameOperation(a, b) {
  return a.method === b.method && a.route === b.route && a.preflight === b.preflight;
}

function sameScenario(host, candidate, wanted) {
  // Preflights and wrong verbs are answered by their method and route alone.
  if (wanted.method !== "GET") return true;
  const inFront = ANSWERS_IN_FRONT[host];
  if (inFront?.(wanted)) return inFront(candidate);
  return SCENARIO.every((trait) => candidate[trait] === wanted[trait]);
}

function mostAlike(answers, wanted) {
  const likeness = ({ request }) =>
    Object.keys(wanted).filter((trait) => request[trait] === wanted[trait]).length;
  // Only a strictly better one replaces the best, so equally good ones are taken in file order.
  return answers.reduce((best, next) => (likeness(next) > likeness(best) ? next : best));
}

// A request as comparable strings and booleans: first those that decide, then those that only break ties.
function describe({ method, path, headers }) {
  const header = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]),
  );
  const [pathname, ...rest] = path.split("?");
  const query = readQuery(rest.join("?"));
  const [, route, suffix] = /^(.*?)(?:\.(jsonl?))?\/*$/.exec(pathname.toLowerCase());

  return {
    method,
    route,
    preflight: method === "OPTIONS" && header["access-control-request-headers"] !== undefined,

    company: (query.companyid ?? "").replace(/[-{}()"\s]/g, "").toLowerCase(),
    format: suffix ?? knownFormat(query.format) ?? acceptedFormat(header.accept),
    credentials: credentialsOf(header),
    options: OPTIONS.map((name) => query[name] ?? "").join("\n"),

    path,
    accept: header.accept,
    authorization: header.authorization,
    apiKey: header["x-api-key"],
    hasOrigin: header.origin !== undefined,
    hasContentType: header["content-type"] !== undefined,
    acceptsGzip: /\bgzip\b/i.test(header["accept-encoding"] ?? ""),
    asksToSend: header["access-control-request-headers"],
  };
}

// Names in any case; a repeated parameter is joined with commas. Both as the host reads them.
function readQuery(text) {
  const query = {};
  for (const [name, value] of new URLSearchParams(text)) {
    const key = name.toLowerCase();
    query[key] = key in query ? `${query[key]},${value}` : value;
  }
  return query;
}

// The host ignores a ?format= it does not know.
function knownFormat(name = "") {
  return FORMATS.has(name.toLowerCase()) ? name.toLowerCase() : undefined;
}

// The host reads only the beginning of Accept's first media type: "application/jsonl" is JSON to it.
function acceptedFormat(accept = "") {
  const first = accept.split(",")[0].trim().toLowerCase();
  if (first.startsWith("application/json")) return "json";
  if (first.startsWith("text/jsonl")) return "jsonl";
  if (first.startsWith("application/xml")) return "xml";
  if (first.startsWith("text/csv")) return "csv";
  return "html";
}

// A key that is not a Guid is separate, because the host answers it with 403 instead of 401.
function credentialsOf({ authorization, "x-api-key": key }) {
  if (authorization === GOOD_TOKEN || key?.toLowerCase() === GOOD_KEY) return "good";
  if (key !== undefined && !GUID.test(key)) return "malformed key";
  return authorization === undefined && key === undefined ? "none" : "bad";
}
