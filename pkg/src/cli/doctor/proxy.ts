import http from "node:http";
import https from "node:https";
import type { Socket } from "node:net";
import { placeOf, portOf } from "../../diagnose/network.js";
import { LIMIT_MS, limited } from "../../diagnose/probe.js";
import { fixBy } from "../../diagnose/fixes.js";
import { shellWord } from "../../diagnose/shell.js";
import type { Finding } from "../../diagnose/types.js";
import { isLoopback } from "../../loopback.js";
import { again } from "./again.js";
import type { Checked } from "./checklist.js";
import { connection, speaksTls, type Open } from "./connection.js";
import { extraAuthorities } from "./extra-authorities.js";
import { canHeed, flawOf, hasUrlInNoProxy, isHeeded, isSocks, noProxyName, type Flaw, type Proxy } from "./proxy-settings.js";
import { EXTRA_AUTHORITY, hostOf, INSTALL_UNDICI, systemCause } from "./system.js";

const { versions } = process;

/** What the proxy answers to CONNECT. */
interface Answer {
  status: number;
  /** The ways to sign in that it offers. */
  signIns: string[];
  socket: Socket;
}

/** Whether the proxy answers, and connects to an https server. Its user name and password are not shown. */
export async function proxied(proxy: Proxy, baseUrl: string, signal: AbortSignal): Promise<Checked> {
  const { url, variable } = proxy;
  const at = placeOf(url);
  if (!isHeeded()) return { outcome: "skipped", detail: `${flawOf(proxy) ? variable : at}: not used by this fetch` };
  const error = await connection(hostOf(url), portOf(url), signal);
  const refused = (what: string, how: string, fix?: string): Checked => ({ outcome: "failed", detail: `${at}: ${what}`, findings: [refusal(proxy, baseUrl, how, fix)] });
  if (error) return refused(error, `cannot be reached (${error})`);
  if (isSocks(url)) return { outcome: "skipped", detail: `${at}: SOCKS, which only the call tries` };
  // For http, the proxy answers the request itself.
  if (!baseUrl.startsWith("https:")) return { outcome: "ok", detail: at };
  let credentials: string;
  try {
    credentials = credentialsOf(url);
  } catch {
    return refused("its user name or password is not percent-encoded", "cannot be used, because its user name or password has a % that is not percent-encoded (%25)");
  }
  const came = await limited(signal, (limit) => tunnel(url, credentials, baseUrl, limit));
  const isAnswer = typeof came === "object";
  if (isAnswer) came.socket.destroy();
  const { host } = new URL(baseUrl);
  if (isAnswer && isOpen(came)) return { outcome: "ok", detail: `${at}, connects to ${host}` };
  const what = isAnswer ? `CONNECT ${came.status}` : came ?? `nothing within ${LIMIT_MS / 1000} s`;
  const scheme = isAnswer && came.status !== 400 ? undefined : await rightScheme(url, baseUrl, signal);
  if (scheme) return refused(what, `${scheme === "https" ? "speaks TLS" : "speaks plain http, not TLS"}: ${variable} has to begin with ${scheme}://`, `export ${variable}="${scheme}://\${${variable}#*://}"`);
  if (isAnswer) return refused(what, meaning(came, proxy, host));
  if (came === undefined) return refused(what, `accepts the connection but does not answer within ${LIMIT_MS / 1000} s`);
  if (!systemCause(came)?.startsWith("certificate_")) return refused(what, `does not answer like an HTTP proxy (${came}): it may be another service, a SOCKS proxy, or one that refuses this machine`);
  const { words } = extraAuthorities(url);
  return refused(what, `has a certificate that Node.js refuses (${came}).${words}`, words === "" ? EXTRA_AUTHORITY : undefined);
}

/** The other scheme, if that is what the proxy speaks. Its password goes nowhere by plain http. */
async function rightScheme(url: URL, baseUrl: string, signal: AbortSignal): Promise<"http" | "https" | undefined> {
  if (url.protocol === "http:") return (await speaksTls(url.href, signal)) ? "https" : undefined;
  const plain = new URL(`http://${url.hostname}:${portOf(url)}`);
  const came = await limited(signal, (limit) => tunnel(plain, "", baseUrl, limit));
  if (typeof came !== "object") return undefined;
  came.socket.destroy();
  return "http";
}

/** Whether the proxy has opened the tunnel. */
const isOpen = ({ status }: Answer): boolean => status < 300;

/** The way to the server through the proxy. */
export function through({ url }: Proxy, baseUrl: string): Open {
  return async (signal) => {
    const came = await tunnel(url, credentialsOf(url), baseUrl, signal);
    if (typeof came === "string") return undefined;
    if (isOpen(came)) return came.socket;
    came.socket.destroy();
    return undefined;
  };
}

