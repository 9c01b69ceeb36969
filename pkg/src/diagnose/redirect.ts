import { isInsecure } from "../loopback.js";
import { PATH } from "../operation.js";
import { isOwnServer, wrongBase } from "./base-url.js";
import { isRefusalOfApi, replyOf, type Facts, type Probe } from "./facts.js";
import { errorFinding, hsts } from "./network.js";
import { addressOf } from "./probe.js";
import { doctorLine } from "./shell.js";
import type { Cause, Finding, FindingCode } from "./types.js";

/** Whether it is known that the operation has another address. */
export const isAddress = (code: FindingCode): boolean => code === "moved" || code === "trailing_slash";

const askedOf = ({ baseUrl }: Facts): string | undefined => baseUrl && baseUrl + PATH;

/** Where a redirect leads, without query and fragment; without `location`, where the probes were redirected to. */
export function targetOf(facts: Facts, location?: string): string | undefined {
  const to = location ?? redirectedTo(facts.plain) ?? redirectedTo(facts.followed);
  return to === undefined ? undefined : addressOf(to, askedOf(facts));
}

/** What a redirect means; without `location`, by where the probes were redirected to. */
export function redirectFinding(facts: Facts, location?: string): Finding {
  const { page, baseUrl } = facts;
  const to = targetOf(facts, location);
  if (to !== undefined) return redirection(to, askedOf(facts), facts, location !== undefined);
  const redirected = (how: string) => errorFinding({ code: "redirected", message: `The request is redirected, ${how}.` });
  if (page === undefined) return redirected("but not to a valid URL");
  return {
    ...redirected("and browsers do not reveal where to"),
    candidates: [
      { code: "sign_in_redirect", message: "A sign-in page is in front of the API, or a gate that wants a cookie first." },
      ...(baseUrl?.startsWith("https:") ? [TLS_ENDS_BEFORE] : []),
      { code: "moved", message: `The API has moved, or answers by https alone: the new address is the base URL to use${isOwnServer(facts) ? ", or the target to which this page's server has to pass requests on (Vite, for a development certificate: secure: false)" : ""}.` },
      { code: "trailing_slash", message: `The server adds a slash to the path. ${LEAVE_PATH}` },
      { code: "base_url", ...wrongBase(facts, "What answers is not the API, and leads elsewhere whoever asks for a path that it does not know.") },
      ...(baseUrl !== undefined && isInsecure(baseUrl) ? [hsts(baseUrl, facts.settings)] : []),
    ],
    ...doctorLine(facts),
  };
}

/** What to do about a redirect to the same URL with a slash. */
export const LEAVE_PATH = "Let it leave this path as it is (Next.js: skipTrailingSlashRedirect, Django: a route without the slash).";

const NO_REDIRECTS = "The client follows no redirects, because they would pass the credentials on.";

/** How the URLs of sign-in pages read. */
const SIGN_IN = /log[-_]?[io]n|sign[-_]?[io]n|\bo?auth(?!ors?\b)|\bsso\b|saml|oidc|adfs|:\/\/idp?\./i;
const ERROR_PAGE = /error|not[-_]?found|\b[45]\d\d\b|denied|forbidden|maintenance|unavailable/i;

/** Whether a URL reads like that of a page that says that access is denied. */
export const isDenied = (to: string): boolean => /denied|forbidden|\b403\b/i.test(new URL(to).pathname);

/** An endless redirect to https. */
const TLS_ENDS_BEFORE: Cause = {
  code: "redirected",
  message: "The server redirects to https although it is asked by https: a proxy in front of it terminates TLS, so that it takes each request for plain http. Let the proxy send X-Forwarded-Proto: https, and the server heed that (ASP.NET: UseForwardedHeaders).",
};
const COOKIE_FIRST = "a cookie first, as firewalls and load balancers do, or its settings form a loop.";

export const TO_ERROR_PAGE: Cause = { code: "server_error", message: "It leads to a page for errors: the server, or something in front of it, has failed, is being maintained or refuses the request." };

