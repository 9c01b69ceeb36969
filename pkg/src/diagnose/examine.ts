import { isBookMoreError, TimeoutError, type AnyBookMoreError, type BookMoreClientLike, type GetAiChatUsage } from "bookmore-sdk";
import { abortReason } from "../abort.js";
import type { Outline } from "../calls.js";
import { isSafelisted, isSameOrigin } from "../cors.js";
import { partOf } from "../fetch.js";
import { guidDigits } from "../guid.js";
import { handled } from "../handled.js";
import { isLoopback, isMixedContent } from "../loopback.js";
import { PATH } from "../operation.js";
import { FETCH_BROKEN, isFetchBroken } from "../platform.js";
import { callsOf } from "../reach.js";
import { isControlFlow, isNative, isRefusal, textOf } from "../thrown.js";
import { isUsage } from "../watch/options.js";
import { baseOfEndpoint } from "./base-url.js";
import { claimsOf, flawOf } from "./claims.js";
import { mayAddCredentials, type Call, type Facts, type Probe } from "./facts.js";
import { IN_CODE } from "./fixes.js";
import { aheadMs, LIMIT_MS, limited, probe, type ProbeInit } from "./probe.js";
import type { DiagnosisStep } from "./types.js";

/** How long to wait for a violation of the policy, which Firefox and Chromium report one task after the refusal. */
const LATEST_VIOLATION_MS = 300;
/** Longer than a client's own limit, which tells more. */
const LONGEST_CALL_MS = LIMIT_MS + 1000;
/** A longer header is refused by some servers. */
const LONGEST_HEADER = 4000;
/** Replaces tokens, keys and header values in probes. */
const PLACEHOLDER = "placeholder";

const STAND_IN = "not a BookMoreClient of this version: only the call is tried";

type StepResult = [outcome: DiagnosisStep["outcome"], detail: string];

/** Runs the steps one after the other, and collects the facts. */
export class Examination {
  readonly steps: DiagnosisStep[] = [];
  readonly facts: Facts;
  readonly #client: BookMoreClientLike;
  readonly #request: GetAiChatUsage | undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onStep: ((step: DiagnosisStep) => void) | undefined;
  readonly #outline: Outline | undefined;

  constructor(client: BookMoreClientLike, request: GetAiChatUsage | undefined, signal: AbortSignal | undefined, onStep: ((step: DiagnosisStep) => void) | undefined) {
    this.#client = client;
    this.#request = request;
    this.#signal = signal;
    this.#onStep = onStep;
    // A client of an older copy of the package has no outline().
    this.#outline = callsOf(client)?.outline?.();
    const { baseUrl, headerNames = [], credentials, fetch, isJsonl = false, attemptTimeoutMs = 0, totalTimeoutMs = 0 } = this.#outline ?? {};
    const page = pageOrigin();
    this.facts = {
      page,
      baseUrl,
      headerNames: headerNames.filter((name) => !isSafelisted(name)),
      hasFetch: fetch !== undefined,
      isFetchReplaced: !isNative(fetch ?? globalThis.fetch),
      includesCookies: credentials === "include",
      sendsCookies: page !== undefined && baseUrl !== undefined && (credentials === "include" || (credentials !== "omit" && isSameOrigin(baseUrl, page))),
      isJsonl,
      waitsLonger: Math.min(attemptTimeoutMs, totalTimeoutMs) > LIMIT_MS,
      isOffline: globalThis.navigator?.onLine === false,
      // A sandboxed frame throws here.
      hasServiceWorker: Boolean(partOf(partOf(globalThis.navigator, "serviceWorker"), "controller")),
      isIsolated: globalThis.crossOriginIsolated === true,
      isWebKit: page !== undefined && /^Apple/.test(String(partOf(globalThis.navigator, "vendor"))),
      now: Date.now(),
      isRefusedByCsp: false,
      headers: {},
      settings: IN_CODE,
    };
  }

