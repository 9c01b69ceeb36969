import { isSameOrigin } from "../cors.js";
import { DEFAULT_BASE_URL, PATH } from "../operation.js";
import type { Facts } from "./facts.js";
import type { Cause } from "./types.js";

/** Whether the page's own server answers, which may pass requests on to the API. */
export const isOwnServer = ({ baseUrl, page }: Facts): boolean => baseUrl !== undefined && page !== undefined && isSameOrigin(baseUrl, page);

/** Whether a server of one's own may be between the client and the API: wherever it is not the API's own address. */
export const mayBePassedOn = ({ baseUrl }: Facts): boolean => baseUrl !== undefined && baseUrl !== DEFAULT_BASE_URL;

/** The operation is not below this base URL, whose path may be wrong. */
export function wrongBase(facts: Facts, message: string): Pick<Cause, "message" | "fix"> {
  const { baseUrl, settings } = facts;
  if (baseUrl === undefined) return { message };
  const { origin, pathname } = new URL(baseUrl);
  const words = `${message} The request went to ${baseUrl}${PATH}.`;
  if (isOwnServer(facts)) {
    // A page's own server has such a path only to pass it on.
    const [what, kept, options] = baseUrl === origin ? [PATH, "", "changeOrigin"] : [pathname, `${pathname} in the path or `, "rewrite, changeOrigin"];
    return { message: `${words} If this server is to pass ${what} on to the API, perhaps it does not, its target is wrong, it takes too much off the path, or it keeps ${kept}its own name as the Host (Vite: ${options}).` };
  }
  return { message: words, ...(origin === baseUrl ? {} : { fix: settings.baseUrl(origin) }) };
}

/** The same, where something behind a proxy may be what does not know the path. */
export function wrongPath(facts: Facts, given: string): Pick<Cause, "message" | "fix"> {
  const found = wrongBase(facts, given);
  const { pathname } = new URL(facts.baseUrl ?? DEFAULT_BASE_URL);
  if (pathname === "/" || isOwnServer(facts)) return found;
  return { ...found, message: `${found.message} If a proxy there passes requests for ${pathname} on to the API, it may keep ${pathname} in the path (nginx: proxy_pass needs a slash at the end).` };
}

export const notTheApi = (facts: Facts): Cause => ({ code: "base_url", ...wrongPath(facts, "What answers is not the API.") });

/** The base URL without the operation's path, if it contains that. */
export function baseOfEndpoint(baseUrl: string): string | undefined {
  const at = baseUrl.toLowerCase().indexOf(PATH);
  return at < 0 ? undefined : baseUrl.slice(0, at);
}