const SIGN_IN_FIRST: Cause = { code: "sign_in_redirect", message: "A gate in front of the API wants a sign-in first. It has to let the API's requests through." };

/** What a redirect to `to` means, a URL without query and fragment. `asked`: the URL of the request. `isOfCall`: whether the call itself is known to be redirected there. */
function redirection(to: string, asked: string | undefined, facts: Facts, isOfCall: boolean): Finding {
  const { settings, followed } = facts;
  // Where a call is redirected to, browsers do not reveal.
  const who = isOfCall ? "The server redirects" : "The call is redirected; without credentials, the server redirects";
  const found = (code: FindingCode, words: string, more?: Pick<Cause, "fix">) => errorFinding({ code, message: `${who} to ${to}${words}`, ...more });
  if (to === asked && asked.startsWith("https:")) return { ...found("redirected", ", the URL of the request itself."), candidates: [TLS_ENDS_BEFORE, { code: "redirected", message: `It requires ${COOKIE_FIRST}` }] };
  if (to === asked) return found("redirected", `, the URL of the request itself: perhaps it requires ${COOKIE_FIRST}`);
  const bare = to.endsWith("/") ? to.slice(0, -1) : to;
  const behind = bare.endsWith(PATH) && !isRefusalOfApi(followed) ? ofSomethingBehind(to, bare, facts) : undefined;
  if (behind) return { ...found("redirected", " instead of answering."), candidates: [...behind, ...samePath(false, facts)] };
  if (bare.endsWith(PATH) && isAnother(followed, to)) return { ...found("redirected", `${bare === asked ? ", the same URL with a slash at the end" : ""}, and what answers there does not look like the API.`), candidates: samePath(bare === asked, facts) };
  if (bare === asked) return found("trailing_slash", `, the same URL with a slash at the end. ${NO_REDIRECTS} ${LEAVE_PATH}`);
  const isDowngrade = isInsecureHttp(to) && !(asked && isInsecure(asked));
  if (bare.endsWith(PATH)) {
    // The client would refuse it, or send the credentials for everybody to read.
    if (isDowngrade && asked?.startsWith("http:")) return found("redirected", ", which is plain http on another machine, perhaps under an internal name. The server has to build redirects from the host of the request (behind a proxy: X-Forwarded-Host).");
    if (isDowngrade) return found("redirected", ", by plain http. Its operator must correct that: a server behind a proxy that terminates TLS must be configured to know that clients use https.");
    if (isOwnServer(facts) && new URL(to).origin !== facts.page) return found("moved", `, so the API should be there. ${NO_REDIRECTS} If this page's server passes requests on, make that address its target.`);
    // Outside of a page, nothing hides what is there.
    const problem = facts.page === undefined && followed?.came === "nothing" ? followed.code || "the redirects do not end, or one has a user name in it" : undefined;
    // The codes of OpenSSL and Node.js for certificates and handshakes.
    if (problem && /CERT|SIGNATURE|SSL|HOSTNAME|_CA$/.test(problem)) return found("moved", `, so the API should be there, but the TLS connection fails (${problem}). Asked there directly, doctor tells why.`, { fix: settings.baseUrl(bare.slice(0, -PATH.length)) });
    const lost = losesPort(asked, to) ? " The redirect has lost the port of the request (nginx: $http_host in place of $host)." : "";
    if (problem) return found("moved", `, where there is no reply (${problem}).${lost} The server there has to run and to answer, or the one that redirects has to leave this path as it is.`);
    return found("moved", `, so the API should be there. ${NO_REDIRECTS}`, { fix: settings.baseUrl(bare.slice(0, -PATH.length)) });
  }
  // Without credentials, the operation answers so.
  if (isRefusalOfApi(followed)) {
    return found("moved", `, where the API answers. ${NO_REDIRECTS} Let the server answer at the path of the request.`);
  }
  if (SIGN_IN.test(to)) {
    const app: Cause = { code: "base_url", ...wrongBase(facts, "It is the sign-in of a web app, and the API lives elsewhere.") };
    return { ...found("sign_in_redirect", " instead of answering, perhaps to a sign-in page."), candidates: [SIGN_IN_FIRST, app] };
  }
  return { ...found("redirected", " instead of answering."), candidates: elsewhere(to, asked, isDowngrade, facts) };
}

