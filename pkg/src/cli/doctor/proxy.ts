import { shellWord } from "../../diagnose/fixes.js";
import { portOf } from "../../diagnose/network.js";
import type { Finding } from "../../diagnose/types.js";
import { connection } from "./connection.js";
import type { Checked } from "./checklist.js";
import { hostOf } from "./system.js";

const { env, execArgv, versions } = process;

/** The proxy that the environment names for a URL. */
export function proxyFor(baseUrl: string): URL | undefined {
  const { protocol, hostname } = new URL(baseUrl);
  const name = protocol === "https:" ? "https_proxy" : "http_proxy";
  const given = env[name] || env[name.toUpperCase()];
  const excluded = (env["no_proxy"] || env["NO_PROXY"] || "").split(/[\s,]+/).map((entry) => entry.toLowerCase().replace(/^\*?\.|:\d+$/g, ""));
  if (!given || excluded.some((entry) => entry === "*" || entry === hostname || (entry && hostname.endsWith(`.${entry}`)))) return undefined;
  try {
    return new URL(/^\w+:\/\//.test(given) ? given : `http://${given}`);
  } catch {
    return undefined;
  }
}

const [major = 0, minor = 0] = versions.node.split(".").map(Number);
/** Since when Node.js can be told to heed it. */
const canHeed = major >= 24 || (major === 22 && minor >= 21);
const isNode = !("bun" in versions) && !("deno" in versions);

/** Whether the `fetch` of this process goes through it. */
export function isHeeded(): boolean {
  if (!isNode) return true;
  const flags = [...execArgv, ...(env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  return canHeed && (env["NODE_USE_ENV_PROXY"] === "1" || flags.includes("--use-env-proxy"));
}

/** Whether the proxy is there. Its user name and password are not told. */
export async function proxied(proxy: URL, baseUrl: string, signal: AbortSignal): Promise<Checked> {
  const error = await connection(hostOf(proxy), portOf(proxy), signal);
  const at = `${proxy.hostname}, port ${portOf(proxy)}`;
  if (!isHeeded()) return { outcome: "failed", detail: `${at}: not used by this fetch${error ? `, ${error}` : ""}` };
  if (!error) return { outcome: "ok", detail: at };
  const message = `The proxy at ${at} cannot be reached (${error}).`;
  return { outcome: "failed", detail: `${at}: ${error}`, findings: [{ code: "proxy_refused", level: "error", message, fix: curlBy(proxy, baseUrl) }] };
}

/** No reply came through a proxy that is there: what it answers to the question for the way is not told. */
export function behindProxy(proxy: URL, baseUrl: string): Finding {
  const message = `No reply came through the proxy at ${proxy.hostname}, port ${portOf(proxy)}: it wants credentials, forbids ${new URL(baseUrl).host}, or cannot reach it.`;
  return { code: "proxy_refused", level: "error", message, fix: curlBy(proxy, baseUrl) };
}

const curlBy = (proxy: URL, baseUrl: string): string => `curl -v --proxy ${shellWord(proxy.origin)} ${shellWord(baseUrl)}`;

/** A proxy that is named and not used: what calls fail of, where nothing can be reached without. */
export function unusedProxy(isReached: boolean): Finding {
  const fix = canHeed
    ? "export NODE_USE_ENV_PROXY=1"
    : 'import { EnvHttpProxyAgent, setGlobalDispatcher } from "undici"; setGlobalDispatcher(new EnvHttpProxyAgent());';
  const message = `The environment names a proxy, and the fetch of Node.js ${versions.node} does not use it by itself${isReached ? "; the server answers without it" : ""}.`;
  return { code: "proxy_unused", level: isReached ? "note" : "error", message, fix };
}
