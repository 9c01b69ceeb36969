import { DEFAULT_BASE_URL } from "../operation.js";
import type { Cause } from "./types.js";

/** Which page sends which headers. */
export interface Asking {
  page: string;
  /** In lower case. */
  headerNames: readonly string[];
}

/** How to set up the client, as code to paste. */
export interface Settings {
  baseUrl(baseUrl: string): string;
  /** Sets a token or key, if there is neither. */
  credentials: string;
  /** Another token. */
  token: string;
  /** Another key. */
  apiKey: string;
}

/** In an app's code. */
export const IN_CODE: Settings = {
  baseUrl: (baseUrl) => `new BookMoreClient({ baseUrl: "${baseUrl}" })`,
  credentials: "new BookMoreClient({ bearerToken: () => session.accessToken() })",
  token: "new BookMoreClient({ bearerToken: async () => (await session.renewed()).accessToken })",
  apiKey: "new BookMoreClient({ apiKey: settings.bookMoreApiKey })",
};

/** Whether a header, given in lower case, needs a preflight. */
export const isAskedFor = (name: string): boolean => !/^(accept|(accept|content)-language)$/.test(name);

/** Their usual spelling. */
const WRITTEN: Record<string, string> = { authorization: "Authorization", "content-type": "Content-Type" };
/** Headers that the client reads, but a page sees only if the server exposes them. */
export const EXPOSED = ["Retry-After", "Date", "X-Request-Id"];

/** The settings that let a page read every reply, for common servers. None allows a page without an origin. */
export function corsFix({ page, headerNames }: Asking): Pick<Cause, "fix" | "elsewhere"> {
  if (page === "null") return {};
  const names = headerNames.length > 0 ? headerNames : ["authorization"];
  const allowed = [...new Set(["content-type", ...names])].map((name) => WRITTEN[name] ?? name);
  const quoted = (list: string[]) => list.map((name) => `"${name}"`).join(", ");
  return {
    fix: `Plugins.Add(new CorsFeature(allowOriginWhitelist: new[] { "${page}" }, allowedHeaders: "${allowed}", exposeHeaders: "${EXPOSED}", allowCredentials: true));`,
    elsewhere: {
      "ASP.NET Core, before UseAuthentication": `builder.Services.AddCors(); // before builder.Build()\napp.UseCors(policy => policy.WithOrigins("${page}").WithMethods("GET").WithHeaders(${quoted(allowed)}).WithExposedHeaders(${quoted(EXPOSED)}).AllowCredentials());`,
      nginx: [
        `proxy_hide_header Access-Control-Allow-Origin;`,
        `proxy_hide_header Access-Control-Allow-Credentials;`,
        `add_header Access-Control-Allow-Origin "${page}" always;`,
        `add_header Access-Control-Allow-Credentials true always;`,
        `add_header Access-Control-Allow-Headers "${allowed}" always;`,
        `add_header Access-Control-Expose-Headers "${EXPOSED}" always;`,
        `if ($request_method = OPTIONS) { return 204; }`,
      ].join("\n"),
    },
  };
}

/** Quotes a text for the shell: URLs and header names may contain its special characters. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

export function isSameOrigin(baseUrl: string, page: string): boolean {
  return new URL(baseUrl).origin === page;
}

/** The command that shows what a browser hides. For the page's own origin it needs no CORS options. */
export function doctorLine({ page, headerNames }: Asking, baseUrl: string, includesCookies: boolean): string {
  if (isSameOrigin(baseUrl, page)) return `${urlFor(baseUrl)}npx bookmore-sdk doctor`;
  const headers = headerNames.length > 0 ? ` --headers ${shellWord(headerNames.join(","))}` : "";
  return `${urlFor(baseUrl)}npx bookmore-sdk doctor --origin ${shellWord(page)}${headers}${includesCookies ? " --credentials" : ""}`;
}

/** Sets the base URL for the command, unless it is the default. */
export const urlFor = (baseUrl: string): string => (baseUrl === DEFAULT_BASE_URL ? "" : `BOOKMORE_URL=${shellWord(baseUrl)} `);

/** The same URL with https. */
export const httpsOf = (baseUrl: string): string => baseUrl.replace("http:", "https:");
