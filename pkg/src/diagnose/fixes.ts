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
  /** Another token; undefined if pasting gives none. */
  token: string | undefined;
  /** Another key. */
  apiKey: string;
  /** Sets this machine's clock; undefined where its system is unknown. */
  clock?: string | undefined;
}

/** In an app's code. */
export const IN_CODE: Settings = {
  baseUrl: (baseUrl) => `new BookMoreClient({ baseUrl: "${baseUrl}" })`,
  credentials: "new BookMoreClient({ bearerToken: () => session.accessToken() })",
  token: "new BookMoreClient({ bearerToken: async () => (await session.renewed()).accessToken })",
  apiKey: "new BookMoreClient({ apiKey: settings.bookMoreApiKey })",
};

/** As their owners write them. */
const WRITTEN: Record<string, string> = { authorization: "Authorization", "content-type": "Content-Type" };
/** Headers that the client reads, but a page sees only if the server exposes them. */
export const EXPOSED = ["Retry-After", "Date", "X-Request-Id"];

/** Keeps a server from refusing an origin that nginx allows. */
export const WITHOUT_ORIGIN = ["# Beside the inherited proxy_set_header lines:", 'proxy_set_header Origin "";'] as const;

/** The settings that let a page read every reply, for common servers. None allows a page without an origin. `isRefused`: whether the server refuses this one with an error. */
export function corsFix({ page, headerNames }: Asking, isRefused = false): Pick<Cause, "fix" | "elsewhere"> {
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
        ...(isRefused ? [] : ["# Only if the server refuses other origins with an error:"]),
        WITHOUT_ORIGIN[0],
        (isRefused ? "" : "# ") + WITHOUT_ORIGIN[1],
      ].join("\n"),
    },
  };
}

export const fixBy = (fix: string | undefined): Pick<Cause, "fix"> => (fix === undefined ? {} : { fix });

/** The same by https. */
export const httpsOf = (baseUrl: string): string => baseUrl.replace("http:", "https:");
/** The same, unless a port is given, which is one for plain http. */
export const byHttps = (baseUrl: string): string | undefined => (new URL(baseUrl).port === "" ? httpsOf(baseUrl) : undefined);
/** Sets that base URL, if there is one. */
export function httpsFix(baseUrl: string, settings: Pick<Settings, "baseUrl">): Pick<Cause, "fix"> {
  const better = byHttps(baseUrl);
  return fixBy(better && settings.baseUrl(better));
}
/** The same by plain http, which is safe only on this machine. */
export const httpOf = (baseUrl: string): string => baseUrl.replace("https:", "http:");
