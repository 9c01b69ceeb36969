import { abortReason, onAbort } from "../abort.js";
import { giveUp, headersOf, partOf } from "../fetch.js";
import type { Probe, ReadableReply } from "./facts.js";

/** How long a step may take. */
export const LIMIT_MS = 10_000;

/** What a probe sends besides Accept. */
export type ProbeInit = Pick<RequestInit, "mode" | "credentials" | "redirect" | "cache" | "headers">;

/**
 * Runs `run`; returns undefined if it takes longer than `limitMs`. If `signal` aborts, throws its reason. In both cases
 * the signal that `run` got aborts.
 */
export async function limited<T>(signal: AbortSignal | undefined, run: (signal: AbortSignal) => Promise<T>, limitMs = LIMIT_MS): Promise<T | undefined> {
  if (signal?.aborted) throw abortReason(signal);
  const controller = new AbortController();
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ignore: (() => void) | undefined;
  const over = new Promise<undefined>((resolve, reject) => {
    timer = setTimeout(() => resolve(undefined), limitMs);
    if (signal) ignore = onAbort(signal, () => reject(abortReason(signal)));
  });
  try {
    return await Promise.race([run(controller.signal), over]);
  } finally {
    clearTimeout(timer);
    ignore?.();
    controller.abort();
  }
}

/** Sends one GET without token and key, and returns its outcome. */
export async function probe(fetchFunction: typeof fetch, url: string, init: ProbeInit, signal: AbortSignal | undefined): Promise<Probe> {
  const came = await limited(signal, async (limit): Promise<Probe> => {
    try {
      return await judged(await fetchFunction(url, { method: "GET", ...init, signal: limit }));
    } catch (thrown) {
      return { came: "nothing", code: systemCode(thrown) };
    }
  });
  return came ?? { came: "late" };
}

/** Node.js's message for a port that the Fetch standard blocks. */
export const BAD_PORT = "bad port";

/** The system's code; empty where there is none. Node.js has it in the cause. */
export function systemCode(thrown: unknown): string {
  const cause = partOf(thrown, "cause");
  const known = [partOf(thrown, "code"), partOf(cause, "code")].find((code) => typeof code === "string" && /^[A-Z]\w*$/.test(code));
  return (known as string | undefined) ?? (partOf(cause, "message") === BAD_PORT ? BAD_PORT : "");
}

async function judged(response: Response): Promise<Probe> {
  const { type, status, redirected, url } = response;
  if (type === "opaque") return { came: "opaque" };
  if (type === "opaqueredirect") return { came: "redirect" };
  const { location, date, age, server, "www-authenticate": challenge, "content-type": contentType } = Object.fromEntries(headersOf(response.headers));
  if (status >= 300 && status < 400 && location !== undefined) {
    await giveUp(response.body);
    return { came: "redirect", to: addressOf(location, url) };
  }
  const isPage = contentType === undefined ? undefined : /html|xml/i.test(contentType);
  return { came: "reply", status, aheadMs: aheadMs(date, age), url: redirected ? addressOf(url) : undefined, signIn: signInOf(challenge), isForToken: isForToken(challenge), isPage, isText: /^text\/plain\b/i.test(contentType ?? ""), ...(await form(response)), ...(/^AirTunes/.test(server ?? "") ? { shows: "airplay" as const } : {}) };
}

/** The scheme of a challenge that no bearer token satisfies: one of HTTP's, Kong's or Azure's. */
function signInOf(challenge = ""): string | undefined {
  if (isForToken(challenge)) return undefined;
  return /(?:^|,\s*)(basic|digest|negotiate|ntlm|key|AzureApiManagementKey)\b/i.exec(challenge)?.[1];
}

const isForToken = (challenge = ""): boolean => /(^|,\s*)bearer\b/i.test(challenge);

/** By how much the clock here is ahead of the server's. A cache keeps the date of its reply, and adds the reply's age in seconds. */
export function aheadMs(date: string | undefined, age: string | undefined): number | undefined {
  const there = Date.parse(date ?? "") + Number(age ?? 0) * 1000;
  return Number.isNaN(there) ? undefined : Date.now() - there;
}

