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
  return isExcluded(new URL(baseUrl)) ? undefined : proxyOf(variableFor(baseUrl));
}

function proxyOf(variable: string | undefined): Proxy | undefined {
  const url = variable === undefined ? undefined : urlOf(env[variable]!);
  return url && { url, variable: variable! };
}

/** The variable that names a proxy for a URL. */
function variableFor(baseUrl: string): string | undefined {
  const names = baseUrl.startsWith("https:") ? ["https_proxy", "http_proxy"] : ["http_proxy"];
  return names.map((name) => (env[name] === undefined ? name.toUpperCase() : name)).find((name) => env[name]);
}

/** The variable whose value cannot be read as a URL, if it would name the proxy. */
export function unreadableProxy(baseUrl: string): string | undefined {
  const variable = variableFor(baseUrl);
  return variable !== undefined && !isExcluded(new URL(baseUrl)) && !proxyOf(variable) ? variable : undefined;
}

/** The proxy that fetch would use, if NO_PROXY did not exclude the host. */
export function excludedProxy(baseUrl: string): Proxy | undefined {
  return isHeeded() && isExcluded(new URL(baseUrl)) ? proxyOf(variableFor(baseUrl)) : undefined;
}

/** The variable that lists what is not asked for by way of a proxy. */
export const noProxyName = (): string => (env["no_proxy"] === undefined ? "NO_PROXY" : "no_proxy");

const noProxy = (): string => env[noProxyName()] ?? "";

/** Whether NO_PROXY has the URL of this host, which counts for nothing. */
export function hasUrlInNoProxy({ hostname }: URL): boolean {
  return noProxy().split(/[\s,]+/).some((entry) => HAS_SCHEME.test(entry) && urlOf(entry)?.hostname === hostname);
}

/** Whether NO_PROXY excludes the host, by its name or domain, for one port or all. */
function isExcluded(url: URL): boolean {
  const { hostname } = url;
  const given = noProxy().toLowerCase();
  const entries = given.split(/[\s,]+/).filter(Boolean);
  return given === "*" || entries.some((entry) => {
    const [, name = entry, port] = /^(.+):(\d+)$/.exec(entry) ?? [];
    if (port && Number(port) !== portOf(url)) return false;
    if (isExact) return /^[.*]/.test(name) ? hostname.endsWith(name.replace(/^\*/, "")) : hostname === name;
    const domain = name.replace(/^\*?\./, "");
    return hostname === domain || hostname.endsWith(`.${domain}`);
  });
}

/** A proxy that only ALL_PROXY names, which Node.js does not read. */
export function ignoredProxy(baseUrl: string): Proxy | undefined {
  if (!isNode()) return undefined;
  const variable = ["all_proxy", "ALL_PROXY"].find((name) => env[name]);
  const url = variable === undefined ? undefined : urlOf(env[variable]!);
  return url && !isExcluded(new URL(baseUrl)) ? { url, variable: variable! } : undefined;
}

/** The URL of a proxy, which may have no scheme, or stand in quotes. */
function urlOf(given: string): URL | undefined {
  const plain = unquoted(given);
  try {
    return new URL(HAS_SCHEME.test(plain) ? plain : `http://${plain}`);
  } catch {
    return undefined;
  }
}

/** White space around the value is left out by Node.js, too. */
const unquoted = (given: string): string => given.trim().replace(/["']/g, "");
const HAS_SCHEME = /^\w+:\/\//;

/** Why Node.js cannot use the value of a variable, and what corrects it in a shell. Its value may have a password. */
export interface Flaw {
  words: string;
  fix?: string;
}

/** With such a value, a Node.js that uses the proxy does not even start. */
export function flawOf({ url, variable }: Proxy): Flaw | undefined {
  const given = env[variable]!.trim();
  const bare = unquoted(given);
  const missing = HAS_SCHEME.test(bare) ? "" : "http://";
  if (bare !== given) return { words: "has quotes in its value, which do not belong there", fix: `export ${variable}="${missing}$(printf %s "$${variable}" | tr -d \\"\\')"` };
  if (url.protocol === "file:" || /\.(pac|dat)$/i.test(url.pathname)) return { words: "names a PAC file, which Node.js does not read: set it to the proxy that the file returns, such as http://proxy.example:8080" };
  if (url.pathname.length > 1 || url.search + url.hash !== "") return { words: "is not the address of a proxy, which is like http://proxy.example:8080; other characters in a user name or a password are percent-encoded" };
  return missing === "" ? undefined : { words: "has no http:// at its beginning, which Node.js requires", fix: `export ${variable}="${missing}$${variable}"` };
}

export const isSocks = ({ protocol }: URL): boolean => protocol.startsWith("socks");

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
