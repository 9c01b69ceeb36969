// The findings for the outcomes of probes: the pure part of bookmore-sdk/diagnose, as a table.
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { loadSource } from "./bundle.mjs";
import { matchesSample } from "../readme.mjs";

const PAGE = "https://app.example";
const API = "https://api.example";
const PATH = "/assistant/ai-chat/usage";
const NOW = Date.UTC(2026, 0, 2);
const MINUTE = 60_000;

let findingsOf, findingLines, IN_CODE, isFetchBroken;
before(async () => {
  const parts = ["diagnose/outcome", "diagnose/fixes", "diagnose/print", "platform"].map((name) => `export * from "./${name}.js";`);
  ({ findingsOf, findingLines, IN_CODE, isFetchBroken } = await loadSource(parts.join("")));
});

const readable = (status = 401, more) => ({ came: "reply", status, ...more });
const nothing = { came: "nothing", code: "" };
const opaque = { came: "opaque" };
const STATUS = { authentication_error: 401, permission_denied: 403, rate_limited: 429, server_error: 500 };
const failed = (code, more) => ({ error: { code, status: STATUS[code], message: `It is ${code}.`, isRetryable: false, ...more }, sent: ["authorization"] });
/** Of an error in the API's own form. */
const ofApi = (errorCode, more) => ({ errorCode, responseStatus: { errorCode }, ...more });
const noReply = failed("network_error", { attempts: [{ error: "network_error", ms: 1, waitMs: 0 }] });

/** The facts of a page whose server answers, but whose call got no reply; `more` replaces any of them. */
const facts = ({ headers, ...more }) => ({
  page: PAGE, baseUrl: API, headerNames: ["authorization"], includesCookies: false, isJsonl: false, isOffline: false,
  now: NOW, isRefusedByCsp: false, reach: opaque, headers: headers ?? {}, call: noReply, settings: IN_CODE, ...more,
});
const inNode = (more) => facts({ page: undefined, reach: readable(), plain: readable(), ...more });
const codes = (given) => findingsOf(facts(given)).map(({ code, level, candidates }) => [code, ...(level === "note" ? ["note"] : []), ...(candidates?.map(({ code }) => code) ?? [])].join(" "));

const BLOCKED = "cors_blocked cors_missing cors_origin server_error cors_duplicate sign_in_redirect moved base_url blocked_reply";
/** The client's words for a refusal by a page. */
const A_PAGE = "The server refused the request (400) with a page that may be a proxy's.";
/** Where only the call gets no reply. */
const HIDDEN = "no_reply cors_error_replies truncated connection_reset blocked_reply";
/** What ends the list of what keeps a page from a server. */
const OTHERS = "cors_blocked connection_reset redirected blocked_reply";
const usage = { sent: ["authorization"], contentType: "application/json; charset=utf-8" };

const REFUSED = { code: "runtime_unsupported", message: "Refused.", cause: { name: "CompileError" } };

/** In a page that sees the redirect, and whose preflights fail. */
const REDIRECTED = { plain: { came: "redirect" }, headers: { authorization: nothing }, contentType: nothing, again: { came: "redirect" } };

