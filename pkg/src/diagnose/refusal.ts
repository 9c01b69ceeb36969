import type { AnyBookMoreError } from "bookmore-sdk";
import { isOwnServer, notTheApi, wrongBase } from "./base-url.js";
import { LARGEST_SKEW_MS, serverClock, SET_CLOCK, span } from "./clock.js";
import { credentialsCause, renewal, sendsNone, untimely, whoDrops } from "./credentials.js";
import { isRefusalOfApi, mayAddCredentials, replyOf, type Call, type Facts } from "./facts.js";
import { fixBy, httpsFix, httpsOf } from "./fixes.js";
import { errorFinding } from "./network.js";
import type { Cause, Finding, FindingCode } from "./types.js";

/** A status by which the server, or something in front of it, refuses a call. */
type Refusal<Code extends AnyBookMoreError["code"] = "authentication_error" | "permission_denied" | "api_error" | "rate_limited" | "server_error"> = Extract<AnyBookMoreError, { code: Code }>;

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
  redirected: "The redirect has another reason.",
};

/** The same for all other codes. */
const OWN_REPLY = "It is what the message says: something about the request, or a fault of the server.";

/** The candidates; where there are none, what the reply says. */
export const meanings = ({ candidates, code, fix }: Finding): Cause[] => candidates ?? [{ code, message: OWN[code] ?? OWN_REPLY, ...fixBy(fix) }];

/** The finding with these candidates before its own. */
export const withFirst = (causes: Cause[], finding: Finding): Finding => (causes.length > 0 ? { ...finding, candidates: [...causes, ...meanings(finding).filter((own) => !causes.includes(own))] } : finding);

/** The finding with these candidates after its own. */
export const withLast = (causes: Cause[], finding: Finding): Finding => (causes.length > 0 ? { ...finding, candidates: [...meanings(finding).filter((own) => !causes.includes(own)), ...causes] } : finding);

/** What speaks against the credentials however the server refuses: none were sent, they were never meant as any, or the token's own times. */
export const knownCauses = (facts: Facts, call: Call): Cause[] => (sendsNone(call) || call.flaw !== undefined ? [credentialsCause(facts, call)] : untimely(facts, call));

/** Whether a GET without credentials is refused with the same status. */
const isForAll = ({ plain }: Facts, status: number): boolean => plain?.came === "reply" && plain.status === status;

/** Whether it is answered otherwise, so that what was sent with the call has made a difference. */
const isForCallAlone = ({ plain }: Facts, status: number): boolean => plain?.came === "redirect" || (plain?.came === "reply" && plain.status !== status);

/** Whether the call is refused in other words than a GET without credentials, so that they have arrived. Long messages are cut. */
function isToldApart({ plain }: Facts, { serverMessage }: Refusal): boolean {
  const message = replyOf(plain)?.message;
  return message !== undefined && serverMessage !== undefined && message.slice(0, 80) !== serverMessage.slice(0, 80);
}

/** Whether the call was answered with a page, as APIs do not. The words are those of src/engine/outcome.rs. */
const gotPage = ({ message }: Refusal): boolean => message.includes("with a page that may be a proxy's");

/** Whether it is in the API's own form; others may have an error code, too. */
const isOfApi = ({ responseStatus }: Refusal): boolean => responseStatus !== undefined;

