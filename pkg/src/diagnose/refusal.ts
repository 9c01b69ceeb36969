import { isOwnServer, notTheApi, wrongPath } from "./base-url.js";
import { meanings, OWN, OWN_REPLY, withFirst, withLast } from "./candidates.js";
import { credentialsCause, renewal, sendsKey, sendsNone, sendsToken, untimely, whoDrops } from "./credentials.js";
import { isRefusalOfApi, mayAddCredentials, replyOf, type Call, type Facts } from "./facts.js";
import { fixBy } from "./fixes.js";
import { mayMeanCredentials, namesCredentials, NO_ACCESS, NONE_CAME, quotedStatus, REFUSED_IN_FRONT, said, TOKEN, withNamed, type Refusal } from "./named.js";
import { errorFinding } from "./network.js";
import type { Cause, Finding, FindingCode } from "./types.js";

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
export const gotPage = ({ message }: Pick<Refusal, "message">): boolean => message.includes("with a page that may be a proxy's");

/** Whether it is in the API's own form; others may have an error code, too. */
const isOfApi = ({ responseStatus }: Refusal): boolean => responseStatus !== undefined;

/** Why the call got a 401. */
export function refusalFinding(facts: Facts, call: Call, error: Refusal<"authentication_error">): Finding {
  const cause = credentialsCause(facts, call, error.message);
  const plain = replyOf(facts.plain);
  // What is answered by an error in JSON has passed a gate that answers by a page.
  const hasPassed = Boolean(plain?.isPage && error.errorCode !== undefined);
  // A web app's own page for errors is no gate's.
  const isShown = plain?.shows !== "app" && ((showsGate(facts) && !hasPassed) || gotPage(error));
  // A GET without credentials got another answer, or the server calls the token invalid (RFC 6750).
  const hasArrived = hasPassed || isToldApart(facts, error) || Boolean(plain?.isApi && !isOfApi(error)) || isForCallAlone(facts, 401) || /error="?invalid_token/.test(error.message);
  const isExplained = !sendsNone(call) && knownCauses(facts, call).length > 0;
  const lost = isExplained || hasArrived ? [] : whoDrops(facts, call);
  const gate = !isShown && (isExplained || hasArrived) ? [] : signInGate(facts, call, error);
  const key = [...keyRefused(facts, call), ...(isExplained ? [] : otherWanted(facts, call, error, hasArrived))];
  if (gate.length + lost.length + key.length === 0) return withNamed(facts, call, error, errorFinding(cause));
  const { code, fix } = cause;
  const own = [{ code, message: OWN[code]!, ...fixBy(fix) }, ...key];
  // Behind a page's own server, a JWT that is still valid is more often lost than refused.
  const isLost = lost[0]?.code === "not_passed_on" && (NONE_CAME.test(said(error)) || (call.claims?.exp !== undefined && isOwnServer(facts)));
  const refused = isLost ? [...lost, ...own] : [...own, ...lost];
  // A gate for which only the form of a reply speaks is the least likely.
  const mayBeOther = isShown ? !isRefusalOfApi(plain) : gate.length > 0;
  const candidates = [...(isShown ? [...gate, ...refused] : [...refused, ...gate]), ...(mayBeOther ? [notTheApi(facts)] : [])];
  const found = candidates[0] === own[0] ? cause : { code: "credentials_refused" as const, message: cause.message };
  return withNamed(facts, call, error, { ...errorFinding(found), candidates });
}

/** Where a key is sent beside a token, the API may look at the key alone. */
const keyRefused = ({ settings }: Facts, call: Call): Cause[] =>
  sendsKey(call) && sendsToken(call) ? [{ code: "key_refused", message: OWN.key_refused!, fix: settings.apiKey }] : [];

/** Of a token and a key, the API may want the one that was not sent, or both. A reply that speaks of the one that was sent, or shows that it has arrived, wants no other. */
function otherWanted({ settings }: Facts, call: Call, error: Refusal, hasArrived: boolean): Cause[] {
  const [hasToken, hasKey] = [sendsToken(call), sendsKey(call)];
  const other = (what: string, fix: string): Cause[] => [{ code: "credentials_missing", message: `The API wants ${what} or beside it.`, fix }];
  if (hasKey && !hasToken && !/api.?key/i.test(said(error))) return other("a token, in place of the key", settings.credentials);
  return hasToken && !hasKey && !call.isGuid && isOfApi(error) && !hasArrived && !TOKEN.test(said(error)) && !NONE_CAME.test(said(error)) ? other("an API key, in place of the token", settings.apiKey) : [];
}

/** Whether a 401 without credentials shows by more than its form that it is not the API's. */
export function showsGate({ plain }: Facts): boolean {
  const { status, isApi, signIn, isPage } = replyOf(plain) ?? {};
  return status === 401 && !isApi && Boolean(signIn || isPage);
}

