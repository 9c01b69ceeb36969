import { PATH } from "../../operation.js";
import { corsFix, EXPOSED } from "../../diagnose/fixes.js";
import { DUPLICATE, errorFinding } from "../../diagnose/network.js";
import type { Finding, FindingCode } from "../../diagnose/types.js";

/** A reply, as far as a browser looks at it for CORS. */
export interface CorsReply {
  status: number;
  headers: Headers;
}

/** What a page would ask for. */
export interface PageRequest {
  page: string;
  /** In lower case. */
  headerNames: readonly string[];
  includesCookies: boolean;
}

/**
 * What a browser would make of the replies, by the Fetch standard: `preflight` is that to OPTIONS, absent where none is
 * asked for, `reply` that to a GET without credentials.
 */
export function corsFindings(request: PageRequest, preflight: CorsReply | undefined, reply: CorsReply): Finding[] {
  const { page, headerNames, includesCookies } = request;
  const fix = corsFix(request);
  const found = (code: FindingCode, message: string): Finding[] => [{ level: "error", code, message, ...fix }];
  const location = reply.headers.get("location");
  // The call tells where to, and what it means.
  if (reply.status >= 300 && reply.status < 400 && location !== null && !isLetIn(reply, request)) return [];

  const replies = preflight ? [preflight, reply] : [reply];
  const origins = replies.map(allowedOrigin);
  const origin = allowedOrigin(reply);
  const several = origins.find((each) => each?.includes(","));
  if (several) return isList(several) ? found("cors_duplicate", `Access-Control-Allow-Origin names more than one origin, ${several}, and browsers accept one alone: settings list them, or the server and something in front of it both send it.`) : [errorFinding(DUPLICATE)];
  if (origin === null && preflight && isSuccess(preflight) && allowedOrigin(preflight) !== null) {
    return found("cors_error_replies", `The preflight has CORS headers, and the ${reply.status} for a GET without credentials has none: it is made before CORS headers are added, and a page takes it for a lost network.`);
  }
  if (origin === null && replies.some(hasCors)) return found("cors_origin", `The server's CORS settings let in other origins, and not ${page}: there is no Access-Control-Allow-Origin for it.`);
  if (origin === null) {
    const asked = preflight ? `, and OPTIONS is answered with ${preflight.status}` : "";
    return found("cors_missing", `The server sends no CORS headers with its ${reply.status}${asked}: no page may read it.`);
  }
  if (!admits(reply, page)) return found("cors_origin", `The server's CORS settings let in ${origin || "nobody, by an empty Access-Control-Allow-Origin"}, and not ${page}.`);
  if (preflight) {
    if (!isSuccess(preflight)) return found("cors_preflight", `OPTIONS is answered with ${preflight.status}, where a browser needs a success: it asks so before it sends ${headerNames.join(", ")}.`);
    if (!admits(preflight, page)) return found("cors_preflight", `OPTIONS is answered without an Access-Control-Allow-Origin for ${page}.`);
    const allowed = listOf(preflight, "access-control-allow-headers");
    // The asterisk never stands for Authorization, and for nothing beside cookies.
    const isAllowed = (name: string) => allowed.includes(name) || (allowed.includes("*") && !includesCookies && name !== "authorization");
    const refused = headerNames.filter((name) => !isAllowed(name));
    const asterisk = allowed.includes("*") ? " The asterisk stands neither for Authorization nor for anything beside cookies." : "";
    if (refused.length > 0) return found("cors_headers", `The server's CORS settings do not let a page send ${refused.join(", ")}; they allow ${allowed.join(", ") || "no header"}.${asterisk}`);
  }
  if (includesCookies && !replies.every((each) => isLetIn(each, request))) {
    const needed = [
      ...(origins.includes("*") ? [`Access-Control-Allow-Origin: ${page}, not *`] : []),
      ...(replies.every(allowsCookies) ? [] : ["Access-Control-Allow-Credentials: true"]),
    ];
    return found("cors_credentials", `The server's CORS settings do not let a page send cookies: they need ${needed.join(", and ")}.`);
  }
  const exposed = listOf(reply, "access-control-expose-headers");
  const hidden = EXPOSED.map((name) => name.toLowerCase()).filter((name) => !exposed.includes(name) && !(exposed.includes("*") && !includesCookies));
  if (hidden.length === 0) return [];
  const message = `A page cannot read ${hidden.join(", ")}: after a 429 it does not know how long to wait, and errors have no request id.`;
  return [{ code: "hidden_headers", level: "note", message, ...fix }];
}

/** Whether what may be one header or several, joined, names others each time, as two who send it for one page would not. */
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

/** Whether the server has CORS settings, for whomever. */
function hasCors({ headers }: CorsReply): boolean {
  return [...headers.keys()].some((name) => name.startsWith("access-control-")) || /\borigin\b/i.test(headers.get("vary") ?? "");
}

function listOf({ headers }: CorsReply, name: string): string[] {
  return (headers.get(name) ?? "").toLowerCase().split(",").map((item) => item.trim()).filter(Boolean);
}

/** Asks as a browser would, first by OPTIONS where a header needs it; neither has a credential. */
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