const TABLE = [
  // As measured in three browsers.
  ["ServiceStack's default CORS", { plain: readable(), headers: { authorization: nothing }, contentType: readable() }, ["cors_headers cors_headers cors_error_replies"]],
  ["the same, where who is not signed in is redirected", { plain: { came: "redirect" }, headers: { authorization: nothing }, contentType: { came: "redirect" } }, ["cors_headers cors_headers cors_error_replies"]],
  ["one of two headers refused", { headerNames: ["authorization", "x-tenant"], plain: readable(), headers: { authorization: readable(), "x-tenant": nothing }, contentType: readable() }, ["cors_headers cors_headers cors_error_replies"]],
  ["the same, where Content-Type is refused, too", { headerNames: ["authorization", "x-tenant"], plain: readable(), headers: { authorization: readable(), "x-tenant": nothing }, contentType: nothing, again: readable() }, ["cors_headers cors_headers cors_error_replies"]],
  ["preflight refused", { plain: readable(), headers: { authorization: nothing }, contentType: nothing, again: readable() }, ["preflight_refused cors_preflight cors_headers cors_error_replies"]],
  ...[[404, {}, "base_url"], [502, {}, "server_error base_url"], [429, {}, "rate_limited"], [200, { isPage: true }, "base_url"], [401, { signIn: "Basic" }, "sign_in_gate"], [403, {}, "sign_in_gate blocked_reply base_url"], [410, {}, "base_url"], [401, {}, ""], [401, { isApi: true }, ""]].map(([status, more, found]) => [`preflight refused, and a GET answered with ${status}`, { plain: readable(status, more), headers: { authorization: nothing }, contentType: nothing, again: readable(status, more) }, [`preflight_refused ${found && `${found} `}cors_preflight cors_headers cors_error_replies`]]),
  ["every request redirected to the new address, OPTIONS too", { ...REDIRECTED, followed: readable(401, { url: `https://v2.example${PATH}` }) }, ["moved"]],
  ["every request redirected to a page", { ...REDIRECTED, followed: readable(200, { url: "https://id.example/login" }) }, ["sign_in_redirect sign_in_redirect base_url", "preflight_refused cors_preflight cors_headers cors_error_replies"]],
  ["every request redirected, the browser hides where to", { ...REDIRECTED, followed: nothing }, ["redirected sign_in_redirect redirected moved trailing_slash base_url", "preflight_refused cors_preflight cors_headers cors_error_replies"]],
  ["both headers allowed, cookies beside a wildcard", { includesCookies: true, plain: readable(), headers: { authorization: readable() }, cookies: nothing }, ["cors_credentials cors_credentials cors_error_replies"]],
  ["endpoint routing, errors without CORS", { plain: nothing }, [BLOCKED]],
  ["sign-in redirect in front", { plain: nothing }, [BLOCKED]],
  ["everything readable but the call's reply", { plain: readable(), headers: { authorization: readable() } }, [HIDDEN]],
  ["the same with cookies, which no probe sends together with headers", { includesCookies: true, plain: readable(), headers: { authorization: readable() }, cookies: readable() }, ["no_reply cors_headers cors_credentials cors_error_replies truncated connection_reset blocked_reply"]],
  ["nothing listens, unknown name, certificate", { reach: nothing }, [`no_reply connection_refused unknown_host certificate_untrusted not_tls local_network ${OTHERS}`]],
  ["the same, in a page that is cross-origin isolated", { reach: nothing, isIsolated: true }, ["no_reply cors_blocked connection_refused unknown_host certificate_untrusted not_tls local_network connection_reset redirected blocked_reply"]],
  ["the same, offline", { reach: nothing, isOffline: true }, [`no_reply offline connection_refused unknown_host certificate_untrusted not_tls local_network ${OTHERS}`]],
  ["the base URL of development, in a page that is not on this machine", { reach: nothing, baseUrl: "https://localhost:9" }, [`no_reply base_url connection_refused certificate_untrusted not_tls local_network ${OTHERS}`]],
  ["an IP address needs no name", { reach: nothing, baseUrl: "http://127.0.0.1:9", page: "http://localhost:5173" }, [`no_reply connection_refused needs_https ${OTHERS}`]],
  ["a local server, and a page on the internet", { reach: nothing, baseUrl: "https://192.168.1.2" }, [`no_reply connection_refused certificate_untrusted not_tls local_network ${OTHERS}`]],
  ["the page's own server, from which the page came", { reach: nothing, plain: nothing, baseUrl: `${PAGE}/api` }, ["no_reply connection_refused connection_reset blocked_reply"]],
  ["a port that browsers refuse", { reach: nothing, baseUrl: "https://api.example:6000" }, ["no_reply"]],
  ["plain http to this machine, in Safari", { reach: nothing, isWebKit: true, page: "https://localhost:5173", baseUrl: "http://localhost:9" }, [`no_reply mixed_content connection_refused needs_https ${OTHERS}`]],
  ["the local network, which the user has not allowed", { reach: nothing, localNetwork: "denied", baseUrl: "https://192.168.1.2" }, [`no_reply local_network connection_refused certificate_untrusted not_tls ${OTHERS}`]],
  ["the local network, which the user has allowed", { reach: nothing, localNetwork: "granted", baseUrl: "https://192.168.1.2" }, [`no_reply connection_refused certificate_untrusted not_tls ${OTHERS}`]],
  ["the page's connect-src", { reach: undefined, plain: nothing, isRefusedByCsp: true }, ["csp_connect_src"]],
  ["the page's connect-src, and an API of its own origin", { reach: nothing, plain: nothing, isRefusedByCsp: true, baseUrl: `${PAGE}/api` }, ["csp_connect_src"]],
  ["a rate limiter that takes effect during the preflights", { reach: undefined, plain: readable(), headers: { authorization: nothing }, contentType: nothing, again: nothing }, [HIDDEN]],
  ["a rate limiter that takes effect during the probe with cookies", { reach: undefined, includesCookies: true, plain: readable(), headers: { authorization: readable() }, cookies: nothing, again: nothing }, [HIDDEN]],
  ["mixed content", { reach: nothing, baseUrl: "http://api.example" }, ["mixed_content"]],
  ["the same to the local network, of which some browsers ask the user", { reach: nothing, baseUrl: "http://192.168.1.2" }, [`no_reply mixed_content connection_refused needs_https csp_upgrade hsts local_network ${OTHERS}`, "insecure_http note"]],
  ["the page's own server loses the call alone", { baseUrl: `${PAGE}/api`, reach: readable(), plain: readable() }, ["no_reply truncated connection_reset blocked_reply"]],
  ["the server hangs", { reach: { came: "late" } }, ["timeout"]],
  ["the server hangs, asked with CORS", { reach: undefined, plain: { came: "late" } }, ["timeout"]],
  ["a sign-in dialog of the browser, for a gate that was seen", { baseUrl: `${PAGE}/api`, plain: readable(401, { signIn: "Basic" }), call: failed("timeout") }, ["timeout sign_in_gate timeout"]],
  ["only the call gets no reply in time", { page: undefined, plain: readable(), call: failed("timeout") }, ["timeout timeout blocked_reply"]],
  ["OPTIONS that is never answered", { plain: readable(), headers: { authorization: { came: "late" } }, call: failed("timeout") }, ["timeout cors_preflight timeout"]],
  ["the body broke off", { plain: readable(), headers: { authorization: readable() }, call: failed("network_error", { attempts: [{ status: 200 }] }) }, ["truncated truncated content_encoding"]],
  ...["Z_DATA_ERROR", "ERR__ERROR_FORMAT_PADDING_2", "ZSTD_error_prefix_unknown"].map((code) => [`the body is not compressed as labelled: ${code}`, { page: undefined, call: failed("network_error", { attempts: [{ status: 200 }], cause: { cause: { code } } }) }, ["content_encoding"]]),
  ["the body broke off outside of a page", { page: undefined, call: failed("network_error", { attempts: [{ status: 200 }], cause: { cause: { code: "UND_ERR_SOCKET" } } }) }, ["truncated"]],
  ["a fetch of the page that is not the browser's", { plain: nothing, isFetchReplaced: true }, [`${BLOCKED} custom_fetch`]],
  ["a service worker, and no reply", { reach: nothing, hasServiceWorker: true }, [`no_reply connection_refused unknown_host certificate_untrusted not_tls local_network ${OTHERS} service_worker`]],
  ["a service worker, and no CORS headers", { plain: nothing, hasServiceWorker: true }, [`${BLOCKED} service_worker`]],
  ["a service worker, and no reply to the call", { plain: readable(), headers: { authorization: readable() }, hasServiceWorker: true }, [`${HIDDEN} service_worker`]],
  ["plain http, which the page's policy may upgrade", { reach: nothing, page: "http://app.example", baseUrl: "http://api.example" }, [`no_reply connection_refused unknown_host needs_https csp_upgrade hsts local_network ${OTHERS}`, "insecure_http note"]],
  ["a resource policy hides what CORS shows", { reach: nothing, plain: readable(), headers: { authorization: readable() }, call: usage }, []],

  // What answered.
  ["a usage", { reach: opaque, plain: readable(), call: usage }, []],
  ["a usage although a probe was hidden", { plain: nothing, call: usage }, []],
  ["a redirect that the browser hides", { plain: { came: "redirect" }, followed: nothing, call: failed("unexpected_response", { status: 0 }) }, ["redirected sign_in_redirect redirected moved trailing_slash token_refused permission_denied base_url"]],
  ["a redirect that can be followed", { plain: { came: "redirect" }, followed: readable(401, { url: `https://v2.example${PATH}` }), call: failed("unexpected_response", { status: 0 }) }, ["moved"]],
  ["a redirect to a page", { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 302, location: "https://id.example/login" }) }, ["sign_in_redirect sign_in_redirect token_refused permission_denied base_url"]],
  ...[
    ["/", "redirected sign_in_redirect token_refused permission_denied base_url"],
    ["https://www.example/", "redirected moved sign_in_redirect token_refused permission_denied base_url"],
    ["http://www.example/", "redirected sign_in_redirect token_refused permission_denied base_url"],
    ["/error?from=usage", "redirected server_error base_url sign_in_redirect token_refused permission_denied"],
    ["/forbidden", "redirected permission_denied token_refused server_error base_url sign_in_redirect"],
    ["/welcome", "redirected sign_in_redirect token_refused permission_denied base_url"],
    ["/cdn-cgi/access/login/x", "sign_in_redirect sign_in_redirect token_refused permission_denied base_url"],
    ["https://auth.example/start", "sign_in_redirect sign_in_redirect token_refused permission_denied base_url"],
    ["https://www.example/authors", "redirected sign_in_redirect token_refused permission_denied moved base_url"],
    [`${PATH}/?a=1`, "trailing_slash"],
    [`https://v2.example${PATH}/`, "moved"],
    [`http://api.example${PATH}/`, "redirected"],
  ].map(([location, expected]) => [`a redirect to ${location}`, { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 302, location }) }, [expected]]),
  ["a redirect to a page that a GET without credentials gets, too", { page: undefined, plain: { came: "redirect", to: "https://id.example/login" }, call: failed("unexpected_response", { status: 302, location: "https://id.example/login?a=1" }) }, ["sign_in_redirect sign_in_redirect token_refused base_url"]],
  ["a redirect that only the call gets", { page: undefined, plain: readable(), call: failed("unexpected_response", { status: 302, location: "/Account/AccessDenied" }) }, ["redirected permission_denied token_refused server_error sign_in_redirect"]],
  ["the same, where the browser hides it", { plain: readable(), call: { ...failed("unexpected_response", { status: 0 }), sent: ["x-api-key"] } }, ["redirected key_refused permission_denied sign_in_redirect redirected moved trailing_slash server_error"]],
  ["the same for a session's cookie", { sendsCookies: true, plain: readable(), call: { ...failed("unexpected_response", { status: 0 }), sent: [] } }, ["redirected permission_denied credentials_missing sign_in_redirect redirected moved trailing_slash"]],
  ["a page for those without access, to which everybody is redirected", { page: undefined, plain: { came: "redirect", to: `${API}/Account/AccessDenied` }, call: failed("unexpected_response", { status: 302, location: "/Account/AccessDenied" }) }, ["redirected permission_denied token_refused server_error base_url sign_in_redirect"]],
  ["an endless redirect to https", { baseUrl: PAGE, plain: { came: "redirect" }, followed: nothing, call: failed("unexpected_response", { status: 0 }) }, ["redirected sign_in_redirect redirected moved trailing_slash token_refused permission_denied base_url"]],
  ["an endless redirect by plain http", { page: undefined, baseUrl: "http://localhost:8787", call: failed("unexpected_response", { status: 302, location: PATH }) }, ["redirected"]],
  // By way of a server that takes the beginning off the path, and leaves redirects as they come.
  ...[
    [`${PATH}/`, "redirected trailing_slash base_url redirected sign_in_redirect"],
    [`/v2${PATH}`, "redirected moved base_url redirected sign_in_redirect"],
    [`http://localhost:5000${PATH}/`, "redirected trailing_slash moved base_url redirected sign_in_redirect"],
    [`https://app.example/api${PATH}/`, "trailing_slash"],
    [`https://app.example/api/v2${PATH}`, "moved"],
  ].map(([to, expected]) => [`passed on, a redirect to ${to}`, { baseUrl: `${PAGE}/api`, plain: { came: "redirect" }, followed: nothing, call: failed("unexpected_response", { status: 308, location: to }) }, [expected]]),
  ...[`/v1${PATH}/`, `http://localhost:5000/v1${PATH}/`].map((to) => [`passed on by the end of its path, a redirect to ${to}`, { baseUrl: `${PAGE}/api/v1`, plain: { came: "redirect" }, followed: nothing, call: failed("unexpected_response", { status: 308, location: to }) }, [to.startsWith("/") ? "redirected trailing_slash base_url redirected sign_in_redirect" : "redirected trailing_slash moved base_url redirected sign_in_redirect"]]),
  ["the same, where the API answers there", { baseUrl: `${PAGE}/api`, plain: { came: "redirect" }, followed: readable(401, { isApi: true }), call: failed("unexpected_response", { status: 308, location: `/v2${PATH}` }) }, ["moved"]],
  ["a redirect to a language's path that the browser hides", { plain: { came: "redirect", to: `${API}/en${PATH}` }, followed: readable(404), call: failed("unexpected_response", { status: 0 }) }, ["redirected base_url redirected sign_in_redirect"]],
  ["a redirect to a slash, and a web app there", { page: undefined, plain: { came: "redirect" }, followed: readable(200, { isPage: true }), call: failed("unexpected_response", { status: 308, location: `${PATH}/` }) }, ["redirected base_url trailing_slash"]],
  ["a redirect to a language's path, and nothing there", { page: undefined, plain: { came: "redirect" }, followed: readable(404), call: failed("unexpected_response", { status: 307, location: `/en${PATH}` }) }, ["redirected base_url redirected sign_in_redirect"]],
  ["a redirect to another host, and from there to a sign-in", { page: undefined, plain: { came: "redirect" }, followed: readable(200, { isPage: true, url: "https://v2.example/login" }), call: failed("unexpected_response", { status: 301, location: `https://v2.example${PATH}` }) }, ["moved"]],
  ["a redirect to a path where the API's error is a 404", { page: undefined, plain: { came: "redirect" }, followed: readable(404, { isApi: true }), call: failed("unexpected_response", { status: 307, location: `/v2${PATH}` }) }, ["moved"]],
  ["a redirect to a slash, which preflights get, too", { ...REDIRECTED, followed: readable(401, { isApi: true, url: `${API}${PATH}/` }) }, ["trailing_slash"]],
  ["a redirect to another path, where the API answers", { plain: { came: "redirect" }, followed: readable(401, { isApi: true, url: `${API}/v2/usage` }), call: failed("unexpected_response", { status: 0 }) }, ["moved"]],
  ["moved", { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 301, location: `https://v2.example/x${PATH}` }) }, ["moved"]],
  ["a redirect to the same URL", { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 307, location: PATH }) }, ["redirected redirected redirected"]],
  ["a redirect to the same URL with a query", { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 307, location: "" }) }, ["redirected redirected redirected"]],
  ["a redirect from https to plain http", { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 301, location: `http://api.example${PATH}` }) }, ["redirected"]],
  ...["ECONNREFUSED", ""].map((code) => [`moved to where there is no reply: ${code}`, { page: undefined, plain: { came: "redirect" }, followed: { came: "nothing", code }, call: failed("unexpected_response", { status: 307, location: `https://v2.example${PATH}` }) }, ["moved"]]),
  ["a redirect from plain http to plain http", { page: undefined, reach: readable(), baseUrl: "http://api.example", call: failed("unexpected_response", { status: 301, location: `http://v2.example${PATH}` }) }, ["moved", "insecure_http note"]],
  ["a redirect to no URL", { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 302, location: "http://[" }) }, ["redirected"]],
  ["a redirect to nowhere", { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 302 }) }, ["redirected"]],
  ["304", { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 304 }) }, ["unexpected_response"]],
  ["HTML", { call: failed("unexpected_response", { status: 200, contentType: "text/html" }) }, ["html_reply login_page base_url content_type blocked_reply permission_denied server_error"]],
  ["HTML of a web app", { plain: readable(200, { isPage: true }), call: failed("unexpected_response", { status: 200, contentType: "text/html" }) }, ["html_reply base_url login_page blocked_reply content_type"]],
  ["HTML of a sign-in", { plain: readable(200, { isPage: true, shows: "sign-in" }), call: failed("unexpected_response", { status: 200, contentType: "text/html" }) }, ["html_reply login_page base_url content_type blocked_reply"]],
  ["HTML of a firewall, and an expired token", { plain: readable(200, { isPage: true, shows: "block" }), call: { ...failed("unexpected_response", { status: 200, contentType: "text/html" }), claims: { exp: NOW - MINUTE } } }, ["html_reply blocked_reply login_page base_url content_type token_expired"]],
  ["HTML in a page with a service worker", { hasServiceWorker: true, call: failed("unexpected_response", { status: 200, contentType: "text/html" }) }, ["html_reply login_page base_url content_type blocked_reply permission_denied server_error service_worker"]],
  ["a 504 in a page with a service worker", { hasServiceWorker: true, call: failed("server_error", { status: 504 }) }, ["server_error service_worker server_error"]],
  ["other refusals in such a page", { hasServiceWorker: true, call: failed("api_error", { status: 408 }) }, ["api_error api_error service_worker"]],
  ["JSON of something else in such a page", { hasServiceWorker: true, plain: readable(200), call: failed("decode_error") }, ["decode_error base_url decode_error service_worker"]],
  ["a service worker tells nothing of what the token itself says", { hasServiceWorker: true, call: { ...failed("authentication_error"), claims: { exp: NOW - MINUTE } } }, ["token_expired"]],
  ["HTML for a fetch that may add credentials", { hasFetch: true, call: { ...failed("unexpected_response", { status: 200, contentType: "text/html" }), sent: [] } }, ["html_reply login_page base_url content_type blocked_reply permission_denied server_error"]],
  ["a picture", { call: failed("unexpected_response", { status: 200, contentType: "image/png" }) }, ["unexpected_response base_url content_type"]],
  ["JSON that a server of one's own labels as plain text", { call: failed("unexpected_response", { status: 200, contentType: "text/plain;charset=UTF-8" }) }, ["unexpected_response content_type base_url"]],
  ["204", { call: failed("unexpected_response", { status: 204 }) }, ["unexpected_response base_url blocked_reply"]],
  ["202 to the call alone, as of a check for robots", { plain: readable(401, { isApi: true }), call: failed("unexpected_response", { status: 202 }) }, ["unexpected_response blocked_reply base_url"]],
  ["300 without a target, in a page", { call: failed("unexpected_response", { status: 300 }) }, ["unexpected_response base_url blocked_reply"]],
  ["a 404 without an error code", { call: failed("api_error", { status: 404 }) }, ["base_url base_url server_error"]],
  ["the same, where a GET without credentials is refused", { plain: readable(401), call: failed("api_error", { status: 404 }) }, ["api_error api_error base_url"]],
  ["the same, where one gets a usage", { plain: readable(200, { isPage: false }), call: failed("api_error", { status: 404 }) }, ["api_error api_error base_url"]],
  ["the same, with cookies alone", { baseUrl: `${PAGE}/api`, sendsCookies: true, call: { ...failed("api_error", { status: 404 }), sent: [] } }, ["base_url base_url credentials_missing server_error sign_in_gate"]],
  ["a 405 without an error code", { call: failed("api_error", { status: 405 }) }, ["base_url"]],
  ["a 400 of HTML that a GET without credentials gets, too", { baseUrl: `${PAGE}/api`, plain: readable(400, { isPage: true }), call: failed("api_error", { status: 400 }) }, ["api_error base_url blocked_reply"]],
  ["a 400 of JSON that everybody gets", { plain: readable(400), call: failed("api_error", { status: 400 }) }, ["api_error base_url api_error token_refused not_passed_on"]],
  ["the same, and an expired token", { plain: readable(400), call: { ...failed("api_error", { status: 400 }), claims: { exp: NOW - MINUTE } } }, ["api_error base_url api_error token_expired"]],
  ["an expired token, and a page that everybody gets", { plain: readable(400, { isPage: true }), call: { ...failed("api_error", { status: 400 }), claims: { exp: NOW - MINUTE } } }, ["api_error base_url blocked_reply token_expired"]],
  ["the API's own 400, which everybody gets", { plain: readable(400, { isApi: true }), call: failed("api_error", ofApi("ArgumentException", { status: 400 })) }, ["api_error"]],
  ["a 400 to the call alone", { plain: readable(), call: failed("api_error", { status: 400 }) }, ["api_error api_error token_refused"]],
  ["the same with an error code of the API", { plain: readable(401, { isApi: true }), call: failed("api_error", ofApi("ArgumentException", { status: 400 })) }, ["api_error"]],
  ["a 422 that speaks of the token", { plain: readable(), call: failed("api_error", { status: 422, serverMessage: "Signature verification failed" }) }, ["api_error token_refused api_error"]],
  ["a 500 that does", { plain: readable(), call: failed("server_error", { status: 500, serverMessage: "JsonWebTokenError: jwt audience invalid" }) }, ["server_error token_refused server_error"]],
  ["a 500 to the call alone", { plain: readable(), call: failed("server_error", { status: 500 }) }, ["server_error server_error token_refused"]],
  ["a 500 of the API to the call alone", { plain: readable(401, { isApi: true }), call: failed("server_error", ofApi("NullReferenceException", { status: 500 })) }, ["server_error"]],
  ["a 503 to the call alone", { plain: readable(), call: failed("server_error", { status: 503 }) }, ["server_error server_error rate_limited"]],
  ["a 501 that everybody gets", { plain: readable(501), call: failed("server_error", { status: 501 }) }, ["server_error server_error base_url"]],
  ["a budget's tokens are none that was sent", { plain: readable(), call: failed("api_error", { status: 402, errorCode: "TokenBudget", serverMessage: "No tokens left." }) }, ["api_error rate_limited api_error"]],
  ["a long token, and a page by a 400", { plain: readable(), call: { ...failed("api_error", { status: 400, message: A_PAGE }), isLong: true } }, ["api_error api_error blocked_reply token_refused api_error"]],
  ["a page by a 400 to the call alone, perhaps for its cookies", { plain: readable(), call: failed("api_error", { status: 400, message: A_PAGE }) }, ["api_error blocked_reply token_refused api_error api_error"]],
  ["a page by a 406 to the call alone", { plain: readable(), call: failed("api_error", { status: 406, message: A_PAGE }) }, ["api_error blocked_reply api_error"]],
  ["a page by a 405", { call: failed("api_error", { status: 405, message: A_PAGE }) }, ["base_url base_url blocked_reply"]],
  ["a page by a 429", { call: failed("rate_limited", { message: A_PAGE }) }, ["rate_limited rate_limited blocked_reply"]],
  ["a page by a 503", { call: failed("server_error", { status: 503, message: A_PAGE }) }, ["server_error server_error rate_limited blocked_reply"]],
  ["a 409 to the call alone", { plain: readable(), call: failed("api_error", { status: 409 }) }, ["api_error"]],
  ["a 502 that everybody gets, and an expired token", { plain: readable(502), call: { ...failed("server_error", { status: 502 }), claims: { exp: NOW - MINUTE } } }, ["server_error server_error base_url token_expired"]],
  ...["Token limit exceeded", "You have reached your limit", "Rate exceeded", "Monthly allowance used up", "Insufficient credits"].map((serverMessage) => [serverMessage, { plain: readable(401, { isApi: true }), call: failed("api_error", ofApi("Refused", { status: 409, serverMessage })) }, ["api_error rate_limited api_error"]]),
  ...["TokenLimitExceeded", "BudgetExceeded", "UsageLimitReached"].map((errorCode) => [errorCode, { plain: readable(401, { isApi: true }), call: failed("permission_denied", ofApi(errorCode)) }, ["permission_denied rate_limited permission_denied"]]),
  ["an error whose status a proxy makes a 200", { plain: readable(200, { isApi: true }), call: failed("api_error", ofApi("Unauthorized", { status: 200 })) }, ["api_error token_refused not_passed_on api_error"]],
  ["the same for want of a right", { plain: readable(200, { isApi: true }), call: failed("api_error", ofApi("Forbidden", { status: 200 })) }, ["api_error permission_denied token_refused not_passed_on api_error"]],
  ["a 403 that asks for https", { baseUrl: "http://api.example", plain: readable(403), call: failed("permission_denied", { serverMessage: "HTTPS Required" }) }, ["permission_denied needs_https token_refused not_passed_on sign_in_gate blocked_reply base_url permission_denied", "insecure_http note"]],
  ["a 403 that speaks of the address", { plain: readable(), call: failed("permission_denied", { serverMessage: "Your IP address is not allowed." }) }, ["permission_denied blocked_reply permission_denied token_refused"]],
  ["a 403 of one word, as Spring's", { plain: readable(), call: failed("permission_denied", { errorCode: "Forbidden" }) }, ["permission_denied permission_denied token_refused blocked_reply"]],
  ["a 401 for want of a right", { plain: readable(401, { isApi: true }), call: failed("authentication_error", ofApi("Unauthorized", { serverMessage: "You have no access to this company." })) }, ["token_refused permission_denied token_refused credentials_missing not_passed_on"]],
  ["a token and a key, of which the key is refused", { call: { ...failed("authentication_error"), sent: ["authorization", "x-api-key"], claims: { exp: NOW - MINUTE } } }, ["token_expired token_expired key_refused"]],
  ["a 404 with an error code", { plain: readable(404), call: failed("api_error", { status: 404, errorCode: "NotFound" }) }, ["api_error base_url api_error"]],
  ["the API's 404", { plain: readable(401, { isApi: true }), call: failed("api_error", { status: 404, errorCode: "NotFound" }) }, ["api_error api_error base_url"]],
  ["the endpoint as the base URL", { baseUrl: `${API}${PATH}`, call: failed("api_error", { status: 404, errorCode: "NotFound" }) }, ["base_url"]],
  ["the same, refused", { baseUrl: `${API}${PATH.toUpperCase()}/x`, call: failed("authentication_error", { status: 401 }) }, ["base_url"]],
  ["the same without CORS headers", { baseUrl: `${API}${PATH}`, plain: nothing }, ["base_url"]],
  ["the same, and nothing listens", { page: undefined, baseUrl: `${API}${PATH}`, reach: nothing, plain: nothing }, ["base_url", "no_reply"]],
  ["the same, and no call", { page: undefined, baseUrl: `${API}${PATH}`, call: undefined }, ["base_url"]],
  ["the same, and a usage", { baseUrl: `${API}${PATH}`, call: usage }, []],
  ["a truncated reply", { call: failed("decode_error", { isRetryable: true }) }, ["truncated"]],
  ["a reply that is not a usage", { plain: readable(200), call: failed("decode_error") }, ["decode_error base_url decode_error"]],
  ["the same, where the API refuses a GET without credentials", { plain: readable(401, { isApi: true }), call: failed("decode_error") }, ["decode_error decode_error base_url"]],
  ["an empty reply", { call: failed("decode_error", { isRetryable: true, offset: 0 }) }, ["empty_reply base_url not_passed_on truncated"]],
  ["the same, where the API refuses a GET without credentials", { plain: readable(401, { isApi: true }), call: failed("decode_error", { isRetryable: true, offset: 0 }) }, ["empty_reply truncated not_passed_on base_url"]],
  ["another company, by way of the page's own server", { baseUrl: `${PAGE}/api`, call: failed("company_mismatch") }, ["company_mismatch not_passed_on company_mismatch"]],
  ["another company, at a base URL with a path", { page: undefined, baseUrl: `${API}/bff`, call: failed("company_mismatch") }, ["company_mismatch company_mismatch not_passed_on"]],
  ["another company", { call: failed("company_mismatch") }, ["company_mismatch company_mismatch not_passed_on"]],
  ["403", { call: failed("permission_denied") }, ["permission_denied permission_denied blocked_reply"]],
  ["a bare 403 to the call alone", { plain: readable(401, { isApi: true }), call: failed("permission_denied") }, ["permission_denied permission_denied token_refused blocked_reply"]],
  ["the same as a page", { plain: readable(401, { isApi: true }), call: failed("permission_denied", { message: A_PAGE }) }, ["permission_denied blocked_reply token_refused permission_denied"]],
  ["the same, which speaks of the token", { plain: readable(401), call: failed("permission_denied", { serverMessage: "Audiences in Jwt are not allowed" }) }, ["permission_denied token_refused permission_denied blocked_reply"]],
  ["the same to a session's cookie", { sendsCookies: true, plain: readable(401), call: { ...failed("permission_denied"), sent: [] } }, ["permission_denied permission_denied blocked_reply credentials_missing"]],
  ["no access, in words that speak of authorization", { plain: readable(), call: failed("permission_denied", ofApi("Forbidden", { serverMessage: "You are not authorized to access this company." })) }, ["permission_denied"]],
  ["a word in place of a token, and a 403", { plain: readable(), call: { ...failed("permission_denied", ofApi("Forbidden")), flaw: "is a word" } }, ["permission_denied token_refused permission_denied"]],
  ["the API's own 403, which everybody gets", { plain: readable(403, { isApi: true }), call: failed("permission_denied", ofApi("Forbidden")) }, ["permission_denied token_refused not_passed_on permission_denied"]],
  ["a quota that a gateway reports by a 403", { plain: readable(401), call: failed("permission_denied", { serverMessage: "Out of call volume quota." }) }, ["permission_denied rate_limited permission_denied token_refused blocked_reply"]],
  ["the same by Retry-After", { plain: readable(401, { isApi: true }), call: failed("permission_denied", ofApi("Forbidden", { retryAfterMs: 3_600_000 })) }, ["permission_denied rate_limited permission_denied"]],
  ["a quota that is reported by a 503", { plain: readable(), call: failed("server_error", { status: 503, serverMessage: "Quota exceeded for this project." }) }, ["server_error rate_limited server_error"]],
  ["a 503 with a Retry-After", { plain: readable(), call: failed("server_error", { status: 503, retryAfterMs: 60_000 }) }, ["server_error server_error rate_limited"]],
  ["a limit that sets in before the probes", { page: undefined, earlier: 401, reach: readable(503, { isPage: true }), plain: readable(503, { isPage: true }), call: failed("server_error", { status: 503, message: A_PAGE }) }, ["server_error server_error rate_limited blocked_reply"]],
  ["a redirect to https with a certificate that is refused", { page: undefined, baseUrl: "http://localhost:5000", reach: readable(), plain: { came: "redirect", to: `https://localhost:5001${PATH}` }, followed: { came: "nothing", code: "DEPTH_ZERO_SELF_SIGNED_CERT" }, call: failed("unexpected_response", { status: 307, location: `https://localhost:5001${PATH}` }) }, ["moved"]],
  ["a limit with a status of the server's own", { plain: readable(401, { isApi: true }), call: failed("api_error", { status: 420, serverMessage: "Slow down." }) }, ["api_error rate_limited api_error"]],
  ["a trial that has ended", { plain: readable(401, { isApi: true }), call: failed("permission_denied", ofApi("Forbidden", { serverMessage: "Your trial has expired." })) }, ["permission_denied rate_limited permission_denied"]],
  ["a 406 in text, as of a firewall", { plain: readable(401, { isApi: true }), call: failed("api_error", { status: 406 }) }, ["api_error api_error blocked_reply"]],
  ["headers too long for everybody", { plain: readable(431), call: failed("api_error", { status: 431 }) }, ["api_error base_url api_error"]],
  ["a 403 for want of a scope", { plain: readable(401, { isApi: true }), call: failed("permission_denied", { message: 'Bearer error="insufficient_scope".' }) }, ["permission_denied"]],
  ["the API's own 403", { plain: readable(401, { isApi: true }), call: failed("permission_denied", ofApi("Forbidden")) }, ["permission_denied"]],
  ["403 to everybody", { plain: readable(403), call: failed("permission_denied") }, ["permission_denied token_refused not_passed_on sign_in_gate blocked_reply base_url permission_denied"]],
  ["the same by way of the page's own server, for a key", { baseUrl: `${PAGE}/api`, plain: readable(403), call: { ...failed("permission_denied"), sent: ["x-api-key"] } }, ["permission_denied key_refused not_passed_on sign_in_gate blocked_reply base_url permission_denied"]],
  ["the same as a page of HTML", { plain: readable(403, { isPage: true }), call: failed("permission_denied") }, ["permission_denied blocked_reply sign_in_gate base_url token_refused not_passed_on permission_denied"]],
  ["the same as plain text", { plain: readable(403, { isText: true }), call: failed("permission_denied") }, ["permission_denied blocked_reply sign_in_gate base_url token_refused not_passed_on permission_denied"]],
  ["the same, and no credentials", { plain: readable(403), call: { ...failed("permission_denied"), sent: [] } }, ["permission_denied credentials_missing sign_in_gate blocked_reply base_url permission_denied"]],
  ["the same, and an expired token", { plain: readable(403), call: { ...failed("permission_denied"), claims: { exp: NOW - MINUTE } } }, ["permission_denied token_expired sign_in_gate blocked_reply base_url permission_denied"]],
  ["the same, and a fetch that may add credentials", { hasFetch: true, isFetchReplaced: true, plain: readable(403), call: failed("permission_denied") }, ["permission_denied permission_denied token_refused not_passed_on custom_fetch sign_in_gate blocked_reply base_url"]],
  ["429", { call: failed("rate_limited") }, ["rate_limited"]],
  ["500", { call: failed("server_error") }, ["server_error"]],
  ["an invalid company id", { call: failed("config_error") }, ["config_error"]],
  ["the token function fails", { call: failed("token_provider_error") }, ["token_provider_error"]],
  ["the client's own fetch fails", { call: failed("fetch_error") }, ["fetch_error"]],
  ["a framework's redirect", { call: { foreign: "threw it", isControlFlow: true } }, ["control_flow"]],
  ["a client with a member that was replaced", { call: { foreign: "threw TypeError" } }, ["stand_in"]],
  ["a redirect to an app", { page: undefined, reach: readable(), call: failed("unexpected_response", { status: 302, location: "app:callback?s3cret" }) }, ["redirected sign_in_redirect token_refused permission_denied base_url"]],
  ["a stand-in for a client", { baseUrl: undefined, reach: undefined, call: { foreign: "returned something that is not a usage" } }, ["stand_in"]],
  ["the same, and the server refuses it", { baseUrl: undefined, reach: undefined, call: { ...failed("authentication_error"), sent: undefined } }, ["credentials_refused"]],
  ["the same, in another form", { baseUrl: undefined, reach: undefined, call: { contentType: "text/jsonl" } }, []],
  ["the same without a reply", { baseUrl: undefined, reach: undefined }, ["no_reply"]],

  // Who asks.
  ["no credentials", { call: { ...failed("authentication_error"), sent: [] } }, ["credentials_missing"]],
  ["no credentials, and a fetch that may add some", { headerNames: [], hasFetch: true, call: { ...failed("authentication_error"), sent: [] } }, ["credentials_refused"]],
  ["no token from the function", { hasFetch: true, call: { ...failed("authentication_error"), sent: [] } }, ["credentials_missing"]],
  ["a word in place of a token", { plain: readable(), call: { ...failed("authentication_error"), flaw: "is a word" } }, ["token_refused"]],
  ["a token for the API's own address", { baseUrl: "https://api.bookmore.com", call: failed("authentication_error") }, ["token_refused"]],
  ["a gateway with a form of its own", { plain: readable(), call: failed("authentication_error") }, ["token_refused token_refused not_passed_on sign_in_gate base_url"]],
  ["the same, with an error of one word, as Spring's", { plain: readable(401, { isPage: false }), call: failed("authentication_error", { errorCode: "Unauthorized" }) }, ["token_refused token_refused not_passed_on sign_in_gate base_url"]],
  ["the same, which asks for a bearer token", { plain: readable(401, { isForToken: true }), call: failed("authentication_error") }, ["token_refused token_refused not_passed_on"]],
  ["a key", { call: { ...failed("authentication_error"), sent: ["x-api-key"] } }, ["key_refused key_refused credentials_missing not_passed_on"]],
  ["a token that is not a JWT", { call: failed("authentication_error") }, ["token_refused token_refused not_passed_on"]],
  ["expired", { call: { ...failed("authentication_error"), claims: { exp: NOW - MINUTE } } }, ["token_expired"]],
  ["not valid yet", { call: { ...failed("authentication_error"), claims: { nbf: NOW + MINUTE } } }, ["token_not_yet_valid"]],
  ["valid, but perhaps from another issuer", { call: { ...failed("authentication_error"), claims: { exp: NOW + MINUTE, iss: "https://id.example" } } }, ["token_refused token_refused not_passed_on"]],
  ["expired by a server's clock that is hidden", { plain: readable(401, { isApi: true }), call: { ...failed("authentication_error", ofApi("Unauthorized", { serverMessage: "Token has expired" })), claims: { exp: NOW + MINUTE } } }, ["token_refused clock_skew token_refused not_passed_on"]],
  ["a refusal that only may be for the time", { plain: readable(401, { isApi: true }), call: { ...failed("authentication_error", ofApi("Unauthorized", { serverMessage: "Invalid or expired token" })), claims: { exp: NOW + MINUTE } } }, ["token_refused token_refused not_passed_on"]],
  ["plain http at a port for TLS, to which the page's own server passes requests on", { baseUrl: PAGE, plain: readable(400, { isPage: true, shows: "https" }), call: failed("api_error", { status: 400, message: A_PAGE }) }, ["api_error needs_https base_url blocked_reply"]],
  ["a server that does not reach one of https", { page: undefined, baseUrl: "http://127.0.0.1:5000", plain: readable(), call: failed("server_error", { status: 500, serverMessage: "request to https://b.example/ failed: SSL" }) }, ["server_error server_error token_refused"]],
  ["issued in the future, by the clock here", { plain: readable(401, { isApi: true }), call: { ...failed("authentication_error", ofApi("Unauthorized")), claims: { iat: NOW + 2 * MINUTE, exp: NOW + 3 * MINUTE } } }, ["token_refused clock_skew token_refused credentials_missing not_passed_on"]],
  ["the same, refused by a 403 of the API, which knows the token", { plain: readable(401, { isApi: true }), call: { ...failed("permission_denied", ofApi("Forbidden")), claims: { iat: NOW + 2 * MINUTE, exp: NOW + 3 * MINUTE } } }, ["permission_denied"]],
  ["the same, not valid yet", { plain: readable(401, { isApi: true }), call: { ...failed("authentication_error", ofApi("Unauthorized")), claims: { iat: NOW + 2 * MINUTE, nbf: NOW + 2 * MINUTE } } }, ["token_not_yet_valid"]],
  ["the same, and a gateway's 502", { plain: readable(502, { isPage: true }), call: { ...failed("server_error", { status: 502, message: A_PAGE }), claims: { iat: NOW + 2 * MINUTE, exp: NOW + 3 * MINUTE } } }, ["server_error server_error base_url blocked_reply"]],
  ["plain http to a port for TLS, to which a proxy passes requests on, as doctor knows", { page: undefined, earlier: 400, baseUrl: "http://127.0.0.1:5000", plain: readable(400, { isPage: true, shows: "https" }), call: failed("api_error", { status: 400, message: A_PAGE }) }, ["api_error needs_https base_url blocked_reply"]],
  ["plain http to a port for TLS, asked by https", { plain: readable(400, { isPage: true, shows: "https" }), call: failed("api_error", { status: 400, message: A_PAGE }) }, ["api_error needs_https base_url blocked_reply"]],
  ["a 500 for each refused token", { plain: readable(500, { message: "No token was found" }), call: failed("server_error", { status: 500, serverMessage: "invalid signature" }) }, ["server_error token_refused not_passed_on server_error base_url"]],
  ["a server that does not reach what checks tokens", { plain: readable(500, { message: "The auth server is down" }), call: failed("server_error", { status: 500, serverMessage: "The auth server is down" }) }, ["server_error server_error base_url"]],
  ["a key that the API calls invalid", { plain: readable(401, { isApi: true }), call: { ...failed("authentication_error", ofApi("Unauthorized", { serverMessage: "The API key is not valid" })), sent: ["x-api-key"] } }, ["key_refused key_refused not_passed_on"]],
  ["a token, where the API wants a key", { plain: readable(401, { isApi: true }), call: failed("authentication_error", ofApi("Unauthorized", { serverMessage: "API Key is required" })) }, ["token_refused credentials_missing token_refused not_passed_on"]],
  ["the same by a 403", { plain: readable(401, { isApi: true }), call: failed("permission_denied", ofApi("Forbidden", { serverMessage: "Missing x-api-key header" })) }, ["permission_denied credentials_missing token_refused permission_denied"]],
  ["a token that does not come, by the server's words", { plain: readable(401, { isApi: true }), call: failed("authentication_error", ofApi("Unauthorized", { serverMessage: "No token provided" })) }, ["credentials_refused not_passed_on token_refused"]],
  ["a 500 of a database that refuses its own password", { plain: readable(401, { isApi: true }), call: failed("server_error", { status: 500, serverMessage: "password authentication failed for user app" }) }, ["server_error server_error token_refused"]],
  ["a 500 of the API, and no credentials", { baseUrl: PAGE, sendsCookies: true, plain: readable(500, { isApi: true }), call: { ...failed("server_error", ofApi("SqlException", { status: 500 })), sent: [] } }, ["server_error server_error credentials_missing"]],
  ["a token alone, where the API may want a key", { plain: readable(401, { isApi: true }), call: failed("authentication_error", ofApi("Unauthorized", { serverMessage: "Not Authenticated" })) }, ["token_refused token_refused credentials_missing not_passed_on"]],
  ["a key that was given as the token", { plain: readable(401, { isApi: true }), call: { ...failed("authentication_error", ofApi("Unauthorized", { serverMessage: "Not Authenticated" })), isGuid: true } }, ["token_refused credentials_missing token_refused not_passed_on"]],
  ["a 401 that a server of the page's passes on as a 500", { baseUrl: PAGE, plain: readable(500), call: failed("server_error", { status: 500, serverMessage: "Request failed with status code 401" }) }, ["server_error token_refused server_error base_url"]],
  ...[["Unauthorized", "token_refused"], ["Forbidden", "permission_denied"]].map(([word, cause]) => [`a server of the page's that passes on the API's body: ${word}`, { baseUrl: PAGE, plain: readable(500, { isApi: true }), call: failed("server_error", ofApi(word, { status: 500 })) }, [`server_error ${cause} server_error`]]),
  ["the page's own server answers the call alone with a page", { baseUrl: PAGE, plain: readable(401, { isApi: true }), call: failed("unexpected_response", { contentType: "text/html", status: 200 }) }, ["html_reply login_page permission_denied server_error content_type blocked_reply"]],
  ["nothing runs behind the page's own server", { baseUrl: PAGE, plain: readable(404), call: failed("api_error", { status: 404 }) }, ["base_url base_url server_error sign_in_gate"]],
  ["a server that takes https for plain http, behind a proxy", { plain: readable(401, { isApi: true }), call: failed("permission_denied", ofApi("Forbidden", { serverMessage: "Sending JWT over insecure connection forbidden when RequireSecureConnection=true" })) }, ["permission_denied needs_https token_refused permission_denied"]],
  ["webpack's answer to another host", { plain: readable(200, { shows: "host" }), call: failed("unexpected_response", { status: 200, contentType: "text/plain" }) }, ["base_url"]],
  ["a key that is refused beside a token", { plain: readable(401, { isApi: true }), call: { ...failed("authentication_error", ofApi("Unauthorized", { serverMessage: "Invalid API key" })), sent: ["authorization", "x-api-key"] } }, ["token_refused key_refused token_refused not_passed_on"]],
  ["a token that has not come, by a 403", { plain: readable(403), call: failed("permission_denied", { serverMessage: "Authorization header not found" }) }, ["permission_denied not_passed_on token_refused sign_in_gate blocked_reply base_url permission_denied"]],
  ["a 403, passed on in this client's own words", { baseUrl: PAGE, plain: readable(500), call: failed("server_error", { status: 500, serverMessage: "The server refused the request (403 Forbidden): No. Check what the credentials give access to." }) }, ["server_error permission_denied server_error base_url"]],
  ["a server whose clock is behind", { plain: readable(401, { isApi: true }), call: { ...failed("authentication_error", ofApi("Unauthorized", { serverMessage: "Token used before issued" })), claims: { iat: NOW - MINUTE, exp: NOW + MINUTE } } }, ["token_refused clock_skew token_refused credentials_missing not_passed_on"]],
  ["a token without the scope", { plain: readable(401, { isApi: true, message: "No" }), call: failed("authentication_error", { serverMessage: "insufficient_scope" }) }, ["token_refused permission_denied token_refused"]],
  ["a 429, passed on as a 502", { baseUrl: PAGE, plain: readable(502), call: failed("server_error", { status: 502, serverMessage: "Request failed with status code 429" }) }, ["server_error rate_limited server_error base_url"]],
  ["the AirPlay Receiver of macOS", { page: undefined, plain: readable(403, { shows: "airplay" }), call: failed("permission_denied") }, ["base_url"]],
  ["Express's page for an error", { plain: readable(401, { isPage: true, shows: "app" }), call: failed("authentication_error", { message: A_PAGE }) }, ["token_refused token_refused not_passed_on sign_in_gate base_url"]],
  ["a check of the page's origin", { plain: readable(403, { message: "Origin not allowed" }), call: failed("permission_denied", { serverMessage: "Origin not allowed" }) }, ["permission_denied cors_origin token_refused not_passed_on sign_in_gate blocked_reply base_url permission_denied"]],
  ["Azure's API Management wants a key", { plain: readable(401, { signIn: "AzureApiManagementKey" }), call: failed("authentication_error", { serverMessage: "Access denied due to missing subscription key." }) }, ["credentials_refused credentials_missing sign_in_gate token_refused not_passed_on base_url"]],
  ["an account that is locked", { plain: readable(401, { isApi: true }), call: failed("authentication_error", ofApi("Unauthorized", { serverMessage: "User account locked" })) }, ["token_refused permission_denied token_refused credentials_missing not_passed_on"]],
  ["a refusal with status 200", { plain: readable(200, { message: "Token invalid" }), call: failed("decode_error") }, ["decode_error token_refused base_url decode_error"]],
  ["a server that is stopped, as Azure says with a 403", { plain: readable(403, { isPage: true, shows: "down" }), call: failed("permission_denied", { message: A_PAGE }) }, ["permission_denied server_error blocked_reply sign_in_gate base_url token_refused not_passed_on permission_denied"]],
  ["an error that a script prints, with status 200", { plain: readable(200, { isPage: true, shows: "script" }), call: failed("unexpected_response", { contentType: "text/html", status: 200 }) }, ["html_reply server_error base_url login_page blocked_reply content_type"]],
  ["the API's own 503", { plain: readable(401, { isApi: true }), call: failed("server_error", ofApi("ServiceUnavailable", { status: 503 })) }, ["server_error"]],
  ["AWS's API Gateway does not know the path", { plain: readable(403), call: failed("permission_denied", { serverMessage: "Missing Authentication Token" }) }, ["permission_denied base_url not_passed_on token_refused sign_in_gate blocked_reply permission_denied"]],
  ["a right that .NET reports by an exception's name", { plain: readable(401, { isApi: true }), call: failed("permission_denied", ofApi("UnauthorizedAccessException", { serverMessage: "You have no access to this company." })) }, ["permission_denied"]],
  ["a gateway's 502, and no credentials", { baseUrl: PAGE, sendsCookies: true, plain: readable(502, { isPage: true }), call: { ...failed("server_error", { status: 502, message: A_PAGE }), sent: [] } }, ["server_error server_error base_url blocked_reply"]],
  ["a refusal in other words than one without credentials", { plain: readable(401, { isApi: true, message: "Not Authenticated" }), call: failed("authentication_error", ofApi("Unauthorized", { serverMessage: "Invalid audience" })) }, ["token_refused"]],
  ["expired only by the server's clock", { plain: readable(401, { aheadMs: -5 * MINUTE }), call: { ...failed("authentication_error"), claims: { exp: NOW + MINUTE } } }, ["clock_skew"]],
  ["not valid yet only by the server's clock", { plain: readable(401, { aheadMs: 5 * MINUTE }), call: { ...failed("authentication_error"), claims: { nbf: NOW - MINUTE } } }, ["clock_skew"]],
  ["expired only by the clock here is not the cause", { plain: readable(401, { aheadMs: 5 * MINUTE }), call: { ...failed("authentication_error"), claims: { exp: NOW - MINUTE } } }, ["token_refused token_refused not_passed_on sign_in_gate base_url", "clock_skew note"]],
  ...["permission_denied", "server_error"].map((code) => [`expired, and refused as ${code}`, { call: { ...failed(code, ofApi("Refused")), claims: { exp: NOW - MINUTE } } }, [`${code} token_expired ${code}`]]),
  ["expired, and redirected to sign in", { page: undefined, call: { ...failed("unexpected_response", { status: 302, location: "/login" }), claims: { exp: NOW - MINUTE } } }, ["sign_in_redirect token_expired sign_in_redirect base_url"]],
  ["expired, and a page of HTML", { page: undefined, call: { ...failed("unexpected_response", { status: 200, contentType: "text/html" }), claims: { exp: NOW - MINUTE } } }, ["html_reply token_expired login_page base_url content_type blocked_reply permission_denied server_error"]],
  ...[{ code: "permission_denied", ...ofApi("Forbidden") }, { code: "api_error", status: 400 }].map(({ code, ...more }) => [`no credentials, and refused as ${code}`, { call: { ...failed(code, more), sent: [] } }, [`${code} credentials_missing ${code}`]]),
  ["no credentials, and redirected to sign in", { page: undefined, call: { ...failed("unexpected_response", { status: 302, location: "/login" }), sent: [] } }, ["sign_in_redirect credentials_missing sign_in_redirect base_url"]],
  ["expired, and refused by a status and an error code", { call: { ...failed("api_error", { status: 200, errorCode: "Unauthorized" }), claims: { exp: NOW - MINUTE } } }, ["api_error token_expired api_error"]],
  ["times in milliseconds: nbf", { call: { ...failed("authentication_error"), claims: { inMilliseconds: ["exp", "nbf"] } } }, ["token_not_yet_valid"]],
  ["times in milliseconds: exp", { call: { ...failed("authentication_error"), claims: { inMilliseconds: ["exp", "iat"] } } }, ["token_refused token_refused not_passed_on"]],
  ...["Basic", "NTLM"].map((signIn) => [`a gate that wants ${signIn}`, { plain: readable(401, { signIn }), call: failed("authentication_error") }, ["credentials_refused sign_in_gate token_refused not_passed_on base_url"]]),
  ["a gate that answers HTML", { plain: readable(401, { isPage: true }), call: { ...failed("authentication_error"), sent: ["x-api-key"] } }, ["credentials_refused sign_in_gate key_refused credentials_missing not_passed_on base_url"]],
  ["the same without credentials", { plain: readable(401, { isPage: true }), call: { ...failed("authentication_error"), sent: [] } }, ["credentials_refused sign_in_gate credentials_missing base_url"]],
  ["the same, and an expired token", { plain: readable(401, { isPage: true }), call: { ...failed("authentication_error"), claims: { exp: NOW - MINUTE } } }, ["credentials_refused sign_in_gate token_expired base_url"]],
  ["a page to the call alone", { plain: readable(401, { isApi: true }), call: failed("authentication_error", { status: 401, message: A_PAGE }) }, ["credentials_refused sign_in_gate token_refused"]],
  ["a page to everybody, by a 403 without credentials", { plain: readable(403, { isPage: true }), call: failed("authentication_error", { status: 401, message: A_PAGE }) }, ["credentials_refused sign_in_gate token_refused base_url"]],
  ["HTML without credentials, and the API's 401 with them", { plain: readable(401, { isPage: true }), call: failed("authentication_error", { errorCode: "Unauthorized" }) }, ["token_refused"]],
  ["the API's own 401, which names Basic", { plain: readable(401, { signIn: "Basic", isApi: true }), call: failed("authentication_error") }, ["token_refused"]],
  ["a 401 from a base URL of the page's own server", { baseUrl: `${PAGE}/api`, call: failed("authentication_error") }, ["token_refused token_refused not_passed_on"]],
  ["the same, and a JWT that has not expired", { baseUrl: `${PAGE}/api`, call: { ...failed("authentication_error"), claims: { exp: NOW + MINUTE } } }, ["credentials_refused not_passed_on token_refused"]],
  ["the same, and a server that has seen the token", { baseUrl: `${PAGE}/api`, call: { ...failed("authentication_error", { message: 'Bearer error="invalid_token"' }), claims: { exp: NOW + MINUTE } } }, ["token_refused"]],
  ["the same, and a GET without the token is answered otherwise", { baseUrl: `${PAGE}/api`, plain: readable(404), call: { ...failed("authentication_error"), claims: { exp: NOW + MINUTE } } }, ["token_refused"]],
  ["the same, and an expired JWT", { baseUrl: `${PAGE}/api`, call: { ...failed("authentication_error"), claims: { exp: NOW - MINUTE } } }, ["token_expired"]],
  ["the page's own server adds the credentials", { headerNames: [], sendsCookies: true, baseUrl: `${PAGE}/api`, call: { ...failed("authentication_error"), sent: [] } }, ["credentials_missing credentials_missing not_passed_on"]],
  ["a 401 from a base URL with a path", { page: undefined, baseUrl: `${API}/bff`, call: failed("authentication_error") }, ["token_refused token_refused not_passed_on"]],
  ["a 401 by way of a service worker", { hasServiceWorker: true, call: failed("authentication_error") }, ["token_refused token_refused not_passed_on service_worker"]],
  ["a 401 by way of a fetch of the app's", { page: undefined, hasFetch: true, isFetchReplaced: true, call: failed("authentication_error") }, ["token_refused token_refused not_passed_on custom_fetch"]],

  ["expired, but the 401 cannot be read", { plain: readable(), headers: { authorization: readable() }, call: { ...noReply, claims: { exp: NOW - MINUTE } } }, ["token_expired", HIDDEN]],

  // The platform.
  ["no WebAssembly by the page's policy", { call: undefined, runtime: REFUSED }, ["wasm_csp"]],
  ["the same, and the policy's connect-src", { reach: nothing, isRefusedByCsp: true, call: undefined, runtime: REFUSED }, ["wasm_csp", "csp_connect_src"]],
  ["the same, and no CORS settings", { plain: nothing, call: undefined, runtime: REFUSED }, ["wasm_csp", BLOCKED]],
  ["the same, and a server that hangs", { reach: { came: "late" }, call: undefined, runtime: REFUSED }, ["wasm_csp", "timeout"]],
  ["the same, and a server with correct CORS settings", { plain: readable(), headers: { authorization: readable() }, call: undefined, runtime: REFUSED }, ["wasm_csp"]],
  ["another problem of the runtime", { call: undefined, runtime: { code: "runtime_unsupported", message: "No fetch." } }, ["runtime_unsupported"]],
  ["a module that cannot be fetched", { call: undefined, runtime: { code: "network_error", message: "Not fetched." } }, ["module_missing"]],
  ["the same by the page's policy", { moduleRefusedAt: "https://cdn.example/sdk.wasm", call: undefined, runtime: { code: "network_error", message: "Not fetched." } }, ["csp_connect_src"]],
  ["an invalid module", { call: undefined, runtime: { code: "config_error", message: "No module." } }, ["config_error"]],

  // Notes.
  ["clocks differ", { plain: readable(401, { aheadMs: -5 * MINUTE }), call: usage }, ["clock_skew note"]],
  ["clocks differ by less than a header's rounding", { plain: readable(401, { aheadMs: 1000 }), call: usage }, []],
  ["plain http", { page: undefined, baseUrl: "http://api.example", reach: readable(), call: usage }, ["insecure_http note"]],
  ["plain http to this machine", { page: undefined, baseUrl: "http://[::1]:8787", reach: readable(), call: usage }, []],
  ["camelCase", { plain: readable(401, { isCamelCase: true }), call: usage }, ["reply_form note"]],
  ["unrequested JSON Lines", { call: { ...usage, contentType: "text/jsonl" } }, ["reply_form note"]],
  ["an unreliable connection", { page: undefined, reach: nothing, plain: nothing, call: usage }, ["unsteady note"]],
];

