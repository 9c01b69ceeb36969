import { isIP } from "node:net";
import { BookMoreClient, isBookMoreError, type GetAiChatUsage } from "bookmore-sdk";
import { isSafelisted, isSameOrigin, passesCorsCheck } from "../cors.js";
import { baseOfEndpoint } from "../diagnose/base-url.js";
import { Examination } from "../diagnose/examine.js";
import type { Call, Facts, Probe } from "../diagnose/facts.js";
import { byHttps, corsFix, fixBy, httpsFix, IN_CODE, type Settings } from "../diagnose/fixes.js";
import { errorFinding, isLate, NEEDS_HTTPS } from "../diagnose/network.js";
import { findingsOf } from "../diagnose/outcome.js";
import { LIMIT_MS, limited, systemCode } from "../diagnose/probe.js";
import { isAddress } from "../diagnose/redirect.js";
import { shellWord } from "../diagnose/shell.js";
import type { Cause, Finding, FindingCode } from "../diagnose/types.js";
import { isForbiddenHeader, isHeaderName } from "../header-name.js";
import { isInsecure, isLoopback, isMixedContent } from "../loopback.js";
import { FETCH_BROKEN, isFetchBroken } from "../platform.js";
import { parsed } from "./arguments.js";
import { baseUrlOf, CALL_OPTIONS, clientOf, constructed, sourceName, VARIABLES, WAYS, type Given } from "./credentials.js";
import { again, againWithoutScripts, loadsScripts } from "./doctor/again.js";
import { Checklist, listed, type Checked } from "./doctor/checklist.js";
import { answered, certified, connected, NO_TUNNEL, resolved } from "./doctor/connection.js";
import { allowedOrigin, askedAsPage, askedPlainly, corsFindings, isHiddenRedirect, openedInBrowser, type CorsReply, type PageRequest } from "./doctor/cors.js";
import { behindProxy, excluded, proxied, through, unreadable, unusedProxy } from "./doctor/proxy.js";
import { excludedProxy, ignoredProxy, isHeeded, proxyFor, unreadableProxy, usedProxy, type Proxy } from "./doctor/proxy-settings.js";
import { codeIn, hostOf, slowConnection, systemCause, unreachable } from "./doctor/system.js";
import { badArguments, EXIT, Failure, isForCredentials, unlessEnded } from "./exit.js";
import { print } from "./output.js";
import { endReconnecting } from "./reconnecting.js";

/** Findings that another token or key fixes. */
const CREDENTIALS: FindingCode[] = ["credentials_missing", "token_expired", "token_not_yet_valid", "token_refused", "key_refused", "token_provider_error"];

/** Errors on the way that explain whatever the call came to. */
const DECISIVE: FindingCode[] = ["offline", "connect_timeout", "proxy_refused", "needs_https", "not_tls", "client_certificate"];

/** What lets the system set its clock by the network. */
const SET_CLOCK: Partial<Record<NodeJS.Platform, string>> = {
  linux: "sudo timedatectl set-ntp true",
  darwin: "sudo sntp -sS time.apple.com",
  win32: "w32tm /resync",
};

/** The message of `cors_missing` where refusals have CORS headers. */
const USAGE_ALONE = "The reply with a usage has no CORS headers, although the refusal of a GET without credentials has them. What produces the usage, such as the Lambda function behind AWS's API Gateway, has to send them itself.";

/** What is left of `cors_error_replies` where a page may read a usage. */
const ONLY_ERRORS = "The reply with a usage has CORS headers, and the refusal of a GET without credentials has none: a page takes a refusal for a lost network, and asks for no new token.";

