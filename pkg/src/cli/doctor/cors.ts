import { passesCorsCheck } from "../../cors.js";
import { isHeaderName } from "../../header-name.js";
import { PATH } from "../../operation.js";
import { replyOf, type Probe, type ReadableReply } from "../../diagnose/facts.js";
import { corsFix, EXPOSED, WITHOUT_ORIGIN, type Asking } from "../../diagnose/fixes.js";
import { DUPLICATE, errorFinding, OWN_PAGE } from "../../diagnose/network.js";
import { addressOf } from "../../diagnose/probe.js";
import { LEAVE_PATH } from "../../diagnose/redirect.js";
import type { Cause, Finding, FindingCode } from "../../diagnose/types.js";

/** The parts of a reply that matter for CORS. */
export interface CorsReply {
  status: number;
  headers: Headers;
}

/** What a page would ask for. */
export interface PageRequest extends Asking {
  includesCookies: boolean;
}

/** What a page does not know if it cannot read the header. */
const LOST: Record<string, string> = {
  "retry-after": "how long to wait after a 429",
  date: "how far its clock is from the server's",
  "x-request-id": "the request id of an error",
};

/** What a page's request gets. */
export interface AsPage {
  /** The reply to OPTIONS, if the request needs one. */
  preflight: CorsReply | undefined;
  /** That to a GET without credentials. */
  reply: CorsReply;
}

/**
 * What a browser would conclude from the replies, by the Fetch standard. `opened`: the reply to a GET with a browser's
 * User-Agent and no Origin; `plain`: the outcome of a plain GET.
 */
export function corsFindings(request: PageRequest, baseUrl: string, { preflight, reply }: AsPage, opened: CorsReply | undefined, plain: Probe | undefined): Finding[] {
  const readable = replyOf(plain);
  // What answers is not the API, so settings of the API would mend nothing.
  if (readable && !readable.isPage && opened && isHtml(opened) && !isBusy(opened)) {
    return [errorFinding({ code: "blocked_reply", message: `A GET with a browser's User-Agent gets a page of HTML (${opened.status}), and a plain GET does not. ${OWN_PAGE}`, fix: baseUrl + PATH })];
  }
  // If a plain GET, without a browser's User-Agent either, is not answered with a 403, the 403 is because of the Origin.
  if (opened && reply.status === 403 && (readable?.status ?? 403) === 403 && opened.status !== 403 && !isHtml(opened) && !isBusy(opened)) {
    return [{ code: "blocked_reply", level: "note", message: `A GET with a browser's User-Agent is answered with ${opened.status}, and one without it with 403: something in front of the API may refuse what is no browser, such as Node.js. What a page gets cannot be seen from here.` }];
  }
  if (preflight && isRedirect(preflight)) return [errorFinding(redirectedPreflight(preflight, baseUrl))];
  const judged = isHiddenRedirect(request, reply) ? undefined : reply;
  const replies = [preflight, judged].filter((each) => each !== undefined);
  const found = severalOrigins(replies) ?? (judged && unreadable(request, preflight, judged, readable)) ?? (preflight && refusedPreflight(request, preflight)) ?? refusedCookies(request, replies) ?? (judged && readable && refusedOrigin(request, judged, readable));
  // Settings of the API mend no reply that is not its own.
  const isOfSettings = found?.code.startsWith("cors_") && !(found.code === "cors_missing" && mayBeOfSomethingElse(reply));
  if (found) return [perhapsForAHeader(errorFinding(found.fix || !isOfSettings ? found : { ...found, ...corsFix(request) }), request, preflight, judged)];
  return [...(preflight ? coveredAuthorization(request, preflight) : []), ...(judged ? hiddenHeaders(request, judged) : [])];
}

