import type { AnyBookMoreError } from "bookmore-sdk";
import { isInsecure } from "../loopback.js";
import { PATH } from "../operation.js";
import { isRefusal } from "../thrown.js";
import { baseOfEndpoint, isOwnServer, mayBePassedOn, notTheApi, wrongBase } from "./base-url.js";
import { meanings, OWN, withFirst, withLast } from "./candidates.js";
import { LARGEST_SKEW_MS, serverClock, SET_CLOCK, skewOf } from "./clock.js";
import { credentialsCause, notPassedOn, renewal, sendsNone, untimely } from "./credentials.js";
import { isRefusalOfApi, mayAddCredentials, replyOf, type Call, type Facts } from "./facts.js";
import { fixBy, httpsFix } from "./fixes.js";
import { CREDENTIALS, REFUSED_IN_FRONT, refusedHost } from "./named.js";
import { CUT_OFF, errorFinding, isExtension, isLate, late, noReplyFindings, truncated, whatWaits } from "./network.js";
import { directiveWith, refusedConnection } from "./policy.js";
import { LIMIT_MS } from "./probe.js";
import { isAddress, isDenied, redirectFinding, targetOf, TO_ERROR_PAGE } from "./redirect.js";
import { apiFinding, deniedFinding, gotPage, knownCauses, limitedFinding, perhapsNotTheApi, refusalFinding, serverFinding, showsGate, signInGate } from "./refusal.js";
import { doctorLine } from "./shell.js";
import type { Cause, Finding, FindingCode } from "./types.js";

/** What the facts show: why calls fail, then notes. */
export function findingsOf(facts: Facts): Finding[] {
  const { call, runtime } = facts;
  // Without the module, or with credentials that cannot be used, no call was made, so the probes show what would fail next.
  const findings = [...(runtime ? [runtimeFinding(runtime, facts)] : []), ...(call ? [] : noReplyFindings(facts).map((finding) => perhapsOfWorker(facts, finding)))];
  const found = (call?.error || call?.foreign ? callFindings(facts, call) : []).map((finding) => heldBack(call!, titled(facts, call!, perhapsOfWorker(facts, finding))));
  const doubled = call && found.length === 0 ? undefined : doubledPath(facts);
  // Of what answers there, nothing else matters.
  if (doubled) findings.push(doubled);
  if (!doubled || !hasAnswered(facts)) findings.push(...found);
  return [...findings, ...notes(facts, findings)];
}

function doubledPath({ baseUrl = "", settings }: Facts): Finding | undefined {
  const base = baseOfEndpoint(baseUrl);
  if (base === undefined) return undefined;
  return errorFinding({ code: "base_url", message: `The base URL contains ${PATH}, which the client adds to it: the requests go to ${baseUrl}${PATH}.`, fix: settings.baseUrl(base) });
}

/** Whether something answered the call, or would answer. */
function hasAnswered({ call, reach, plain }: Facts): boolean {
  const error = Object(call?.error) as Partial<AnyBookMoreError & { status: number }>;
  const came = (reach ?? plain)?.came;
  return error.status !== undefined || (error.code === "network_error" && came !== "nothing" && came !== "late");
}

function runtimeFinding({ code, message, cause }: AnyBookMoreError, facts: Facts): Finding {
  const { page, moduleRefusedAt } = facts;
  if (moduleRefusedAt !== undefined && page !== undefined) return errorFinding(refusedConnection(facts, moduleRefusedAt, page, "fetch the SDK's module from"));
  // bookmore-sdk/slim fetches the module from the app's URL.
  if (code === "network_error" || code === "timeout") return errorFinding({ code: "module_missing", message });
  if (code !== "runtime_unsupported") return errorFinding({ code: code as FindingCode, message });
  // If something other than WebAssembly is missing, the error has no cause.
  if (typeof WebAssembly !== "object" && cause !== undefined) return errorFinding({ code: "wasm_missing", message });
  const isCsp = page !== undefined && isRefusal(cause);
  const policy = directiveWith("script-src", ["'wasm-unsafe-eval'"], facts.modulePolicy);
  return errorFinding(isCsp ? { code: "wasm_csp", message, fix: isExtension(page) ? `"content_security_policy": { "extension_pages": "${policy}" }` : policy } : { code, message });
}

/** Findings that blame the address. */
const OF_ADDRESS: readonly FindingCode[] = ["moved", "trailing_slash", "redirected"];

/** The causes, with those last for which `isLast`. */
const sortedBy = (causes: Cause[] = [], isLast: (cause: Cause) => boolean): Cause[] => [...causes.filter((cause) => !isLast(cause)), ...causes.filter(isLast)];