describe("facts and findings", () => {
  for (const [what, given, expected] of TABLE) it(what, () => assert.deepEqual(codes(given), expected));
});

describe("what a server says of limits, credentials and times", () => {
  const codesFor = (words, status, more) => {
    const code = { 401: "authentication_error", 403: "permission_denied", 500: "server_error" }[status] ?? "api_error";
    return codes({ plain: readable(401, { isApi: true }), call: { ...failed(code, ofApi("", { status, serverMessage: words })), ...more } })[0];
  };
  it("limits that are none of usage", () => {
    for (const words of ["Maximum call stack size exceeded", "Maximum request length exceeded.", "Maximum execution time of 30 seconds exceeded", "Memory limit exceeded", "Time limit exceeded", "Plan not found; moved over"]) {
      assert.doesNotMatch(codesFor(words, 500), /rate_limited/, words);
    }
    for (const words of ["Token limit exceeded", "TooManyRequests", "RESOURCE_EXHAUSTED", "You have used up your allowance", "Monthly budget reached", "Your trial has expired", "You exceeded your current limit"]) {
      assert.match(codesFor(words, 500), /^server_error rate_limited/, words);
    }
  });
  it("a token that has expired, and nothing else", () => {
    const valid = { claims: { exp: NOW + MINUTE } };
    for (const words of ["TokenExpired", "token_expired", "Invalid request.\nToken has expired", "jwt expired", "Expired token"]) assert.match(codesFor(words, 401, valid), /^token_refused clock_skew/, words);
    for (const words of ["Invalid or expired token", "The token is not expired", "Session expired", "Your password has expired"]) assert.doesNotMatch(codesFor(words, 401, valid), /clock_skew/, words);
  });
  it("credentials", () => {
    for (const words of ["Unauthorized token", "Invalid signature"]) assert.match(codesFor(words, 403), /^permission_denied token_refused/, words);
    for (const words of ["You are unauthorized to see this company", "UnauthorizedAccessException"]) assert.doesNotMatch(codesFor(words, 403), /token_refused/, words);
  });
  it("a token that is not valid yet", () => {
    for (const words of ["Token used before issued", "jwt not active", "The token is not yet valid (iat)", "IDX10222: Lifetime validation failed. The token is not yet valid", "Token used too early"]) assert.match(codesFor(words, 401), /^token_refused clock_skew/, words);
    for (const words of ["User is not active", "The refresh token has been used before", "The iat claim is missing"]) assert.doesNotMatch(codesFor(words, 401), /clock_skew/, words);
    assert.doesNotMatch(codesFor("API key is not active", 401, { sent: ["x-api-key"] }), /clock_skew/);
  });
  it("what the API answered a server of one's own", () => {
    const codesFrom = (words, baseUrl = PAGE) => codes({ baseUrl, plain: readable(500), call: failed("server_error", { status: 500, serverMessage: words }) })[0];
    for (const words of ["403 Forbidden", "Forbidden", "No access to this company", "The server refused the request (403)."]) assert.match(codesFrom(words), /^server_error permission_denied/, words);
    for (const words of ["Views/Index.cshtml(403,12): CS1002", "No access token for the mail service", "Forbidden character in name"]) assert.doesNotMatch(codesFrom(words), /permission_denied/, words);
    assert.match(codesFrom("401 Unauthorized"), /^server_error token_refused/);
    assert.doesNotMatch(codesFrom("401 Unauthorized", "https://api.bookmore.com"), /^server_error token_refused/);
    assert.equal(codesFrom("Too Many Requests"), "server_error rate_limited server_error base_url");
  });
  it("no access, and no token", () => {
    assert.match(codesFor("No access to this company", 401), /^token_refused permission_denied/);
    assert.doesNotMatch(codesFor("No access token provided", 401), /permission_denied/);
  });
  it("where requests come from", () => {
    const codesFrom = (words) => codes({ plain: readable(403), call: failed("permission_denied", { serverMessage: words }) })[0];
    for (const words of ["Origin not allowed", "Requests from referer <empty> are blocked."]) assert.match(codesFrom(words), /^permission_denied cors_origin/, words);
    for (const words of ["The origin server is not available", "Forbidden"]) assert.doesNotMatch(codesFrom(words), /cors_origin/, words);
  });
  it("a message with status 200", () => {
    const codesFrom = (message, more) => codes({ plain: readable(200, { message }), call: failed("decode_error", more) })[0];
    assert.equal(codesFrom("Token invalid"), "decode_error token_refused base_url decode_error");
    assert.equal(codesFrom("Hello World"), "decode_error base_url decode_error token_refused");
    assert.doesNotMatch(codesFrom("Token invalid", { isRetryable: true, offset: 10 }), /token_refused/);
  });
  it("https, but not in a URL", () => {
    const asked = (words) => codes({ page: undefined, baseUrl: "http://127.0.0.1:5000", plain: readable(), call: failed("permission_denied", { serverMessage: words }) })[0];
    assert.match(asked("HTTPS Required"), /needs_https/);
    assert.doesNotMatch(asked("See https://docs.example/errors"), /needs_https/);
  });
});

