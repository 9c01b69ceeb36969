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

/** Where no browser hides it the terminal tells more. */
function outside(baseUrl: string, code: string, what = ""): Finding {
  const why = code === BAD_PORT ? "fetch refuses this port, as browsers do" : code;
  const finding = errorFinding({ code: "no_reply", message: `No reply came from ${new URL(baseUrl).host}${what}${why && ` (${why})`}.` });
  return { ...finding, doctor: `${urlFor(baseUrl)}npx bookmore-sdk doctor` };
}

export function connectionRefused(url: URL): Cause {
  return { code: "connection_refused", message: `Nothing listens at ${placeOf(url)}: the server is not running, or has another port.`, fix: `curl -i ${shellWord(url.href)}` };
}

export function unknownHost({ hostname }: URL): Cause {
  return { code: "unknown_host", message: `The name ${hostname} does not resolve: it is misspelt, or only a VPN or another network knows it.`, fix: `nslookup ${shellWord(hostname)}` };
}

function refusedByCsp(baseUrl: string, page: string): Cause {
  const { origin } = new URL(baseUrl);
  return {
    code: "csp_connect_src",
    message: `The Content-Security-Policy of this page does not let it connect to ${origin}.`,
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
      message: "This page came by https, and browsers block its requests to plain http.",
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
    add("certificate_untrusted", "The browser does not trust its certificate: it is self-signed, has expired or is for another name. A tab of its own shows which.", baseUrl);
    add("not_tls", "What listens at this port speaks plain http, and no TLS.");
  }
  if (isPrivate(hostname) && !isPrivate(pageHost(page))) {
    add("local_network", "The page is of the internet and the server of the local network: the browser asks the user before it lets the page in; the settings of this site tell what was answered.");
  }
  if (isLocal && page.startsWith("https:") && protocol === "http:") {
    add("mixed_content", "This page came by https, and some browsers block its requests to plain http, even on this machine.", settings.baseUrl(httpsOf(baseUrl)));
  }
  add("connection_reset", "What listens there, or something on the way, ends the connection without a reply.");
  // Of an API of the page's own origin a redirect is seen.
  if (!isSame) add("redirected", "The server redirects, perhaps to a page for signing in, and the page does not get where that leads: nothing answers there, it leads back, or the page may not go there.");
  const blocks = "An extension of the browser or a proxy keeps the reply from the page, or the browser refuses this port, as it does some";
  if (isSame) add("blocked_reply", `${blocks}.`);
  else add("blocked_reply", `${blocks}, or a Cross-Origin-Resource-Policy of the server hides the reply.`, "Cross-Origin-Resource-Policy: cross-origin");
  return {
    ...errorFinding({ code: "no_reply", message: `No reply from ${origin} reaches this page. Browsers do not tell which of these it is.` }),
    candidates,
    doctor: doctorLine({ page, headerNames }, baseUrl, includesCookies),
  };
}

/** What the settings on top of others come to. */
export const DUPLICATE: Cause = {
  code: "cors_duplicate",
  message: "The server and something in front of it both send Access-Control-Allow-Origin, and browsers accept it only once.",
  fix: "proxy_hide_header Access-Control-Allow-Origin;",
};

/** The server answers; what of it may this page read? */
function crossOrigin(facts: Facts, asking: Asking): Finding | undefined {
  const { plain, headers, contentType, cookies, again } = facts;
  const { page } = asking;
  const fix = corsFix(asking);
  if (plain?.came === "nothing") {
    const candidates: Cause[] = [
      { code: "cors_missing", message: "The server has no CORS settings, or they do not reach its error replies, such as a 401.", ...fix },
      page === "null"
        ? { code: "cors_origin", message: "This page has no origin, as a file or a sandboxed frame has none; serve it by http." }
        : { code: "cors_origin", message: `The server's CORS settings let in other origins, and not ${page}.`, ...fix },
      DUPLICATE,
      { code: "sign_in_redirect", message: "Something in front of the server redirects to a page for signing in, or until it gets a cookie." },
      { code: "moved", message: "The server redirects to where the API lives now; the base URL has to be that." },
    ];
    return {
      ...errorFinding({ code: "cors_blocked", message: `The server answers, and this page, ${page}, may read nothing of it. Browsers do not tell which of these it is.` }),
      candidates,
    };
  }
  if (again?.came === "nothing") {
    return { ...hiddenReply(asking), message: "This page could read the server's replies at first, and then not even the same one again. Browsers do not tell which of these it is." };
  }
  const isRefused = (name: string) => headers[name]?.came === "nothing";
  const refused = asking.headerNames.filter(isRefused);
  if (refused.length > 0) {
    const names = refused.join(", ");
    const headersCause: Cause = {
      code: "cors_headers",
      message: `The server's CORS settings do not let a page send ${names}; without ${refused.length > 1 ? "them" : "it"} its replies can be read. By default ServiceStack allows only Content-Type.`,
      ...fix,
    };
    // Content-Type: application/json needs a preflight too. Where that is let in, preflights work, and these headers are
    // refused.
    if (contentType?.came !== "nothing") {
      // What stands for a token or a key is refused in its turn, perhaps by a reply that nobody may read.
      if (!refused.every((name) => name === "authorization" || name === "x-api-key")) return errorFinding(headersCause);
      return {
        ...errorFinding({ ...headersCause, message: `This page can read the server's replies, but none to what it sends with ${names}. Browsers do not tell which of these it is.` }),
        candidates: [
          headersCause,
          { code: "cors_error_replies", message: `The CORS settings allow ${names}, and do not reach the 401 for what the server refuses.`, ...fix },
        ],
      };
    }
    return {
      ...errorFinding({ code: "preflight_refused", message: `The server refuses what a browser asks before it sends ${names} (the preflight, an OPTIONS request). Browsers do not tell which of these it is.` }),
      candidates: [
        { code: "cors_preflight", message: "The server answers OPTIONS with an error, such as 405 where ASP.NET routes by endpoints.", ...fix },
        { ...headersCause, message: `The server's CORS settings do not let a page send ${names}.` },
      ],
    };
  }
  if (cookies?.came === "nothing") {
    return errorFinding({
      code: "cors_credentials",
      message: 'The client sends cookies (credentials: "include"), and the server\'s CORS settings do not let a page do that: they need the page\'s own origin, not *, and Access-Control-Allow-Credentials.',
      ...fix,
    });
  }
  return undefined;
}

/** The server's replies were read without any header, and with each, but not the call's. */
function hiddenReply(asking: Asking): Finding {
  return {
    ...errorFinding({ code: "no_reply", message: "This page may read the server's replies, and of the call it could read none. Browsers do not tell which of these it is." }),
    candidates: [
      { code: "cors_error_replies", message: "That reply had no CORS headers: a 401 for the token that was sent, a 429 or an error of a proxy, made before CORS headers are added.", ...corsFix(asking) },
      { code: "truncated", message: "The reply broke off on its way." },
    ],
  };
}

export function late(baseUrl: string): Cause {
  return { code: "timeout", message: `No reply came from ${new URL(baseUrl).host} in time: it is overloaded, or something on the way drops the connection.`, fix: `curl -v --max-time 30 ${shellWord(baseUrl)}` };
}

export function truncated(message: string): Cause {
  return { code: "truncated", message: `${message} Where it happens each time, a proxy on the way cuts replies off.` };
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
