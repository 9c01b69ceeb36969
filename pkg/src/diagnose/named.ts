// What the server's own words tell of a refusal.
import type { AnyBookMoreError } from "bookmore-sdk";
import { isOwnServer, mayBePassedOn, wrongBase } from "./base-url.js";
import { meanings, OWN, withFirst } from "./candidates.js";
import { LARGEST_SKEW_MS, serverClock, SET_CLOCK, span } from "./clock.js";
import { credentialsCause, sendsKey, sendsToken, untimely } from "./credentials.js";
import { replyOf, type Call, type Facts } from "./facts.js";
import { fixBy, httpsFix, httpsOf } from "./fixes.js";
import type { Cause, Finding } from "./types.js";

/** A status by which the server, or something in front of it, refuses a call. */
export type Refusal<Code extends AnyBookMoreError["code"] = "authentication_error" | "permission_denied" | "api_error" | "rate_limited" | "server_error"> = Extract<AnyBookMoreError, { code: Code }>;

/** The server's own words about a refusal. */
export const said = ({ errorCode = "", serverMessage = "" }: Refusal): string => `${errorCode} ${serverMessage}`;

/** How servers speak of credentials. A token alone may be one that the usage counts, and who is "not authorized" may lack access. */
export const CREDENTIALS = /jwt|web.?token|signature|audience|issuer|credential|api.?key|auth(?!or)|unauthori[sz]ed.?token|authorization.?(header|token)|bearer|(access|invalid|expired).?token|token.?(expired|invalid|is|was|has|not)/i;
/** How they speak of a token alone: what else a 500 names may be that of another server, such as a database. */
export const TOKEN = /jwt|web.?token|signature|audience|issuer|bearer|(access|invalid|expired|authorization).?token|token.?(expired|invalid|is|was|has|not)/i;
/** Words that stand for a lack of access, too. */
const UNAUTHORIZED = /unauthori[sz]ed(?! to\b|AccessException)/i;
/** How they say that no credentials have come. */
export const NONE_CAME = /\b(no|missing)\b.{0,20}(token|credentials?|authorization)|(token|credentials?|authorization( header)?)\b.{0,12}(missing|not (provided|found)|required)/i;
/** How they speak of what is used up. */
const LIMIT = /quota|throttl|too.?many.?(requests|calls|attempts|tokens)|resource.?exhausted|used.?(up|all)|rate.?(limit|exceeded)|usage.?limit|(limit|budget|allowance|credits?|tokens)(\b.{0,30})?(reached|exceeded|exhausted|spent)|(reached|exceeded|exhausted|out of|insufficient).{0,30}(limit|budget|allowance|credits?)|\b(trial|subscription|plan) (has |is )?(expired|ended|over)\b/i;
/** How they speak of limits that are none of usage. */
const OF_MACHINE = /\b(memory|time|stack|size|length|depth|redirects?|connections?).?(limit|exceeded)|exceeded.{0,20}\b(memory|time|size|length|depth).?limit/i;
/** How a server of one's own passes on the status that it got from the API. This client's messages have it in brackets. */
const BEHIND = /\b(?:status(?: code)?|https?|error)\W{0,3}(401|403|429)\b|\((401|403|429)( [^(),]+)?\)/i;
/** The same, where they quote no status. */
const BY_WORDS: [string, RegExp][] = [["401", /^(401)?\W*(unauthori[sz]ed|not authenticated)\b/i], ["403", /^(403)?\W*forbidden\b(?! (character|value|word))|\bno access to\b/i], ["429", /too many requests/i]];
/** How they say that an API key has not come. */
const WANTS_KEY = /\b(no|missing|provide)\b.{0,20}(api|subscription).?key|(api|subscription).?key.{0,20}(missing|required|not (provided|found))/i;
/** Whether a challenge is Kong's or Azure's for a key. */
const isOfKeys = (signIn = ""): boolean => /^(key|AzureApiManagementKey)$/i.test(signIn);
/** How what stands in front of a server speaks of whom it lets through. */
const IN_FRONT = /\b(ip|country|region|vpn|captcha|robots?|bots?|firewall)\b/i;