/** `bookmore-sdk doctor`. */
export async function doctor(args: string[], signal: AbortSignal): Promise<number> {
  const string = { type: "string" } as const;
  const boolean = { type: "boolean" } as const;
  const { values, positionals } = parsed(args, { ...CALL_OPTIONS, origin: string, headers: string, credentials: boolean, json: boolean });
  if (positionals.length > 1) throw badArguments("doctor takes at most one company; see --help.");
  if (values.origin === undefined && (values.headers !== undefined || values.credentials)) throw badArguments("--headers and --credentials go with --origin.");
  const page = originOf(values.origin);
  const headerNames = namesOf(values.headers);
  const [companyId] = positionals;
  const request = companyId === undefined ? {} : { companyId };
  if (companyId !== undefined && !isFetchBroken()) await checkRequest(request);

  const checklist = new Checklist(signal);
  // What was found before Ctrl+C is not lost.
  signal.addEventListener("abort", () => {
    const isByUser = (signal.reason as Failure).exitCode === EXIT.interrupted;
    if (isByUser && !values.json && checklist.steps.length > 0) void print(listed(checklist.steps));
  });
  checklist.announce("credentials");
  const { client, source, refusal } = await unlessEnded(signal, clientFor(values));
  const examination = new Examination(client, request, signal, checklist.add);
  const { facts } = examination;
  facts.settings = inShell(source, values["token-file"]);
  const baseUrl = facts.baseUrl!;
  endReconnecting();
  await examination.options();
  if (refusal) await checklist.step("credentials", async () => ({ outcome: "failed", detail: "cannot be used", findings: [refusal] }));
  await examination.runtime();
  const unnamed = await way(checklist, facts, signal);
  const includesCookies = values.credentials ?? false;
  checklist.announce("reachability");
  await examination.network();
  // A page sends what the client here sends, or a token, unless it has cookies.
  const own = facts.headerNames.length > 0 || includesCookies ? facts.headerNames : ["authorization"];
  const asked = page === undefined ? undefined : { page, headerNames: headerNames ?? own, includesCookies };
  let without: CorsReply | undefined;
  if (asked) {
    without = await asPage(checklist, baseUrl, asked, facts.reach, signal);
    fail(checklist, [...mixedContent(asked.page, baseUrl), ...unnamed]);
  }
  if (!refusal) {
    checklist.announce("call");
    // Many servers send CORS headers only to a request with an Origin.
    const sendsOrigin = asked && !isSameOrigin(baseUrl, asked.page) && !pageStep(checklist)!.findings.some(({ code }) => code === "cors_origin");
    if (sendsOrigin) sendOrigin(asked.page);
    await examination.call();
    if (sendsOrigin) readAsPage(checklist, facts, asked, without);
  }
  return reported(checklist, facts, { isJson: values.json ?? false, source, page, includesCookies, isRefused: refusal !== undefined });
}

/** From here on fetch sends this Origin, as a page's does. */
function sendOrigin(page: string): void {
  const { fetch } = globalThis;
  globalThis.fetch = (input, init) => {
    const headers = new Headers(init?.headers);
    headers.set("origin", page);
    return fetch(input, { ...init, headers });
  };
}

/** Whether the page, which may read everything else, may read the usage as well. `without`: the reply to a GET without credentials. */
function readAsPage(checklist: Checklist, { call, baseUrl }: Facts, asked: PageRequest, without: CorsReply | undefined): void {
  const isError = ({ level }: Finding): boolean => level === "error";
  if (!call?.headers || call.error || pageStep(checklist)!.findings.some(isError)) return;
  const reply = { status: 200, headers: new Headers(call.headers) };
  const found = corsFindings(asked, baseUrl!, { preflight: undefined, reply }, undefined, undefined).filter(isError);
  const isAlone = without !== undefined && without.status >= 400 && passesCorsCheck(without.headers, asked.page, asked.includesCookies);
  fail(checklist, found.map((finding) => (finding.code === "cors_missing" && isAlone ? { ...finding, message: USAGE_ALONE } : finding)));
}

const pageStep = ({ steps }: Checklist) => steps.find(({ name }) => name === "page");

/** Adds errors to the step for the page, before its own. */
function fail(checklist: Checklist, errors: Finding[]): void {
  const step = pageStep(checklist)!;
  if (errors.length > 0) Object.assign(step, { outcome: "failed", findings: [...errors, ...step.findings] });
}

/** An invalid company id is a wrong argument. The engine refuses it before it sends anything. */
async function checkRequest(request: GetAiChatUsage): Promise<void> {
  const client = new BookMoreClient({ maxRetries: 0, fetch: async () => new Response(null, { status: 204 }) });
  await client.getAiChatUsage(request).catch((error: unknown) => {
    if (isBookMoreError(error) && error.code === "config_error") throw badArguments(error.message);
  });
}