/** Something in front of the API, if a GET without credentials is refused in another form than the API's, or the call is answered with a page. */
export function signInGate(facts: Facts, call: Call, error?: Refusal): Cause[] {
  const plain = replyOf(facts.plain);
  const isRefused = plain && (plain.status === 401 || plain.status === 403) && !plain.isApi && !plain.isForToken;
  if (!isRefused && !(error && gotPage(error))) return [];
  const how = !isRefused ? "and a page" : plain.signIn ? `that asks for ${plain.signIn}` : plain.isPage ? "and a page" : "that is not in the API's form";
  const who = isRefused ? `a GET without credentials is answered with a ${plain.status}` : `the call is answered with a ${error!.status}`;
  const replaced = /^(basic|digest|negotiate|ntlm)$/i.test(plain?.signIn ?? "") && sendsToken(call) ? ", and the client's Authorization header leaves no room for such a sign-in" : "";
  return [{ code: "sign_in_gate", message: `Something in front of the API, such as the protection of a test site or an API gateway, wants a sign-in or a key of its own: ${who} ${how}${replaced}. It has to let the API's requests through, or get what it wants (the client's options headers or, for x-api-key, apiKey).` }];
}

const AIRPLAY: Cause = {
  code: "base_url",
  message: "What answers is an AirPlay receiver, such as that of macOS, which listens at the ports 5000 and 7000. Let the API use another port, or turn the receiver off in the system's settings.",
};

/** A 403, to everybody or to the call alone. */
export function deniedFinding(facts: Facts, call: Call, error: Refusal<"permission_denied">): Finding {
  if (replyOf(facts.plain)?.shows === "airplay") return errorFinding(AIRPLAY);
  return withNamed(facts, call, error, isForAll(facts, 403) ? deniedToAll(facts, call, error) : deniedToCall(facts, call, error));
}

function deniedToCall(facts: Facts, call: Call, error: Refusal<"permission_denied">): Finding {
  const { code, message } = error;
  const finding = errorFinding({ code, message });
  if (message.includes("insufficient_scope")) return withFirst(knownCauses(facts, call), finding);
  if (isOfApi(error)) return perhapsForCredentials(facts, call, finding, error);
  return perhapsForCredentials(facts, call, perhapsInFront(facts, withLast([REFUSED_IN_FRONT], finding), error), error);
}

function deniedToAll(facts: Facts, call: Call, error: Refusal<"permission_denied">): Finding {
  const { code, message } = error;
  const finding = errorFinding({ code, message });
  const refused = refusedOrLost(facts, call, error);
  // A fetch that may add credentials may have added them to the probe, too.
  const isCompared = call.sent !== undefined && !mayAddCredentials(facts);
  const ofApi = isCompared ? [...refused, NO_ACCESS] : [NO_ACCESS, ...refused];
  const { isApi, isPage, isText, shows } = replyOf(facts.plain)!;
  if (isApi) return { ...finding, candidates: ofApi };
  const gate = signInGate(facts, call);
  const down: Cause[] = shows === "down" ? [{ code: "server_error", message: "The server is stopped, out of service, or has used up its plan." }] : [];
  // APIs refuse in JSON.
  if (isPage || isText) return { ...finding, candidates: [...down, REFUSED_IN_FRONT, ...gate, notTheApi(facts), ...ofApi] };
  const inFront = [...gate, REFUSED_IN_FRONT, notTheApi(facts)];
  return { ...finding, candidates: isCompared ? [...refused, ...inFront, NO_ACCESS] : [...ofApi, ...inFront] };
}

/** A page that others do not get is not the API's. A refusal without a message may not be, either, where the API answers in its own form. */
function perhapsInFront(facts: Facts, finding: Finding, error: Refusal): Finding {
  const plain = replyOf(facts.plain);
  if (plain && !plain.isPage && gotPage(error)) return withFirst([REFUSED_IN_FRONT], finding);
  return isRefusalOfApi(plain) && error.errorCode === undefined && error.serverMessage === undefined ? withLast([REFUSED_IN_FRONT], finding) : finding;
}