  async runtime(): Promise<void> {
    await this.#step("runtime", async () => {
      if (!this.#outline) return ["skipped", STAND_IN];
      let error: AnyBookMoreError | undefined = new TimeoutError({ message: "The SDK's module did not load in time.", phase: "module", scope: "total", timeoutMs: LIMIT_MS });
      const load = async () => {
        await this.#client.ready().then(() => (error = undefined), (thrown: unknown) => (error = isBookMoreError(thrown) ? thrown : undefined));
      };
      const isFetched = () => error?.code === "network_error";
      const isCompiled = () => error?.code === "runtime_unsupported" && isRefusal(error.cause);
      const refused = await this.#refused(() => limited(this.#signal, load), () => this.facts.page !== undefined && (isFetched() || isCompiled()), ({ effectiveDirective, blockedURI }) =>
        isFetched() ? effectiveDirective === "connect-src" && /^https?:/.test(blockedURI) : effectiveDirective === "script-src" && blockedURI === "wasm-eval");
      if (refused && isFetched()) this.facts.moduleRefusedAt = refused.blockedURI;
      this.facts.modulePolicy = refused?.originalPolicy;
      this.facts.runtime = error;
      return error ? ["failed", error.code] : ["ok", "the SDK's module runs"];
    });
  }

  async options(): Promise<void> {
    await this.#step("options", async () => {
      const { baseUrl, headerNames, sendsCookies, page } = this.facts;
      if (baseUrl === undefined) return ["skipped", STAND_IN];
      if (baseOfEndpoint(baseUrl) !== undefined) return ["failed", `${baseUrl}, which contains the path that the client adds`];
      const isMixed = page !== undefined && isMixedContent(page, baseUrl);
      const sent = [...headerNames, ...(sendsCookies ? ["cookies"] : [])];
      return [isMixed ? "failed" : "ok", `${baseUrl}, ${sent.length > 0 ? `with ${sent.join(", ")}` : "without credentials"}`];
    });
  }

  /** The probes: what answers, and what of it a page may read. */
  async network(): Promise<void> {
    const { facts } = this;
    const { baseUrl, page } = facts;
    if (baseUrl === undefined) return;
    if (!facts.hasFetch && isFetchBroken()) return this.#step("reachability", async () => ["skipped", FETCH_BROKEN]);
    if (page === undefined) {
      facts.reach = facts.plain = await this.#probe("reachability", {});
      return this.#follow({});
    }
    const cors: ProbeInit = { mode: "cors", credentials: "omit" };
    if (isSameOrigin(baseUrl, page)) {
      facts.reach = facts.plain = await this.#underPolicy(() => this.#probe("reachability", cors));
      return this.#follow(cors);
    }
    facts.plain = await this.#underPolicy(() => this.#probe("origin", cors));
    if (facts.plain.came === "late" || facts.isRefusedByCsp) return;
    if (facts.plain.came === "nothing") {
      // CORS does not apply to a no-cors request, whose reply is not read. Platforms refuse one that does not follow redirects.
      facts.reach = await this.#probe("reachability", { mode: "no-cors", credentials: "omit", redirect: "follow" });
      if (facts.reach.came === "nothing") facts.localNetwork = await limited(this.#signal, () => localNetworkPermission(new URL(baseUrl).hostname), LATEST_VIOLATION_MS);
      return;
    }
    await this.#follow(cors);
    for (const name of facts.headerNames) {
      facts.headers[name] = await this.#probe(`header ${name}`, { ...cors, headers: { [name]: PLACEHOLDER } });
    }
    if (Object.values(facts.headers).some(({ came }) => came === "nothing")) {
      facts.contentType = await this.#probe("header content-type", { ...cors, headers: { "content-type": "application/json" } });
    }
    if (facts.includesCookies) facts.cookies = await this.#probe("credentials", { ...cors, credentials: "include" });
    // A rate limiter may have taken effect in the meantime.
    if ([facts.contentType, facts.cookies].some((probe) => probe?.came === "nothing")) facts.again = await this.#probe("origin again", cors);
  }

  /** Where a redirect leads. A fetch that may add credentials would pass them on. */
  async #follow(init: ProbeInit): Promise<void> {
    const { facts } = this;
    if (facts.plain?.came === "redirect" && !mayAddCredentials(facts)) facts.followed = await this.#probe("redirect", { ...init, redirect: "follow" });
  }

  /** One real call, as the app would make it. */
  async call(): Promise<void> {
    if (this.facts.runtime) return;
    await this.#step("call", async () => {
      const call: Call = {};
      const calls = callsOf(this.#client);
      let requests = 0;
      const secrets: string[] = [];
      const note = (headers: Readonly<Record<string, string>>) => {
        requests++;
        const pairs = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const);
        call.sent = pairs.map(([name]) => name).filter((name) => name !== "accept");
        const { authorization, "x-api-key": key = "" } = Object.fromEntries(pairs);
        call.claims = claimsOf(authorization);
        const token = authorization?.replace("Bearer ", "");
        call.flaw = flawOf(token ?? key, token === undefined);
        call.isGuid = guidDigits(token) !== undefined;
        const cookies = this.facts.sendsCookies ? String(partOf(globalThis.document, "cookie")) : "";
        call.isLong = [...pairs.map(([, value]) => value), cookies].some(({ length }) => length > LONGEST_HEADER);
        secrets.push(...pairs.filter(([name]) => this.facts.headerNames.includes(name)).map(([name, value]) => (name === "authorization" ? token! : value)));
      };
      calls?.sendListeners?.add(note);
      try {
        const options = { maxRetries: 0, fresh: true, coalesce: false, totalTimeoutMs: Math.min(LIMIT_MS, this.#outline?.totalTimeoutMs ?? LIMIT_MS) };
        // A client's own timeout comes first and tells more; a stand-in may have none.
        const came = await limited(this.#signal, async (signal) => [await this.#client.getAiChatUsageWithResponse(this.#request, { ...options, signal })], LONGEST_CALL_MS);
        const [reply] = came ?? [];
        if (!came) call.foreign = `did not settle within ${LONGEST_CALL_MS / 1000} s`;
        else if (!isUsage(reply?.data)) call.foreign = "returned something that is not a usage";
        const headers = reply?.response?.headers;
        call.headers = headers;
        call.contentType = textOf(headers, "content-type");
        call.aheadMs = aheadMs(textOf(headers, "date"), textOf(headers, "age"));
      } catch (thrown) {
        if (this.#signal?.aborted) throw abortReason(this.#signal);
        if (isWhole(thrown)) call.error = thrown;
        else {
          call.isControlFlow = this.#outline !== undefined && isControlFlow(thrown);
          call.foreign = `threw ${/^\w{1,60}$/.exec(textOf(thrown, "name"))?.[0] ?? "something"}, which is not a BookMoreError`;
        }
      } finally {
        calls?.sendListeners?.delete(note);
      }
      // If the app made calls in the meantime, it is unknown which of the requests was this call's.
      if (!this.#outline || requests > (call.error?.attempts?.length ?? requests)) call.sent = call.claims = call.flaw = call.isLong = call.isGuid = undefined;
      const { status } = Object(call.error) as { status?: number };
      call.isHeld = this.#outline !== undefined && status !== undefined && call.error?.attempts?.length === 0;
      this.facts.call = call;
      this.#hide(secrets);
      this.facts.now = Date.now();
      if (call.foreign) return ["failed", call.foreign];
      return call.error ? ["failed", `${call.error.code}${status ? ` (${status})` : ""}${call.isHeld ? ", not sent again" : ""}`] : ["ok", "a usage"];
    });
  }

  /** A server may write into a redirect what it was sent. */
  #hide(secrets: string[]): void {
    const { plain, followed } = this.facts;
    const hidden = (url: string | undefined) => (secrets.some((secret) => secret.length >= 8 && url?.includes(secret)) ? `${new URL(url!).origin}/[REDACTED]` : url);
    for (const probe of [plain, followed]) {
      if (probe?.came === "redirect") probe.to = hidden(probe.to);
      if (probe?.came === "reply") probe.url = hidden(probe.url);
    }
  }

  /**
   * Runs a probe, and records whether the page's connect-src forbids it. Only for probes that follow no redirects: a
   * forbidden target is reported with the API's URL, too.
   */
  async #underPolicy(run: () => Promise<Probe>): Promise<Probe> {
    const { origin } = new URL(this.facts.baseUrl!);
    let came!: Probe;
    const refused = await this.#refused(async () => void (came = await run()), () => came.came === "nothing", ({ effectiveDirective, blockedURI }) =>
      effectiveDirective === "connect-src" && (blockedURI === origin || blockedURI.startsWith(`${origin}/`)));
    this.facts.isRefusedByCsp = refused !== undefined;
    this.facts.policy = refused?.originalPolicy;
    return came;
  }

  /** Runs what the page's policy may refuse. If it fails, returns the violation that is `isOwn`, which may come later. */
  async #refused(run: () => Promise<unknown>, hasFailed: () => boolean, isOwn: (event: SecurityPolicyViolationEvent) => boolean): Promise<SecurityPolicyViolationEvent | undefined> {
    const seen: SecurityPolicyViolationEvent[] = [];
    const own = () => seen.find((event) => event.disposition !== "report" && isOwn(event));
    let look = () => {};
    const listener = (event: Event) => {
      seen.push(event as SecurityPolicyViolationEvent);
      look();
    };
    globalThis.addEventListener?.("securitypolicyviolation", listener);
    try {
      await run();
      if (!hasFailed()) return undefined;
      if (!own()) await limited(this.#signal, () => new Promise<void>((resolve) => (look = () => own() && resolve())), LATEST_VIOLATION_MS);
      return own();
    } finally {
      globalThis.removeEventListener?.("securitypolicyviolation", listener);
    }
  }

  async #probe(name: string, { headers, ...init }: ProbeInit): Promise<Probe> {
    const { baseUrl, page } = this.facts;
    const given = (this.#outline!.fetch ?? globalThis.fetch) as typeof fetch;
    // Outside of browsers, platforms may lack the option.
    const cache: ProbeInit = page === undefined ? {} : { cache: "no-store" };
    let came!: Probe;
    await this.#step(name, async () => {
      const all = { redirect: "manual", ...cache, ...init, headers: { Accept: "application/json", ...headers } } as const;
      came = await probe(given, baseUrl + PATH, all, this.#signal);
      return resultOf(came);
    });
    return came;
  }

  async #step(name: string, run: () => Promise<StepResult>): Promise<void> {
    const started = performance.now();
    const [outcome, detail] = await run();
    const step: DiagnosisStep = { name, outcome, detail, ms: Math.round(performance.now() - started) };
    this.steps.push(step);
    // A copy, and errors ignored, so that a listener changes nothing.
    void handled(() => this.#onStep?.({ ...step }));
  }
}