/** Whether a redirect leads to the same host without the port. */
function losesPort(asked: string | undefined, to: string): boolean {
  const [from, target] = [new URL(asked ?? to), new URL(to)];
  return from.hostname === target.hostname && from.port !== "" && target.port === "";
}

/** Whether something other than the API answers at `to`. A reply from further on, such as that of a sign-in page, tells nothing of it. */
const isAnother = (followed: Probe | undefined, to: string): boolean => followed?.came === "reply" && (followed.url ?? to) === to && !followed.isApi && (followed.isPage === true || followed.status === 404 || followed.status === 405);

/** A server that passes requests on may leave redirects as they come: what is behind it knows neither its host nor the beginning of the path. */
function ofSomethingBehind(to: string, bare: string, facts: Facts): Cause[] | undefined {
  const { baseUrl = to, settings } = facts;
  const { origin, pathname } = new URL(baseUrl);
  const target = new URL(bare);
  const isElsewhere = target.origin !== origin;
  if (isElsewhere ? !isOwnServer(facts) : pathname === "/" || target.pathname.startsWith(`${pathname}/`)) return undefined;
  const path = target.pathname.slice(0, -PATH.length);
  // What passes requests on may take off the beginning of the base URL's path; then the rest is still there.
  const isThere = pathname.endsWith(path);
  const moved: Cause = { code: "moved", message: `The API has moved to ${target.origin}. Make that the target to which this page's server passes requests on.` };
  if (isThere && to !== bare) return [{ code: "trailing_slash", message: `The API, to which ${baseUrl} passes requests on, adds a slash to the path. ${LEAVE_PATH}` }, ...(isElsewhere ? [moved] : [])];
  if (isThere || isElsewhere) return undefined;
  return [{ code: "moved", message: `The API, to which ${baseUrl} passes requests on, has moved to the path ${path}.`, fix: settings.baseUrl(baseUrl + path) }];
}

/** What a redirect means that keeps the path and leads to something else. */
function samePath(isSlash: boolean, facts: Facts): Cause[] {
  const wrong: Cause = { code: "base_url", ...wrongBase(facts, "What redirects is not the API, and redirects every path in this way.") };
  if (isSlash) return [wrong, { code: "trailing_slash", message: `The API answers only without the slash. ${LEAVE_PATH}` }];
  return [wrong, { code: "redirected", message: "A middleware in front of the API redirects each path, such as to one with a language in it, or to another host. Let it leave the API's path as it is." }, SIGN_IN_FIRST];
}

/** What a redirect means that leads to no sign-in page by its looks, and not to the operation. */
function elsewhere(to: string, asked: string | undefined, isDowngrade: boolean, facts: Facts): Cause[] {
  const { protocol, origin, pathname } = new URL(to);
  const isOther = asked !== undefined && /^https?:$/.test(protocol) && origin !== new URL(asked).origin;
  const moved: Cause[] = isOther && !isDowngrade ? [{ code: "moved", message: `The API has moved to ${origin}, and the redirect leaves its path out.`, fix: facts.settings.baseUrl(origin) }] : [];
  const wrong: Cause = { code: "base_url", ...wrongBase(facts, "What answers is not the API, and leads there whoever asks for a path that it does not know.") };
  if (ERROR_PAGE.test(pathname)) {
    return [TO_ERROR_PAGE, wrong, SIGN_IN_FIRST, ...moved];
  }
  return pathname === "/" ? [...moved, SIGN_IN_FIRST, wrong] : [SIGN_IN_FIRST, ...moved, wrong];
}

/** The addresses of apps, such as app:callback, have no host, which isInsecure needs. */
const isInsecureHttp = (to: string): boolean => to.startsWith("http:") && isInsecure(to);

function redirectedTo(probe: Probe | undefined): string | undefined {
  if (probe?.came === "redirect") return probe.to;
  return replyOf(probe)?.url;
}