it("a client with cookies alone: names the session, and no token to pass", () => {
  const found = (more) => findingsOf(facts({ headerNames: [], call: { ...failed("authentication_error"), sent: [] }, ...more }))[0];
  const { message, fix } = found({ sendsCookies: true });
  assert.match(message, / was sent\. If a session cookie is used instead, .* \(sign in again\), or the browser withholds /);
  assert.equal(fix, undefined);
  assert.match(found({}).message, /Neither a token nor an API key was sent\. Cookies go to another origin only if the client has the option credentials: "include"\.$/);
});

it("where the browser hides a redirect's target, names the command that sees it", () => {
  const call = failed("unexpected_response", { status: 0 });
  for (const [baseUrl, doctor] of [[API, / --origin https:\/\/app\.example /], [`${PAGE}/api`, /^npx bookmore-sdk doctor --url https:\/\/app\.example\/api$/], [undefined, undefined]]) {
    const [found] = findingsOf(facts({ baseUrl, plain: { came: "redirect" }, followed: nothing, call }));
    assert.equal(found.code, "redirected");
    if (doctor) assert.match(found.doctor, doctor);
    else assert.equal(found.doctor, undefined);
  }
});

it("tells a port that a redirect has lost", () => {
  const messageFor = (baseUrl) => findingsOf(inNode({ baseUrl, plain: { came: "redirect", to: `https://127.0.0.1${PATH}` }, followed: { came: "nothing", code: "ECONNREFUSED" }, call: failed("unexpected_response", { status: 301, location: `https://127.0.0.1${PATH}` }) }))[0].message;
  assert.match(messageFor("http://127.0.0.1:8080"), / has lost the port /);
  assert.doesNotMatch(messageFor("http://127.0.0.1"), / has lost the port /);
  assert.doesNotMatch(messageFor("http://127.0.0.2:8080"), / has lost the port /);
});

