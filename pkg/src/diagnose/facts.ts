import type { AnyBookMoreError } from "bookmore-sdk";
import type { Settings } from "./fixes.js";

/** A reply that could be read. */
export interface ReadableReply {
  came: "reply";
  status: number;
  /** By how much the clock here is ahead of the server's. */
  aheadMs?: number | undefined;
  /** The final URL, after redirects. */
  url?: string | undefined;
  /** The sign-in that a 401 wants in place of a token, such as Basic. */
  signIn?: string | undefined;
  /** Whether a 401 asks for a bearer token. */
  isForToken?: boolean | undefined;
  /** Whether it is HTML, or XML as of an object store; undefined if it is not labelled. */
  isPage?: boolean | undefined;
  /** What its text shows, if it is no JSON: a sign-in, that something in between refuses, that a server is out of service, that https or another host is wanted, an error that a script prints, or a web app's own page for errors; or, by its header Server, an AirPlay receiver. */
  shows?: "sign-in" | "block" | "down" | "https" | "host" | "script" | "app" | "airplay" | undefined;
  /** The title of a page. */
  title?: string | undefined;
  /** Whether it is plain text. */
  isText?: boolean | undefined;
  /** The message in a reply of JSON. No finding shows it. */
  message?: string | undefined;
  /** Whether it is an error in the API's own form. */
  isApi?: boolean | undefined;
  isCamelCase?: boolean | undefined;
}

/** The outcome of a probe, as far as the platform reveals it. */
export type Probe =
  | ReadableReply
  /** Something answered, but the reply cannot be read. */
  | { came: "opaque" }
  /** A redirect; without its target if the platform hides that. */
  | { came: "redirect"; to?: string | undefined }
  /** `code`: the system's error code, if the platform reveals it. */
  | { came: "nothing"; code: string }
  | { came: "late" };

/** A probe's reply, if it could be read. */
export const replyOf = (probe: Probe | undefined): ReadableReply | undefined => (probe?.came === "reply" ? probe : undefined);

/** The claims of a JWT, read without verifying; times in milliseconds since 1970. */
export interface Claims {
  exp?: number;
  nbf?: number;
  iat?: number;
  iss?: string;
  aud?: string;
  /** What kind of token it is, if it is none for an API. */
  kind?: "an ID token" | "a refresh token";
  /** The names of times that the token has in milliseconds, where a JWT has seconds. They are not read. */
  inMilliseconds?: string[];
}

/** The outcome of the real call. */
export interface Call {
  /** Absent if it returned a usage. */
  error?: AnyBookMoreError;
  /** What happened instead of a usage or a BookMoreError; follows "it". */
  foreign?: string;
  /** Whether it threw a framework's control flow, such as a redirect. */
  isControlFlow?: boolean;
  /** Whether no request was sent, because the reply to an earlier one asks to wait. */
  isHeld?: boolean;
  /** The names of the headers that were sent, in lower case; absent if unknown. */
  sent?: readonly string[] | undefined;
  claims?: Claims | undefined;
  /** Whether the token is a Guid, as API keys are. */
  isGuid?: boolean | undefined;
  /** What shows that what was sent is no token or key; follows "it". */
  flaw?: string | undefined;
  /** Whether a header, or what scripts see of the page's cookies, was too long for some servers. */
  isLong?: boolean | undefined;
  /** Of the reply with a usage. */
  headers?: Readonly<Record<string, string>> | undefined;
  contentType?: string | undefined;
  aheadMs?: number | undefined;
}

/** Whether the operation refused a GET without credentials, in its own form. */
export function isRefusalOfApi(probe: Probe | undefined): boolean {
  const { isApi, status } = replyOf(probe) ?? {};
  return isApi === true && status === 401;
}

/** Whether a fetch that is not the platform's own may add credentials, which are not known here. */
export const mayAddCredentials = ({ hasFetch, page, isFetchReplaced }: Facts): boolean => Boolean(hasFetch || (page !== undefined && isFetchReplaced));

/** What the findings are derived from. What was not tried is absent. */
export interface Facts {
  /** The origin of the page; absent outside of browsers. */
  page?: string | undefined;
  /** Absent for an object that stands in for a client. */
  baseUrl?: string | undefined;
  /** The names of the client's headers that need a preflight, in lower case. */
  headerNames: readonly string[];
  /** Whether it has a `fetch` of the app, which may add headers. */
  hasFetch?: boolean;
  /** Whether the fetch that is used, the client's or the page's, is not the browser's own. Always true in Node.js, whose fetch is a script. */
  isFetchReplaced?: boolean;
  /** Whether it sends cookies to other origins. */
  includesCookies: boolean;
  /** Whether it sends the page's cookies to the server. */
  sendsCookies?: boolean;
  isJsonl: boolean;
  /** Whether the client waits for a reply longer than a step may take. */
  waitsLonger?: boolean;
  isOffline: boolean;
  /** Whether a service worker of the page may answer in the server's place. */
  hasServiceWorker: boolean;
  /** Whether the page is cross-origin isolated: a policy of its own may then hide that a server answers. */
  isIsolated: boolean;
  /** Whether the browser's engine is WebKit. */
  isWebKit?: boolean;
  /** Whether the user lets the page connect to the local network, or to this machine; undefined where browsers do not ask. */
  localNetwork?: PermissionState | undefined;
  /** The clock here, in milliseconds since 1970. */
  now: number;
  /** Why the module could not be loaded. */
  runtime?: AnyBookMoreError | undefined;
  /** The URL, or its origin, from which the page's `connect-src` kept the module. */
  moduleRefusedAt?: string | undefined;
  /** Whether the page's `connect-src` kept a probe from being sent. */
  isRefusedByCsp: boolean;
  /** The policy that did so. */
  policy?: string | undefined;
  /** The policy that kept the module from being fetched or compiled. */
  modulePolicy?: string | undefined;
  /** The status with which a GET before the probes, of doctor, was answered. */
  earlier?: number | undefined;
  /** A GET with only an Accept header. */
  plain?: Probe | undefined;
  /** Where nothing of `plain` could be read: a GET that reads nothing, of the server or of where it redirects to. Without CORS it is `plain`. */
  reach?: Probe | undefined;
  /** `plain`, following redirects, unless the fetch may add credentials, which that would pass on. */
  followed?: Probe | undefined;
  /** `plain` with one header more, by its name. */
  headers: Record<string, Probe>;
  /** `plain` with a Content-Type, which ServiceStack's default CORS settings allow. */
  contentType?: Probe | undefined;
  /** `plain` with cookies. */
  cookies?: Probe | undefined;
  /** `plain` again, if one of the last two got no reply. */
  again?: Probe | undefined;
  call?: Call | undefined;
  /** How to set up the client. */
  settings: Settings;
}