/** An OPTIONS that is answered without CORS headers, or with 400 or 403, where GET has them: often because of a header that is not allowed. */
function perhapsForAHeader(finding: Finding, { headerNames, page }: PageRequest, preflight: CorsReply | undefined, reply: CorsReply | undefined): Finding {
  // Starlette sends CORS headers with its 400.
  const isRefusal = preflight && (preflight.status === 400 || ((isSuccess(preflight) || preflight.status === 403) && !admits(preflight, page)));
  if (finding.code !== "cors_preflight" || !isRefusal || !reply || !admits(reply, page)) return finding;
  // IIS and AWS's API Gateway answer OPTIONS by themselves.
  const isOfSomethingBefore = isHtml(preflight) || ["public", "x-amzn-errortype"].some((name) => preflight.headers.has(name));
  const candidates = [
    cause("cors_headers", `The CORS settings do not allow ${headerNames.join(" or ")}, or not the method GET: some servers, such as Spring, Starlette (FastAPI), Go's rs/cors and Rails' rack-cors, then answer OPTIONS so.`),
    cause("cors_preflight", "OPTIONS does not reach the CORS settings that GET reaches: something before them answers it."),
  ];
  return { ...finding, candidates: isOfSomethingBefore ? candidates.reverse() : candidates };
}

/** Whether it is a redirect that no page may read. With its credentials a page may get another reply. */
export function isHiddenRedirect(request: PageRequest, reply: CorsReply): boolean {
  return isRedirect(reply) && !isLetIn(reply, request);
}

function severalOrigins(replies: CorsReply[]): Cause | undefined {
  const several = replies.map(allowedOrigin).find((each) => each?.includes(","));
  if (!several) return undefined;
  if (!isList(several)) return DUPLICATE;
  return cause("cors_duplicate", `Access-Control-Allow-Origin has several values, ${several}, and browsers accept only one. Either the settings list several origins in one header, or the server and a proxy in front of it both send the header.`);
}

/** Why a page may not read the reply to a GET. */
function unreadable(request: PageRequest, preflight: CorsReply | undefined, reply: CorsReply, plain: ReadableReply | undefined): Cause | undefined {
  const { page } = request;
  if (admits(reply, page)) return undefined;
  const origin = allowedOrigin(reply);
  if (origin !== null) return cause("cors_origin", `The server's CORS settings allow ${origin || "no origin, because Access-Control-Allow-Origin is empty"}, not ${page}.`);
  if (preflight && isSuccess(preflight) && allowedOrigin(preflight) !== null) {
    return cause("cors_error_replies", `The preflight has CORS headers, and the ${reply.status} for a GET without credentials has none: either it is made before CORS headers are added, and a page takes it for a lost network, or only the preflight has them, and a page can read nothing.`);
  }
  if (reply.status === 429) return cause("rate_limited", "A rate limit has set in, and its 429 has no CORS headers, so that a page takes it for a lost network. Wait, and run doctor again.");
  if (plain && isForOrigin(reply, plain)) {
    const fails = reply.status < 500 ? "the server seems to refuse this origin" : "the server seems to refuse this origin, or to fail over its CORS settings, as Spring does if allowCredentials stands beside *";
    return { ...cause("cors_origin", `A GET without an Origin is answered with ${plain.status}, one from a page of ${page} with ${reply.status}, without CORS headers: ${fails}.`), ...corsFix(request, true) };
  }
  if ([preflight, reply].some((each) => each && hasCors(each))) return cause("cors_origin", `The server seems to have CORS settings, but they do not seem to allow ${page}: there is no Access-Control-Allow-Origin for it.`);
  const asked = preflight ? `, and OPTIONS is answered with ${preflight.status}` : "";
  // Such a reply is often not the API's own, and then its CORS settings mend nothing.
  const first = mayBeOfSomethingElse(reply) ? ` Find out first why a GET without credentials is answered with ${reply.status}.` : "";
  return cause("cors_missing", `The server sends no CORS headers with its ${reply.status} to a page of ${page}${asked}: it has no CORS settings, they do not allow this origin, or something in front of them answers, such as authentication or a proxy.${first}`);
}

/** A refusal that a page may read, because something in front of the server adds the CORS headers. */
function refusedOrigin({ page }: PageRequest, reply: CorsReply, plain: ReadableReply): Cause | undefined {
  if (reply.status < 400 || !isForOrigin(reply, plain)) return undefined;
  const message = `A GET without an Origin is answered with ${plain.status}, one from a page of ${page} with ${reply.status}: the server seems to refuse this origin, although the reply has CORS headers, perhaps of something in front of it. Let the server allow this origin, or get no Origin.`;
  return { ...cause("cors_origin", message), fix: ["# nginx", ...WITHOUT_ORIGIN].join("\n") };
}