it("the directive that a policy needs keeps what the policy allows", () => {
  const fixFor = (policy) => findingsOf(facts({ reach: undefined, plain: nothing, isRefusedByCsp: true, policy }))[0].fix;
  assert.equal(fixFor("default-src 'self'; connect-src 'self' https://cdn.example"), `connect-src 'self' https://cdn.example ${API}`);
  assert.equal(fixFor("script-src 'self'; Default-Src 'self' data:"), `connect-src 'self' data: ${API}`);
  assert.equal(fixFor("default-src 'none'"), `connect-src ${API}`);
  assert.equal(fixFor(undefined), `connect-src 'self' ${API}`);
  const [found] = findingsOf(facts({ call: undefined, runtime: REFUSED, modulePolicy: "script-src 'nonce-s3cret' https://cdn.example" }));
  assert.equal(found.fix, "script-src 'nonce-…' https://cdn.example 'wasm-unsafe-eval'");
  const both = findingsOf(facts({ call: undefined, runtime: { code: "network_error", message: "Not fetched." }, moduleRefusedAt: "https://cdn.example/sdk.wasm", modulePolicy: "connect-src 'self'", isRefusedByCsp: true, policy: "connect-src 'self'", plain: nothing, reach: undefined }));
  assert.deepEqual(both.map(({ fix }) => fix), Array(2).fill(`connect-src 'self' https://cdn.example ${API}`));
});