/** Why a call with credentials may be refused as one without is: they are refused, or get lost on their way. */
function refusedOrLost(facts: Facts, call: Call, error: Refusal): Cause[] {
  const { sent } = call;
  const known = knownCauses(facts, call);
  if (known.length > 0 || !sent) return known;
  const code: FindingCode = sendsToken(call) ? "token_refused" : "key_refused";
  const compared = mayAddCredentials(facts) ? "" : ` A GET without credentials is answered with ${error.status}, too.`;
  const refused = [{ code, message: OWN[code]! + compared, ...renewal(sent, facts) }, ...keyRefused(facts, call)];
  const lost = whoDrops(facts, call);
  return NONE_CAME.test(said(error)) ? [...lost, ...refused] : [...refused, ...lost];
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
  const isNamed = namesCredentials(error);
  const mayBeRefused = known.length === 0 && call.sent && isAlone && (mayMeanCredentials(error) || (!isOfApi(error) && REFUSALS.includes(status)));
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
    const denied = isDenied ? [NO_ACCESS] : [];
    const refused = isDenied || mayMeanCredentials(error) ? refusedOrLost(facts, call, error) : known;
    return withNamed(facts, call, error, withFirst([...denied, ...refused], finding));
  }
  const own: Cause = isTooLong ? tooLong : plain!.isPage ? REFUSED_IN_FRONT : { code, message: OWN_REPLY };
  // What answers with a page has not looked at credentials.
  const refused = known.length > 0 || plain!.isPage || isTooLong ? [] : refusedOrLost(facts, call, error);
  const found = { ...finding, candidates: [notTheApi(facts), own, ...refused] };
  return withNamed(facts, call, error, withKnown(facts, call, found));
}

/** With what speaks against the credentials; what everybody gets is not for a token's time. */
const withKnown = (facts: Facts, call: Call, finding: Finding): Finding => (sendsNone(call) ? withFirst : withLast)(knownCauses(facts, call), finding);

const NONE_BEHIND: Cause = { code: "server_error", message: "What answers is a gateway, a tunnel or a hosting service with nothing running behind it: some, such as Traefik, ngrok and Azure, then answer with a 404." };

const HIDDEN_GATE: Cause = { code: "sign_in_gate", message: "Something in front of this path, such as Clerk's middleware in Next.js, answers with a 404 to those who are not signed in to the page's own server." };

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
  const found = errorFinding({ code: "base_url", ...wrongPath(facts, message) });
  const behind: Cause[] = status !== 404 ? [] : isOwnServer(facts) ? [NONE_BEHIND, HIDDEN_GATE] : [NONE_BEHIND];
  // Some servers answer with a 404 to those who are not signed in.
  if (sendsNone(call)) return withLast([...(facts.sendsCookies ? [credentialsCause(facts, call)] : []), ...behind], found);
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
const GATEWAY: readonly number[] = [502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 530];

/** Which server the failure may be of; empty, or begins with a space. */
function whoFails(facts: Facts, error: Refusal<"server_error">): string {
  const { status } = error;
  // Gateways and backends, too, have codes for their errors.
  if (isOfApi(error) || quotedStatus(error) !== undefined) return "";
  if (isOwnServer(facts) && !isForCallAlone(facts, status)) return " Perhaps this page's own server does not reach the API; its log may tell.";
  if (status === 500 && isForAll(facts, status) && !replyOf(facts.plain)!.isApi) return " If what answers passes requests on, such as a gateway, a backend of yours or a development proxy (Vite, Next.js), perhaps it does not reach its target; its log tells.";
  return GATEWAY.includes(status) ? " A gateway answers so when the server behind it is down, restarting, overloaded, too slow or at another address. It also does when the two do not agree on http or https, on a certificate or on the server's name (SNI), or when headers are too long. The gateway's log tells which." : "";
}

/** A status from 500 on. */
export function serverFinding(facts: Facts, call: Call, error: Refusal<"server_error">): Finding {
  const { code, status, message, errorCode } = error;
  const finding = withNamed(facts, call, error, errorFinding({ code, message: message + whoFails(facts, error) }));
  const inFront = gotPage(error) ? [REFUSED_IN_FRONT] : [];
  const before = [facts.earlier, replyOf(facts.plain)?.status];
  // What has just answered otherwise is there, and fails only now.
  const hasAnsweredBefore = before.some((each) => each !== undefined && each < 500);
  const isNamed = finding.candidates?.some(({ code }) => code === "rate_limited");
  const limit: Cause[] = status === 503 && errorCode === undefined && !isNamed ? [{ code: "rate_limited", message: `A rate limit has set in${hasAnsweredBefore ? ", perhaps because of the requests of this diagnosis" : ""}: nginx's limit_req answers with a 503.` }] : [];
  const wrong = hasAnsweredBefore ? [] : [notTheApi(facts)];
  // What answers with more than a 500 is a gateway, which looks at no credentials. What has expired is told all the same.
  const known = status === 500 ? knownCauses(facts, call) : untimely(facts, call);
  if (isForAll(facts, status) && !replyOf(facts.plain)!.isApi) {
    // Some servers make a 500 of each error.
    const refused = status === 500 && mayMeanCredentials(error) ? refusedOrLost(facts, call, error) : [];
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
