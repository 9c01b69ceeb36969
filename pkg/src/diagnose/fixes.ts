import { DEFAULT_BASE_URL } from "../operation.js";
import type { Cause } from "./types.js";

/** What page asks for what, as CORS settings have it. */
export interface Asking {
  page: string;
  /** In lower case. */
  headerNames: readonly string[];
}

/** As their owners write them. */
const WRITTEN: Record<string, string> = { authorization: "Authorization", "x-api-key": "x-api-key" };
/** Headers that the client reads, and that a page gets only where the server exposes them. */
export const EXPOSED = ["Retry-After", "Date", "X-Request-Id"];

/** The settings that let a page read every reply, for the servers that are common; none lets in a page without an origin. */
export function corsFix({ page, headerNames }: Asking): Pick<Cause, "fix" | "elsewhere"> {
  if (page === "null") return {};
  const names = headerNames.map((name) => WRITTEN[name] ?? name);
  const allowed = ["Content-Type", ...(names.length > 0 ? names : ["Authorization"])];
  const quoted = (list: string[]) => list.map((name) => `"${name}"`).join(", ");
  return {
    fix: `Plugins.Add(new CorsFeature(allowOriginWhitelist: new[] { "${page}" }, allowedHeaders: "${allowed}", exposeHeaders: "${EXPOSED}", allowCredentials: true));`,
    elsewhere: {
      "ASP.NET Core, before UseAuthentication": `app.UseCors(policy => policy.WithOrigins("${page}").WithMethods("GET").WithHeaders(${quoted(allowed)}).WithExposedHeaders(${quoted(EXPOSED)}).AllowCredentials());`,
      nginx: [
        `add_header Access-Control-Allow-Origin "${page}" always;`,
        `add_header Access-Control-Allow-Credentials true always;`,
        `add_header Access-Control-Allow-Headers "${allowed}" always;`,
        `add_header Access-Control-Expose-Headers "${EXPOSED}" always;`,
        `if ($request_method = OPTIONS) { return 204; }`,
      ].join("\n"),
    },
  };
}

/** A text as one word of a shell: URLs and names of headers may have characters that it reads otherwise. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

/** The line for a terminal that sees what a browser hides. */
export function doctorLine({ page, headerNames }: Asking, baseUrl: string, includesCookies: boolean): string {
  const headers = headerNames.length > 0 ? ` --headers ${shellWord(headerNames.join(","))}` : "";
  return `${urlFor(baseUrl)}npx bookmore-sdk doctor --origin ${shellWord(page)}${headers}${includesCookies ? " --credentials" : ""}`;
}

/** What tells the command where the API is, where that is not where it looks by itself. */
export const urlFor = (baseUrl: string): string => (baseUrl === DEFAULT_BASE_URL ? "" : `BOOKMORE_URL=${shellWord(baseUrl)} `);

/** A client of another base URL. */
export const baseUrlFix = (baseUrl: string): string => `new BookMoreClient({ baseUrl: "${baseUrl}" })`;

/** The same by https. */
export const httpsFix = (baseUrl: string): string => baseUrlFix(baseUrl.replace("http:", "https:"));