/** Why the call got a 401. */
export function refusalFinding(facts: Facts, call: Call, error: Refusal<"authentication_error">): Finding {
  const cause = credentialsCause(facts, call, error.message);
  const plain = replyOf(facts.plain);
  // What is answered by an error in JSON has passed a gate that answers by a page.
  const hasPassed = Boolean(plain?.isPage && error.errorCode !== undefined);
  const isShown = (showsGate(facts) && !hasPassed) || gotPage(error);
  // A GET without credentials got another answer, or the server calls the token invalid (RFC 6750).
  const hasArrived = hasPassed || isToldApart(facts, error) || (plain?.isApi && !isOfApi(error)) || isForCallAlone(facts, 401) || /error="?invalid_token/.test(error.message);
  const isExplained = !sendsNone(call) && knownCauses(facts, call).length > 0;
  const lost = isExplained || hasArrived ? [] : whoDrops(facts, call);
  const gate = !isShown && (isExplained || hasArrived) ? [] : signInGate(facts, call, error);
  const key = [...keyRefused(facts, call), ...otherWanted(facts, call, error)];
  if (gate.length + lost.length + key.length === 0) return withNamed(facts, call, error, errorFinding(cause));
  const { code, fix } = cause;
  const own = [{ code, message: OWN[code]!, ...fixBy(fix) }, ...key];
  // Behind a page's own server, a JWT that is still valid is more often lost than refused.
  const isLost = lost[0]?.code === "not_passed_on" && (NONE_CAME.test(said(error)) || (call.claims?.exp !== undefined && isOwnServer(facts)));
  const refused = isLost ? [...lost, ...own] : [...own, ...lost];
  // A gate for which only the form of a reply speaks is the least likely.
  const candidates = isShown ? [...gate, ...refused, ...(isRefusalOfApi(plain) ? [] : [notTheApi(facts)])] : [...refused, ...gate];
  const found = candidates[0] === own[0] ? cause : { code: "credentials_refused" as const, message: cause.message };
  return withNamed(facts, call, error, { ...errorFinding(found), candidates });
}

/** Where a key is sent beside a token, the API may look at the key alone. */
const keyRefused = ({ settings }: Facts, { sent = [] }: Call): Cause[] =>
  sent.includes("x-api-key") && sent.includes("authorization") ? [{ code: "key_refused", message: OWN.key_refused!, fix: settings.apiKey }] : [];

/** Of a token and a key, the API may want the one that was not sent, or both. */
function otherWanted({ settings, plain }: Facts, { sent = [] }: Call, error: Refusal): Cause[] {
  const words = said(error);
  if (sent.includes("x-api-key") && !sent.includes("authorization")) return /api.?key/i.test(words) ? [] : [{ code: "credentials_missing", message: "The API wants a token, in place of the key or beside it.", fix: settings.credentials }];
  const wantsKey = /api.?key|subscription.?key/i.test(words) || /^(key|AzureApiManagementKey)$/i.test(replyOf(plain)?.signIn ?? "");
  return wantsKey && sent.includes("authorization") && !sent.includes("x-api-key") ? [{ code: "credentials_missing", message: "The API, or a gateway in front of it, wants an API key, in place of the token or beside it.", fix: settings.apiKey }] : [];
}

/** Whether a 401 without credentials shows by more than its form that it is not the API's. */
export function showsGate({ plain }: Facts): boolean {
  const { status, isApi, signIn, isPage } = replyOf(plain) ?? {};
  return status === 401 && !isApi && Boolean(signIn || isPage);
}

/** Something in front of the API, if a GET without credentials is refused in another form than the API's, or the call is answered with a page. */
export function signInGate(facts: Facts, { sent = [] }: Call, error?: Refusal): Cause[] {
  const plain = replyOf(facts.plain);
  const isRefused = plain && (plain.status === 401 || plain.status === 403) && !plain.isApi && !plain.isForToken;
  if (!isRefused && !(error && gotPage(error))) return [];
  const how = !isRefused ? "and a page" : plain.signIn ? `that asks for ${plain.signIn}` : plain.isPage ? "and a page" : "that is not in the API's form";
  const who = isRefused ? `a GET without credentials is answered with a ${plain.status}` : `the call is answered with a ${error!.status}`;
  const replaced = /^(basic|digest|negotiate|ntlm)$/i.test(plain?.signIn ?? "") && sent.includes("authorization") ? ", and the client's Authorization header leaves no room for such a sign-in" : "";
  return [{ code: "sign_in_gate", message: `Something in front of the API, such as the protection of a test site or an API gateway, wants a sign-in or a key of its own: ${who} ${how}${replaced}. It has to let the API's requests through, or get what it wants (the client's options headers or, for x-api-key, apiKey).` }];
}

const REFUSED_IN_FRONT: Cause = {
  code: "blocked_reply",
  message: "Something in front of the API refuses the request: a firewall, a list of allowed addresses, a VPN that is off, a client certificate that is missing, or bot protection.",
};

/** A 403, to everybody or to the call alone. */
export function deniedFinding(facts: Facts, call: Call, error: Refusal<"permission_denied">): Finding {
  return withNamed(facts, call, error, isForAll(facts, 403) ? deniedToAll(facts, call, error) : deniedToCall(facts, call, error));
}

