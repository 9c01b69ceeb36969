// What calls fail of, and what is found: in a page by bookmore-sdk/diagnose, in a terminal by `bookmore-sdk doctor`. A row
// is tried where it has `page` or `terminal`; the table of pkg/docs/diagnose.md is written from it.
const now = Date.now();
const MINUTE = 60_000;
/** A token with these claims; times in milliseconds from now. */
export const jwt = ({ exp, nbf, ...claims }) => {
  const seconds = (ms) => ms && Math.floor((now + ms) / 1000);
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "HS256" })}.${part({ iss: "https://id.example", ...claims, exp: seconds(exp), nbf: seconds(nbf) })}.${part("signature")}`;
};

export const OTHER = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
const GOOD = jwt({ exp: 60 * MINUTE });
const EXPIRED = jwt({ exp: -5 * MINUTE });
/** Made by somebody who took milliseconds for seconds. */
const IN_MILLISECONDS = jwt({ nbf: 999 * now, exp: 999 * now + 60 * MINUTE });
const EARLY = jwt({ nbf: 60 * MINUTE, exp: 120 * MINUTE });
export const SECRETS = [GOOD, EXPIRED, EARLY, "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c", "tenant-s3cret-value", IN_MILLISECONDS];
const KEY = SECRETS[3];
const extra = { headers: { "X-Tenant": SECRETS[4] } };

const PATH = "/assistant/ai-chat/usage";
const SCRIPTS = "script-src 'self' 'wasm-unsafe-eval'";
const BLOCKED = ["cors_blocked", "cors_missing", "cors_origin", "server_error", "cors_duplicate", "sign_in_redirect", "moved", "base_url", "blocked_reply"];
const UNREACHABLE = ["no_reply", "connection_refused", "unknown_host", "certificate_untrusted", "not_tls", "cors_blocked", "connection_reset", "redirected", "blocked_reply"];
const REFUSED = [401, { "content-type": "application/json" }, '{"ResponseStatus":{"ErrorCode":"Unauthorized","Message":"Unauthorized"}}'];
const GATE = ["credentials_refused", "sign_in_gate", "token_refused", "not_passed_on", "base_url"];
const REFUSED_TOKEN = ["token_refused", "token_refused", "credentials_missing", "not_passed_on"];
/** What a redirect to a sign-in page may mean, and one of which only the target is known. */
const SIGN_IN = ["sign_in_redirect", "sign_in_redirect", "token_refused", "base_url"];
const SIGN_IN_HIDDEN = ["sign_in_redirect", "sign_in_redirect", "token_refused", "permission_denied", "base_url"];
const OTHER_API = ["api_error", "api_error", "base_url"];
const REFUSED_FOR_ALL = ["api_error", "base_url", "api_error", "token_refused", "not_passed_on"];
const SHELL = ["html_reply", "base_url", "login_page", "blocked_reply", "content_type"];
const DENIED_TO_ALL = ["permission_denied", "token_refused", "not_passed_on", "sign_in_gate", "blocked_reply", "base_url", "permission_denied"];
const QUOTA = ["permission_denied", "rate_limited", "permission_denied", "token_refused", "blocked_reply"];
const LOGIN = ["html_reply", "login_page", "permission_denied", "server_error", "content_type", "blocked_reply"];
const EMPTY = ["empty_reply", "base_url", "not_passed_on", "truncated"];
/** Of the call alone. */
const HIDDEN = ["no_reply", "cors_error_replies", "truncated", "connection_reset", "blocked_reply"];
const without = (codes, ...others) => codes.filter((code) => !others.includes(code));
/** For an IP address with plain http, which has no name to resolve and no certificate. */
const DEAD = without(UNREACHABLE, "unknown_host", "certificate_untrusted").map((code) => (code === "not_tls" ? "needs_https" : code));

/**
 * `cause`: in words. `code`: the true one, which must be found alone or among the candidates.
 * `host`: what answers, see hosts.mjs; `options` of the client; `page`, `terminal`: the codes that are found, the first the
 * finding's own and the others its candidates; `firefox`, `webkit` where that differs. `csp`: the page's policy, API for where the server is;
 * `isolated`: whether the page is cross-origin isolated; `cookie` that its server sets,
 * `redirects` and `replies` of its own; the headers that its fetch `adds`, and the `mode` that it asks with. `args`, `env`: of the command, PROXY for a
 * proxy that listens.
 */
export const CAUSES = [
  { cause: "ServiceStack's default CORS settings", code: "cors_headers", host: { cors: "servicestack-default" }, page: ["cors_headers", "cors_headers", "cors_error_replies"], terminal: ["cors_headers"] },
  { cause: "A header of your own that CORS does not allow", code: "cors_headers", host: { cors: "open" }, options: extra, page: ["cors_headers", "cors_headers", "cors_error_replies"], args: ["--headers", "authorization,x-tenant"], terminal: ["cors_headers"] },
  { cause: "CORS allows only other origins", code: "cors_origin", host: { cors: "allow-list" }, page: BLOCKED, terminal: ["cors_origin"] },
  { cause: "CORS refuses the page's origin with a 403, as Spring does", code: "cors_origin", host: { refusesOrigin: true }, page: BLOCKED, terminal: ["cors_origin"] },
  { cause: "A port for TLS that is asked by plain http, and answers with a page", code: "needs_https", host: { says: { isForAll: true, status: 400, type: "text/html", body: "<title>400 The plain HTTP request was sent to HTTPS port</title>" } }, page: ["api_error", "needs_https", "base_url", "blocked_reply"], terminal: ["api_error", "needs_https", "base_url", "blocked_reply"] },
  { cause: "No CORS settings", code: "cors_missing", host: { cors: "none" }, page: BLOCKED, terminal: ["cors_missing"] },
  { cause: "CORS headers twice, of the server and of a proxy", code: "cors_duplicate", host: { headers: { "access-control-allow-origin": ["*", "*"], "access-control-allow-headers": "authorization" } }, page: BLOCKED, terminal: ["cors_duplicate"] },
  { cause: "CORS headers of the preflight alone", code: ["cors_missing", "cors_error_replies"], host: { cors: "none", preflightOnly: true }, page: BLOCKED, terminal: ["cors_error_replies"] },
  { cause: "A library that adds a header to the page's requests", code: "custom_fetch", host: { cors: "open" }, adds: { traceparent: "00-1-2-01" }, page: [...BLOCKED, "custom_fetch"] },
  { cause: "A library whose fetch asks with `mode: \"no-cors\"`", code: "custom_fetch", host: { cors: "open" }, mode: "no-cors", page: [...BLOCKED, "custom_fetch"] },
  { cause: "The preflight is answered with 405", code: "cors_preflight", host: { cors: "preflight-405" }, page: ["preflight_refused", "cors_preflight", "cors_headers", "cors_error_replies"], terminal: ["cors_preflight"] },
  { cause: "Endpoint routing: a 405, and errors without CORS headers", code: "cors_missing", host: { cors: "preflight-405", fake: { host: "endpoints" } }, page: BLOCKED, terminal: ["cors_missing"] },
  { cause: "Cookies together with `Access-Control-Allow-Origin: *`", code: "cors_credentials", host: { cors: "wildcard-with-credentials" }, options: { credentials: "include" }, page: ["cors_credentials", "cors_credentials", "cors_error_replies"], args: ["--credentials"], terminal: ["cors_credentials"] },
  { cause: "A 429 of a proxy, without CORS headers", code: ["cors_error_replies", "rate_limited"], host: { cors: "open", answers: { status: 429, body: "html" } }, page: HIDDEN, terminal: ["rate_limited", "rate_limited", "blocked_reply"] },
  { cause: "A value of a header of your own, refused without CORS headers", code: "cors_error_replies", host: { strict: "x-tenant" }, options: extra, page: ["cors_headers", "cors_headers", "cors_error_replies"] },
  { cause: "A token, refused without CORS headers, where CORS allows no other header", code: ["cors_error_replies", "token_refused"], host: { strict: "authorization", allows: "authorization" }, page: ["preflight_refused", "cors_preflight", "cors_headers", "cors_error_replies"], terminal: ["token_refused", "token_refused", "not_passed_on", "sign_in_gate", "base_url"] },
  { cause: "Cookies of an expired session, refused without CORS headers", code: "cors_error_replies", host: { strict: "cookie" }, cookie: "session=old", options: { credentials: "include" }, page: ["cors_credentials", "cors_credentials", "cors_error_replies"] },
  { cause: "A rate limiter that takes effect during the diagnosis, without CORS headers", code: "cors_error_replies", host: { limit: 1 }, page: HIDDEN },
  { cause: "A sign-in redirect in front of the API", code: "sign_in_redirect", host: { cors: "open", answers: { kind: "login-redirect" } }, page: BLOCKED, terminal: SIGN_IN, exit: 1 },
  { cause: "A sign-in redirect to where nothing answers", code: ["redirected", "sign_in_redirect"], host: { redirect: "http://127.0.0.1:9/login" }, page: DEAD, terminal: ["cors_preflight", ...SIGN_IN], exit: 1 },
  { cause: "A gate that redirects to the same URL with a cookie", code: "redirected", host: { redirect: PATH }, page: DEAD, terminal: ["cors_preflight", "redirected"] },
  { cause: "A sign-in redirect that the page's `connect-src` does not let through", code: "redirected", host: { redirect: "https://id.example/login" }, csp: `${SCRIPTS}; connect-src 'self' API`, page: DEAD },
  { cause: "A sign-in redirect of the page's own server", code: "sign_in_redirect", host: { url: "/api" }, redirects: { [`/api${PATH}`]: "/login.html" }, page: SIGN_IN_HIDDEN },
  { cause: "The page's own server redirects to its start page", code: "base_url", host: { url: "/api" }, redirects: { [`/api${PATH}`]: "/" }, page: ["redirected", "sign_in_redirect", "token_refused", "permission_denied", "base_url"] },
  { cause: "Each request is redirected to the start page of another host", code: "moved", host: { redirect: "http://127.0.0.1:9/" }, terminal: ["cors_preflight", "redirected", "moved", "sign_in_redirect", "token_refused", "base_url"], exit: 1 },
  { cause: "A slash is added to the path", code: "trailing_slash", host: { slash: true }, page: ["trailing_slash"], terminal: ["trailing_slash"] },
  { cause: "The API has moved, and says so without CORS headers", code: "moved", host: { cors: "open", answers: { kind: "moved" } }, page: BLOCKED, terminal: ["moved"] },
  { cause: "The API has moved, and lets pages see where", code: "moved", host: { moved: true }, page: ["moved"], terminal: ["moved"] },
  { cause: "The API has moved, and preflights are redirected, too", code: "moved", host: { moved: "with OPTIONS" }, page: ["moved"], terminal: ["moved"] },
  { cause: "Nothing listens there", code: "connection_refused", host: { dead: true }, page: DEAD, terminal: ["connection_refused"] },
  { cause: "The name does not resolve", code: "unknown_host", host: { url: "https://no-such-host.invalid" }, page: UNREACHABLE, terminal: ["unknown_host"] },
  { cause: "A port that browsers refuse, such as 6000", code: "no_reply", host: { url: "https://api.example:6000" }, page: ["no_reply"] },
  { cause: "A self-signed certificate", code: "certificate_untrusted", host: { tls: "selfSigned" }, page: without(UNREACHABLE, "unknown_host"), terminal: ["certificate_untrusted"] },
  { cause: "A certificate that has expired", code: "certificate_expired", host: { tls: "expired" }, trusts: true, terminal: ["certificate_expired"] },
  { cause: "A certificate that is not valid yet", code: "certificate_not_yet_valid", host: { tls: "early" }, trusts: true, terminal: ["certificate_not_yet_valid"] },
  { cause: "A certificate of an authority that has expired", code: "certificate_expired", host: { tls: "ofExpired" }, trusts: true, terminal: ["certificate_expired"] },
  { cause: "A certificate of an authority that is not valid yet", code: "certificate_not_yet_valid", host: { tls: "ofEarly" }, trusts: true, terminal: ["certificate_not_yet_valid"] },
  { cause: "A certificate for clients only", code: "certificate_refused", host: { tls: "forClients" }, trusts: true, terminal: ["certificate_refused"] },
  { cause: "A certificate for another name", code: "certificate_name", host: { tls: "otherName" }, trusts: true, terminal: ["certificate_name"] },
  { cause: "A certificate with an IP address as a DNS name", code: "certificate_name", host: { tls: "addressAsName" }, trusts: true, terminal: ["certificate_name"] },
  { cause: "A company's own authority, which Node.js does not know", code: "certificate_untrusted", host: { tls: "good" }, terminal: ["certificate_untrusted"] },
  { cause: "https to a port that speaks plain http", code: "not_tls", host: { cors: "open", scheme: "https" }, page: without(UNREACHABLE, "unknown_host"), terminal: ["not_tls"] },
  { cause: "http to a port that speaks TLS", code: "needs_https", host: { tls: "good", scheme: "http" }, page: DEAD, terminal: ["needs_https"] },
  { cause: "Only TLS versions that are too old", code: "tls_version", host: { raw: "oldTls" }, terminal: ["tls_version"] },
  { cause: "A client certificate is required", code: "client_certificate", host: { raw: "clientCertificate" }, trusts: true, terminal: ["client_certificate"] },
  { cause: "A client certificate is required, with TLS 1.2", code: "tls_refused", host: { raw: "clientCertificateOfOld" }, trusts: true, terminal: ["tls_refused"] },
  { cause: "A host that the TLS server does not know", code: "tls_refused", host: { raw: "unknownName" }, terminal: ["tls_refused"] },
  { cause: "Only HTTP/2", code: "http_version", host: { raw: "http2" }, trusts: true, terminal: ["http_version"] },
  { cause: "A service other than HTTP", code: "not_http", host: { raw: "otherService" }, terminal: ["not_http"] },
  { cause: "The connection is closed before a reply", code: "connection_reset", host: { cors: "open", answers: { kind: "network" } }, terminal: ["connection_reset"] },
  { cause: "The connection is closed at once", code: "connection_reset", host: { raw: "closed" }, page: DEAD, terminal: ["connection_reset"] },
  { cause: "A firewall that ends the connection of a token", code: "connection_reset", host: { resets: "authorization" }, page: HIDDEN, terminal: ["connection_reset"] },
  { cause: "`HTTPS_PROXY`, which Node.js's fetch ignores by default", code: "proxy_unused", host: { dead: true }, env: { HTTPS_PROXY: "PROXY", HTTP_PROXY: "PROXY" }, terminal: ["proxy_unused", "connection_refused"] },
  { cause: "The page's `connect-src`", code: "csp_connect_src", host: { cors: "open" }, csp: `${SCRIPTS}; connect-src 'self'`, page: ["csp_connect_src"] },
  { cause: "The page's `connect-src` without `'self'`, and a proxy of its own origin", code: "csp_connect_src", host: { url: "/api" }, csp: `${SCRIPTS}; connect-src https://api.example`, page: ["csp_connect_src"] },
  { cause: "The page's `script-src` without `'wasm-unsafe-eval'`", code: "wasm_csp", host: { cors: "open" }, csp: "script-src 'self'", page: ["wasm_csp"] },
  { cause: "The page's `script-src` and `connect-src`", code: "wasm_csp", host: { cors: "open" }, csp: "script-src 'self'; connect-src 'self'", page: ["wasm_csp", "csp_connect_src"] },
  { cause: "Plain http, asked by a page of https", code: "mixed_content", host: { url: "http://api.example" }, secure: true, options: { allowInsecureHttp: true }, page: ["mixed_content"] },
  { cause: "Nothing listens at a port of this machine, and the page was loaded by https: Safari does not even ask", code: ["connection_refused", "mixed_content"], host: { dead: true }, secure: true, page: DEAD, webkit: ["no_reply", "mixed_content", ...DEAD.slice(1)] },
  { cause: "`Cross-Origin-Resource-Policy` and no CORS settings", code: "cors_blocked", host: { corp: true }, page: DEAD },
  { cause: "`Cross-Origin-Embedder-Policy` of the page and no CORS settings", code: "cors_blocked", host: { cors: "none" }, isolated: true, page: ["no_reply", "cors_blocked", ...without(DEAD, "no_reply", "cors_blocked")] },
  { cause: "A wrong path in the base URL", code: "base_url", host: { cors: "open", path: "/wrong" }, page: ["base_url", "base_url", "server_error"], terminal: ["base_url", "base_url", "server_error"] },
  { cause: "Nothing runs behind a tunnel or a gateway, which then answers with a 404", code: "server_error", host: { says: { isForAll: true, status: 404, type: "text/html", body: "<h1>The endpoint is offline</h1>" } }, page: ["base_url", "base_url", "server_error"], terminal: ["base_url", "base_url", "server_error"] },
  { cause: "The whole endpoint as the base URL", code: "base_url", host: { cors: "none", path: PATH }, page: ["base_url"], terminal: ["base_url"] },
  { cause: "Another API, which refuses the path in JSON", code: "base_url", host: { cors: "open", answers: { status: 404 } }, page: OTHER_API, terminal: OTHER_API },
  { cause: "Another API, which refuses every request in JSON by a 400", code: "base_url", host: { says: { isForAll: true, status: 400, body: '{"message":"X-Tenant is missing."}' } }, page: REFUSED_FOR_ALL, terminal: REFUSED_FOR_ALL, exit: 1 },
  { cause: "A web app that answers each path with its page", code: "base_url", host: { says: { isForAll: true, status: 200, type: "text/html", body: '<!doctype html><div id="root"></div><script src="/app.js"></script>' } }, page: SHELL, terminal: SHELL },
  { cause: "An empty reply", code: ["base_url", "not_passed_on"], host: { empty: true }, page: EMPTY, terminal: EMPTY },
  { cause: "A wrong path in the base URL, where no reply has CORS headers", code: "base_url", host: { cors: "none", path: "/wrong" }, page: BLOCKED, terminal: ["cors_missing", "base_url", "base_url", "server_error"] },
  { cause: "A tunnel that shows browsers a warning first, such as ngrok's", code: "blocked_reply", host: { cors: "open", tunnel: true }, page: BLOCKED, terminal: ["blocked_reply"] },
  { cause: "A login page with status 200", code: "login_page", host: { cors: "open", answers: { kind: "login-page" } }, page: LOGIN, terminal: LOGIN },
  { cause: "An expired JWT", code: "token_expired", host: { cors: "open", fake: { bearerToken: GOOD } }, options: { bearerToken: EXPIRED }, page: ["token_expired"], terminal: ["token_expired"] },
  { cause: "An expired JWT, refused without CORS headers", code: "token_expired", host: { cors: "open", answers: { kind: "expired" } }, options: { bearerToken: EXPIRED }, page: ["token_expired", ...HIDDEN], terminal: ["token_expired"] },
  { cause: "A JWT that is not valid yet", code: "token_not_yet_valid", host: { cors: "open", fake: { bearerToken: GOOD } }, options: { bearerToken: EARLY }, page: ["token_not_yet_valid"], terminal: ["token_not_yet_valid"] },
  { cause: "A token that the server refuses for another reason", code: "token_refused", host: { cors: "open", fake: { bearerToken: "another" } }, page: REFUSED_TOKEN, terminal: REFUSED_TOKEN },
  { cause: "The same, by a status other than 401", code: "token_refused", host: { says: { status: 422, body: '{"msg":"Signature verification failed"}' } }, page: ["api_error", "token_refused", "api_error"], terminal: ["api_error", "token_refused", "api_error"], exit: 1 },
  { cause: "The same, by a status of 200 and an error in JSON", code: "token_refused", host: { says: { isForAll: true, status: 200, body: '{"code":401,"msg":"Token invalid"}' } }, page: ["decode_error", "token_refused", "base_url", "decode_error"], terminal: ["decode_error", "token_refused", "base_url", "decode_error"], exit: 1 },
  { cause: "A JWT whose times are in milliseconds", code: "token_not_yet_valid", host: { cors: "open", fake: { bearerToken: GOOD } }, options: { bearerToken: IN_MILLISECONDS }, page: ["token_not_yet_valid"], terminal: ["token_not_yet_valid"] },
  { cause: "Something in front of the API that wants a sign-in of its own", code: "sign_in_gate", host: { gate: true }, page: GATE, terminal: GATE },
  { cause: "The same, which lets requests without a token through", code: "sign_in_gate", host: { says: { status: 401, type: "text/html", body: "<h1>Unauthorized</h1>" } }, page: ["credentials_refused", "sign_in_gate", "token_refused"], terminal: ["credentials_refused", "sign_in_gate", "token_refused"] },
  { cause: "An API gateway that wants a key of its own, and answers 403", code: "sign_in_gate", host: { says: { isForAll: true, status: 403, body: '{"message":"Forbidden"}' } }, page: DENIED_TO_ALL, terminal: DENIED_TO_ALL, exit: 1 },
  { cause: "A proxy of the page's own server that does not pass on the token", code: "not_passed_on", host: { url: "/api" }, replies: { [`/api${PATH}`]: REFUSED }, page: ["credentials_refused", "not_passed_on", "token_refused", "credentials_missing"] },
  { cause: "The same, where the proxy wants a sign-in from the browser (Negotiate)", code: "sign_in_gate", host: { url: "/api" }, replies: { [`/api${PATH}`]: [401, { "www-authenticate": "Negotiate" }, ""] }, page: ["credentials_refused", "sign_in_gate", "not_passed_on", "token_refused", "base_url"] },
  { cause: "An unknown API key", code: "key_refused", host: { cors: "open", fake: { apiKey: OTHER } }, options: { bearerToken: undefined, apiKey: KEY }, page: ["key_refused", "key_refused", "credentials_missing", "not_passed_on"], terminal: ["key_refused", "key_refused", "credentials_missing", "not_passed_on"] },
  { cause: "Neither a token nor a key", code: "credentials_missing", host: { cors: "open" }, options: { bearerToken: undefined }, page: ["credentials_missing"], terminal: ["credentials_missing"] },
  { cause: "A cookie of an expired session, or one that the browser withholds", code: "credentials_missing", host: { strict: "x-none" }, options: { bearerToken: undefined, credentials: "include" }, page: ["credentials_missing", "credentials_missing", "not_passed_on", "sign_in_gate", "base_url"] },
  { cause: "The server's clock is ahead of the token's", code: "clock_skew", host: { late: true }, page: ["clock_skew"], terminal: ["clock_skew"] },
  { cause: "A company other than the requested one", code: "company_mismatch", host: { cors: "open", company: OTHER, answers: { kind: "other-company" } }, company: OTHER, page: ["company_mismatch", "company_mismatch", "not_passed_on"], terminal: ["company_mismatch", "company_mismatch", "not_passed_on"] },
  { cause: "An expired JWT, refused with a status other than 401", code: "token_expired", host: { cors: "open", answers: { status: 403 } }, options: { bearerToken: EXPIRED }, page: ["permission_denied", "token_expired", "permission_denied"], terminal: ["permission_denied", "token_expired", "permission_denied"], exit: 1 },
  { cause: "No access to the company", code: "permission_denied", host: { cors: "open", answers: { status: 403 } }, page: ["permission_denied"], terminal: ["permission_denied"] },
  { cause: "A reply that is cut off", code: "truncated", host: { cors: "open", answers: { kind: "truncated", end: "clean" } }, page: ["truncated"], terminal: ["truncated"] },
  { cause: "A reply that breaks off", code: "truncated", host: { cors: "open", answers: { kind: "truncated" } }, page: ["truncated", "truncated", "content_encoding"], firefox: HIDDEN, webkit: ["empty_reply", "truncated", "not_passed_on", "base_url"], terminal: ["truncated"] },
  { cause: "A reply that is labelled as compressed, and is not", code: ["content_encoding", "decode_error"], host: { mislabelled: true }, page: ["truncated", "truncated", "content_encoding"], webkit: ["decode_error", "base_url", "decode_error"], terminal: ["content_encoding"] },
  { cause: "Too many requests", code: "rate_limited", host: { cors: "open", answers: { status: 429 } }, page: ["rate_limited"], terminal: ["rate_limited"] },
  { cause: "A quota that a gateway reports by a 403", code: "rate_limited", host: { says: { status: 403, body: '{"message":"Out of call volume quota."}' } }, page: QUOTA, terminal: QUOTA, exit: 1 },
  { cause: "A fault of the server", code: "server_error", host: { cors: "open", answers: { status: 500 } }, page: ["server_error"], terminal: ["server_error"] },
  { cause: "Nothing", code: undefined, host: { cors: "open" }, page: [], terminal: [] },
];

export { GOOD };