/** How they speak of where requests come from, and that they do not accept something. */
const ORIGIN = /\b(origin|referr?er)\b(?! server)/i;
const REFUSED = /\b(not|invalid|disallowed|denied|unknown|blocked)\b/i;
/** How a 401 speaks of a lack of access. */
const NO_RIGHT = /insufficient.?scope|no access(?!.?(token|key))|\b(role|permission)|access.{0,20}denied|denied access|forbidden|not (allowed|authorized to)|\b(user|account)\b.{0,20}\b(locked|disabled|inactive|suspended|deleted)\b/i;

/** The server says that a token is not valid yet. */
const EARLY = /before (it was )?(issued|valid)|used too early|jwt not active|(token|jwt|lifetime)\b.{0,30}\bnot (yet valid|valid (yet|before))|(token|jwt|\b(nbf|iat)\b).{0,30}in the future/i;
/** The server says that a token has expired, and no other possibility. */
const EXPIRED = /^(?![^]*\b(or|not)\b)[^]*((token|jwt).{0,30}expired|expired.?(token|jwt))/i;
/** 402 Payment Required, and what some servers send when a limit is reached. */
const USED_UP: readonly number[] = [402, 420, 509];

/** Whether the server's words name the credentials. */
export const namesCredentials = (error: Refusal): boolean => (error.status < 500 ? CREDENTIALS : TOKEN).test(said(error));
/** Whether they name the credentials, or may mean them. */
export const mayMeanCredentials = (error: Refusal): boolean => namesCredentials(error) || UNAUTHORIZED.test(said(error));
/** The status that a server of one's own got from the API, if its words tell. */
export function quotedStatus(error: Refusal): string | undefined {
  const [, quoted, inBrackets] = BEHIND.exec(said(error)) ?? [];
  return quoted ?? inBrackets ?? BY_WORDS.find(([, pattern]) => [error.errorCode, error.serverMessage].some((words) => pattern.test(words ?? "")))?.[0];
}

export const NO_ACCESS: Cause = { code: "permission_denied", message: OWN.permission_denied! };

export const REFUSED_IN_FRONT: Cause = {
  code: "blocked_reply",
  message: "Something in front of the API refuses the request: a firewall, a list of allowed addresses, a VPN that is off, a client certificate that is missing, or bot protection.",
};

const SUBSCRIPTION: Cause = {
  code: "credentials_missing",
  message: "Azure's API Management, in front of the API, wants a key of its own, in the header Ocp-Apim-Subscription-Key. Set it by the client's option headers.",
};

export const refusedHost = (facts: Facts): Cause => ({
  code: "base_url",
  ...wrongBase(facts, "The server does not accept the host name of the request: it is set up for others (ASP.NET: AllowedHosts, Django: ALLOWED_HOSTS, Vite and webpack: allowedHosts), or a server of yours passes its own name on as the Host."),
});

