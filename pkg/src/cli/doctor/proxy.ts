import http from "node:http";
import https from "node:https";
import { placeOf, portOf } from "../../diagnose/network.js";
import { LIMIT_MS, limited } from "../../diagnose/probe.js";
import { shellWord } from "../../diagnose/shell.js";
import type { Finding } from "../../diagnose/types.js";
import { isLoopback } from "../../loopback.js";
import { connection } from "./connection.js";
import type { Checked } from "./checklist.js";
import { canHeed, isHeeded, type Proxy } from "./proxy-settings.js";
import { hostOf } from "./system.js";

const { env, versions } = process;

/** Whether the proxy answers, and connects to an https server. Its user name and password are not shown. */
export async function proxied(proxy: Proxy, baseUrl: string, signal: AbortSignal): Promise<Checked> {
  const at = placeOf(proxy.url);
  if (!isHeeded()) return { outcome: "skipped", detail: `${at}: not used by this fetch` };
  const error = await connection(hostOf(proxy.url), portOf(proxy.url), signal);
  const refused = (what: string, how: string): Checked => ({ outcome: "failed", detail: `${at}: ${what}`, findings: [refusal(proxy, baseUrl, how)] });
  if (error) return refused(error, `cannot be reached (${error})`);
  // For http, the proxy answers the request itself.
  if (!baseUrl.startsWith("https:")) return { outcome: "ok", detail: at };
  let credentials: string;
  try {
    credentials = credentialsOf(proxy.url);
  } catch {
    return refused("its user name or password is not percent-encoded", "cannot be used, because its user name or password has a % that is not percent-encoded (%25)");
  }
  const came = await limited(signal, (limit) => tunnel(proxy.url, credentials, baseUrl, limit));
  if (came === undefined) return refused(`nothing within ${LIMIT_MS / 1000} s`, `accepts the connection but does not answer within ${LIMIT_MS / 1000} s`);
  if (typeof came === "string") return refused(came, `does not answer like a proxy (${came})`);
  const { host } = new URL(baseUrl);
  if (came < 300) return { outcome: "ok", detail: `${at}, connects to ${host}` };
  return refused(`CONNECT ${came}`, meaning(came, proxy, host));
}

/** The user name and password, decoded; empty if there are none. */
function credentialsOf({ username, password }: URL): string {
  return username + password && `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
}

/** Requests a tunnel to the server, as `fetch` does. Resolves with the status, or the system's error code if there is none. */
function tunnel(proxy: URL, credentials: string, baseUrl: string, signal: AbortSignal): Promise<number | string> {
  const url = new URL(baseUrl);
  const path = `${url.hostname}:${portOf(url)}`;
  const authorization = `Basic ${Buffer.from(credentials).toString("base64")}`;
  const headers = { host: path, ...(credentials ? { "proxy-authorization": authorization } : {}) };
  const { request } = proxy.protocol === "https:" ? https : http;
  return new Promise((resolve) => {
    request({ host: hostOf(proxy), port: portOf(proxy), method: "CONNECT", path, headers, agent: false, signal })
      .on("connect", ({ statusCode }, socket) => (socket.destroy(), resolve(statusCode!)))
      .on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message))
      .end();
  });
}

function meaning(status: number, { url, variable }: Proxy, host: string): string {
  if (status === 407) return url.username ? `refuses the user name and password in ${variable}, or wants a sign-in other than Basic (407)` : `requires a sign-in (407): for Basic, ${variable} can contain a user name and a password`;
  if (status === 403) return `forbids ${host} (403)`;
  return `cannot or will not connect to ${host} (${status})`;
}

/** A proxy that answers, but returns no reply from the server. */
export function behindProxy(proxy: Proxy, baseUrl: string): Finding {
  return refusal(proxy, baseUrl, `returns no reply from ${new URL(baseUrl).host}: it requires credentials, forbids the server, cannot reach it, or gets no reply from it either`);
}

/** The fix shows what the proxy answers, and neither its password nor a token. A server of this machine needs no proxy. */
function refusal(proxy: Proxy, baseUrl: string, how: string): Finding {
  const { hostname } = new URL(baseUrl);
  const variable = env["no_proxy"] === undefined ? "NO_PROXY" : "no_proxy";
  const fix = isLoopback(hostname) ? `export ${variable}="$${variable},${hostname}"` : `curl -sS --max-time 30 -o /dev/null -w 'proxy: %{http_connect}, server: %{http_code}\\n' --proxy "$${proxy.variable}" ${shellWord(baseUrl)}`;
  return { code: "proxy_refused", level: "error", message: `The proxy at ${placeOf(proxy.url)}, ${how}.`, fix };
}

/** A proxy in the environment that fetch does not use. It is why calls fail, if only the proxy can be reached. */
export async function unusedProxy({ url, variable }: Proxy, isReached: boolean, signal: AbortSignal): Promise<Finding> {
  const error = isReached ? undefined : await connection(hostOf(url), portOf(url), signal);
  const fix = canHeed
    ? "export NODE_USE_ENV_PROXY=1"
    : 'import { EnvHttpProxyAgent, setGlobalDispatcher } from "undici"; setGlobalDispatcher(new EnvHttpProxyAgent());';
  const more = error ? `; the proxy cannot be reached, either (${error})` : isReached ? "; the server answers without it" : "";
  const message = `${variable} names a proxy, but the fetch of Node.js ${versions.node} does not use it by default${more}.`;
  return { code: "proxy_unused", level: more ? "note" : "error", message, ...(error ? {} : { fix }) };
}
