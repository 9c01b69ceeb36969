import type { AnyBookMoreError } from "bookmore-sdk";
import { isSameOrigin } from "../cors.js";
import { isInsecure, isLoopback, isMixedContent } from "../loopback.js";
import { PATH } from "../operation.js";
import type { Call, Facts } from "./facts.js";
import { corsFix, fixBy, httpOf, httpsFix, httpsOf, type Asking, type Settings } from "./fixes.js";
import { refusedConnection } from "./policy.js";
import { BAD_PORT, systemCode } from "./probe.js";
import { doctorLine, doctorOf, shellWord } from "./shell.js";
import type { Cause, Finding, FindingCode } from "./types.js";

/** What to do about mixed content. */
export const NEEDS_HTTPS = "The server needs https, or the page's own server has to pass the requests on.";

export const errorFinding = (cause: Cause): Finding => ({ level: "error", ...cause });

const oneOf = (cause: Cause, candidates: Cause[]): Finding => ({ ...errorFinding({ ...cause, message: `${cause.message} Browsers do not tell which of these it is.` }), candidates });

/** Why no reply could be read. Without `call`, which could not be made, this is only what the probes show. */
export function noReplyFindings(facts: Facts, call?: Call): Finding[] {
  const { baseUrl, page, reach, plain } = facts;
  // Of what stands in for a client nothing is known.
  if (baseUrl === undefined || !(reach ?? plain)) return call ? [errorFinding({ code: "no_reply", message: call.error!.message })] : [];
  if (call?.error?.attempts?.at(-1)?.status) return [lostBody(call.error, facts)];
  if (isLate(facts)) return [errorFinding(late(facts))];
  if (page !== undefined && facts.isRefusedByCsp) return [errorFinding(refusedConnection(facts, baseUrl, page))];
  if (reach?.came === "nothing") return [page === undefined ? outside(baseUrl, reach.code) : inPage(facts, page, baseUrl)];
  if (page === undefined) return call ? [outside(baseUrl, systemCode(call.error?.cause), true)] : [];
  const asking = { page, headerNames: facts.headerNames };
  if (isSameOrigin(baseUrl, page)) return call ? [{ ...oneOf({ code: "no_reply", message: "The server answered a probe, but not the call that followed." }, LOST_CALL), ...doctorLine(facts) }] : [];
  const found = crossOrigin(facts, asking) ?? (call && hiddenReply(asking, "This page may read the server's replies, but not the one to the call.", facts.includesCookies));
  if (!found) return [];
  const words = isExtension(page) ? " An extension's page needs no CORS settings: name the server in the host_permissions of its manifest." : "";
  return [{ ...found, message: found.message + words, ...doctorLine(facts) }];
}

/** Headers came: what was lost is the body. Node.js tells why. */
function lostBody({ message, cause }: AnyBookMoreError, facts: Facts): Finding {
  if (/^(Z_DATA|ERR__|ZSTD_)/.test(systemCode(cause))) return errorFinding(MISLABELLED);
  if (facts.page === undefined) return errorFinding(truncated(message));
  return { ...oneOf({ code: "truncated", message }, [CUT_OFF, MISLABELLED]), ...doctorLine(facts) };
}

/** Outside a browser nothing is hidden, and `doctor` tells more. */
function outside(baseUrl: string, code: string, hasAnswered = false): Finding {
  const { host } = new URL(baseUrl);
  const why = code === BAD_PORT ? "fetch blocks this port, as browsers do" : code;
  const message = hasAnswered ? `${host} answered a probe, but not the call that followed` : `No reply came from ${host}`;
  const finding = errorFinding({ code: "no_reply", message: `${message}${why && ` (${why})`}.` });
  return { ...finding, doctor: doctorOf(baseUrl) };
}

export function connectionRefused(url: URL): Cause {
  const { hostname } = url;
  // A server may listen at one of a machine's addresses only.
  const example = isLoopback(hostname) && hostname !== "localhost" ? ", such as localhost" : "";
  return { code: "connection_refused", message: `The connection to ${placeOf(url)}, is refused: the server is not running, or uses another port or another address${example}, or a firewall refuses it.`, fix: `curl -i ${shellWord(url.href)}` };
}

/** Whether a host reads like a variable or a placeholder that was not replaced. */
export const isUnreplaced = (host: string): boolean => /[${}<>%]|^(undefined|null|none|nan)$/i.test(host);

/** What is wrong with a host name by its looks; follows "it". */
export function mistakeIn(hostname: string): string | undefined {
  if (isUnreplaced(hostname)) return "reads like a variable that was not replaced";
  if (/[,;]$/.test(hostname)) return "ends with a comma or a semicolon";
  return /^https?$/.test(hostname) ? "is a scheme, so that the base URL has two" : undefined;
}