/** Whether a status differs because of the Origin. Those of an overloaded server say nothing. */
const isForOrigin = (reply: CorsReply, plain: ReadableReply): boolean => plain.status < 500 && plain.status !== 429 && reply.status !== 429 && plain.status !== reply.status;

function redirectedPreflight({ headers }: CorsReply, baseUrl: string): Cause {
  const asked = baseUrl + PATH;
  const to = addressOf(headers.get("location")!, asked) ?? "no valid URL";
  const isDowngrade = to.startsWith("http:") && asked.startsWith("https:");
  const how = () => {
    if (to === `${asked}/`) return LEAVE_PATH;
    if (to !== asked && to.endsWith(PATH) && !isDowngrade) return "If the API answers there, that is the base URL to use; if not, whatever redirects has to leave OPTIONS alone.";
    return "Whatever redirects, such as a sign-in gate in front of the API, has to let OPTIONS through: browsers send it without credentials.";
  };
  return cause("cors_preflight", `The server redirects OPTIONS to ${to}, and no browser follows that. ${how()}`);
}

function refusedPreflight({ page, headerNames, includesCookies }: PageRequest, preflight: CorsReply): Cause | undefined {
  if (preflight.status === 429) return cause("rate_limited", "OPTIONS is answered with 429: a rate limit has set in. Wait, and run doctor again; if it always comes, the limit must not count OPTIONS.");
  if (!isSuccess(preflight)) return cause("cors_preflight", `OPTIONS is answered with ${preflight.status}, where a browser needs a success: browsers send it before ${headerNames.join(", ")}, and never with credentials.`);
  if (!admits(preflight, page)) return cause("cors_preflight", `OPTIONS is answered without an Access-Control-Allow-Origin for ${page}.`);
  for (const name of ["Access-Control-Allow-Methods", "Access-Control-Allow-Headers"]) {
    const faults = listOf(preflight, name.toLowerCase()).filter((item) => !isHeaderName(item));
    if (faults.length > 0) return cause("cors_preflight", `${name} in the reply to OPTIONS is no list of names with commas between them, and browsers then refuse the whole header: ${faults.map((each) => JSON.stringify(each)).join(", ")}.`);
  }
  const allowed = listOf(preflight, "access-control-allow-headers");
  // An asterisk does not count when cookies are sent.
  const isAllowed = (name: string) => allowed.includes(name) || (allowed.includes("*") && !includesCookies);
  const refused = headerNames.filter((name) => !isAllowed(name));
  if (refused.length === 0) return undefined;
  const asterisk = allowed.includes("*") ? " An asterisk counts for nothing when cookies are sent." : "";
  return cause("cors_headers", `The server's CORS settings do not let a page send ${refused.join(", ")}; they allow ${allowed.join(", ") || "no header"}.${asterisk}`);
}

/** The Fetch standard does not let an asterisk stand for Authorization; browsers still do. */
function coveredAuthorization(request: PageRequest, preflight: CorsReply): Finding[] {
  if (!request.headerNames.includes("authorization") || listOf(preflight, "access-control-allow-headers").includes("authorization")) return [];
  const message = "The server's CORS settings allow *, which does not include Authorization by the Fetch standard. Browsers warn of it, and may refuse it one day.";
  return [{ code: "cors_headers", level: "note", message, ...corsFix(request) }];
}

function refusedCookies(request: PageRequest, replies: CorsReply[]): Cause | undefined {
  if (!request.includesCookies || replies.every((each) => isLetIn(each, request))) return undefined;
  const needed = [
    ...(replies.some((each) => allowedOrigin(each) === "*") ? [`Access-Control-Allow-Origin: ${request.page}, not *`] : []),
    ...(replies.every(allowsCookies) ? [] : ["Access-Control-Allow-Credentials: true"]),
  ];
  return cause("cors_credentials", `The server's CORS settings do not let a page send cookies: they need ${needed.join(", and ")}.`);
}