interface Credentials {
  client: BookMoreClient;
  /** Where the token or the key is from. */
  source: string | undefined;
  /** Why they cannot be used. */
  refusal?: Finding;
}

/** A client with the environment's credentials; or without any if they are unusable, so that everything else can still be tried. */
async function clientFor(given: Given): Promise<Credentials> {
  const source = sourceName(given);
  const client = constructed(given, {});
  if (source === undefined) return { client, source };
  const baseUrl = baseUrlOf(given);
  if (baseUrl !== undefined && isInsecure(baseUrl)) {
    const message = "No call is made, because no token and no key goes over plain http: the server needs https, or a tunnel to a port of this machine (ssh -L). An app whose client has the option allowInsecureHttp does send them.";
    // Servers say that they listen at 0.0.0.0, which stands for each address of their machine.
    const better = hostOf(new URL(baseUrl)) === "0.0.0.0" ? baseUrl.replace("0.0.0.0", "127.0.0.1") : byHttps(baseUrl);
    return { client, source, refusal: errorFinding({ code: "insecure_http", message, ...fixBy(better && again(better)) }) };
  }
  try {
    // Without refreshing, because the question is why this token is refused.
    return { client: await clientOf(given, {}, false), source };
  } catch (error) {
    if (!(error instanceof Failure) || error.exitCode !== EXIT.badCredentials) throw error;
    return { client, source, refusal: { code: "token_provider_error", level: "error", message: error.message } };
  }
}

/** The way to the server, step by step; keeps the status of the reply as a fact. If fetch uses a proxy, only that way is tried. Resolves with what only browsers refuse. */
async function way(checklist: Checklist, facts: Facts, signal: AbortSignal): Promise<Finding[]> {
  const baseUrl = facts.baseUrl!;
  const isHttps = baseUrl.startsWith("https:");
  const proxy = proxyFor(baseUrl);
  if (proxy) {
    const { outcome } = await checklist.step("proxy", () => proxied(proxy, baseUrl, signal));
    if (isHeeded()) return outcome === "ok" && isHttps ? unnamedBy(baseUrl, await checklist.step("TLS", () => certified(baseUrl, signal, through(proxy, baseUrl)))) : [];
  }
  const from = checklist.steps.length;
  let unnamed: Finding[] = [];
  const { addresses } = await checklist.step("name", () => resolved(baseUrl, signal));
  if (addresses.length > 0) {
    let { outcome } = await checklist.step("connection", () => connected(baseUrl, addresses, signal));
    if (outcome === "ok" && isHttps) {
      const came = await checklist.step("TLS", () => certified(baseUrl, signal));
      unnamed = unnamedBy(baseUrl, came);
      ({ outcome } = came);
    }
    if (outcome === "ok") facts.earlier = (await checklist.step("HTTP", () => answered(baseUrl, signal))).status;
  }
  const failed = checklist.steps.slice(from).find(({ outcome }) => outcome === "failed");
  const isConnected = failed?.name !== "name" && failed?.name !== "connection";
  const avoided = isConnected || isLoopback(new URL(baseUrl).hostname) ? undefined : excludedProxy(baseUrl);
  if (avoided) failed!.findings.push(excluded(avoided, baseUrl));
  const misspelt = unreadableProxy(baseUrl);
  if (misspelt !== undefined) (failed ?? checklist.steps.at(-1)!).findings.push(unreadable(misspelt, failed === undefined));
  const unused = proxy ?? (isConnected ? undefined : ignoredProxy(baseUrl));
  if (!unused) return unnamed;
  checklist.announce("proxy");
  const step = proxy ? checklist.steps[from - 1] : failed;
  step!.findings.push(await unusedProxy(unused, baseUrl, failed === undefined, signal));
  return unnamed;
}