const DENIED: Cause = { code: "permission_denied", message: "The credentials may give no access to what was asked for: some servers then redirect to another page, instead of answering with a 403." };

/** A redirect that may be to a sign-in: some servers answer refused credentials so. `location`: where the call is redirected to, if that is known. */
function perhapsRefused(facts: Facts, call: Call, given: Finding, location: string | undefined): Finding {
  // If only the call is redirected, the base URL is right: credentials make the difference, or what is behind the check of them redirects.
  const isCallAlone = facts.plain?.came === "reply" && facts.plain.url === undefined;
  const isOfAddress = ({ code }: Cause) => OF_ADDRESS.includes(code);
  const candidates = isCallAlone ? sortedBy(given.candidates?.filter(({ code }) => code !== "base_url"), isOfAddress) : (given.candidates ?? []);
  const finding: Finding = given.candidates ? { ...given, candidates } : given;
  const known = knownCauses(facts, call);
  const indexOf = (code: FindingCode): number => candidates.findIndex((cause) => cause.code === code);
  const signIn = indexOf("sign_in_redirect");
  if (signIn < 0 || !call.sent) return withFirst(known, finding);
  const to = targetOf(facts, location);
  const [refused] = known.length > 0 ? known : [credentialsCause(facts, call, "Some servers redirect to a sign-in page when they refuse credentials, instead of answering with a 401.")];
  const isSession = sendsNone(call) && facts.sendsCookies;
  const hasAccess = untimely(facts, call).length === 0 && (isSession || !sendsNone(call));
  const isDenial = to !== undefined && isDenied(to);
  if (hasAccess && (isDenial || (isSession && isCallAlone))) return withFirst([DENIED, refused!], finding);
  const isSame = location !== undefined && targetOf(facts) === to;
  const more = [...(known.length > 0 ? [] : [refused!]), ...(hasAccess && !isSame ? [DENIED] : [])];
  // Where nothing shows that it is a sign-in, moves are likelier.
  const at = isCallAlone ? signIn : to === undefined ? indexOf("base_url") : signIn + 1;
  const failed = isCallAlone && to === undefined ? [TO_ERROR_PAGE] : [];
  return { ...finding, candidates: [...known, ...candidates.slice(0, at), ...more, ...candidates.slice(at), ...failed] };
}

/** Findings that come from a reply, which a service worker may have made. */
const BY_REPLY: readonly FindingCode[] = [
  "credentials_missing", "credentials_refused", "token_refused", "key_refused", "permission_denied", "company_mismatch",
  "rate_limited", "server_error", "api_error", "base_url", "unexpected_response", "decode_error",
];

/** What a page's service worker does reads like the server's doing. */
function perhapsOfWorker(facts: Facts, finding: Finding): Finding {
  const { hasServiceWorker, page, baseUrl } = facts;
  if (!hasServiceWorker || page === undefined || baseUrl === undefined || !(finding.candidates || BY_REPLY.includes(finding.code))) return finding;
  const worker: Cause = {
    code: "service_worker",
    message: "The page's service worker stands between the page and the server, and may answer by itself: Angular's makes a 504 of each failure of the network. Let it leave the API to the browser (Angular: a header ngsw-bypass, which a server of another origin has to allow by its CORS settings).",
    fix: `if (event.request.url.startsWith("${baseUrl}/")) return;`,
  };
  // Without a network, or where CORS hides the reply, workers make up such errors.
  const candidates = finding.code === "server_error" ? [worker, ...meanings(finding)] : [...meanings(finding), worker];
  return { ...finding, candidates, ...doctorLine(facts) };
}

/** A call that was not sent fails with an earlier reply. */
const heldBack = ({ isHeld }: Call, finding: Finding): Finding => (isHeld ? { ...finding, message: `${finding.message} That is the reply to an earlier call: it asks for a pause, which the client keeps, so this call was not sent.` } : finding);

/** Adds the title of the page that a GET without credentials gets, if the call gets a page with the same status. */
function titled(facts: Facts, { error, isHeld }: Call, finding: Finding): Finding {
  const { status: got, contentType = "", message = "" } = Object(error) as { status?: number; contentType?: string; message?: string };
  const { status, title, isPage } = replyOf(facts.plain) ?? {};
  const isSame = isPage && title !== undefined && !isHeld && got === status && (/html/i.test(contentType) || gotPage({ message }));
  // What adds credentials to the GET, or answers it from a cache, may get a page of somebody's own.
  return isSame && !facts.hasServiceWorker && !mayAddCredentials(facts) ? { ...finding, message: `${finding.message} The page's title: ${JSON.stringify(title)}.` } : finding;
}

