import type { AnyBookMoreError } from "bookmore-sdk";
import type { Settings } from "./fixes.js";

/** What a probe came to, as far as the platform tells. */
export type Probe =
  /** `aheadMs`: by how much the clock here is ahead of the server's. `url`: where from, after redirects. */
  | { came: "reply"; status: number; aheadMs?: number | undefined; url?: string | undefined; isCamelCase?: boolean | undefined }
  /** Something answered, and nothing of it can be read. */
  | { came: "opaque" }
  /** A redirect that the platform keeps to itself, or where it leads. */
  | { came: "redirect"; to?: string | undefined }
  /** `code`: the system's, where the platform tells. */
  | { came: "nothing"; code: string }
  | { came: "late" };

/** The claims of a JWT, read without verifying; times in milliseconds since 1970. */
export interface Claims {
  exp?: number;
  nbf?: number;
  iss?: string;
  aud?: string;
}

/** What the real call came to. */
export interface Call {
  /** Absent where it gave a usage. */
  error?: AnyBookMoreError;
  /** What happened instead of a usage or a BookMoreError; follows "it". */
  foreign?: string;
  /** Whether that is a framework's, such as a redirect. */
  isControlFlow?: boolean;
  /** The names of the headers that were sent, in lower case. Absent where that is not known. */
  sent?: readonly string[] | undefined;
  claims?: Claims | undefined;
  contentType?: string | undefined;
  aheadMs?: number | undefined;
}

/** What findings are made of. What was not tried is absent. */
export interface Facts {
  /** The origin of the page; absent where no browser stands between. */
  page?: string | undefined;
  /** Absent for what stands in for a client. */
  baseUrl?: string | undefined;
  /** The names of the headers that the client would send and a browser asks for, in lower case. */
  headerNames: readonly string[];
  /** Whether it sends by a function of the application's, which may add to them. */
  hasFetch?: boolean;
  /** Whether it sends cookies to other origins. */
  includesCookies: boolean;
  isJsonl: boolean;
  isOffline: boolean;
  /** Whether a service worker of the page may answer in the server's place. */
  hasServiceWorker: boolean;
  /** Whether the page is cross-origin isolated: a policy of its own may then hide that a server answers. */
  isIsolated: boolean;
  /** The clock here, in milliseconds since 1970. */
  now: number;
  /** Why the module does not run. */
  runtime?: AnyBookMoreError | undefined;
  /** Whether the page's `connect-src` kept a probe from being sent. */
  isRefusedByCsp: boolean;
  /** A GET with Accept alone. */
  plain?: Probe | undefined;
  /** Where nothing of `plain` could be read: a GET that reads nothing, of the server or of where it redirects to. Without CORS it is `plain`. */
  reach?: Probe | undefined;
  /** `plain`, following redirects. */
  followed?: Probe | undefined;
  /** `plain` with one header more, by its name. */
  headers: Record<string, Probe>;
  /** `plain` with a Content-Type, which ServiceStack's default CORS settings allow. */
  contentType?: Probe | undefined;
  /** `plain` with cookies. */
  cookies?: Probe | undefined;
  /** `plain` again, where one of the last two got no reply. */
  again?: Probe | undefined;
  call?: Call | undefined;
  /** How the client that asks is set up. */
  settings: Settings;
}
