import { isLoopback } from "../loopback.js";
import type { Call, Facts } from "./facts.js";
import { corsFix, doctorLine, httpsOf, isSameOrigin, shellWord, urlFor, type Asking } from "./fixes.js";
import { BAD_PORT, codeOf } from "./probe.js";
import type { Cause, Finding, FindingCode } from "./types.js";

export const errorFinding = (cause: Cause): Finding => ({ level: "error", ...cause });

/** Why no reply could be read. Without `call`, which could not be made, this is only what the probes show. */
export function noReplyFindings(facts: Facts, call?: Call): Finding[] {
  const { baseUrl, page, reach, plain } = facts;
  // Of what stands in for a client nothing is known.
  if (baseUrl === undefined || !(reach ?? plain)) return call ? [errorFinding({ code: "no_reply", message: call.error!.message })] : [];
  // Headers came: what was lost is the body.
  if (call?.error?.attempts?.at(-1)?.status) return [errorFinding(truncated(call.error.message))];
  if ([reach, plain].some((probe) => probe?.came === "late")) return [errorFinding(late(baseUrl))];
  if (page !== undefined && facts.isRefusedByCsp) return [errorFinding(refusedByCsp(baseUrl, page))];
  if (reach?.came === "nothing") return [page === undefined ? outside(baseUrl, reach.code) : inPage(facts, page, baseUrl)];
  if (page === undefined || isSameOrigin(baseUrl, page)) return call ? [outside(baseUrl, codeOf(call.error?.cause), " to the call, though one to a probe before it did")] : [];
  const asking = { page, headerNames: facts.headerNames };
  const found = crossOrigin(facts, asking) ?? (call && hiddenReply(asking));
  if (!found) return [];
  const hidden = found.candidates || found.code === "cors_headers" || found.code === "cors_credentials";
  return [hidden ? { ...found, doctor: doctorLine(asking, baseUrl, facts.includesCookies) } : found];
}

/** Outside a page, where nothing is hidden by a browser; the doctor finds out more. */
function outside(baseUrl: string, code: string, what = ""): Finding {
  const why = code === BAD_PORT ? "fetch blocks this port, as browsers do" : code;
  const finding = errorFinding({ code: "no_reply", message: `No reply came from ${new URL(baseUrl).host}${what}${why && ` (${why})`}.` });
  return { ...finding, doctor: `${urlFor(baseUrl)}npx bookmore-sdk doctor` };
}

export function connectionRefused(url: URL): Cause {
  return { code: "connection_refused", message: `Nothing listens at ${placeOf(url)}: the server is not running, or uses another port.`, fix: `curl -i ${shellWord(url.href)}` };
}

export function unknownHost({ hostname }: URL): Cause {
  return { code: "unknown_host", message: `The name ${hostname} does not resolve: it is misspelt, or known only in a VPN or another network.`, fix: `nslookup ${shellWord(hostname)}` };
}

function refusedByCsp(baseUrl: string, page: string): Cause {
  const { origin } = new URL(baseUrl);
  return {
    code: "csp_connect_src",
    message: `The Content-Security-Policy of this page does not allow connections to ${origin}.`,
    fix: `connect-src 'self'${origin === page ? "" : ` ${origin}`}`,
  };
}

