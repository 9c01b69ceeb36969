import { isSafelisted, passesCorsCheck } from "../cors.js";
import type { Received } from "./request.js";

/**
 * The server's CORS policy:
 * - `"servicestack-default"`: any origin, but of the request headers only `Content-Type`, so every call with a token or
 *   a key fails;
 * - `"open"`: any origin, the headers of tokens and keys, no cookies;
 * - `"allow-list"`: an origin other than the page's;
 * - `"none"`: no CORS headers;
 * - `"wildcard-with-credentials"`: `*` and cookies, a combination that browsers refuse;
 * - `"preflight-405"`: like `"open"`, but OPTIONS is answered with 405.
 */
export type CorsPolicy = "servicestack-default" | "open" | "allow-list" | "none" | "wildcard-with-credentials" | "preflight-405";

const ALL_HEADERS = "Content-Type,Authorization,x-api-key";
const POLICIES: Record<CorsPolicy, Record<string, string> | undefined> = {
  "servicestack-default": { "access-control-allow-origin": "*", "access-control-allow-headers": "Content-Type" },
  open: { "access-control-allow-origin": "*", "access-control-allow-headers": ALL_HEADERS },
  // Only the origin is wrong.
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

/** The CORS headers of each reply that the API itself makes. */
export function corsHeaders(policy: CorsPolicy | undefined): Record<string, string> {
  const headers = policy && POLICIES[policy];
  return headers ? { ...headers, "access-control-allow-methods": "GET, POST, PUT, DELETE, PATCH, OPTIONS, HEAD" } : {};
}

/** The reply to a preflight, which browsers send before anything that a form could not send. */
export function preflightReply(policy: CorsPolicy): Response {
  if (policy === "preflight-405") return new Response(null, { status: 405, headers: { allow: "GET" } });
  if (policy === "none") return new Response(null, { status: 404 });
  return new Response(null, { status: 200, headers: corsHeaders(policy) });
}

/** The origin of the page on a platform without pages. */
const SOME_PAGE = "https://page.example";

/** The reply as a browser lets its page see it, or the TypeError that hides it. */
export async function asBrowser(policy: CorsPolicy, request: Received, base: URL, send: () => Promise<Response>): Promise<Response> {
  const page = globalThis.location?.origin ?? SOME_PAGE;
  const { mode, credentials, redirect, headers } = request;
  const isCross = page !== base.origin;
  const hides = mode === "no-cors";
  const includesCookies = credentials === "include";
  const names = [...headers.keys()].filter((name) => !isSafelisted(name));
  if (isCross && !hides && names.length > 0) {
    const preflight = preflightReply(policy);
    const allowed = (preflight.headers.get("access-control-allow-headers") ?? "").toLowerCase().split(",");
    if (!preflight.ok || !passesCorsCheck(preflight.headers, page, includesCookies) || !names.every((name) => allowed.includes(name))) throw hidden();
  }
  const reply = await send();
  const isRedirect = reply.status >= 300 && reply.status < 400 && reply.headers.has("location");
  if (isCross && !hides && !passesCorsCheck(reply.headers, page, includesCookies)) throw hidden();
  // The redirect leads away from the API.
  if (isRedirect && redirect !== "manual" && !hides) throw hidden();
  if (isRedirect && redirect === "manual") return closed("opaqueredirect");
  return isCross && hides ? closed("opaque") : reply;
}

const hidden = () => new TypeError("Failed to fetch");

/** An opaque reply, of which a page sees nothing. No constructor makes one. */
function closed(type: string): Response {
  return { type, status: 0, ok: false, statusText: "", url: "", redirected: false, headers: new Headers(), body: null, bodyUsed: false } as unknown as Response;
}