/** A URL without the parts that may contain a secret: user name, password, path parameters such as ;jsessionid, query. Of an app's address, such as `app:callback`, only the scheme. */
export function addressOf(address: string, base?: string): string | undefined {
  try {
    const { origin, pathname, protocol } = new URL(address, base || undefined);
    return origin === "null" ? protocol : origin + pathname.replace(/;[^/]*|\/\(S\([^)]*\)\)/g, "");
  } catch {
    return undefined;
  }
}

/** How sign-in pages read. */
const SIGN_IN = /type=["']?password|\b(log|sign)[ -]?(in|on)\b/i;
/** How pages read that stand in for a server which is out of service. */
const DOWN = /maintenance|unavailable|is stopped|site disabled|exceeded its quota/i;
/** How pages of firewalls and bot protection read. */
const BLOCK = /support id|incident id|request rejected|access denied|captcha|just a moment|attention required|blocked/i;
/** An error that PHP prints into what a script sends. */
const SCRIPT = /<b>(fatal error|parse error|warning|notice|deprecated)<\/b>:/i;
/** Express's page for errors. */
const APP = /<title>Error<\/title>\s*<\/head>\s*<body>\s*<pre>/i;

/** The message of an error in JSON. */
const MESSAGE = /"(?:message|msg|detail|error_description)"\s*:\s*("(?:[^"\\]|\\.)*")/i;

/** How nginx, Apache, IIS, Tomcat and Go answer plain http at a port for TLS. */
const HTTPS = /plain HTTP (request )?(was sent )?to (an )?(HTTPS|SSL)|HTTP request to an HTTPS server|requires TLS|Secure Sockets Layer|\bSSL is required/i;

/** How IIS, ASP.NET, Django, Rails and Vite refuse a host that they are not set up for. */
const HOST = /invalid host|<h1>Bad Request \(400\)<\/h1>|blocked hosts?:|DisallowedHost|ALLOWED_HOSTS|this host \(.{0,99}\) is not allowed/i;

/** The first that fits counts. */
const SHOWN: [NonNullable<ReadableReply["shows"]>, RegExp][] = [["https", HTTPS], ["host", HOST], ["sign-in", SIGN_IN], ["script", SCRIPT], ["app", APP], ["down", DOWN], ["block", BLOCK]];

/** A string of JSON as text; undefined if it is none. */
function unquoted(json = ""): string | undefined {
  try {
    return JSON.parse(json) as string;
  } catch {
    return undefined;
  }
}

const ENTITIES: Record<string, string> = { "&lt;": "<", "&gt;": ">", "&quot;": '"', "&#39;": "'", "&amp;": "&" };
/** The title of a page, shortened. */
const titleIn = (text: string): string | undefined => /<title(?:\s[^>]*)?>([^<]{0,100})/i.exec(text)?.[1]!.trim().replace(/\s+/g, " ").replace(/&(lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity]!) || undefined;

/** Whether it is an error of the API, and written in camelCase; its message; what it shows. */
async function form({ body }: Response): Promise<Pick<ReadableReply, "isApi" | "isCamelCase" | "message" | "shows" | "title">> {
  try {
    const reader = body?.getReader();
    const { value } = (await reader?.read()) ?? {};
    void reader?.cancel().catch(() => {});
    const text = new TextDecoder().decode(value?.subarray(0, 8192));
    const message = /^\s*\{/.test(text) ? unquoted(MESSAGE.exec(text)?.[1]) : undefined;
    const [, first] = /^\s*\{\s*"([rR])esponseStatus"/.exec(text) ?? [];
    if (first !== undefined) return { isApi: true, isCamelCase: first === "r" || undefined, message };
    return message === undefined ? { shows: SHOWN.find(([, pattern]) => pattern.test(text))?.[0], title: titleIn(text) } : { message };
  } catch {
    return {};
  }
}