/** The user name and password, decoded; empty if there are none. */
function credentialsOf({ username, password }: URL): string {
  return username + password && `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}

/** Requests a tunnel to the server, as `fetch` does. Resolves with the answer, or the system's error code if there is none. */
function tunnel(proxy: URL, credentials: string, baseUrl: string, signal: AbortSignal): Promise<Answer | string> {
  const url = new URL(baseUrl);
  const path = `${url.hostname}:${portOf(url)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  const headers = { host: path, ...(credentials ? { "proxy-authorization": authorization } : {}) };
  const { request } = proxy.protocol === "https:" ? https : http;
  return new Promise((resolve) => {
    request({ host: hostOf(proxy), port: portOf(proxy), method: "CONNECT", path, headers, agent: false, signal })
      .on("connect", ({ statusCode, headers }, socket) => resolve({ status: statusCode!, signIns: signInsOf(headers["proxy-authenticate"]), socket }))
      .on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .end();
  });
}

/** The known schemes of a header that has one challenge or several. */
function signInsOf(challenges: string | string[] = []): string[] {
  const found = [challenges].flat().join(", ").match(/(?<=^|,\s*)(basic|digest|negotiate|ntlm|kerberos|bearer)\b/gi) ?? [];
  return [...new Set(found)];
}

function meaning({ status, signIns }: Answer, { url, variable }: Proxy, host: string): string {
  if (status === 407) {
    const hasBasic = signIns.some((each) => /basic/i.test(each));
    if (signIns.length > 0 && !hasBasic) return `requires a sign-in by ${signIns.join(" or ")} (407), and Node.js has only Basic: a proxy on this machine that signs in there, such as cntlm or px, can stand in between`;
    if (!url.username) return `requires a sign-in (407): for Basic, ${variable} can contain a user name and a password`;
    return `refuses the user name and password in ${variable}${hasBasic ? "" : ", or wants a sign-in other than Basic"} (407)`;
  }
  if (status === 403) return `forbids ${host} (403)`;
  return `cannot or will not connect to ${host} (${status})`;
}

/** A proxy that answers, but returns no reply from the server. */
export function behindProxy(proxy: Proxy, baseUrl: string): Finding {
  return refusal(proxy, baseUrl, `returns no reply from ${new URL(baseUrl).host}: it requires credentials, forbids the server, cannot reach it, gets no reply from it either, or does not speak ${proxy.url.protocol.slice(0, -1)}, as ${proxy.variable} says`);
}

/** The fix shows what the proxy answers, and neither its password nor a token. A server of this machine needs no proxy. */
function refusal(proxy: Proxy, baseUrl: string, how: string, mend?: string): Finding {
  const server = new URL(baseUrl);
  const { hostname } = server;
  const variable = noProxyName();
  const more = hasUrlInNoProxy(server) ? ` ${variable} takes host names, and a URL in it counts for nothing: write ${hostname}.` : "";
  const fix = isLoopback(hostname) ? `export ${variable}="$${variable},${hostname}"` : mend ?? `curl -sS --max-time 30 -o /dev/null -w 'proxy: %{http_connect}, server: %{http_code}\\n' --proxy "$${proxy.variable}" ${shellWord(baseUrl)}`;
  return { code: "proxy_refused", level: "error", message: `The proxy at ${placeOf(proxy.url)}, ${how}${how.endsWith(".") ? "" : "."}${more}`, fix };
}

/** A host that is asked for directly. */
export function excluded({ variable }: Proxy, baseUrl: string): Finding {
  const { hostname } = new URL(baseUrl);
  const message = `${noProxyName()} has fetch ask ${hostname} directly, and not by way of the proxy that ${variable} names: perhaps the server can be reached only by that.`;
  return { code: "proxy_unused", level: "error", message, fix: `${noProxyName()}= ${again(baseUrl)}` };
}

/** A value with characters that end a URL's host. */
export function unreadable(variable: string, isReached: boolean): Finding {
  const message = `${variable} cannot be read as a URL, so its proxy is not used${isReached ? "; the server answers without it" : ""}. In a user name and a password, #, /, ? and \\ are written as %23, %2F, %3F and %5C.`;
  return { code: "proxy_unused", level: isReached ? "note" : "error", message };
}

/** A proxy in the environment that fetch does not use. It is why calls fail, if only the proxy can be reached. */
export async function unusedProxy(proxy: Proxy, baseUrl: string, isReached: boolean, signal: AbortSignal): Promise<Finding> {
  const { url, variable } = proxy;
  const flaw = flawOf(proxy);
  const hasPlace = !flaw || flaw.fix !== undefined;
  const error = isReached || !hasPlace ? undefined : await connection(hostOf(url), portOf(url), signal);
  const more = error ? `; the proxy cannot be reached, either (${error})` : isReached ? "; the server answers without it" : "";
  const isIgnored = /^all_proxy$/i.test(variable);
  const why = isIgnored ? `Node.js reads only HTTPS_PROXY and HTTP_PROXY` : `the fetch of Node.js ${versions.node} does not use it by default`;
  const message = [
    hasPlace ? `${variable} names a proxy, but ${why}${more}.` : "",
    flaw ? `${variable} ${flaw.words}${hasPlace ? "" : more}.` : "",
    isSocks(url) ? "It is a SOCKS proxy, which only newer versions of Node.js and undici can use, and only as socks5://." : "",
  ].filter(Boolean).join(" ");
  const fix = error || isReached || !hasPlace ? undefined : use(proxy, baseUrl, isIgnored, flaw);
  return { code: "proxy_unused", level: more ? "note" : "error", message, ...fixBy(fix) };
}

/** Makes this version of Node.js use the proxy. */
function use({ url, variable }: Proxy, baseUrl: string, isIgnored: boolean, flaw: Flaw | undefined): string | undefined {
  if (!canHeed) {
    const given = isIgnored ? `{ httpsProxy: process.env.${variable} }` : "";
    return isSocks(url) ? undefined : [INSTALL_UNDICI, 'import { EnvHttpProxyAgent, setGlobalDispatcher } from "undici";', `setGlobalDispatcher(new EnvHttpProxyAgent(${given}));`].join("\n");
  }
  const name = isIgnored ? "HTTPS_PROXY" : variable;
  // For one command alone, because a Node.js that knows no SOCKS would not start again.
  if (isSocks(url)) return `${name}="socks5://\${${variable}#*://}" NODE_USE_ENV_PROXY=1 ${again(baseUrl)}`;
  const taken = isIgnored ? `export ${name}="$${variable}"` : "";
  return [flaw?.fix, taken, "export NODE_USE_ENV_PROXY=1"].filter(Boolean).join("\n");
}
