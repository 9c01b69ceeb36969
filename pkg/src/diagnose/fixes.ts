import { DEFAULT_BASE_URL } from "../operation.js";
import type { Cause } from "./types.js";

/** What page asks for what, as CORS settings have it. */
export interface Asking {
  page: string;
  /** In lower case. */
  headerNames: readonly string[];
}

/** How the client that asks is set up, to be pasted. */
export interface Settings {
  baseUrl(baseUrl: string): string;
  /** A token or a key, where there is neither. */
  credentials: string;
  /** Another token. */
  token: string;
  /** Another key. */
  apiKey: string;
}

/** In the code of an application. */
export const IN_CODE: Settings = {
  baseUrl: (baseUrl) => `new BookMoreClient({ baseUrl: "${baseUrl}" })`,
  credentials: "new BookMoreClient({ bearerToken: () => session.accessToken() })",
  token: "new BookMoreClient({ bearerToken: async () => (await session.renewed()).accessToken })",
  apiKey: "new BookMoreClient({ apiKey: settings.bookMoreApiKey })",
};

/** Whether a browser asks the server before a page sends a header of this name, in lower case. */
export const isAskedFor = (name: string): boolean => !/^(accept|(accept|content)-language)$/.test(name);

/** As their owners write them. */
const WRITTEN: Record<string, string> = { authorization: "Authorization", "content-type": "Content-Type" };
/** Headers that the client reads, and that a page gets only where the server exposes them. */
export const EXPOSED = ["Retry-After", "Date", "X-Request-Id"];

/** The settings that let a page read every reply, for the servers that are common; none lets in a page without an origin. */
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

/** A text as one word of a shell: URLs and names of headers may have characters that it reads otherwise. */
export const shellWord = (text: string): string => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

export function isSameOrigin(baseUrl: string, page: string): boolean {
  return new URL(baseUrl).origin === page;
}

/** The line for a terminal that sees what a browser hides. For its own origin a browser asks for nothing. */
export function doctorLine({ page, headerNames }: Asking, baseUrl: string, includesCookies: boolean): string {
  if (isSameOrigin(baseUrl, page)) return `${urlFor(baseUrl)}npx bookmore-sdk doctor`;
  const headers = headerNames.length > 0 ? ` --headers ${shellWord(headerNames.join(","))}` : "";
  return `${urlFor(baseUrl)}npx bookmore-sdk doctor --origin ${shellWord(page)}${headers}${includesCookies ? " --credentials" : ""}`;
}

/** What tells the command where the API is, where that is not where it looks by itself. */
export const urlFor = (baseUrl: string): string => (baseUrl === DEFAULT_BASE_URL ? "" : `BOOKMORE_URL=${shellWord(baseUrl)} `);

/** The same by https. */
export const httpsOf = (baseUrl: string): string => baseUrl.replace("http:", "https:");