it("tells the title of a page that everybody gets", () => {
  const [refused, page] = [failed("server_error", { status: 502, message: A_PAGE }), readable(502, { isPage: true, title: '502 "Bad" Gateway' })];
  const messageFor = (more) => findingsOf(facts({ plain: page, call: refused, ...more }))[0].message;
  assert.ok(messageFor({}).endsWith(' The page\'s title: "502 \\"Bad\\" Gateway".'), messageFor({}));
  assert.doesNotMatch(messageFor({ call: failed("server_error", { status: 503, message: A_PAGE }) }), /title/);
  assert.doesNotMatch(messageFor({ call: failed("server_error", { status: 502 }) }), /title/);
  for (const more of [{ hasFetch: true }, { isFetchReplaced: true }, { hasServiceWorker: true }]) assert.doesNotMatch(messageFor(more), /title/);
});

it("keeps a path of the page's own server, which is there to be passed on", () => {
  const found = (baseUrl) => findingsOf(facts({ baseUrl, call: failed("api_error", { status: 404 }) }))[0];
  assert.ok(found(`${PAGE}/api`).message.endsWith("If this server is to pass /api on to the API, perhaps it does not, its target is wrong, it takes too much off the path, or it keeps /api in the path or its own name as the Host (Vite: rewrite, changeOrigin)."));
  assert.equal(found(`${PAGE}/api`).fix, undefined);
  assert.match(found("https://api.example/api").fix, /"https:\/\/api\.example"/);
});

