import { PATH } from "../../operation.js";
import { corsFix, EXPOSED } from "../../diagnose/fixes.js";
import { DUPLICATE, errorFinding } from "../../diagnose/network.js";
import type { Finding, FindingCode } from "../../diagnose/types.js";

/** The parts of a reply that matter for CORS. */
export interface CorsReply {
  status: number;
  headers: Headers;
}

/** The request of a page. */
export interface PageRequest {
  page: string;
  /** In lower case. */
  headerNames: readonly string[];
  includesCookies: boolean;
}

/**
 * What a browser would conclude from the replies, by the Fetch standard. `preflight`: the reply to OPTIONS, if the request
 * needs one; `reply`: the reply to a GET without credentials.
 */
export function corsFindings(request: PageRequest, preflight: CorsReply | undefined, reply: CorsReply): Finding[] {
  const { page, headerNames, includesCookies } = request;
  const fix = corsFix(request);
  const found = (code: FindingCode, message: string): Finding[] => [{ level: "error", code, message, ...fix }];
  const location = reply.headers.get("location");
  // The call's finding has the target and its meaning.
  if (reply.status >= 300 && reply.status < 400 && location !== null && !isLetIn(reply, request)) return [];

  const replies = preflight ? [preflight, reply] : [reply];
  const origins = replies.map(allowedOrigin);
  const origin = allowedOrigin(reply);
  const several = origins.find((each) => each?.includes(","));
  if (several) return isList(several) ? found("cors_duplicate", `Access-Control-Allow-Origin names several origins, ${several}, but browsers accept only one: the settings list them all, or the server and something in front of it both send the header.`) : [errorFinding(DUPLICATE)];
  if (origin === null && preflight && isSuccess(preflight) && allowedOrigin(preflight) !== null) {
    return found("cors_error_replies", `The preflight has CORS headers, but the ${reply.status} for a GET without credentials has none, because it is written before they are added. To a page it looks like a network failure.`);
  }
  if (origin === null && replies.some(hasCors)) return found("cors_origin", `The server's CORS settings allow other origins, but not ${page}: there is no Access-Control-Allow-Origin for it.`);
  if (origin === null) {
    const asked = preflight ? `, and OPTIONS is answered with ${preflight.status}` : "";
    return found("cors_missing", `The server sends no CORS headers with its ${reply.status}${asked}: no page may read it.`);
  }
  if (!admits(reply, page)) return found("cors_origin", `The server's CORS settings allow ${origin || "nobody, by an empty Access-Control-Allow-Origin"}, not ${page}.`);
  if (preflight) {
    if (!isSuccess(preflight)) return found("cors_preflight", `OPTIONS, which a browser sends before ${headerNames.join(", ")}, is answered with ${preflight.status} instead of a success.`);
    if (!admits(preflight, page)) return found("cors_preflight", `OPTIONS is answered without an Access-Control-Allow-Origin for ${page}.`);
    const allowed = listOf(preflight, "access-control-allow-headers");
    // The asterisk never includes Authorization, and means nothing if cookies are sent.
    const isAllowed = (name: string) => allowed.includes(name) || (allowed.includes("*") && !includesCookies && name !== "authorization");
    const refused = headerNames.filter((name) => !isAllowed(name));
    const asterisk = allowed.includes("*") ? " The asterisk does not include Authorization, and means nothing if cookies are sent." : "";
    if (refused.length > 0) return found("cors_headers", `The server's CORS settings do not allow a page to send ${refused.join(", ")}; they allow ${allowed.join(", ") || "no header"}.${asterisk}`);
  }
  if (includesCookies && !replies.every((each) => isLetIn(each, request))) {
    const needed = [
      ...(origins.includes("*") ? [`Access-Control-Allow-Origin: ${page}, not *`] : []),
      ...(replies.every(allowsCookies) ? [] : ["Access-Control-Allow-Credentials: true"]),
    ];
    return found("cors_credentials", `The server's CORS settings do not allow a page to send cookies, which takes ${needed.join(", and ")}.`);
  }
  const exposed = listOf(reply, "access-control-expose-headers");
  const hidden = EXPOSED.map((name) => name.toLowerCase()).filter((name) => !exposed.includes(name) && !(exposed.includes("*") && !includesCookies));
  if (hidden.length === 0) return [];
  const message = `A page cannot read ${hidden.join(", ")}: after a 429 it does not know how long to wait, and errors have no request id.`;
  return [{ code: "hidden_headers", level: "note", message, ...fix }];
}

/** Whether a value, which may be several headers joined, is a list of different origins, not the same origin or * sent twice. */
function isList(origins: string): boolean {
  const all = origins.split(",").map((each) => each.trim());
  return new Set(all).size === all.length && !all.includes("*");
}

export const allowedOrigin = ({ headers }: CorsReply): string | null => headers.get("access-control-allow-origin");
const admits = (reply: CorsReply, page: string): boolean => ["*", page].includes(allowedOrigin(reply)!);
const allowsCookies = ({ headers }: CorsReply): boolean => headers.get("access-control-allow-credentials") === "true";
const isSuccess = ({ status }: CorsReply): boolean => status >= 200 && status < 300;

function isLetIn(reply: CorsReply, { page, includesCookies }: PageRequest): boolean {
  return includesCookies ? allowedOrigin(reply) === page && allowsCookies(reply) : admits(reply, page);
}

/** Whether the server has CORS settings for any origin. */
function hasCors({ headers }: CorsReply): boolean {
  return [...headers.keys()].some((name) => name.startsWith("access-control-")) || /\borigin\b/i.test(headers.get("vary") ?? "");
}

function listOf({ headers }: CorsReply, name: string): string[] {
  return (headers.get(name) ?? "").toLowerCase().split(",").map((item) => item.trim()).filter(Boolean);
}

/** Sends what a browser would: OPTIONS if a header needs it, then the GET; both without credentials. */
export async function askedAsPage({ page, headerNames }: PageRequest, baseUrl: string, signal: AbortSignal): Promise<{ preflight: CorsReply | undefined; reply: CorsReply }> {
  const url = baseUrl + PATH;
  const send = async (method: string, headers: Record<string, string>): Promise<CorsReply> => {
    const { status, headers: came, body } = await fetch(url, { method, redirect: "manual", signal, headers: { Origin: page, ...headers } });
    await body?.cancel();
    return { status, headers: came };
  };
  const names = [...headerNames].sort().join(",");
  const asks = { Accept: "*/*", "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": names };
  return { preflight: names ? await send("OPTIONS", asks) : undefined, reply: await send("GET", { Accept: "application/json" }) };
}