/** Causes that the reply itself points to: its words, its status, its Retry-After. */
function named(facts: Facts, call: Call, error: Refusal): Cause[] {
  const { baseUrl, settings } = facts;
  const { shows, signIn } = replyOf(facts.plain) ?? {};
  const { status, retryAfterMs } = error;
  const words = said(error);
  const found: Cause[] = [];
  // Servers that are out of service send a Retry-After, too.
  if ((retryAfterMs !== undefined && status < 500) || USED_UP.includes(status) || (LIMIT.test(words) && !OF_MACHINE.test(words))) {
    const wait = retryAfterMs ? ` The server asks to wait ${Math.ceil(retryAfterMs / 1000)} s.` : "";
    found.push({ code: "rate_limited", message: `A quota, a budget or a plan is used up, or a rate limit is exceeded.${wait}` });
  }
  if (status >= 500 && mayBePassedOn(facts) && found.length === 0) found.push(...behindServer(facts, call, quotedStatus(error)));
  const wantsKey = status < 404 && (WANTS_KEY.test(words) || isOfKeys(signIn)) && sendsToken(call) && !sendsKey(call);
  // What is sent as a token may be a key.
  if (status === 401 && call.isGuid && !wantsKey) found.push({ code: "credentials_missing", message: "The API may want the token that was sent as an API key: it is a Guid, as keys are.", fix: settings.apiKey });
  const isTlsPort = shows === "https";
  const isInsecure = /insecure connection/i.test(words);
  const wantsHttps = status < 500 && (isInsecure || /\b(https|ssl|tls)\b/i.test(words.replace(/https?:\/\/\S+/gi, "")));
  // What was asked by https, or is the page's own server, has itself asked by plain http; so has what answers doctor, which has tried TLS.
  const isInFront = isOwnServer(facts) || baseUrl?.startsWith("https:");
  if (isTlsPort && (isInFront || facts.earlier !== undefined)) {
    found.push({ code: "needs_https", message: "What answers passes requests on by plain http, and what is behind it wants https: its target has to begin with https:// (nginx: proxy_pass, Vite: target)." });
  } else if (isInsecure && isInFront) {
    found.push({ code: "needs_https", message: "The server accepts credentials only by https, and takes this for plain http, because something in front of it terminates TLS. Let that send X-Forwarded-Proto: https, or let the server trust it (ServiceStack: RequireSecureConnection = false)." });
  } else if (baseUrl?.startsWith("http:") && (isTlsPort || wantsHttps)) {
    found.push({ code: "needs_https", message: "The server wants https.", ...(isTlsPort ? fixBy(settings.baseUrl(httpsOf(baseUrl))) : httpsFix(baseUrl, settings)) });
  }
  if (wantsKey) {
    found.push(/subscription.?key/i.test(words) || signIn === "AzureApiManagementKey" ? SUBSCRIPTION : { code: "credentials_missing", message: "The API, or a gateway in front of it, wants an API key, in place of the token or beside it.", fix: settings.apiKey });
  }
  if (status < 404 && sendsKey(call) && sendsToken(call) && /api.?key/i.test(words)) found.push({ code: "key_refused", message: OWN.key_refused!, fix: settings.apiKey });
  if (status === 403 && ORIGIN.test(words) && REFUSED.test(words) && facts.page !== undefined) {
    found.push({ code: "cors_origin", message: `The server, or a gateway in front of it, looks at where requests come from, and does not accept ${facts.page}.` });
  }
  if (shows === "host") found.push(refusedHost(facts));
  if (IN_FRONT.test(words)) found.push(REFUSED_IN_FRONT);
  if (/missing authentication token/i.test(words)) found.push({ code: "base_url", ...wrongBase(facts, "That is what AWS's API Gateway says where it does not know the path.") });
  if (status === 401) found.push(...perhapsForClock(facts, call, words));
  if (status === 401 && !wantsKey && NO_RIGHT.test(words)) found.push(NO_ACCESS);
  return found;
}

/** What the API answered a server of one's own that passed the request on. */
function behindServer(facts: Facts, call: Call, status: string | undefined): Cause[] {
  const answered = `A server of yours passes requests on to the API, and the API answered it with a ${status}:`;
  if (status === "401") return [credentialsCause(facts, call, `${answered} it refuses the credentials.`)];
  if (status === "403") return [{ code: "permission_denied", message: `${answered} the credentials give no access to what was asked for, or that server's address is not allowed.` }];
  return status === "429" ? [{ code: "rate_limited", message: `${answered} a quota is used up, or a rate limit is exceeded.` }] : [];
}

/** A token that is valid by the times that are known may be refused for its times. */
function perhapsForClock(facts: Facts, call: Call, words: string): Cause[] {
  const { now, settings } = facts;
  const { exp, iat } = call.claims ?? {};
  if (untimely(facts, call).length > 0) return [];
  const skew = (message: string): Cause[] => [{ code: "clock_skew", message: `${message} ${SET_CLOCK}`, ...fixBy(settings.clock) }];
  if (sendsToken(call) && EARLY.test(words)) return [{ code: "clock_skew", message: "The server says that the token is not valid yet. Either its clock is behind that of the token's issuer, and another token will not help, or the token is meant for later." }];
  if (serverClock(facts) !== undefined) return [];
  if (exp !== undefined && EXPIRED.test(words)) return skew(`The server says that the token has expired, but by the clock here it is valid for another ${span(exp - now)}: one of the clocks may be wrong.`);
  if (iat !== undefined && iat > now + LARGEST_SKEW_MS) return skew(`By the clock here, the token was issued ${span(iat - now)} from now: this clock or the issuer's is wrong, so the token may have expired, or not be valid yet.`);
  return [];
}

/** The finding with what the reply points to first; its own candidates of the same codes are left out. */
export function withNamed(facts: Facts, call: Call, error: Refusal, finding: Finding): Finding {
  const causes = named(facts, call, error);
  if (causes.length === 0) return finding;
  const others = meanings(finding).filter(({ code }) => !causes.some((cause) => cause.code === code));
  return withFirst(causes, { ...finding, candidates: others });
}