function deniedToCall(facts: Facts, call: Call, error: Refusal<"permission_denied">): Finding {
  const { code, message } = error;
  const finding = errorFinding({ code, message });
  if (message.includes("insufficient_scope")) return withFirst(knownCauses(facts, call), finding);
  if (isOfApi(error)) return perhapsForCredentials(facts, call, finding, error);
  return perhapsForCredentials(facts, call, perhapsInFront(facts, withLast([REFUSED_IN_FRONT], finding), error), error);
}

function deniedToAll(facts: Facts, call: Call, { code, message }: Refusal<"permission_denied">): Finding {
  const finding = errorFinding({ code, message });
  const own: Cause = { code, message: OWN[code]! };
  const refused = refusedOrLost(facts, call, 403);
  // A fetch that may add credentials may have added them to the probe, too.
  const isCompared = call.sent !== undefined && !mayAddCredentials(facts);
  const ofApi = isCompared ? [...refused, own] : [own, ...refused];
  const { isApi, isPage, isText } = replyOf(facts.plain)!;
  if (isApi) return { ...finding, candidates: ofApi };
  const gate = signInGate(facts, call);
  // APIs refuse in JSON.
  if (isPage || isText) return { ...finding, candidates: [REFUSED_IN_FRONT, ...gate, notTheApi(facts), ...ofApi] };
  const inFront = [...gate, REFUSED_IN_FRONT, notTheApi(facts)];
  return { ...finding, candidates: isCompared ? [...refused, ...inFront, own] : [...ofApi, ...inFront] };
}

/** A page that others do not get is not the API's. A refusal without a message may not be, either, where the API answers in its own form. */
function perhapsInFront(facts: Facts, finding: Finding, error: Refusal): Finding {
  const plain = replyOf(facts.plain);
  if (plain && !plain.isPage && gotPage(error)) return withFirst([REFUSED_IN_FRONT], finding);
  return isRefusalOfApi(plain) && error.errorCode === undefined && error.serverMessage === undefined ? withLast([REFUSED_IN_FRONT], finding) : finding;
}

/** Why a call with credentials may be refused as one without is: they are refused, or get lost on their way. */
function refusedOrLost(facts: Facts, call: Call, status: number): Cause[] {
  const { sent } = call;
  const known = knownCauses(facts, call);
  if (known.length > 0 || !sent) return known;
  const code = sent.includes("authorization") ? "token_refused" : "key_refused";
  const compared = mayAddCredentials(facts) ? "" : ` A GET without credentials is answered with ${status}, too.`;
  return [{ code, message: OWN[code]! + compared, ...renewal(sent, facts) }, ...keyRefused(facts, call), ...whoDrops(facts, call)];
}

/** The server's own words about a refusal. */
const said = ({ errorCode = "", serverMessage = "" }: Refusal): string => `${errorCode} ${serverMessage}`;

/** How servers speak of credentials. A token alone may be one that the usage counts, and who is "not authorized" may lack access. */
const CREDENTIALS = /jwt|web.?token|signature|audience|issuer|credential|api.?key|auth(?!or)|unauthori[sz]ed.?token|authorization.?(header|token)|bearer|(access|invalid|expired).?token|token.?(expired|invalid|is|was|has|not)/i;
/** How they speak of a token alone: what else a 500 names may be that of another server, such as a database. */
const TOKEN = /jwt|web.?token|signature|audience|issuer|bearer|(access|invalid|expired|authorization).?token|token.?(expired|invalid|is|was|has|not)/i;
/** Words that stand for a lack of access, too. */
const UNAUTHORIZED = /unauthori[sz]ed(?! to\b|AccessException)/i;
/** How they say that no credentials have come. */
const NONE_CAME = /\b(no|missing)\b.{0,20}(token|credentials?|authorization)|(token|credentials?|authorization( header)?)\b.{0,12}(missing|not (provided|found)|required)/i;
/** How they speak of what is used up. */
const LIMIT = /quota|throttl|too.?many.?(requests|calls|attempts|tokens)|resource.?exhausted|used.?(up|all)|rate.?(limit|exceeded)|usage.?limit|(limit|budget|allowance|credits?|tokens)(\b.{0,30})?(reached|exceeded|exhausted|spent)|(reached|exceeded|exhausted|out of|insufficient).{0,30}(limit|budget|allowance|credits?)|\b(trial|subscription|plan) (has |is )?(expired|ended|over)\b/i;
/** How they speak of limits that are none of usage. */
const OF_MACHINE = /\b(memory|time|stack|size|length|depth|redirects?|connections?).?(limit|exceeded)|exceeded.{0,20}\b(memory|time|size|length|depth).?limit/i;
/** How what stands in front of a server speaks of whom it lets through. */
const IN_FRONT = /\b(ip|country|region|vpn|captcha|robots?|bots?|firewall)\b/i;