function callFindings(facts: Facts, call: Call): Finding[] {
  const { error, foreign, isControlFlow } = call;
  if (isControlFlow) return [errorFinding({ code: "control_flow", message: "The client's fetch or bearerToken threw a framework's control flow, such as a redirect, which a call passes on unchanged." })];
  if (!error) return [errorFinding({ code: "stand_in", message: `What was passed as the client does not behave like one: it ${foreign}.` })];
  const { code, message } = error;
  switch (code) {
    case "network_error": {
      const [lost, known] = [lostFindings(facts, call), untimely(facts, call).map(errorFinding)];
      return hasAnswered(facts) ? [...known, ...lost] : [...lost, ...known];
    }
    case "token_provider_error":
      return [errorFinding({ code, message: providerWords(error) })];
    case "authentication_error":
      return [refusalFinding(facts, call, error)];
    case "api_error":
      return [apiFinding(facts, call, error)];
    case "unexpected_response":
      return [unexpected(facts, call, error)];
    case "decode_error":
      return [withFirst(untimely(facts, call), error.isRetryable ? decodeFinding(error, facts) : perhapsInSuccess(facts, call, decodeFinding(error, facts)))];
    case "company_mismatch": {
      const own: Cause = { code, message: OWN[code]! };
      const lost = notPassedOn("the query, which names the company");
      const candidates = isOwnServer(facts) ? [lost, own] : [own, lost];
      return [{ ...errorFinding({ code, message }), ...(mayBePassedOn(facts) ? { candidates } : {}) }];
    }
    case "permission_denied":
      return [deniedFinding(facts, call, error)];
    case "rate_limited":
      return [limitedFinding(error)];
    case "server_error":
      return [serverFinding(facts, call, error)];
    case "timeout":
      return [timeoutFinding(facts, call, error)];
    case "runtime_unsupported":
      // Already reported by the step that loads the module.
      return facts.runtime ? [] : [runtimeFinding(error, facts)];
    default:
      // Their codes are those of their findings.
      return [errorFinding({ code: code as FindingCode, message })];
  }
}

function timeoutFinding(facts: Facts, call: Call, { code, message, attempts }: Extract<AnyBookMoreError, { code: "timeout" }>): Finding {
  const { page, headers, waitsLonger } = facts;
  const limit = waitsLonger ? ` A call may take ${LIMIT_MS / 1000} s here; the client waits longer.` : "";
  const told = (cause: Cause): Finding => errorFinding({ ...cause, message: cause.message + limit });
  if (isLate(facts)) return told(late(facts));
  // Before anything was sent, and once headers have come, the browser holds nothing back.
  const isBody = attempts?.at(-1)?.status !== undefined || message.startsWith("The reply was not complete");
  const waits = page === undefined || attempts?.length === 0 || isBody ? "" : whatWaits(facts);
  const candidates = page !== undefined && showsGate(facts) ? signInGate(facts, call) : [];
  const unanswered = Object.keys(headers).filter((name) => headers[name]!.came === "late");
  if (unanswered.length > 0) {
    candidates.push({ code: "cors_preflight", message: `The server, or something on the way, such as a firewall, does not answer OPTIONS, which a browser sends before a request with ${unanswered.join(" or ")}.` });
  }
  const mayBeDropped = candidates.length === 0 && attempts?.length !== 0 && !isBody && facts.plain?.came === "reply" && !sendsNone(call);
  if (candidates.length === 0 && !mayBeDropped) return told({ code, message: message + (waits && ` Perhaps ${waits}.`) });
  candidates.push({ code, message: `The server, or something on the way, is slow${waits && `, or ${waits}`}.` });
  if (mayBeDropped) candidates.push({ code: "blocked_reply", message: "Something on the way, such as a firewall or a VPN, drops what carries the credentials, or what is as long (MTU): a GET without them is answered." });
  return { ...told({ code, message }), candidates, ...doctorLine(facts) };
}

/** No reply to the call. Browsers follow no redirect of a preflight, so where plain GETs are redirected, OPTIONS may be, too. */
function lostFindings(facts: Facts, call: Call): Finding[] {
  const { plain, contentType, again } = facts;
  const isRedirected = plain?.came === "redirect" && contentType?.came === "nothing" && again?.came !== "nothing";
  const found = isRedirected ? redirectFinding(facts) : undefined;
  // Another address has CORS settings of its own.
  if (found && isAddress(found.code)) return [found];
  const lost = noReplyFindings(facts, call).map((finding) => (finding.code === "preflight_refused" ? withFirst(answeredAlike(facts, call), finding) : finding));
  return [...(found ? [found] : []), ...lost];
}