it("the CORS fix contains the page's origin and the client's headers", () => {
  const [{ fix, elsewhere, doctor }] = findingsOf(facts({ headerNames: ["authorization", "x-tenant"], plain: readable(), headers: { authorization: nothing, "x-tenant": nothing }, contentType: readable() }));
  assert.equal(fix, 'Plugins.Add(new CorsFeature(allowOriginWhitelist: new[] { "https://app.example" }, allowedHeaders: "Content-Type,Authorization,x-tenant", exposeHeaders: "Retry-After,Date,X-Request-Id", allowCredentials: true));');
  assert.match(elsewhere["ASP.NET Core, before UseAuthentication"], /^builder\.Services\.AddCors\(\);.*\napp\.UseCors.*WithOrigins\("https:\/\/app\.example"\).*"Authorization", "x-tenant"/);
  assert.match(elsewhere.nginx, /^# proxy_set_header Origin "";/m);
  assert.match(elsewhere.nginx, /Allow-Headers "Content-Type,Authorization,x-tenant" always;/);
  assert.equal(doctor, "npx bookmore-sdk doctor --url https://api.example --origin https://app.example --headers authorization,x-tenant");
});

it("prints what the docs show", () => {
  const found = findingsOf(facts({ baseUrl: "https://api.bookmore.com", plain: readable(), headers: { authorization: nothing }, contentType: readable() }));
  matchesSample("pkg/docs/diagnose.md", "✘ This page can read", found.flatMap(findingLines).join("\n"));
});

it("the CORS fix allows no header twice", () => {
  const [{ fix, elsewhere }] = findingsOf(facts({ headerNames: ["authorization", "content-type"], plain: readable(), headers: { authorization: nothing }, contentType: readable() }));
  for (const text of [fix, ...Object.values(elsewhere)]) assert.equal(text.match(/content-type/gi).length, 1, text);
});

it("findings survive JSON, and print on one line each, apart from their fixes", () => {
  for (const [what, given] of TABLE) {
    const findings = findingsOf(facts(given));
    assert.deepEqual(JSON.parse(JSON.stringify(findings)), findings, what);
  }
  const message = "Busy.\n✔ The call returned a usage.\u001b[2J\u009b31m\u202e\u0007";
  const lines = findingsOf(facts({ call: { ...failed("rate_limited"), error: { code: "rate_limited", message } } })).flatMap(findingLines);
  assert.deepEqual(lines, ["✘ Busy. ✔ The call returned a usage. [2J 31m  (rate_limited)"]);
});

it("says of a timeout that the client would wait longer", () => {
  const messageOf = (more) => findingsOf(facts({ page: undefined, call: failed("timeout"), ...more }))[0].message;
  assert.equal(messageOf({}), "It is timeout.");
  assert.equal(messageOf({ waitsLonger: true }), "It is timeout. A call may take 10 s here; the client waits longer.");
  assert.match(messageOf({ waitsLonger: true, reach: { came: "late" } }), /in time\. .* the client waits longer\.$/);
});

it("a redirect's user name, password, query and fragment are not shown", () => {
  const location = "https://user:s3cret@id.example/login?token=s3cret#s3cret";
  const [found] = findingsOf(inNode({ call: failed("unexpected_response", { status: 302, location }) }));
  assert.match(found.message, /^The server redirects to https:\/\/id\.example\/login instead of answering, perhaps to a sign-in page/);
  const [moved] = findingsOf(inNode({ call: failed("unexpected_response", { status: 301, location: `/v2${PATH}?s3cret` }) }));
  assert.equal(moved.fix, `new BookMoreClient({ baseUrl: "${API}/v2" })`);
});

it("says that WebAssembly is missing", () => {
  const { WebAssembly } = globalThis;
  const codeOf = (runtime) => codes({ call: undefined, runtime: { code: "runtime_unsupported", message: "It is missing.", ...runtime } });
  try {
    delete globalThis.WebAssembly;
    assert.deepEqual(codeOf({ cause: new ReferenceError("WebAssembly is not defined") }), ["wasm_missing"]);
    assert.deepEqual(codeOf({}), ["runtime_unsupported"]);
  } finally {
    globalThis.WebAssembly = WebAssembly;
  }
});

it("only the fetch of Node.js itself needs WebAssembly", () => {
  const { WebAssembly } = globalThis;
  const versions = Object.getOwnPropertyDescriptor(process, "versions");
  const isBroken = (more) => {
    Object.defineProperty(process, "versions", { ...versions, value: { node: "24.0.0", ...more } });
    return isFetchBroken();
  };
  try {
    assert.equal(isBroken(), false);
    delete globalThis.WebAssembly;
    assert.deepEqual([{}, { deno: "2.5.0" }, { bun: "1.3.0" }].map(isBroken), [true, false, false]);
  } finally {
    globalThis.WebAssembly = WebAssembly;
    Object.defineProperty(process, "versions", versions);
  }
});

it("a cause with getters of its own is no trouble", () => {
  const cause = new Proxy({}, { get: () => { throw new Error("x"); } });
  assert.deepEqual(codes({ call: undefined, runtime: { code: "runtime_unsupported", message: "Refused.", cause } }), ["runtime_unsupported"]);
});

it("a fix sets the clock only if the clock here may be wrong", () => {
  const settings = { ...IN_CODE, clock: "sudo timedatectl set-ntp true" };
  const fixOf = (given) => findingsOf(facts({ settings, ...given, call: { ...failed("authentication_error"), ...given.call } }))[0].fix;
  const behind = { plain: readable(401, { aheadMs: -5 * MINUTE }) };
  assert.equal(fixOf({ ...behind, call: { claims: { exp: NOW + MINUTE } } }), settings.clock);
  assert.match(fixOf({ ...behind, call: { claims: { exp: NOW - MINUTE } } }), /bearerToken/);
  // The sentence says whose clock it is.
  assert.equal(fixOf({ plain: readable(401, { aheadMs: 5 * MINUTE }), call: { claims: { nbf: NOW - MINUTE } } }), undefined);
});

it("fixes quote for the shell what needs quoting", () => {
  const baseUrl = "http://127.0.0.1:1/a;touch$IFS/x&(b)'c";
  const quoted = `'http://127.0.0.1:1/a;touch$IFS/x&(b)'\\''c'`;
  const [hidden] = findingsOf(facts({ page: "http://localhost:5173", reach: nothing, baseUrl, headerNames: ["x-a", "x'b"] }));
  assert.equal(hidden.doctor, `npx bookmore-sdk doctor --url ${quoted} --origin http://localhost:5173 --headers 'x-a,x'\\''b'`);
  const [cookies] = findingsOf(facts({ headerNames: [], includesCookies: true, plain: readable(), cookies: nothing }));
  assert.match(cookies.doctor, / --origin https:\/\/app\.example --headers none --credentials$/);
  assert.equal(hidden.candidates[0].fix, `curl -i ${quoted}`);
  assert.equal(findingsOf(facts({ reach: { came: "late" }, baseUrl }))[0].fix, `curl -v --max-time 30 ${quoted}`);
  assert.equal(findingsOf(facts({ reach: nothing, baseUrl: "https://a&b.example" }))[0].candidates[1].fix, "nslookup 'a&b.example'");
});

it("a browser may go to https by itself", () => {
  const [{ candidates }] = findingsOf(facts({ baseUrl: "http://api.dev", plain: { came: "redirect" }, call: failed("unexpected_response", { status: 0 }) }));
  assert.deepEqual([candidates.at(-1).code, candidates.at(-1).fix], ["hsts", 'new BookMoreClient({ baseUrl: "https://api.dev" })']);
});

it("no fix sends https to a port that is given for plain http", () => {
  const call = failed("permission_denied", { serverMessage: "HTTPS Required" });
  for (const [port, fix] of [["", 'new BookMoreClient({ baseUrl: "https://api.example" })'], [":5000", undefined]]) {
    const [{ candidates }, note] = findingsOf(inNode({ baseUrl: `http://api.example${port}`, plain: readable(403), call }));
    const [mixed] = findingsOf(facts({ baseUrl: `http://api.example${port}`, reach: nothing }));
    assert.deepEqual([candidates[0].code, candidates[0].fix, note.fix, mixed.code, mixed.fix], ["needs_https", fix, fix, "mixed_content", fix]);
  }
});

it("an extension has settings of its own", () => {
  const page = "chrome-extension://abcdefghijklmnop";
  assert.match(findingsOf(facts({ page, plain: nothing }))[0].message, / host_permissions of its manifest\.$/);
  assert.match(findingsOf(facts({ page, runtime: REFUSED, call: undefined }))[0].fix, /^"content_security_policy": \{ "extension_pages": "/);
});

it("a page without an origin gets no CORS fix", () => {
  const [{ candidates }] = findingsOf(facts({ page: "null", plain: nothing }));
  assert.deepEqual(candidates.filter(({ fix }) => fix !== undefined).map(({ code }) => code), ["cors_duplicate", "blocked_reply"]);
  assert.match(candidates[1].message, /Serve it by http/);
});

it("no fix sets a base URL that the client refuses or already has", () => {
  for (const location of ["", PATH, `${API}${PATH}`, `http://api.example${PATH}`]) {
    const [found] = findingsOf(inNode({ call: failed("unexpected_response", { status: 301, location }) }));
    assert.deepEqual([found.code, found.fix], ["redirected", undefined]);
  }
});

it("whose clock decides whether a token has expired is said where it is the one here", () => {
  const messageOf = (claims, more) => findingsOf(facts({ call: { ...failed("authentication_error"), claims }, ...more }))[0].message;
  const known = { plain: readable(401, { aheadMs: 0 }) };
  assert.match(messageOf({ exp: NOW + MINUTE }), /By the clock here, the token has not expired\.$/);
  assert.match(messageOf({ exp: NOW + MINUTE }, known), /\. The token has not expired\.$/);
  assert.match(messageOf({ exp: NOW - MINUTE }), /, by the clock here\.$/);
  assert.doesNotMatch(messageOf({ exp: NOW - MINUTE }, known), /clock here/);
});

it("says what kind of token it is, if it is none for an API", () => {
  const [{ message }] = findingsOf(inNode({ call: { ...failed("authentication_error"), claims: { kind: "an ID token" } } }));
  assert.match(message, / It is an ID token, where an API wants an access token\.$/);
});

it("says that a token has not expired only if it has an expiry", () => {
  const messageOf = (claims) => findingsOf(inNode({ call: { ...failed("authentication_error"), claims } }))[0].message;
  assert.match(messageOf({ exp: NOW + MINUTE }), /has not expired/);
  assert.match(messageOf({ inMilliseconds: ["exp", "iat"] }), /Its times \(exp, iat\) are in milliseconds/);
  assert.doesNotMatch(messageOf({ iss: "https://id.example" }), /expired/);
});

it("what answers without CORS headers may be a TLS port that was asked by plain http", () => {
  const [{ candidates }] = findingsOf(facts({ plain: nothing }));
  assert.match(candidates.find(({ code }) => code === "base_url").message, /: the scheme, host, port or path of the base URL is wrong\.$/);
});

it("says only of a page that reads replies that it does", () => {
  const messageOf = (plain) => findingsOf(facts({ headers: { authorization: nothing }, contentType: nothing, again: plain, followed: nothing, plain })).at(-1).message;
  assert.match(messageOf(readable()), /^This page can read the server's replies, but none to what it sends with authorization or/);
  assert.match(messageOf({ came: "redirect" }), /^This page's requests are redirected, and it gets no reply at all to those that it sends with authorization or/);
});

it("a 500 of the page's own server may be that of a proxy that reaches no API", () => {
  const messageOf = (more, error) => findingsOf(facts({ call: failed("server_error", error), ...more }))[0].message;
  assert.match(messageOf({ baseUrl: `${PAGE}/api` }), / Perhaps this page's own server does not reach the API;/);
  for (const message of [messageOf({}), messageOf({ baseUrl: `${PAGE}/api` }, ofApi("Fault"))]) assert.equal(message, "It is server_error.");
});

it("says what else may have been refused, or answered", () => {
  const messageOf = (call, more) => findingsOf(facts({ call, ...more }))[0];
  assert.match(messageOf({ ...failed("authentication_error"), sent: ["authorization", "x-api-key"] }).message, / An API key was sent as well, and may be what was refused\.$/);
  assert.doesNotMatch(messageOf({ ...failed("authentication_error"), sent: ["authorization"] }).message, /API key/);
  const nothingSent = { ...failed("authentication_error"), sent: [] };
  assert.deepEqual([{ isFetchReplaced: true }, {}, { page: undefined, isFetchReplaced: true }].map((more) => messageOf(nothingSent, { headerNames: [], ...more }).code), ["credentials_refused", "credentials_missing", "credentials_missing"]);
  // The client has a bearerToken function.
  assert.match(messageOf(nothingSent).message, / No token was sent: the bearerToken function returned none\.$/);
});

it("a browser may wait for the user, which no page can see", () => {
  const late = { came: "late" };
  const messageOf = (more) => findingsOf(facts({ call: failed("timeout"), ...more }))[0].message;
  assert.match(messageOf({ reach: late, plain: late, hasServiceWorker: true }), / Or the browser is waiting for the user, .* network, or for a free connection .*, or the page's service worker does not answer\.$/);
  assert.match(messageOf({ reach: late, plain: late }), / Or the browser is waiting for the user, .* share them\)\.$/);
  assert.match(messageOf({ isFetchReplaced: true }), /, or the fetch that is used, which is not the browser's own, holds the request back\.$/);
  for (const attempts of [[], [{ status: 200 }]]) assert.doesNotMatch(messageOf({ call: failed("timeout", { attempts }) }), /browser/);
  assert.match(messageOf({}), /^It is timeout\. Perhaps the browser is waiting for the user, .* share them\)\.$/);
  assert.match(messageOf({ page: undefined, reach: late, plain: late }), / does not answer\.$/);
});

it("what listens at another address of this machine is named", () => {
  const messageOf = (baseUrl) => findingsOf(facts({ page: "http://localhost:5173", reach: nothing, baseUrl }))[0].candidates[0].message;
  assert.match(messageOf("http://127.0.0.1:9"), /, or uses another port or another address, such as localhost, or a firewall refuses it\.$/);
  assert.match(messageOf("http://localhost:9"), /, or uses another port or another address, or a firewall refuses it\.$/);
  assert.match(messageOf("https://api.example"), /, or uses another port or another address, or a firewall refuses it\.$/);
});

it("a 431 means that something is too long", () => {
  assert.match(findingsOf(facts({ call: failed("api_error", { status: 431 }) }))[0].message, / is too long for the server: the token, /);
});

it("blames no browser outside of one", () => {
  for (const location of ["http://[", undefined]) {
    const [{ message }] = findingsOf(inNode({ call: failed("unexpected_response", { status: 302, location }) }));
    assert.doesNotMatch(message, /browser/);
  }
});

it("a service worker's page of HTML: what lets the server's reply through, and the line that sees it", () => {
  const [{ candidates, doctor }] = findingsOf(facts({ hasServiceWorker: true, call: failed("unexpected_response", { status: 200, contentType: "text/html" }) }));
  assert.match(candidates.at(-1).fix, /^if \(event\.request\.url\.startsWith\("https:\/\/api\.example\/"\)\) return;/);
  assert.match(doctor, /^npx bookmore-sdk doctor --url https:\/\/api\.example --origin /);
});

it("what mends the credentials is of the kind that was sent", () => {
  const fixOf = (sent, more) => findingsOf(facts({ ...more, call: { ...failed("unexpected_response", { status: 200, contentType: "text/html" }), sent } }))[0].candidates[0].fix;
  const { token, apiKey, credentials } = IN_CODE;
  assert.deepEqual([["authorization", "x-api-key"], ["x-api-key", "x-tenant"], ["x-tenant"], [], undefined].map((sent) => fixOf(sent)), [token, apiKey, credentials, credentials, undefined]);
  assert.equal(fixOf([], { hasFetch: true }), undefined);
});

it("the base URL to set is named", () => {
  const fixOf = (given) => findingsOf(facts(given))[0].fix;
  assert.equal(fixOf({ page: undefined, reach: readable(), call: failed("unexpected_response", { status: 301, location: `https://v2.example/x${PATH}` }) }), 'new BookMoreClient({ baseUrl: "https://v2.example/x" })');
  assert.equal(fixOf({ baseUrl: `${API}${PATH}`, call: failed("api_error", { status: 404 }) }), `new BookMoreClient({ baseUrl: "${API}" })`);
  assert.equal(fixOf({ baseUrl: `${API}/wrong`, call: failed("api_error", { status: 404 }) }), `new BookMoreClient({ baseUrl: "${API}" })`);
  assert.equal(fixOf({ baseUrl: API, call: failed("api_error", { status: 404 }) }), undefined);
});

it("every message ends with a period, and contains no undefined", () => {
  for (const [what, given] of TABLE) {
    const all = findingsOf(facts(given));
    for (const { message } of [...all, ...all.flatMap(({ candidates = [] }) => candidates)]) {
      assert.match(message, /^[A-Z].*\.$/, what);
      assert.doesNotMatch(message, /undefined|NaN|null,/, what);
    }
  }
});