/** The server says that a token has expired, and no other possibility. */
const EXPIRED = /^(?![^]*\b(or|not)\b)[^]*((token|jwt).{0,30}expired|expired.?(token|jwt))/i;
/** 402 Payment Required, and what some servers send when a limit is reached. */
const USED_UP: readonly number[] = [402, 420, 509];

/** Causes that the reply itself points to: its words, its status, its Retry-After. */
function named(facts: Facts, call: Call, error: Refusal): Cause[] {
  const { baseUrl, plain, settings } = facts;
  const { status, retryAfterMs } = error;
  const words = said(error);
  const found: Cause[] = [];
  // Servers that are out of service send a Retry-After, too.
  if ((retryAfterMs !== undefined && status < 500) || USED_UP.includes(status) || (LIMIT.test(words) && !OF_MACHINE.test(words))) {
    const wait = retryAfterMs ? ` The server asks to wait ${Math.ceil(retryAfterMs / 1000)} s.` : "";
    found.push({ code: "rate_limited", message: `A quota, a budget or a plan is used up, or a rate limit is exceeded.${wait}` });
  }
  const isTlsPort = replyOf(plain)?.shows === "https";
  const wantsHttps = status < 500 && /\b(https|ssl|tls)\b/i.test(words.replace(/https?:\/\/\S+/gi, ""));
  // What was asked by https, or is the page's own server, has itself asked by plain http.
  if (isTlsPort && (isOwnServer(facts) || baseUrl?.startsWith("https:"))) {
    found.push({ code: "needs_https", message: "What answers passes requests on by plain http, and what is behind it wants https: its target has to begin with https:// (nginx: proxy_pass, Vite: target)." });
  } else if (baseUrl?.startsWith("http:") && (isTlsPort || wantsHttps)) {
    found.push({ code: "needs_https", message: "The server wants https.", ...(isTlsPort ? fixBy(settings.baseUrl(httpsOf(baseUrl))) : httpsFix(baseUrl, settings)) });
  }
  if (IN_FRONT.test(words)) found.push(REFUSED_IN_FRONT);
  if (/missing authentication token/i.test(words)) found.push({ code: "base_url", ...wrongBase(facts, "That is what AWS's API Gateway says where it does not know the path.") });
  if (status === 401) found.push(...perhapsForClock(facts, call, words));
  if (status === 401 && /no access|\b(role|permission)|denied|forbidden|not (allowed|authorized to)/i.test(words)) found.push({ code: "permission_denied", message: OWN.permission_denied! });
  return found;
}

/** Where nothing shows the server's clock, a token that is valid by the one here may be refused for its times. */
function perhapsForClock(facts: Facts, call: Call, words: string): Cause[] {
  const { now, settings } = facts;
  const { exp, iat } = call.claims ?? {};
  if (serverClock(facts) !== undefined || untimely(facts, call).length > 0) return [];
  const skew = (message: string): Cause[] => [{ code: "clock_skew", message: `${message} ${SET_CLOCK}`, ...fixBy(settings.clock) }];
  if (exp !== undefined && EXPIRED.test(words)) return skew(`The server says that the token has expired, but by the clock here it is valid for another ${span(exp - now)}: one of the clocks may be wrong.`);
  if (iat !== undefined && iat > now + LARGEST_SKEW_MS) return skew(`By the clock here, the token was issued ${span(iat - now)} from now: this clock or the issuer's is wrong, so the token may have expired, or not be valid yet.`);
  return [];
}

/** The finding with what the reply points to first; its own candidates of the same codes are left out. */
function withNamed(facts: Facts, call: Call, error: Refusal, finding: Finding): Finding {
  const causes = named(facts, call, error);
  return causes.length > 0 ? { ...finding, candidates: [...causes, ...meanings(finding).filter(({ code }) => !causes.some((cause) => cause.code === code))] } : finding;
}

