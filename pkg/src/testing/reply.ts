import type { ResponseError, ResponseStatus } from "bookmore-sdk";
import type { Company } from "./companies.js";
import { headersOf, type Failure, type StatusFailure } from "./failures.js";
import { digitsOf, EMPTY } from "./guid.js";
import { PATH } from "../operation.js";
import { CONTENT_TYPES, Writer, type Format, type Host } from "./wire.js";

/** How a reply comes: at once and whole, where nothing is said. */
export interface Delivery {
  /** Nothing comes at all: `fetch` rejects, or waits for ever. */
  cut?: "network" | "never" | undefined;
  delayMs?: number | undefined;
  byteMs?: number | undefined;
  /** How many bytes come. */
  bytes?: number | undefined;
  /** What follows them. */
  end?: "error" | "clean" | "never" | undefined;
}

export interface Reply extends Delivery {
  status: number;
  /** The reason phrase, which HTTP/1.1 has. */
  reason: string;
  headers: Record<string, string>;
  body: Uint8Array;
  /** Whether something in front of the API made it, which its CORS settings do not reach. */
  isForeign?: boolean;
}

/** How the server writes. */
export interface Style {
  host: Host;
  format: Format;
}

/** What the server knows when it answers. */
export interface Question extends Style {
  /** Whose usage, as 32 digits; zeros where the reply names no company. */
  digits: string;
  company: Company;
  /** The logged-in user's company. */
  own: string;
  /** Where the API lives. */
  baseUrl: string;
}

/** ErrorCode and Message, where the test gives none. */
const ERRORS: Record<number, [string, string]> = {
  400: ["ArgumentException", "The request is not valid"],
  401: ["Unauthorized", "Not Authenticated"],
  402: ["PaymentRequired", "The subscription has lapsed"],
  403: ["Forbidden", "You do not have access to this company"],
  404: ["NotFound", "Company does not exist"],
  408: ["RequestTimeout", "The request took too long"],
  409: ["Conflict", "The window is being recalculated"],
  429: ["RateLimitExceeded", "Too many requests"],
  500: ["InvalidOperationException", "Sequence contains no elements"],
  502: ["BadGateway", "Bad Gateway"],
  503: ["ServiceUnavailable", "Service Temporarily Unavailable"],
  504: ["GatewayTimeout", "Gateway Timeout"],
};

const QUOTA = { status: 429, errorCode: "insufficient_quota", message: "The monthly quota is used up" };
/** Another company than any that a test is likely to ask for. */
const SOMEONE_ELSE = "0d15ea5e000040008000000000000000";

const HTML = "text/html";
const LOGIN_PAGE = `<!doctype html>
<html lang="en">
<head><title>Log in</title></head>
<body><form method="post"><input name="userName"><input name="password" type="password"></form></body>
</html>
`;

/** The usage of the company, or the failure that the test asked for. */
export function replyTo(question: Question, failure: Failure | undefined): Reply {
  if (!failure) return usageReply(question);
  if ("status" in failure) return statusReply(question, failure);
  switch (failure.kind) {
    case "quota":
      return statusReply(question, QUOTA);
    case "login-page":
      return reply(200, "OK", LOGIN_PAGE, HTML);
    case "login-redirect":
      return redirect(302, `${new URL(question.baseUrl).origin}/login?redirect=${encodeURIComponent(PATH)}`);
    case "moved":
      return redirect(301, (failure.to ?? `${question.baseUrl}/moved`).replace(/\/+$/, "") + PATH);
    case "expired":
      return empty401('Bearer error="invalid_token", error_description="The token expired"');
    case "no-company":
      return usageReply({ ...question, digits: EMPTY });
    case "other-company": {
      const { own, digits } = question;
      const other = failure.companyId === undefined ? own : digitsOf(failure.companyId);
      return usageReply({ ...question, digits: other === digits ? SOMEONE_ELSE : other });
    }
    case "network":
      return { ...usageReply(question), cut: "network" };
    case "hang":
      return failure.phase === "body" ? half(usageReply(question), "never") : { ...usageReply(question), cut: "never" };
    case "truncated":
      return half(usageReply(question), failure.end ?? "error", failure.bytes);
    case "slow":
      return { ...usageReply(question), delayMs: failure.delayMs, byteMs: failure.byteMs };
  }
}

/** A company id that is none: found before anything else is looked at. */
export function bindingError({ host, format }: Style, written: string): Reply {
  const errorCode = "SerializationException";
  const errors: ResponseError[] = [
    { errorCode, fieldName: "CompanyId", message: `'${written}' is an Invalid value for 'CompanyId'` },
  ];
  const error = { errorCode, message: "Unable to bind to request 'GetAiChatUsage'", errors };
  return reply(400, "Bad Request", new Writer(host, format).statusOnly(error), CONTENT_TYPES[format]);
}

/** Nobody is logged in, or by nothing that is accepted. */
export function unauthorized(style: Style, hasToken: boolean): Reply {
  if (style.host !== "endpoints") return statusReply(style, { status: 401 });
  return empty401(hasToken ? 'Bearer error="invalid_token"' : "Bearer");
}

/** As ASP.NET makes it in front of the API. */
function empty401(challenge: string): Reply {
  return { ...reply(401, "Unauthorized", ""), headers: { "www-authenticate": challenge }, isForeign: true };
}

function redirect(status: number, location: string): Reply {
  return { ...reply(status, status === 301 ? "Moved Permanently" : "Found", ""), headers: { location }, isForeign: true };
}

/** An API key that is no Guid. */
export function malformedKey(style: Style): Reply {
  return statusReply(style, { status: 403, message: "The API key is not valid", body: "status-only" });
}

function usageReply({ host, format, digits, company }: Question): Reply {
  const text = new Writer(host, format).usage(digits, company.amounts, company.responseStatus);
  return reply(200, "OK", text, CONTENT_TYPES[format]);
}

function statusReply({ host, format }: Style, failure: StatusFailure): Reply {
  const { status } = failure;
  const [code, words] = ERRORS[status] ?? ["Error", "The request failed"];
  const { errorCode = code, message = words, errors = [] } = failure;
  const { body = status === 401 ? "status-only" : status < 400 ? "empty" : "zero-filled" } = failure;
  const error: ResponseStatus = { errorCode, message, ...(errors ? { errors: [...errors] } : {}) };
  const writer = new Writer(host, format);
  const own = CONTENT_TYPES[format];
  let made: Reply;
  if (typeof body === "object") made = reply(status, errorCode, body.text, own);
  else if (body === "empty") made = reply(status, status < 400 ? "" : code, "");
  else if (body === "html") made = reply(status, errorCode, `<html><body><h1>${status} ${message}</h1></body></html>`, HTML);
  else if (body === "status-only") made = reply(status, message, writer.statusOnly(error), own);
  else made = reply(status, errorCode, writer.zeroFilled(error), own);
  if (body === "empty" && status === 401) made.headers["www-authenticate"] = "Bearer";
  const isForeign = body === "html" || (body === "empty" && status >= 400);
  return { ...made, isForeign, headers: { ...made.headers, ...headersOf(failure) } };
}

function half(whole: Reply, end: Delivery["end"], bytes = Math.floor(whole.body.length / 2)): Reply {
  return { ...whole, end, bytes };
}

function reply(status: number, reason: string, text: string, contentType?: string): Reply {
  return {
    status,
    reason,
    headers: contentType === undefined ? {} : { "content-type": contentType },
    body: new TextEncoder().encode(text),
  };
}
