import { isSameOrigin } from "../cors.js";
import { DEFAULT_BASE_URL } from "../operation.js";
import type { Facts } from "./facts.js";
import type { Finding } from "./types.js";

/** A text as one word of a shell: URLs and names of headers may have characters that it reads otherwise. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The line for a terminal that sees what a browser hides; none outside of a page. On the page's own origin CORS does not apply. */
export function doctorLine({ page, baseUrl, headerNames, includesCookies }: Facts): Pick<Finding, "doctor"> {
  if (page === undefined || baseUrl === undefined) return {};
  const line = doctorOf(baseUrl);
  if (isSameOrigin(baseUrl, page)) return { doctor: line };
  return { doctor: `${line} --origin ${shellWord(page)} --headers ${shellWord(headerNames.join(",") || "none")}${includesCookies ? " --credentials" : ""}` };
}

export const DOCTOR = "npx bookmore-sdk doctor";

/** The command for this base URL, in a form that every shell reads. */
export const doctorOf = (baseUrl: string): string => `${DOCTOR}${baseUrl === DEFAULT_BASE_URL ? "" : ` ${urlOption(baseUrl)}`}`;

/** The option that tells a command where the API is. */
export const urlOption = (baseUrl: string): string => `--url ${shellWord(baseUrl)}`;