function resultOf(probe: Probe): StepResult {
  switch (probe.came) {
    case "reply":
      return ["ok", `${probe.status}, readable`];
    case "opaque":
      return ["ok", "something answers"];
    case "redirect":
      return ["failed", `a redirect${probe.to ? ` to ${/^[^:]+:(\/\/[^/]+)?/.exec(probe.to)![0]}` : ""}`];
    case "late":
      return ["failed", `nothing within ${LIMIT_MS / 1000} s`];
    case "nothing":
      return ["failed", probe.code || "no reply"];
  }
}

/** Whether it is a BookMoreError with the members that are read here; a stand-in may throw one without. */
function isWhole(thrown: unknown): thrown is AnyBookMoreError {
  try {
    if (!isBookMoreError(thrown)) return false;
    const { code, message, attempts } = thrown;
    return typeof code === "string" && typeof message === "string" && (attempts === undefined || Array.isArray(attempts));
  } catch {
    // A getter threw.
    return false;
  }
}

/** Whether the user lets the page connect to this machine, or else to the local network; undefined where browsers do not know the permission. Chromium first had one for both. */
async function localNetworkPermission(hostname: string): Promise<PermissionState | undefined> {
  for (const name of [isLoopback(hostname) ? "loopback-network" : "local-network", "local-network-access"]) {
    const status = await handled(() => globalThis.navigator?.permissions?.query({ name: name as PermissionName })).catch(() => undefined);
    if (status) return status.state;
  }
  return undefined;
}

/** The origin of the page or worker, whose requests CORS governs; undefined outside of browsers. */
function pageOrigin(): string | undefined {
  const { document, location, origin, WorkerGlobalScope } = globalThis as { document?: object; location?: Location; origin?: unknown; WorkerGlobalScope?: object };
  const isBrowser = location !== undefined && (document !== undefined || WorkerGlobalScope !== undefined);
  if (!isBrowser) return undefined;
  // A page may have a variable of this name; where it has none, only `origin` tells of a sandboxed frame.
  return typeof origin === "string" && /^(null|[a-z][a-z\d+.-]*:\/\/[^/\s]+)$/.test(origin) ? origin : location.origin;
}