function inPage({ isOffline, headerNames, includesCookies, settings }: Facts, page: string, baseUrl: string): Finding {
  const url = new URL(baseUrl);
  const { origin, hostname, protocol } = url;
  const isSame = isSameOrigin(baseUrl, page);
  const isLocal = isLoopback(hostname);
  if (page.startsWith("https:") && protocol === "http:" && !isLocal) {
    return errorFinding({
      code: "mixed_content",
      message: "This page was loaded by https, and browsers block its requests to plain http.",
      fix: settings.baseUrl(httpsOf(baseUrl)),
    });
  }
  const candidates: Cause[] = [];
  const add = (code: FindingCode, message: string, fix?: string) => candidates.push({ code, message, ...(fix === undefined ? {} : { fix }) });
  if (isOffline) add("offline", "This device is offline.");
  candidates.push(connectionRefused(url));
  const isNumber = /^[\d.]+$|^\[/.test(hostname);
  if (!isLocal && !isNumber) candidates.push(unknownHost(url));
  if (protocol === "https:") {
    add("certificate_untrusted", "The browser does not trust its certificate: it is self-signed, has expired or is for another name. Open the URL in a tab to see which.", baseUrl);
    add("not_tls", "The server at this port speaks plain http, not TLS.");
  }
  if (isPrivate(hostname) && !isPrivate(pageHost(page))) {
    add("local_network", "The page is on the internet and the server on the local network, so the browser asks the user for permission. The browser's settings for this site show the answer.");
  }
  if (isLocal && page.startsWith("https:") && protocol === "http:") {
    add("mixed_content", "This page was loaded by https, and some browsers block its requests to plain http, even on this machine.", settings.baseUrl(httpsOf(baseUrl)));
  }
  add("connection_reset", "The server, or something in between, closes the connection without a reply.");
  // From the page's own origin, a redirect is visible.
  if (!isSame) add("redirected", "The server redirects, perhaps to a login page, to a URL that the page cannot load: nothing answers there, it redirects back, or the page's policy forbids it.");
  const blocks = "A browser extension or a proxy blocks the reply, or this port is one that browsers block";
  if (isSame) add("blocked_reply", `${blocks}.`);
  else add("blocked_reply", `${blocks}, or the server's Cross-Origin-Resource-Policy hides the reply.`, "Cross-Origin-Resource-Policy: cross-origin");
  return {
    ...errorFinding({ code: "no_reply", message: `No reply from ${origin} reaches this page. Browsers do not say which of these is the cause.` }),
    candidates,
    doctor: doctorLine({ page, headerNames }, baseUrl, includesCookies),
  };
}

/** CORS headers from both the server and a proxy in front of it. */
export const DUPLICATE: Cause = {
  code: "cors_duplicate",
  message: "The server and something in front of it both send Access-Control-Allow-Origin, and browsers accept it only once.",
  fix: "proxy_hide_header Access-Control-Allow-Origin;",
};

/** What CORS keeps the page from reading, of a server that answers. */
function crossOrigin(facts: Facts, asking: Asking): Finding | undefined {
  const { plain, headers, contentType, cookies, again } = facts;
  const { page } = asking;
  const fix = corsFix(asking);
  if (plain?.came === "nothing") {
    const candidates: Cause[] = [
      { code: "cors_missing", message: "The server has no CORS settings, or they do not reach its error replies, such as a 401.", ...fix },
      page === "null"
        ? { code: "cors_origin", message: "This page has no origin, because it is a file or a sandboxed frame. Serve it by http." }
        : { code: "cors_origin", message: `The server's CORS settings allow other origins, but not ${page}.`, ...fix },
      DUPLICATE,
      { code: "sign_in_redirect", message: "Something in front of the server redirects to a login page, or redirects until it gets a cookie." },
      { code: "moved", message: "The API has moved, and the server redirects to its new address. Use that as the base URL." },
    ];
    return {
      ...errorFinding({ code: "cors_blocked", message: `The server answers, but this page, ${page}, is not allowed to read the reply. Browsers do not say which of these is the cause.` }),
      candidates,
    };
  }
  if (again?.came === "nothing") {
    return { ...hiddenReply(asking), message: "At first this page could read the server's replies, but later not even a reply to the same request. Browsers do not say which of these is the cause." };
  }
  const isRefused = (name: string) => headers[name]?.came === "nothing";
  const refused = asking.headerNames.filter(isRefused);
  if (refused.length > 0) {
    const names = refused.join(", ");
    const headersCause: Cause = {
      code: "cors_headers",
      message: `The server's CORS settings do not allow a page to send ${names}; its replies to requests without ${refused.length > 1 ? "them" : "it"} can be read. By default, ServiceStack allows only Content-Type.`,
      ...fix,
    };
    // Content-Type: application/json needs a preflight, too. If it is allowed, preflights work, and these headers are
    // what is refused.
    if (contentType?.came !== "nothing") {
      // The placeholder of a token or key is refused as well, perhaps by a reply without CORS headers.
      if (!refused.every((name) => name === "authorization" || name === "x-api-key")) return errorFinding(headersCause);
      return {
        ...errorFinding({ ...headersCause, message: `This page can read the server's replies, but not those to requests with ${names}. Browsers do not say which of these is the cause.` }),
        candidates: [
          headersCause,
          { code: "cors_error_replies", message: `The CORS settings allow ${names}, but the server's 401 has no CORS headers.`, ...fix },
        ],
      };
    }
    return {
      ...errorFinding({ code: "preflight_refused", message: `The server refuses the preflight, the OPTIONS request that a browser makes before it sends ${names}. Browsers do not say which of these is the cause.` }),
      candidates: [
        { code: "cors_preflight", message: "The server answers OPTIONS with an error, such as the 405 of ASP.NET's endpoint routing.", ...fix },
        { ...headersCause, message: `The server's CORS settings do not allow a page to send ${names}.` },
      ],
    };
  }
  if (cookies?.came === "nothing") {
    return errorFinding({
      code: "cors_credentials",
      message: 'The client sends cookies (credentials: "include"), but the server\'s CORS settings do not allow that: it takes the page\'s own origin instead of *, and Access-Control-Allow-Credentials.',
      ...fix,
    });
  }
  return undefined;
}

/** The page could read the reply to every probe, but not to the call. */
function hiddenReply(asking: Asking): Finding {
  return {
    ...errorFinding({ code: "no_reply", message: "This page is allowed to read the server's replies, but could not read the reply to the call. Browsers do not say which of these is the cause." }),
    candidates: [
      { code: "cors_error_replies", message: "The reply had no CORS headers: it was a 401 for the token, a 429, or a proxy's error, written before CORS headers are added.", ...corsFix(asking) },
      { code: "truncated", message: "The reply broke off." },
    ],
  };
}

export function late(baseUrl: string): Cause {
  return { code: "timeout", message: `No reply came from ${new URL(baseUrl).host} in time: it is overloaded, or something in between drops the connection.`, fix: `curl -v --max-time 30 ${shellWord(baseUrl)}` };
}

export function truncated(message: string): Cause {
  return { code: "truncated", message: `${message} If it happens each time, a proxy cuts replies off.` };
}

export function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

/** The host and port in words. */
export const placeOf = (url: URL): string => `${url.hostname}, port ${portOf(url)}`;

/** A file or a sandboxed frame has the origin "null". */
const pageHost = (page: string): string => (page === "null" ? "localhost" : new URL(page).hostname);

function isPrivate(hostname: string): boolean {
  return isLoopback(hostname) || /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[f[cd])|\.local$/.test(hostname);
}
