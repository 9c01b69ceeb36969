// Which proxy the environment names, and whether fetch uses it.
import { portOf } from "../../diagnose/network.js";
import { isNode } from "../../platform.js";

const { env, execArgv, versions } = process;

/** A proxy, and the variable that names it. */
export interface Proxy {
  url: URL;
  variable: string;
}

/**
 * The proxy for a URL, from the environment, by the rules of Node.js: http_proxy also counts for https, and an empty
 * lower-case variable takes precedence.
 */
export function proxyFor(baseUrl: string): Proxy | undefined {
  const url = new URL(baseUrl);
  if (isExcluded(url)) return undefined;
  const names = url.protocol === "https:" ? ["https_proxy", "http_proxy"] : ["http_proxy"];
  const variable = names.map((name) => (env[name] === undefined ? name.toUpperCase() : name)).find((name) => env[name]);
  if (variable === undefined) return undefined;
  const given = env[variable]!;
  try {
    return { url: new URL(/^\w+:\/\//.test(given) ? given : `http://${given}`), variable };
  } catch {
    return undefined;
  }
}

/** Whether NO_PROXY excludes the host, by its name or domain, for one port or all. */
function isExcluded(url: URL): boolean {
  const { hostname } = url;
  const given = (env["no_proxy"] ?? env["NO_PROXY"] ?? "").toLowerCase();
  const entries = given.split(/[\s,]+/).filter(Boolean);
  return given === "*" || entries.some((entry) => {
    const [, name = entry, port] = /^(.+):(\d+)$/.exec(entry) ?? [];
    if (port && Number(port) !== portOf(url)) return false;
    if (isExact) return /^[.*]/.test(name) ? hostname.endsWith(name.replace(/^\*/, "")) : hostname === name;
    const domain = name.replace(/^\*?\./, "");
    return hostname === domain || hostname.endsWith(`.${domain}`);
  });
}

const [major = 0, minor = 0] = versions.node.split(".").map(Number);
/** Whether this version of Node.js can use a proxy from the environment. */
export const canHeed = major >= 24 || (major === 22 && minor >= 21);
/** The fetch of Node.js 22 takes a name for that one host, and one with a dot or an asterisk in front for the hosts below it. */
const isExact = isNode() && major === 22;

/** The proxy that `fetch` uses for a URL. */
export const usedProxy = (baseUrl: string): Proxy | undefined => (isHeeded() ? proxyFor(baseUrl) : undefined);

/** Whether the `fetch` of this process uses the proxy. */
export function isHeeded(): boolean {
  if (!isNode()) return true;
  const flags = [...execArgv, ...(env["NODE_OPTIONS"] ?? "").split(/\s+/)];
  return canHeed && (env["NODE_USE_ENV_PROXY"] === "1" || flags.includes("--use-env-proxy"));
}