/** Statuses that some servers send in place of a 401. */
const REFUSALS: readonly number[] = [400, 403, 422, 440, 498, 499, 500];

/** The credentials may be why a status other than 401 was sent. */
function perhapsForCredentials(facts: Facts, call: Call, finding: Finding, error: Refusal): Finding {
  const { status } = error;
  const isAlone = isForCallAlone(facts, status);
  // A session's cookie that makes a difference has arrived.
  if (sendsNone(call) && facts.sendsCookies && isAlone) return withLast([credentialsCause(facts, call)], finding);
  const known = knownCauses(facts, call);
  const isNamed = (status < 500 ? CREDENTIALS : TOKEN).test(said(error));
  const mayBeRefused = known.length === 0 && call.sent && isAlone && (isNamed || UNAUTHORIZED.test(said(error)) || (!isOfApi(error) && REFUSALS.includes(status)));
  if (!mayBeRefused) return withFirst(known, finding);
  const refused = [credentialsCause(facts, call, "Some servers refuse credentials in this way, instead of with a 401."), ...keyRefused(facts, call)];
  const [first, ...others] = meanings(finding);
  return { ...finding, candidates: isNamed ? [...refused, first!, ...others] : [first!, ...refused, ...others] };
}

/** A status of 400 to 499 that has no error of its own. */
export function apiFinding(facts: Facts, call: Call, error: Refusal<"api_error">): Finding {
  const { code, status, message } = error;
  const tooLong: Cause = { code, message: "What was sent is too long for the server: the token, another header, or the page's cookies." };
  const isTooLong = status === 431 || status === 494 || /header.* too large/i.test(message);
  if (isTooLong && !isForAll(facts, status)) return errorFinding({ code, message: `${message} ${tooLong.message}` });
  if (status === 404 || status === 405) return notFoundFinding(facts, call, error);
  const finding = errorFinding({ code, message });
  const known = knownCauses(facts, call);
  const plain = replyOf(facts.plain);
  if (!isForAll(facts, status)) {
    const found = withNamed(facts, call, error, perhapsForCredentials(facts, call, perhapsInFront(facts, finding, error), error));
    // nginx answers headers that are too long with a page and a 400.
    const isLong = status === 413 || status === 414 || (status === 400 && gotPage(error) && plain && !plain.isPage);
    if (!isLong) return found;
    return call.isLong ? withFirst([tooLong], found) : withLast([tooLong], found);
  }
  // An error of the API with another status than 401, such as that of a proxy that makes a 200 of each.
  if (plain!.isApi) {
    const isDenied = /forbidden|denied/i.test(said(error));
    const denied: Cause[] = isDenied ? [{ code: "permission_denied", message: OWN.permission_denied! }] : [];
    const refused = isDenied || CREDENTIALS.test(said(error)) || UNAUTHORIZED.test(said(error)) ? refusedOrLost(facts, call, status) : known;
    return withNamed(facts, call, error, withFirst([...denied, ...refused], finding));
  }
  const own: Cause = isTooLong ? tooLong : plain!.isPage ? REFUSED_IN_FRONT : { code, message: OWN_REPLY };
  // What answers with a page has not looked at credentials.
  const refused = known.length > 0 || plain!.isPage || isTooLong ? [] : refusedOrLost(facts, call, status);
  const found = { ...finding, candidates: [notTheApi(facts), own, ...refused] };
  return withNamed(facts, call, error, withKnown(facts, call, found));
}

/** With what speaks against the credentials; what everybody gets is not for a token's time. */
const withKnown = (facts: Facts, call: Call, finding: Finding): Finding => (sendsNone(call) ? withFirst : withLast)(knownCauses(facts, call), finding);

const NONE_BEHIND: Cause = { code: "server_error", message: "What answers is a gateway, a tunnel or a hosting service with nothing running behind it: some, such as Traefik, ngrok and Azure, then answer with a 404." };

