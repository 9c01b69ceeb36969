import { PATH } from "../../operation.js";
import { corsFix, EXPOSED } from "../../diagnose/fixes.js";
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
 * What a browser would make of the replies, by the Fetch standard: `preflight` is that to OPTIONS, `reply` that to a GET
 * without credentials.
 */
export function corsFindings(request: PageRequest, preflight: CorsReply, reply: CorsReply): Finding[] {
  const { page, headerNames, includesCookies } = request;
  const fix = corsFix(request);
  const found = (code: FindingCode, message: string): Finding[] => [{ level: "error", code, message, ...fix }];
  const location = reply.headers.get("location");
  // The call tells where to, and what it means.
  if (reply.status >= 300 && reply.status < 400 && location !== null && !isLetIn(reply, request)) return [];

  const asked = `OPTIONS is answered with ${preflight.status}`;
  const isPreflightFine = preflight.status >= 200 && preflight.status < 300;
  const origin = reply.headers.get("access-control-allow-origin");
  const atPreflight = preflight.headers.get("access-control-allow-origin");
  if (origin === null && (!isPreflightFine || atPreflight === null)) {
    return [preflight, reply].some(hasCors)
      ? found("cors_origin", `The server's CORS settings let in other origins, and not ${page}: there is no Access-Control-Allow-Origin for it.`)
      : found("cors_missing", `The server sends no CORS headers with its ${reply.status}, and ${asked}: no page may read it.`);
  }
  if (origin === null) return found("cors_error_replies", `The preflight has CORS headers, and the ${reply.status} for a GET without credentials has none: it is made before CORS headers are added, and a page takes it for a lost network.`);
  if (origin !== "*" && origin !== page) return found("cors_origin", `The server's CORS settings let in ${origin}, and not ${page}.`);
  if (!isPreflightFine) return found("cors_preflight", `${asked}, where a browser needs a success: it asks so before it sends ${headerNames.join(", ")}.`);
  if (atPreflight !== "*" && atPreflight !== page) return found("cors_preflight", `OPTIONS is answered without an Access-Control-Allow-Origin for ${page}.`);

  const allowed = listOf(preflight, "access-control-allow-headers");
  // The asterisk never stands for Authorization, and for nothing beside cookies.
  const isAllowed = (name: string) => allowed.includes(name) || (allowed.includes("*") && !includesCookies && name !== "authorization");
  const refused = headerNames.filter((name) => !isAllowed(name));
  if (refused.length > 0) return found("cors_headers", `The server's CORS settings do not let a page send ${refused.join(", ")}; they allow ${allowed.join(", ") || "no header"}.`);
  if (includesCookies && ![preflight, reply].every((each) => isLetIn(each, request))) {
    return found("cors_credentials", `The server's CORS settings do not let a page send cookies: they need Access-Control-Allow-Origin: ${page}, not ${origin}, and Access-Control-Allow-Credentials: true.`);
  }
  const exposed = listOf(reply, "access-control-expose-headers");
  const hidden = EXPOSED.map((name) => name.toLowerCase()).filter((name) => !exposed.includes(name) && !(exposed.includes("*") && !includesCookies));
  if (hidden.length === 0) return [];
  const message = `A page cannot read ${hidden.join(", ")}: it waits without the server's word after a 429, and errors have no request id.`;
  return [{ code: "hidden_headers", level: "note", message, ...fix }];
}

function isLetIn({ headers }: CorsReply, { page, includesCookies }: PageRequest): boolean {
  const origin = headers.get("access-control-allow-origin");
  if (!includesCookies) return origin === "*" || origin === page;
  return origin === page && headers.get("access-control-allow-credentials") === "true";
}

/** Whether the server has CORS settings, for whomever. */
function hasCors({ headers }: CorsReply): boolean {
  return [...headers.keys()].some((name) => name.startsWith("access-control-")) || /\borigin\b/i.test(headers.get("vary") ?? "");
}

function listOf({ headers }: CorsReply, name: string): string[] {
  return (headers.get(name) ?? "").toLowerCase().split(",").map((item) => item.trim()).filter(Boolean);
}

/** Asks as a browser would, first by OPTIONS; neither has a credential. */
export async function askedAsPage({ page, headerNames }: PageRequest, baseUrl: string, signal: AbortSignal): Promise<{ preflight: CorsReply; reply: CorsReply }> {
  const url = baseUrl + PATH;
  const send = async (method: string, headers: Record<string, string>): Promise<CorsReply> => {
    const { status, headers: came, body } = await fetch(url, { method, redirect: "manual", signal, headers: { Origin: page, ...headers } });
    await body?.cancel();
    return { status, headers: came };
  };
  const names = [...headerNames].sort().join(",");
  const asks = { Accept: "*/*", "Access-Control-Request-Method": "GET", ...(names ? { "Access-Control-Request-Headers": names } : {}) };
  return { preflight: await send("OPTIONS", asks), reply: await send("GET", { Accept: "application/json" }) };
}