/** A certificate without subjectAltName, for which Node.js alone reads the common name. */
function unnamedBy(baseUrl: string, { isWithoutNames, findings = [] }: Checked & { isWithoutNames?: boolean }): Finding[] {
  if (!isWithoutNames || findings.some(({ code }) => code === "certificate_name")) return [];
  const url = new URL(baseUrl);
  const name = `${isIP(hostOf(url)) ? "IP" : "DNS"}:${hostOf(url)}`;
  return [errorFinding({ code: "certificate_name", message: `Browsers refuse the certificate of ${url.host}: it has no subjectAltName, and they do not read its common name, as Node.js does. Whoever makes the certificate has to write subjectAltName=${name}.` })];
}

/** What browsers do not send at all. Some ask the user instead, if the server is in the local network. */
function mixedContent(page: string, baseUrl: string): Finding[] {
  if (!isMixedContent(page, baseUrl)) return [];
  return [errorFinding({ code: "mixed_content", message: `Browsers block requests of a page that was loaded by https to plain http; for a server in the local network some ask the user instead. ${NEEDS_HTTPS}`, ...httpsFix(baseUrl, IN_CODE) })];
}

const NO_LONGER: Cause = { code: "unsteady", message: "The server answered a plain GET at first, and does not any more: something, such as a firewall or a rate limiter, has begun to refuse this machine, or the server has stopped. Wait, and run doctor again." };

/** What a page may read, by what a browser would be told. `plain`: the outcome of a plain GET. Resolves with the reply to the GET of a page. */
async function asPage(checklist: Checklist, baseUrl: string, request: PageRequest, plain: Probe | undefined, signal: AbortSignal): Promise<CorsReply | undefined> {
  const hasAnswered = plain?.came === "reply" || plain?.came === "redirect";
  const message = "The server answers a plain GET, but not what a browser sends for a page: an OPTIONS request, or a GET with an Origin header.";
  const lost = (detail: string): Checked => ({
    outcome: "failed",
    detail,
    findings: hasAnswered ? [errorFinding({ code: "cors_preflight", message, ...corsFix(request) })] : [],
  });
  let got: CorsReply | undefined;
  await checklist.step("page", async (): Promise<Checked> => {
    if (isFetchBroken()) return { outcome: "skipped", detail: FETCH_BROKEN };
    if (isSameOrigin(baseUrl, request.page)) return { outcome: "skipped", detail: "the server's own origin: CORS does not apply" };
    const came = await limited(signal, (limit) => askedAsPage(request, baseUrl, limit).catch(() => "none" as const));
    if (came === undefined || came === "none") {
      const what = came ? "no reply" : `nothing within ${LIMIT_MS / 1000} s`;
      const reply = hasAnswered ? await limited(signal, (limit) => askedPlainly(baseUrl, limit).catch(() => undefined)) : undefined;
      return reply || !hasAnswered ? lost(what) : { outcome: "failed", detail: `${what}, and none to a plain GET any more`, findings: [errorFinding(NO_LONGER)] };
    }
    const { preflight, reply } = came;
    got = reply;
    // For comparison only: where it gets no reply, the page's own requests do.
    const opened = await limited(signal, (limit) => openedInBrowser(baseUrl, limit).catch(() => undefined));
    const findings = corsFindings(request, baseUrl, came, opened, plain);
    const isFine = findings.every(({ level }) => level === "note");
    const statuses = `${preflight ? `OPTIONS ${preflight.status}, ` : ""}GET ${reply.status}`;
    if (isHiddenRedirect(request, reply)) {
      const detail = `${statuses}: what a page gets with its credentials cannot be told from a redirect that it may not read`;
      return { outcome: isFine ? "skipped" : "failed", detail, findings };
    }
    return { outcome: isFine ? "ok" : "failed", detail: `${statuses}, allows ${allowedOrigin(reply) || "no origin"}`, findings };
  });
  return got;
}

interface Report {
  isJson: boolean;
  source: string | undefined;
  page: string | undefined;
  /** Whether the page sends cookies. */
  includesCookies: boolean;
  /** Whether the credentials could not be used, so that there was no call. */
  isRefused: boolean;
}

