import type { AnyBookMoreError } from "bookmore-sdk";
import { isOwnServer, mayBePassedOn, notTheApi } from "./base-url.js";
import { iso, LARGEST_SKEW_MS, serverClock, SET_CLOCK, skewOf, span } from "./clock.js";
import { mayAddCredentials, type Call, type Facts } from "./facts.js";
import { fixBy } from "./fixes.js";
import { errorFinding } from "./network.js";
import type { Cause, Finding, FindingCode } from "./types.js";

type Refusal = Extract<AnyBookMoreError, { code: "authentication_error" }>;

/** What the finding's own code means, where there are other candidates. */
export const OWN: Partial<Record<FindingCode, string>> = {
  credentials_missing: "The API wants a token or an API key.",
  credentials_refused: "The API does not accept the credentials.",
  token_refused: "The API does not accept the token.",
  key_refused: "The API does not accept the key.",
  token_expired: "The API does not accept the token, which has expired.",
  token_not_yet_valid: "The API does not accept the token, which is not valid yet.",
  clock_skew: "The API does not accept the token, because the clocks differ.",
  permission_denied: "The credentials give no access to what was asked for.",
  company_mismatch: "The credentials are those of another company, and give no access to this one.",
  base_url: "What answers is not the API: the scheme, host, port or path of the base URL is wrong.",
  sign_in_redirect: "A gate in front of the API wants a sign-in first.",
  redirected: "The redirect has another reason.",
};

/** The same for all other codes. */
export const OWN_REPLY = "That is what the server, or something in front of it, answers.";

/** Why the call got a 401. */
export function refusalFinding(facts: Facts, call: Call, error: Refusal): Finding {
  const cause = credentialsCause(facts, call, error.message);
  const isShown = showsGate(facts);
  // A server that calls the token invalid (RFC 6750) has received it, and so has one that answers differently without it.
  const { plain } = facts;
  const isDifferent = plain?.came === "redirect" || (plain?.came === "reply" && (plain.status !== 401 || Boolean(plain.isApi) !== (error.errorCode !== undefined)));
  const hasArrived = /error="?invalid_token/.test(error.message) || isDifferent;
  const isKnown = call.flaw !== undefined || untimely(facts, call).length > 0;
  const lost = isKnown || hasArrived ? [] : whoDrops(facts, call);
  const gate = !isShown && (isKnown || hasArrived) ? [] : signInGate(facts, call, error);
  if (gate.length + lost.length === 0) return errorFinding(cause);
  const { code, fix } = cause;
  const own: Cause = { code, message: OWN[code]!, ...fixBy(fix) };
  // Behind a page's own server, a JWT that is still valid is more often lost than refused.
  const isLost = lost[0]?.code === "not_passed_on" && call.claims?.exp !== undefined && isOwnServer(facts);
  const candidates = isLost ? [...lost, own] : [own, ...lost];
  // Nothing but the form of the reply speaks for another gate.
  if (!isShown) candidates.push(...gate);
  else candidates.unshift(...gate), candidates.push(notTheApi(facts));
  const found = candidates[0] === own ? cause : { code: "credentials_refused" as const, message: cause.message };
  return { ...errorFinding(found), candidates };
}

/** Whether it is known that neither a token nor a key was sent. */
export const sendsNone = ({ sent }: Call): boolean => sent !== undefined && credentialsIn(sent).length === 0;

const credentialsIn = (sent: readonly string[]): string[] => sent.filter((name) => name === "authorization" || name === "x-api-key");

/** What a refusal and the credentials show. */
export function credentialsCause(facts: Facts, call: Call, message = "The API may want a token or an API key."): Cause {
  const { sent, claims, flaw } = call;
  if (!sent) return { code: "credentials_refused", message };
  const hasToken = sent.includes("authorization");
  const hasKey = sent.includes("x-api-key");
  const session = facts.sendsCookies ? " If a session cookie is used instead, perhaps the session has expired, or the browser withheld the cookie (SameSite, third-party cookies): sign in again." : "";
  // The names of the headers that the client would send.
  if (sendsNone(call) && facts.headerNames.includes("authorization")) return { code: "credentials_missing", message: `${message} No token was sent: the bearerToken function returned none.` };
  if (sendsNone(call) && mayAddCredentials(facts)) return { code: "credentials_refused", message: `${message} The client has neither a token nor an API key; one that its fetch function, or whatever replaces the page's fetch, is to add is missing or refused.${session}` };
  if (sendsNone(call)) return { code: "credentials_missing", message: `${message} Neither a token nor an API key was sent.${session}`, ...renewal(sent, facts) };
  if (!hasToken) return { code: "key_refused", message: `${message} An API key was sent${flaw ? `; it ${flaw}` : ""}.`, ...(flaw ? {} : renewal(sent, facts)) };
  const withKey = hasKey ? " An API key was sent as well, and may be what was refused." : "";
  if (!claims) return { code: "token_refused", message: `${message} The token that was sent ${flaw ?? "is no JWT, or cannot be read as one"}.${withKey}`, ...(flaw ? {} : renewal(sent, facts)) };
  const [cause] = untimely(facts, call);
  if (cause) return cause;
  const { exp, iss, aud, inMilliseconds } = claims;
  const says = [iss && `issuer ${JSON.stringify(iss)}`, aud && `audience ${JSON.stringify(aud)}`].filter(Boolean).join(" and ");
  const told = [
    message,
    inMilliseconds && `Its times (${inMilliseconds.join(", ")}) are in milliseconds, where a JWT has seconds: servers may refuse it for that.`,
    exp !== undefined && (serverClock(facts) === undefined ? "By the clock here, the token has not expired." : "The token has not expired."),
    says && `It says ${says}; the server may want another.`,
  ];
  return { code: "token_refused", message: told.filter(Boolean).join(" ") + withKey, ...(inMilliseconds ? {} : renewal(sent, facts)) };
}

/** Whether a 401 without credentials shows by more than its form that it is not the API's. */
export const showsGate = ({ plain }: Facts): boolean => plain?.came === "reply" && plain.status === 401 && !plain.isApi && Boolean(plain.signIn || plain.isPage);

/** Something in front of the API, if a 401 without credentials is not in the API's form. */
export function signInGate({ plain }: Facts, { sent = [] }: Call, error?: Refusal): Cause[] {
  if (plain?.came !== "reply" || plain.status !== 401 || plain.isApi || plain.isForToken || error?.errorCode !== undefined) return [];
  const how = plain.signIn ? `that asks for ${plain.signIn}` : plain.isPage ? "and a page" : "that is not in the API's form";
  const replaced = /^(basic|digest|negotiate|ntlm)$/i.test(plain.signIn ?? "") && sent.includes("authorization") ? ", and the client's Authorization header leaves no room for such a sign-in" : "";
  return [{ code: "sign_in_gate", message: `Something in front of the API, such as the protection of a test site or an API gateway, wants a sign-in or a key of its own: a GET without credentials is answered with a 401 ${how}${replaced}. It has to let the API's requests through, or get what it wants (the client's option headers).` }];
}

export function notPassedOn(what: string): Cause {
  return { code: "not_passed_on", message: `A server of yours between the client and the API, such as a development proxy or a backend for the page, does not pass on ${what}.` };
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
  return fixBy(sent.includes("authorization") ? settings.token : sent.includes("x-api-key") ? settings.apiKey : own);
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