/** What a GET without credentials is answered with shows that CORS settings may not be why OPTIONS is refused. */
function answeredAlike(facts: Facts, call: Call): Cause[] {
  const { status = 0, isApi } = replyOf(facts.plain) ?? {};
  const answer = `A GET without credentials is answered with ${status}, and OPTIONS perhaps, too: `;
  if (isApi) return [];
  if (status >= 500) return [{ code: "server_error", message: `${answer}the server, or one behind it, has failed or is down.` }, notTheApi(facts)];
  if (status === 429) return [{ code: "rate_limited", message: `${answer}a quota is used up, or a rate limit is exceeded.` }];
  if (status === 403) return [...signInGate(facts, call), REFUSED_IN_FRONT, notTheApi(facts)];
  if (status === 401) return showsGate(facts) ? signInGate(facts, call) : [];
  return status === 200 || status >= 400 ? [notTheApi(facts)] : [];
}

/** The message, where the function's own error is, and why it was called. */
function providerWords({ message, cause, attempts }: AnyBookMoreError): string {
  const isRefused = attempts?.at(-1)?.status === 401;
  const own = cause === undefined ? message : "The bearerToken function failed. A call's error has the function's error as its cause.";
  return isRefused ? `${own} It was called with forceRefresh because the server refused the first token (401).` : own;
}

/** Some servers answer refusals with 200 and an error in JSON. The client reads only ServiceStack's form of that. */
function perhapsInSuccess(facts: Facts, call: Call, finding: Finding): Finding {
  const { status, message } = replyOf(facts.plain) ?? {};
  if (status !== 200 || message === undefined) return finding;
  const refused = credentialsCause(facts, call, "A GET without credentials is answered with 200 and a message, and a usage has no message. Some servers report errors in this way, such as refused credentials.");
  return (CREDENTIALS.test(message) ? withFirst : withLast)([refused], finding);
}

function decodeFinding({ code, message, isRetryable, offset }: Extract<AnyBookMoreError, { code: "decode_error" }>, facts: Facts): Finding {
  if (isRetryable && offset === 0) {
    const { candidates = [], ...finding } = perhapsNotTheApi(facts, { code: "empty_reply", message: "The reply has no body, or none that arrived." }, { code: "not_passed_on", message: "A server of yours that passes replies on leaves their bodies out." });
    return { ...finding, candidates: isRefusalOfApi(facts.plain) ? [CUT_OFF, ...candidates] : [...candidates, CUT_OFF] };
  }
  // A truncated reply is the only retryable one of these errors.
  if (isRetryable) return errorFinding(truncated(message));
  return perhapsNotTheApi(facts, { code, message }, { code, message: "It is the API, in a version that this package does not read, or a server of yours that passes its replies on changes them, such as an error's status to 200." });
}

const CONTENT_TYPE: Cause = {
  code: "content_type",
  message: "It is the API's own reply: a proxy or a server of yours on the way does not pass on the Accept header, so that the API answers in another format, or does not pass on the Content-Type. It has to pass on both.",
};

/** A reply that is neither JSON nor HTML by its label. Servers label as text/plain what they are not told the type of. */
function labelledOtherwise(finding: Cause, contentType: string, facts: Facts): Finding {
  return perhapsNotTheApi(facts, finding, CONTENT_TYPE, isRefusalOfApi(facts.plain) || /^(text\/plain|application\/octet-stream)\b/i.test(contentType));
}

const PHP = "PHP: its log tells more, and display_errors has to be off";

/** What a page may stand for that the call alone gets. */
const REPLACED: Cause[] = [
  { code: "permission_denied", message: "The credentials give no access to what was asked for, and something in front of the API shows a page in place of its 403 or 404: a CDN (CloudFront: custom error responses), or nginx (error_page)." },
  { code: "server_error", message: `The server failed, and something in front of it shows a page in place of its error; or a script that passes requests on prints an error of its own (${PHP}).` },
];