function hiddenHeaders(request: PageRequest, reply: CorsReply): Finding[] {
  const exposed = listOf(reply, "access-control-expose-headers");
  const hidden = EXPOSED.map((name) => name.toLowerCase()).filter((name) => !exposed.includes(name) && !(exposed.includes("*") && !request.includesCookies));
  if (hidden.length === 0) return [];
  const message = `A page cannot read ${hidden.join(", ")}, and so does not know ${hidden.map((name) => LOST[name]).join(", nor ")}.`;
  return [{ code: "hidden_headers", level: "note", message, ...corsFix(request) }];
}

const cause = (code: FindingCode, message: string): Cause => ({ code, message });

/** Whether the value is a list of different origins. Two servers that answer the same page would repeat its origin, or send an asterisk. */
function isList(origins: string): boolean {
  const all = origins.split(",").map((each) => each.trim());
  return new Set(all).size === all.length && !all.includes("*");
}

export const allowedOrigin = ({ headers }: CorsReply): string | null => headers.get("access-control-allow-origin");
const admits = ({ headers }: CorsReply, page: string): boolean => passesCorsCheck(headers, page, false);
const allowsCookies = ({ headers }: CorsReply): boolean => headers.get("access-control-allow-credentials") === "true";
const isBusy = ({ status }: CorsReply): boolean => status === 429 || status >= 500;
const mayBeOfSomethingElse = (reply: CorsReply): boolean => [400, 403, 404].includes(reply.status) || isBusy(reply) || isHtml(reply);
const isHtml = ({ headers }: CorsReply): boolean => /html/i.test(headers.get("content-type") ?? "");
const isRedirect = ({ status, headers }: CorsReply): boolean => status >= 300 && status < 400 && headers.has("location");
const isSuccess = ({ status }: CorsReply): boolean => status >= 200 && status < 300;

const isLetIn = ({ headers }: CorsReply, { page, includesCookies }: PageRequest): boolean => passesCorsCheck(headers, page, includesCookies);

/** Whether the server has CORS settings for any origin. */
function hasCors({ headers }: CorsReply): boolean {
  return [...headers.keys()].some((name) => name.startsWith("access-control-")) || /\borigin\b/i.test(headers.get("vary") ?? "");
}

function listOf({ headers }: CorsReply, name: string): string[] {
  return (headers.get(name) ?? "").toLowerCase().split(",").map((item) => item.trim()).filter(Boolean);
}

/** What is in between may let through only what does not look like a browser. */
const BROWSER = "Mozilla/5.0 (bookmore-sdk doctor)";

async function send(method: string, headers: Record<string, string>, baseUrl: string, signal: AbortSignal): Promise<CorsReply> {
  const { status, headers: came, body } = await fetch(baseUrl + PATH, { method, redirect: "manual", signal, headers });
  await body?.cancel();
  // Not what came itself, which keeps white space behind a value; browsers do not.
  return { status, headers: new Headers([...came]) };
}

const ACCEPT = { Accept: "application/json" };

export const askedPlainly = (baseUrl: string, signal: AbortSignal): Promise<CorsReply> => send("GET", ACCEPT, baseUrl, signal);

/** The reply to what opens the URL in a browser. */
export const openedInBrowser = (baseUrl: string, signal: AbortSignal): Promise<CorsReply> => send("GET", { "User-Agent": BROWSER, ...ACCEPT }, baseUrl, signal);

/** Sends what a browser would for a page, without credentials: OPTIONS if a header needs it, then the GET. */
export async function askedAsPage({ page, headerNames }: PageRequest, baseUrl: string, signal: AbortSignal): Promise<AsPage> {
  const names = [...headerNames].sort().join(",");
  const asks = { Origin: page, Accept: "*/*", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": names };
  return {
    preflight: names ? await send("OPTIONS", asks, baseUrl, signal) : undefined,
    reply: await send("GET", { Origin: page, ...ACCEPT }, baseUrl, signal),
  };
}
