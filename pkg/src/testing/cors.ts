import type { Received } from "./request.js";

/**
 * Which pages the server lets in, as servers are set up:
 * - `"servicestack-default"`: any origin, and of the request headers `Content-Type` alone, so that every call with a token
 *   or a key fails;
 * - `"open"`: any origin, with the token's and the key's header, without cookies;
 * - `"allow-list"`: another origin than the page's;
 * - `"none"`: no CORS settings;
 * - `"wildcard-with-credentials"`: any origin, and cookies, which a browser does not accept together;
 * - `"preflight-405"`: as `"open"`, but the routes know no OPTIONS.
 */
export type CorsPolicy = "servicestack-default" | "open" | "allow-list" | "none" | "wildcard-with-credentials" | "preflight-405";

const ALL_HEADERS = "Content-Type,Authorization,x-api-key";
const POLICIES: Record<CorsPolicy, Record<string, string> | undefined> = {
  "servicestack-default": { "access-control-allow-origin": "*", "access-control-allow-headers": "Content-Type" },
  open: { "access-control-allow-origin": "*", "access-control-allow-headers": ALL_HEADERS },
  // The origin is what is missing.
  "allow-list": { "access-control-allow-headers": ALL_HEADERS, "access-control-allow-credentials": "true" },
  none: undefined,
  "wildcard-with-credentials": {
    "access-control-allow-origin": "*",
    "access-control-allow-headers": ALL_HEADERS,
    "access-control-allow-credentials": "true",
  },
  "preflight-405": { "access-control-allow-origin": "*", "access-control-allow-headers": ALL_HEADERS },
};

export const CORS_POLICIES = Object.keys(POLICIES) as CorsPolicy[];

/** The headers of each reply that the server's own settings reach. */
export function corsHeaders(policy: CorsPolicy | undefined): Record<string, string> {
  const headers = policy && POLICIES[policy];
  return headers ? { ...headers, "access-control-allow-methods": "GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD" } : {};
}

/** What a browser's question gets, which it asks before it sends more than a form could. */
export function preflightReply(policy: CorsPolicy): Response {
  if (policy === "preflight-405") return new Response(null, { status: 405, headers: { allow: "GET" } });
  if (policy === "none") return new Response(null, { status: 404 });
  return new Response(null, { status: 200, headers: corsHeaders(policy) });
}

/** Whose browser the fake stands for where the platform has no page. */
const SOME_PAGE = "https://page.example";

/** What a browser lets its page have of a reply, or the TypeError that hides it. */
export async function asBrowser(policy: CorsPolicy, request: Received, base: URL, send: () => Promise<Response>): Promise<Response> {
  const page = globalThis.location?.origin ?? SOME_PAGE;
  const { mode, credentials, redirect, headers } = request;
  const isCross = page !== base.origin;
  const hides = mode === "no-cors";
  const names = [...headers.keys()].filter((name) => !["accept", "accept-language", "content-language"].includes(name));
  if (isCross && !hides && names.length > 0) {
    const preflight = preflightReply(policy);
    const allowed = (preflight.headers.get("access-control-allow-headers") ?? "").toLowerCase().split(",");
    if (!preflight.ok || !isLetIn(preflight, page, credentials) || !names.every((name) => allowed.includes(name))) throw hidden();
  }
  const reply = await send();
  const isRedirect = reply.status >= 300 && reply.status < 400 && reply.headers.has("location");
  if (isCross && !hides && !isLetIn(reply, page, credentials)) throw hidden();
  // The page behind it is none of the API's.
  if (isRedirect && redirect !== "manual" && !hides) throw hidden();
  if (isRedirect && redirect === "manual") return closed("opaqueredirect");
  return isCross && hides ? closed("opaque") : reply;
}

function isLetIn({ headers }: Response, page: string, credentials: string | undefined): boolean {
  const origin = headers.get("access-control-allow-origin");
  if (credentials !== "include") return origin === "*" || origin === page;
  return origin === page && headers.get("access-control-allow-credentials") === "true";
}

const hidden = () => new TypeError("Failed to fetch");

/** Of which a page sees nothing. No constructor makes one. */
function closed(type: string): Response {
  return { type, status: 0, ok: false, statusText: "", url: "", redirected: false, headers: new Headers(), body: null, bodyUsed: false } as unknown as Response;
}