/** HTML with status 200. */
function htmlFinding(facts: Facts, call: Call): Finding {
  const { baseUrl } = facts;
  const login: Cause = { code: "login_page", message: "It is a sign-in page, of a proxy or of the server, which did not accept what was sent as a login.", ...(call.sent ? renewal(call.sent, facts) : {}) };
  const app: Cause = { code: "base_url", ...wrongBase(facts, "It is the page of a web app, which answers whatever it is asked for: the API lives elsewhere.") };
  const blocked: Cause = { code: "blocked_reply", message: "It is a page of something in between, such as a notice of maintenance, a company's proxy or a tunnel. Open it in a browser to see.", ...fixBy(baseUrl && baseUrl + PATH) };
  // The page that a GET without credentials gets by the same status is most likely the same.
  const plain = replyOf(facts.plain);
  const { isPage, shows } = plain?.status === 200 ? plain : {};
  const script: Cause[] = shows === "script" ? [{ code: "server_error", message: `A script that passes requests on prints an error of its own into the reply (${PHP}).` }] : [];
  const likeliest = !isPage || shows === "sign-in" ? [login, app, CONTENT_TYPE, blocked] : shows === "block" || shows === "down" ? [blocked, login, app, CONTENT_TYPE] : [app, login, blocked, CONTENT_TYPE];
  return (isPage ? withLast : withFirst)(untimely(facts, call), {
    ...errorFinding({ code: "html_reply", message: "The reply is HTML, or is labelled so, instead of JSON." }),
    candidates: isRefusalOfApi(plain) ? [login, ...REPLACED, CONTENT_TYPE, blocked] : [...script, ...likeliest, ...(isPage ? [] : REPLACED)],
  });
}

/** A status without a usage. */
const HELD_BACK: Cause = { code: "blocked_reply", message: "Something in front of the API, such as bot protection (AWS WAF's answers with 202), holds the request back." };

function unexpected(facts: Facts, call: Call, { message, location, contentType, status }: Extract<AnyBookMoreError, { code: "unexpected_response" }>): Finding {
  if (contentType !== undefined) {
    const plain = replyOf(facts.plain);
    if (plain?.status === 200 && plain.shows === "host") return errorFinding(refusedHost(facts));
    return /html/i.test(contentType) ? htmlFinding(facts, call) : labelledOtherwise({ code: "unexpected_response", message }, contentType, facts);
  }
  if (status === 304) return errorFinding({ code: "unexpected_response", message });
  // A page sees the status of what is no redirect for want of a target.
  const isRedirect = location !== undefined || status === 0 || (facts.page === undefined && status >= 300 && status < 400);
  if (!isRedirect) return perhapsNotTheApi(facts, { code: "unexpected_response", message }, HELD_BACK);
  const found = redirectFinding(facts, location);
  if (isAddress(found.code)) return found;
  // A sign-in has another path.
  return targetOf(facts, location)?.includes(PATH) ? withFirst(knownCauses(facts, call), found) : perhapsRefused(facts, call, found, location);
}

/** Findings that do not prevent calls. */
function notes(facts: Facts, errors: Finding[]): Finding[] {
  const { baseUrl, call, plain, now, headerNames, isJsonl } = facts;
  const found: Finding[] = [];
  const note = (code: FindingCode, message: string, fix?: string) => found.push({ code, level: "note", message, ...fixBy(fix) });
  const there = serverClock(facts);
  const isClockKnown = errors.some(({ code }) => code === "clock_skew" || code === "token_expired" || code === "token_not_yet_valid");
  if (there !== undefined && Math.abs(there - now) > LARGEST_SKEW_MS && !isClockKnown) {
    note("clock_skew", `${skewOf(there, now)}: tokens may seem to be expired, or not yet valid. ${SET_CLOCK}`, facts.settings.clock);
  }
  const url = baseUrl === undefined ? undefined : new URL(baseUrl);
  // A page that was loaded by https gets no usage by plain http: its policy made the browser use https.
  const isUpgraded = facts.page?.startsWith("https:") && call && !call.error;
  if (url && isInsecure(baseUrl!) && headerNames.length > 0 && !isUpgraded && !errors.some(({ code }) => code === "mixed_content")) {
    note("insecure_http", `What the client sends (${headerNames.join(", ")}) goes to ${url.origin} by plain http: anyone in between can read it.`, httpsFix(baseUrl!, facts.settings).fix);
  }
  if (replyOf(plain)?.isCamelCase) note("reply_form", "The server writes camelCase, not the PascalCase of its documentation; the client reads both.");
  const isJsonlReply = call?.contentType && /jsonl/i.test(call.contentType);
  if (call?.contentType && baseUrl !== undefined && !call.error && isJsonl !== Boolean(isJsonlReply)) {
    note("reply_form", `The client asked for ${isJsonl ? "JSON Lines" : "JSON"} and got ${call.contentType}; it reads both.`);
  }
  // In a page, the two may differ because of CORS.
  const isUnsteady = facts.page === undefined && call && !call.error && !call.foreign && facts.reach?.came === "nothing";
  if (isUnsteady) note("unsteady", "The call returned a usage, but a probe before it got no reply: the connection may be unreliable, or what has no credentials is dropped on the way.");
  return found;
}