/** Prints the checklist, and gives the exit code. */
async function reported({ steps }: Checklist, facts: Facts, { isJson, source, page, includesCookies, isRefused }: Report): Promise<number> {
  const call = steps.find(({ name }) => name === "call");
  const onTheWay = steps.filter(({ name }) => name !== "page").flatMap(({ findings }) => findings);
  const hasUsage = facts.call !== undefined && !facts.call.error;
  if (hasUsage) lower(steps, facts.call!, page, includesCookies);
  // A proxy that made a tunnel is not to blame for what failed behind it, unless it made none for the TLS step.
  const hasTunnel = steps.some(({ name, outcome }) => name === "proxy" && outcome === "ok") && !steps.some(({ name, detail }) => name === "TLS" && detail === NO_TUNNEL);
  const proxy = facts.baseUrl!.startsWith("https:") && hasTunnel ? undefined : usedProxy(facts.baseUrl!);
  const isConnected = steps.some(({ name, outcome }) => name === "connection" && outcome === "ok");
  const known = new Set(onTheWay.filter(({ level }) => level === "error").map(({ code }) => code));
  const isDecided = !hasUsage && DECISIVE.some((code) => known.has(code));
  const findings = findingsOf(facts).flatMap((finding) => {
    // Some runtimes report a lost connection as an error of `fetch`.
    if ((finding.code === "no_reply" && finding.candidates === undefined) || finding.code === "fetch_error") return noReply(finding, facts, known, proxy, isConnected);
    if (finding.code === "timeout" && isLate(facts) && known.size === 0 && proxy) return [behindProxy(proxy, facts.baseUrl!)];
    if (finding.level === "error" && isDecided) return [];
    return known.has(finding.code) ? [] : [inTerminal(finding, source)];
  });
  // Then it was not the API that the page asked.
  if (isDecided || baseOfEndpoint(facts.baseUrl!) !== undefined || findings.some(({ code }) => isAddress(code))) for (const step of steps) if (step.name === "page") step.findings = [];
  const at = call ? "call" : facts.runtime ? "runtime" : "options";
  steps.find(({ name }) => name === at)!.findings.push(...findings, ...(hasUsage || known.size > 0 || findings.some(({ code }) => code === "custom_fetch") ? [] : loadedScripts(facts.baseUrl!)));
  const all = steps.flatMap((step) => step.findings);
  const ok = all.every(({ level }) => level === "note");
  if (isJson) {
    const plain = steps.map(({ findings, ...step }) => step);
    await print(`${JSON.stringify({ ok, url: facts.baseUrl, ...(page === undefined ? {} : { origin: page }), steps: plain, findings: all }, null, 2)}\n`);
  } else await print(listed(steps));
  if (ok) return EXIT.fine;
  return isRefused || (facts.call?.error && isForCredentials(facts.call.error)) ? EXIT.badCredentials : EXIT.someFailed;
}

/** A call that returned a usage shows that errors on the way do not prevent calls; nor do missing CORS headers of errors alone, if the page may read the usage. */
function lower(steps: Checklist["steps"], { headers }: Call, page: string | undefined, includesCookies: boolean): void {
  for (const step of steps) if (step.name !== "page") step.findings = step.findings.map((finding) => ({ ...finding, level: "note" }));
  if (page === undefined || !headers || !passesCorsCheck(new Headers(headers), page, includesCookies)) return;
  for (const step of steps) {
    const found = step.findings.find(({ code }) => code === "cors_error_replies");
    if (!found) continue;
    Object.assign(found, { level: "note", message: ONLY_ERRORS });
    if (step.findings.every(({ level }) => level === "note")) step.outcome = "ok";
  }
}

/** The finding for the system's error code, unless a step has already shown it. */
function noReply(finding: Finding, { baseUrl, reach, call }: Facts, known: Set<FindingCode>, proxy: Proxy | undefined, isConnected: boolean): Finding[] {
  if (known.size > 0) return [];
  const code = (reach?.came === "nothing" && reach.code) || systemCode(call?.error?.cause) || codeIn(call?.error?.message);
  const cause = systemCause(code);
  if (isConnected && (cause === "connection_refused" || cause === "unknown_host")) return [sentElsewhere(baseUrl!, code)];
  // Whose certificate is refused has answered.
  if (proxy && !cause?.startsWith("certificate_")) return [behindProxy(proxy, baseUrl!)];
  if (cause === "connect_timeout" && isConnected) return [errorFinding(slowConnection(baseUrl!, code))];
  const { doctor, ...plain } = finding;
  return [cause ? errorFinding(unreachable(cause, baseUrl!, code)) : plain];
}

