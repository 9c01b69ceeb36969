import { isOwnServer, mayBePassedOn } from "./base-url.js";
import { iso, LARGEST_SKEW_MS, serverClock, SET_CLOCK, skewOf, span } from "./clock.js";
import { mayAddCredentials, type Call, type Facts } from "./facts.js";
import { fixBy } from "./fixes.js";
import type { Cause } from "./types.js";

/** Whether it is known that neither a token nor a key was sent. */
export const sendsNone = ({ sent }: Call): boolean => sent !== undefined && credentialsIn(sent).length === 0;

const credentialsIn = (sent: readonly string[]): string[] => sent.filter((name) => name === "authorization" || name === "x-api-key");

/** Whether a token is known to have been sent. */
export const sendsToken = ({ sent = [] }: Pick<Call, "sent">): boolean => sent.includes("authorization");
/** Whether a key is known to have been sent. */
export const sendsKey = ({ sent = [] }: Pick<Call, "sent">): boolean => sent.includes("x-api-key");

/** What is wrong with the credentials, as far as what was sent shows it. */
export function credentialsCause(facts: Facts, call: Call, message = "The API may want a token or an API key."): Cause {
  const { sent, claims, flaw } = call;
  if (!sent) return { code: "credentials_refused", message };
  const hasToken = sendsToken(call);
  const hasKey = sendsKey(call);
  if (sendsNone(call)) return noneSent(facts, sent, message);
  if (!hasToken) return { code: "key_refused", message: `${message} An API key was sent${flaw ? `; it ${flaw}` : ""}.`, ...(flaw ? {} : renewal(sent, facts)) };
  const withKey = hasKey ? " An API key was sent as well, and may be what was refused." : "";
  if (!claims) return { code: "token_refused", message: `${message} The token that was sent ${flaw ?? "is no JWT, or cannot be read as one"}.${withKey}`, ...(flaw ? {} : renewal(sent, facts)) };
  const [cause] = untimely(facts, call);
  if (cause) return cause;
  const { exp, iss, aud, kind, inMilliseconds } = claims;
  const says = [iss && `issuer ${JSON.stringify(iss)}`, aud && `audience ${JSON.stringify(aud)}`].filter(Boolean).join(" and ");
  const told = [
    message,
    inMilliseconds && `Its times (${inMilliseconds.join(", ")}) are in milliseconds, where a JWT has seconds: servers may refuse it for that.`,
    kind && `It is ${kind}, where an API wants an access token.`,
    exp !== undefined && (serverClock(facts) === undefined ? "By the clock here, the token has not expired." : "The token has not expired."),
    says && `It says ${says}; the server may want another.`,
  ];
  return { code: "token_refused", message: told.filter(Boolean).join(" ") + withKey, ...(inMilliseconds ? {} : renewal(sent, facts)) };
}

export function notPassedOn(what: string): Cause {
  return { code: "not_passed_on", message: `A server of yours between the client and the API, such as a development proxy or a backend for the page, does not pass on ${what}.` };
}

/** Why neither a token nor a key was sent. */
function noneSent(facts: Facts, sent: readonly string[], message: string): Cause {
  // The names of the headers that the client would send.
  if (facts.headerNames.includes("authorization")) return { code: "credentials_missing", message: `${message} No token was sent: the bearerToken function returned none.` };
  const withheld = isOwnServer(facts) ? ", or the cookie is lost on its way: its Domain or Path is that of the API (Vite: cookieDomainRewrite, cookiePathRewrite), or this server does not pass it on" : ", or the browser withholds the cookie: to another site it sends only one with SameSite=None and Secure, and only if it allows third-party cookies";
  const session = facts.sendsCookies ? ` If a session cookie is used instead, perhaps the session has expired (sign in again)${withheld}.` : "";
  if (mayAddCredentials(facts)) return { code: "credentials_refused", message: `${message} The client has neither a token nor an API key; one that its fetch function, or whatever replaces the page's fetch, is to add is missing or refused.${session}` };
  const cookies = facts.page !== undefined && facts.baseUrl !== undefined && !facts.sendsCookies && !isOwnServer(facts) ? ' Cookies go to another origin only if the client has the option credentials: "include".' : "";
  return { code: "credentials_missing", message: `${message} Neither a token nor an API key was sent.${session}${cookies}`, ...renewal(sent, facts) };
}

/** What may drop or replace the credentials on their way. */
export function whoDrops(facts: Facts, { sent }: Call): Cause[] {
  const { baseUrl, page, isFetchReplaced, hasFetch } = facts;
  if (baseUrl === undefined || sent === undefined) return [];
  const names = credentialsIn(sent);
  const found: Cause[] = [];
  if (names.length > 0 && mayBePassedOn(facts)) {
    found.push(notPassedOn(names.join(" and ")));
  }
  if (names.length === 0 && facts.sendsCookies && mayBePassedOn(facts)) {
    found.push({ code: "not_passed_on", message: "The server is one of yours that adds the credentials when it passes requests on to the API, and those are missing or refused." });
  }
  if (names.length > 0 && isFetchReplaced && (hasFetch || page !== undefined)) {
    found.push({ code: "custom_fetch", message: "The client's fetch function, or what replaces the page's fetch, does not pass on the headers." });
  }
  return found;
}

/** What renews the credentials that were sent. Nothing where a cookie or another fetch may carry them. */
export function renewal(sent: readonly string[], facts: Facts): Pick<Cause, "fix"> {
  const { settings } = facts;
  const own = facts.sendsCookies || mayAddCredentials(facts) ? undefined : settings.credentials;
  return fixBy(sendsToken({ sent }) ? settings.token : sendsKey({ sent }) ? settings.apiKey : own);
}

/** What the token's own times say against it. */
export function untimely(facts: Facts, { claims = {} }: Call): Cause[] {
  const { exp, nbf, inMilliseconds = [] } = claims;
  const here = facts.now;
  // The server decides by its own clock.
  const known = serverClock(facts);
  const there = known ?? here;
  const by = known === undefined ? ", by the clock here" : "";
  const skew = Math.abs(there - here) > LARGEST_SKEW_MS ? ` ${skewOf(there, here)}.` : "";
  if (exp !== undefined && exp <= there) {
    const message = `The token expired ${span(there - exp)} ago, at ${iso(exp)}${by}.${skew}`;
    if (exp > here) return [{ code: "clock_skew", message: `${message} ${SET_CLOCK}`, ...fixBy(facts.settings.clock) }];
    return [{ code: "token_expired", message, ...fixBy(facts.settings.token) }];
  }
  if (inMilliseconds.includes("nbf")) return [{ code: "token_not_yet_valid", message: "The token's nbf is in milliseconds. Read as seconds, as in a JWT, that is tens of thousands of years ahead: correct it where the tokens are made." }];
  if (nbf === undefined || nbf <= there) return [];
  const message = `The token is not valid before ${iso(nbf)}, in ${span(nbf - there)}${by}.${skew} If it ought to be valid, the clock of its issuer, of the server or of this machine is wrong.`;
  return [{ code: nbf <= here ? "clock_skew" : "token_not_yet_valid", message }];
}