export function unknownHost({ hostname }: URL): Cause {
  const mistake = mistakeIn(hostname);
  if (mistake) return { code: "unknown_host", message: `The name ${hostname} does not resolve here: it ${mistake}.` };
  return { code: "unknown_host", message: `The name ${hostname} does not resolve here: it is misspelt, known only in a VPN or another network, or blocked, or this machine is offline.`, fix: `nslookup ${shellWord(hostname)}` };
}

function inPage(facts: Facts, page: string, baseUrl: string): Finding {
  const { isOffline, isIsolated, isWebKit, localNetwork, headerNames, settings } = facts;
  const url = new URL(baseUrl);
  const { origin, hostname, protocol } = url;
  const isSame = isSameOrigin(baseUrl, page);
  const isLocal = isLoopback(hostname);
  const asking = { page, headerNames };
  const isMixed = isMixedContent(page, baseUrl);
  const mixed: Cause = { code: "mixed_content", message: `This page was loaded by https, and browsers block its requests to plain http. ${NEEDS_HTTPS}`, ...httpsFix(baseUrl, settings) };
  // Of the local network some browsers ask the user instead.
  if (isMixed && !isPrivate(hostname)) return errorFinding(mixed);
  if (isBadPort(url)) return errorFinding({ code: "no_reply", message: `Browsers refuse to connect to port ${url.port}, which the Fetch standard blocks because it is another protocol's. The server has to listen at another port.` });
  const candidates: Cause[] = isMixed ? [mixed] : [];
  const put = (isFirst: boolean, cause: Cause) => candidates[isFirst ? "unshift" : "push"](cause);
  const add = (code: FindingCode, message: string, fix?: string) => put(false, { code, message, ...fixBy(fix) });
  if (isOffline) add("offline", "This device is offline.");
  if (isLocal && !isLoopback(pageHost(page))) add("base_url", `The host ${hostname} is the computer that shows this page, and the page comes from another: perhaps the base URL of development is still set.`);
  if (isSame) {
    // The page itself came from there, and a redirect would have been seen.
    candidates.push(connectionRefused(url), RESET);
  } else {
    const isNumber = /^[\d.]+$|^\[/.test(hostname);
    const unknown = isLocal || isNumber ? [] : [unknownHost(url)];
    // The names of containers and clusters are known only there.
    candidates.push(...(/^[^.]+$|\.(internal|local)$/.test(hostname) ? [...unknown, connectionRefused(url)] : [connectionRefused(url), ...unknown]));
    if (protocol === "https:") {
      add("certificate_untrusted", "The browser does not trust its certificate: it is self-signed, from an authority that the browser does not know, has expired or is for another name. Open it in a tab of its own to see which.", baseUrl);
      add("not_tls", "What listens at this port speaks plain http, and no TLS.", isLocal ? settings.baseUrl(httpOf(baseUrl)) : undefined);
    } else {
      add("needs_https", "What listens at this port speaks TLS, and no plain http.", settings.baseUrl(httpsOf(baseUrl)));
      if (isInsecure(baseUrl)) {
        add("csp_upgrade", "The Content-Security-Policy of this page has upgrade-insecure-requests: the browser asks by https instead, and gets no reply. Let the API answer by https, or remove the directive.");
        candidates.push(hsts(baseUrl, settings));
      }
    }
    // The address of a name is hidden.
    if ((isPrivate(hostname) || !isNumber) && !isPrivate(pageHost(page)) && localNetwork !== "granted") {
      const message = "The page is on the internet and the server's address on the local network. The browser asks the user for permission first, or refuses; the site's settings show the answer. A page that was loaded by plain http, and a frame whose allow attribute does not name local-network and loopback-network, are always refused.";
      put(localNetwork === "denied" && isPrivate(hostname), { code: "local_network", message });
    }
    if (isWebKit !== false && isLocal && page.startsWith("https:") && protocol === "http:") {
      put(isWebKit === true, { code: "mixed_content", message: "Safari blocks requests of a page that was loaded by https to plain http, even to this machine.", ...httpsFix(baseUrl, settings) });
    }
    // A probe that reads nothing gets no reply then, either.
    const hidden: Cause = { code: "cors_blocked", message: "The server's CORS settings do not allow this page, and a Cross-Origin-Resource-Policy of the server, or this page's Cross-Origin-Embedder-Policy, hides that it answers.", ...corsFix(asking) };
    put(isIsolated, hidden);
    candidates.push(RESET);
    add("redirected", "The server redirects, perhaps to a sign-in page, and the redirect cannot be followed: nothing answers there, it loops, or a policy of the page forbids it.");
  }
  add("blocked_reply", BLOCKED);
  return { ...oneOf({ code: "no_reply", message: `No reply from ${origin} reaches this page.` }, candidates), ...doctorLine(facts) };
}

/** A browser that asks by https by itself. */
export function hsts(baseUrl: string, settings: Settings): Cause {
  return { code: "hsts", message: "The browser itself goes to https for this host: by HSTS, as for all names in .dev and .app, or because it is set to use https only.", fix: settings.baseUrl(httpsOf(baseUrl)) };
}

/** The ports from 1024 on that the Fetch standard blocks; below it, few servers listen. */
const BAD_PORTS = [1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080];
const isBadPort = ({ port }: URL): boolean => BAD_PORTS.includes(Number(port));

const RESET: Cause = { code: "connection_reset", message: "What listens there, or something on the way, ends the connection without a reply." };
const BLOCKED = "An extension of the browser, a proxy or what replaces the page's fetch keeps the reply from the page.";
export const OWN_PAGE = "The server, or something in between, shows browsers a page of its own, such as the warning of a tunnel (ngrok leaves it out for a request with the header ngrok-skip-browser-warning), bot protection or a sign-in. Open the address in a browser to see.";
export const CUT_OFF: Cause = { code: "truncated", message: "The reply broke off on its way." };
const MISLABELLED: Cause = {
  code: "content_encoding",
  message: "The reply is not compressed as its Content-Encoding says, or was damaged on its way. Whatever sets that header, the server or a proxy, must compress the reply or leave the header out.",
};

export const DUPLICATE: Cause = {
  code: "cors_duplicate",
  message: "Access-Control-Allow-Origin is sent twice, and browsers accept it only once: by two settings of the server, such as ServiceStack's CorsFeature beside UseCors, of which one has to go, or by the server and by something in front of it.",
  fix: "# nginx, where it adds the header itself:\nproxy_hide_header Access-Control-Allow-Origin;",
};

const CUSTOM_FETCH: Cause = {
  code: "custom_fetch",
  message: "The page's fetch is not the browser's own, but that of the client's options or of a library, such as one for tracing. It adds cookies or a header, such as traceparent, that the CORS settings do not allow, or sets mode: \"no-cors\". Let it leave the API out.",
};

/** What CORS keeps the page from reading, of a server that answers. */
function crossOrigin(facts: Facts, asking: Asking): Finding | undefined {
  const { plain, headers, contentType, cookies, again, baseUrl = "" } = facts;
  const { page } = asking;
  const fix = corsFix(asking);
  if (plain?.came === "nothing") {
    const candidates: Cause[] = [
      { code: "cors_missing", message: "The server has no CORS settings, or they do not reach its error replies, such as a 401.", ...fix },
      page === "null"
        ? { code: "cors_origin", message: "This page has no origin, because it is a file, a sandboxed frame or sandboxed by its policy. Serve it by http, and not sandboxed." }
        : { code: "cors_origin", message: `The server's CORS settings allow other origins, but not ${page}.`, ...fix },
      { code: "server_error", message: "The server, or something in front of it, is answering every request with an error, such as 429, 502 or 503, without CORS headers. Try again later." },
      DUPLICATE,
      { code: "sign_in_redirect", message: "Something in front of the server redirects to a login page, or redirects until it gets a cookie." },
      { code: "moved", message: "The server redirects to the new address of the API, which is then the base URL to use, or to the same address with a slash at the end." },
      { code: "base_url", message: "What answers there is not the API: the scheme, host, port or path of the base URL is wrong." },
      { code: "blocked_reply", message: OWN_PAGE, fix: baseUrl + PATH },
      ...(facts.isFetchReplaced ? [CUSTOM_FETCH] : []),
    ];
    return oneOf({ code: "cors_blocked", message: `The server answers, and this page, ${page}, may read nothing of it.` }, candidates);
  }
  if (again?.came === "nothing") return hiddenReply(asking, "This page could read the server's replies at first, and then not even the same one again.");
  const unread = plain?.came === "redirect" ? "This page's requests are redirected, and it gets no reply at all to those that it sends with" : "This page can read the server's replies, but none to what it sends with";
  const refused = asking.headerNames.filter((name) => headers[name]?.came === "nothing");
  if (refused.length > 0) {
    const names = refused.join(", ");
    // Content-Type: application/json needs a preflight, too.
    const isContentTypeRefused = contentType?.came === "nothing";
    const byDefault = isContentTypeRefused ? "" : " By default ServiceStack allows only Content-Type.";
    const settings: Cause = { code: "cors_headers", message: `The server's CORS settings do not let a page send ${names}.${byDefault}`, ...fix };
    // The placeholder may be refused as well, by a reply without CORS headers.
    const replies = errorReplies(names, "a value that it does not know", fix);
    // Where any of these headers is allowed, preflights work.
    if (isContentTypeRefused && refused.length === asking.headerNames.length) {
      return oneOf({ code: "preflight_refused", message: `${unread} ${names} or content-type, which need a preflight (OPTIONS).` }, [
        { code: "cors_preflight", message: "The server answers OPTIONS with an error, such as 405 where ASP.NET routes by endpoints, with a redirect, or without CORS headers, or something on the way, such as a firewall, drops it.", ...fix },
        settings,
        replies,
      ]);
    }
    return oneOf({ code: "cors_headers", message: `${unread} ${names}.`, ...fix }, [settings, replies]);
  }
  if (cookies?.came === "nothing") {
    return oneOf({ code: "cors_credentials", message: `${unread} cookies (credentials: "include").`, ...fix }, [
      { code: "cors_credentials", message: "The server's CORS settings do not let a page send cookies: they need the page's own origin, not *, and Access-Control-Allow-Credentials.", ...fix },
      errorReplies("cookies", "those of this browser", fix),
    ]);
  }
  return undefined;
}

/** The CORS settings allow `what`, but a refusal comes without them. */
function errorReplies(what: string, refused: string, fix: Pick<Cause, "fix" | "elsewhere">): Cause {
  return { code: "cors_error_replies", message: `The CORS settings allow ${what}, but the reply with which the server refuses ${refused} has no CORS headers, as is usual for a 401, a 500 or a redirect to a sign-in page.`, ...fix };
}

/** The server's replies were read without any header, and with each, but not the call's. */
function hiddenReply(asking: Asking, message: string, includesCookies = false): Finding {
  // No probe sends cookies and headers together.
  const together: Cause[] = includesCookies && asking.headerNames.length > 0
    ? [
        { code: "cors_headers", message: "Access-Control-Allow-Headers is *, which counts for nothing when cookies are sent: it must name the headers.", ...corsFix(asking) },
        { code: "cors_credentials", message: "The reply to OPTIONS has no Access-Control-Allow-Credentials, which that to GET has.", ...corsFix(asking) },
      ]
    : [];
  return oneOf({ code: "no_reply", message }, [
    ...together,
    { code: "cors_error_replies", message: "That reply had no CORS headers: a 401 or a redirect to a sign-in page for the credentials that were sent, a 429, or an error of the server or a proxy.", ...corsFix(asking) },
    ...LOST_CALL,
  ]);
}

/** Why a call is lost where the probes are not. */
const LOST_CALL: Cause[] = [CUT_OFF, { ...RESET, message: `${RESET.message} It may do so because of the credentials, or of the headers' length.` }, { code: "blocked_reply", message: BLOCKED }];

/** Whether a probe got no reply in time. */
export const isLate = ({ reach, plain }: Facts): boolean => [reach, plain].some((probe) => probe?.came === "late");

/** What may hold a request back in a page; browsers do not tell. */
export function whatWaits({ hasServiceWorker, isFetchReplaced }: Facts): string {
  const others = [
    ...(isFetchReplaced ? ["the fetch that is used, which is not the browser's own, holds the request back"] : []),
    ...(hasServiceWorker ? ["the page's service worker does not answer"] : []),
  ];
  const browser = "the browser is waiting for the user, whom it asks to sign in or to allow access to the local network, or for a free connection (it opens six to a server by HTTP/1.1, and EventSource and long polling in all tabs share them)";
  return [browser, ...others].join(", or ");
}

export function late(facts: Facts): Cause {
  const { baseUrl = "", page } = facts;
  const waits = page === undefined ? "" : ` Or ${whatWaits(facts)}.`;
  return { code: "timeout", message: `No reply came from ${new URL(baseUrl).host} in time. Perhaps it is overloaded, its address is wrong, or something on the way, such as a firewall or a name server, does not answer.${waits}`, fix: curlLine(baseUrl) };
}

/** Shows what happens to a request without credentials. */
export const curlLine = (baseUrl: string, seconds = 30): string => `curl -v --max-time ${seconds} ${shellWord(baseUrl)}`;

export function truncated(message: string): Cause {
  return { code: "truncated", message: `${message} If it happens each time, the server or a proxy cuts replies off, or what answers is not the API.` };
}

export function portOf({ port, protocol }: URL): number {
  return port === "" ? (protocol === "https:" ? 443 : 80) : Number(port);
}

/** The host and port in words. */
export const placeOf = (url: URL): string => `${url.hostname}, port ${portOf(url)}`;

export const isExtension = (page: string): boolean => /^[\w-]+-extension:/.test(page);

/** A file or a sandboxed frame has the origin "null". */
const pageHost = (page: string): string => (page === "null" || isExtension(page) ? "localhost" : new URL(page).hostname);

function isPrivate(hostname: string): boolean {
  return isLoopback(hostname) || /^(10\.|192\.168\.|169\.254\.|172\.(1[6-9]|2\d|3[01])\.|\[f[cd])|\.local$/.test(hostname);
}