/** This process could connect to the server, and its fetch could not. */
function sentElsewhere(baseUrl: string, code: string): Finding {
  const message = `A connection to ${new URL(baseUrl).host} was possible, and fetch got none (${code}): something in this process, such as a script that NODE_OPTIONS loads, has fetch connect elsewhere, for instance to a proxy; or the server has just been stopped.`;
  return errorFinding({ code: "custom_fetch", message, ...fixBy(loadsScripts() ? againWithoutScripts(baseUrl) : undefined) });
}

/** What may lie behind anything that fails. */
function loadedScripts(baseUrl: string): Finding[] {
  if (!loadsScripts()) return [];
  return [{ code: "custom_fetch", level: "note", message: "NODE_OPTIONS loads scripts into this process, which may replace its fetch, or what that connects with. Run doctor without them to see whether they matter.", fix: againWithoutScripts(baseUrl) }];
}

function inTerminal(finding: Finding, source: string | undefined): Finding {
  if (![finding, ...(finding.candidates ?? [])].some(({ code }) => CREDENTIALS.includes(code))) return finding;
  const empty = VARIABLES.filter((name) => process.env[name] === "").map((name) => ` ${name} is set, but empty.`).join("");
  const where = source === undefined ? `Set ${WAYS}${empty}` : `The ${source === "BOOKMORE_API_KEY" ? "key" : "token"} is from ${source}${source === "BOOKMORE_TOKEN_COMMAND" ? ", which ran once here; a call by usage runs it again after a refusal" : ""}.`;
  return { ...finding, message: `${finding.message} ${where}` };
}

/** How to set up the command's client. `read` keeps secrets out of the shell's history. */
function inShell(source: string | undefined, tokenFile = ""): Settings {
  // Not read -s, which dash does not have.
  const hidden = (name: string) => `stty -echo; read -r ${name}; stty echo`;
  const typed = (name: string) => `${hidden(name)}; export ${name}`;
  const credentials = typed("BOOKMORE_TOKEN");
  const tokens: Record<string, string | undefined> = {
    "--token-file": `${hidden("TOKEN")}; echo "$TOKEN" > ${shellWord(tokenFile)}`,
    // It runs again at each start, and a terminal should not show what it prints.
    BOOKMORE_TOKEN_COMMAND: undefined,
    BOOKMORE_TOKEN: credentials,
  };
  return {
    baseUrl: again,
    credentials,
    token: tokens[source ?? "BOOKMORE_TOKEN"],
    apiKey: typed("BOOKMORE_API_KEY"),
    clock: SET_CLOCK[process.platform],
  };
}

function originOf(given: string | undefined): string | undefined {
  if (given === undefined) return undefined;
  // A file or a sandboxed frame has the origin "null"; extensions and apps have schemes of their own.
  if (given === "null" || /^(?!https?:)[a-z][a-z\d+.-]*:\/\/[\w.-]+(:\d+)?$/.test(given)) return given;
  let url;
  try {
    url = new URL(given);
  } catch {
    // Refused below.
  }
  if (url && /^https?:$/.test(url.protocol) && url.pathname === "/" && url.search + url.hash + url.username === "") return url.origin;
  // It may have a password.
  throw badArguments("--origin must be the origin of a page, such as https://app.example: without a path, a query or a user name.");
}

function namesOf(given: string | undefined): string[] | undefined {
  if (given === undefined) return undefined;
  if (given === "none") return [];
  const names = [...new Set(given.split(",").map((name) => name.trim().toLowerCase()))];
  // Somebody may have given the values, too.
  if (!names.every(isHeaderName)) throw badArguments("--headers takes header names without values, separated by commas: --headers authorization,x-tenant.");
  const forbidden = names.find(isForbiddenHeader);
  if (forbidden === "cookie") throw badArguments("No page can set cookie: --credentials says that the page sends cookies.");
  if (forbidden !== undefined) throw badArguments(`No page can set ${forbidden}: browsers do not let it.`);
  return names.filter((name) => !isSafelisted(name));
}