/** A 404 or 405: the path is wrong, or the API knows the path and not what was asked for. */
function notFoundFinding(facts: Facts, call: Call, error: Refusal<"api_error">): Finding {
  const { code, status, message, errorCode } = error;
  const plain = replyOf(facts.plain);
  // What answers a GET without credentials with another status, and no page, knows the path.
  const knowsPath = plain !== undefined && plain.status !== 404 && plain.status !== 405 && !plain.isPage;
  if (errorCode !== undefined || knowsPath) {
    const own: Cause = { code, message: "That is the API's own answer: this version may not have the operation, may not know what was asked for, or hides it from those without access." };
    const found = perhapsInFront(facts, perhapsNotTheApi(facts, { code, message }, own, knowsPath), error);
    return isForAll(facts, status) ? withKnown(facts, call, found) : withFirst(knownCauses(facts, call), found);
  }
  const found = errorFinding({ code: "base_url", ...wrongBase(facts, message) });
  const behind: Cause[] = status === 404 && !isOwnServer(facts) ? [NONE_BEHIND] : [];
  // Some servers answer with a 404 to those who are not signed in.
  if (sendsNone(call)) return withLast([...behind, ...(facts.sendsCookies ? [credentialsCause(facts, call)] : [])], found);
  // Some firewalls send a CAPTCHA with a 405.
  const captcha = status === 405 && gotPage(error) ? [REFUSED_IN_FRONT] : [];
  return withLast([...captcha, ...behind, ...knownCauses(facts, call)], found);
}

/** A 429. Some bot protection sends one with a page. */
export function limitedFinding(error: Refusal<"rate_limited">): Finding {
  const { code, message } = error;
  return withLast(gotPage(error) ? [REFUSED_IN_FRONT] : [], errorFinding({ code, message }));
}

/** Statuses of gateways; those from 520 on are Cloudflare's. */
const GATEWAY: readonly number[] = [502, 503, 504, 520, 521, 522, 523, 524];

/** A status from 500 on. */
export function serverFinding(facts: Facts, call: Call, error: Refusal<"server_error">): Finding {
  const { code, status, message, errorCode } = error;
  const isOwn = isOwnServer(facts) && errorCode === undefined && !isForCallAlone(facts, status);
  const isOfGateway = errorCode === undefined && GATEWAY.includes(status);
  const words = isOwn ? " Perhaps this page's own server does not reach the API; its log may tell." : isOfGateway ? " Gateways answer so if the server behind them is down, restarting, overloaded or at another address." : "";
  const finding = withNamed(facts, call, error, errorFinding({ code, message: message + words }));
  const inFront = gotPage(error) ? [REFUSED_IN_FRONT] : [];
  const before = [facts.earlier, replyOf(facts.plain)?.status];
  // What has just answered otherwise is there, and fails only now.
  const hasAnswered = before.some((each) => each !== undefined && each < 500);
  const isNamed = finding.candidates?.some(({ code }) => code === "rate_limited");
  const limit: Cause[] = hasAnswered && status === 503 && errorCode === undefined && !isNamed ? [{ code: "rate_limited", message: "A rate limit has set in: nginx's limit_req answers with a 503." }] : [];
  const wrong = hasAnswered ? [] : [notTheApi(facts)];
  // What answers with more than a 500 is a gateway, which looks at no credentials. What has expired is told all the same.
  const known = status === 500 ? knownCauses(facts, call) : untimely(facts, call);
  if (isForAll(facts, status) && !replyOf(facts.plain)!.isApi) {
    // Some servers make a 500 of each error.
    const refused = status === 500 && (TOKEN.test(said(error)) || UNAUTHORIZED.test(said(error))) ? refusedOrLost(facts, call, status) : [];
    const others = withLast([...limit, ...wrong, ...inFront], finding);
    if (refused.length === 0) return withLast(known, others);
    return isToldApart(facts, error) ? withFirst(refused, others) : withLast(refused, others);
  }
  const found = sendsNone(call) ? withLast(known, finding) : status === 500 ? perhapsForCredentials(facts, call, finding, error) : withFirst(known, finding);
  return withLast([...limit, ...inFront], found);
}

/** The reply may be the API's own, or that of something else. `isApi`: whether the former is likelier. */
export function perhapsNotTheApi(facts: Facts, finding: Cause, own: Cause, isApi = isRefusalOfApi(facts.plain)): Finding {
  return { ...errorFinding(finding), candidates: isApi ? [own, notTheApi(facts)] : [notTheApi(facts), own] };
}
