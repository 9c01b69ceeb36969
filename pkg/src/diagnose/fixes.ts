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
const EXPOSED = "Retry-After,Date,X-Request-Id";

/** The settings that let a page read every reply, for the servers that are common. */
export function corsFix({ page, headerNames }: Asking): Pick<Cause, "fix" | "elsewhere"> {
  const names = headerNames.map((name) => WRITTEN[name] ?? name);
  const allowed = ["Content-Type", ...(names.length > 0 ? names : ["Authorization"])];
  const quoted = (list: string[]) => list.map((name) => `"${name}"`).join(", ");
  return {
    fix: `Plugins.Add(new CorsFeature(allowOriginWhitelist: new[] { "${page}" }, allowedHeaders: "${allowed}", exposeHeaders: "${EXPOSED}", allowCredentials: true));`,
    elsewhere: {
      "ASP.NET Core, before UseAuthentication": `app.UseCors(policy => policy.WithOrigins("${page}").WithMethods("GET").WithHeaders(${quoted(allowed)}).WithExposedHeaders(${quoted(EXPOSED.split(","))}).AllowCredentials());`,
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

/** The line for a terminal that sees what a browser hides. */
export function doctorLine({ page, headerNames }: Asking, baseUrl: string, includesCookies: boolean): string {
  // Names are tokens of HTTP, which a shell may read otherwise.
  const names = headerNames.map((name) => (/^[\w-]+$/.test(name) ? name : `'${name.replaceAll("'", "'\\''")}'`));
  const headers = names.length > 0 ? ` --headers ${names.join(",")}` : "";
  return `${urlFor(baseUrl)}npx bookmore-sdk doctor --origin ${page}${headers}${includesCookies ? " --credentials" : ""}`;
}

/** What tells the command where the API is, where that is not where it looks by itself. */
export const urlFor = (baseUrl: string): string => (baseUrl === DEFAULT_BASE_URL ? "" : `BOOKMORE_URL=${baseUrl} `);

/** A client of another base URL. */
export const baseUrlFix = (baseUrl: string): string => `new BookMoreClient({ baseUrl: "${baseUrl}" })`;

/** The same by https. */
export const httpsFix = (baseUrl: string): string => baseUrlFix(baseUrl.replace("http:", "https:"));
