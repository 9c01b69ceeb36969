import type { ResponseError, ResponseStatus } from "bookmore-sdk";
import type { Company } from "./companies.js";
import { headersOf, type Failure, type StatusFailure } from "./failures.js";
import { digitsOf, EMPTY } from "./guid.js";
import { PATH } from "../operation.js";
import { CONTENT_TYPES, Writer, type Format, type Host } from "./wire.js";

/** How a reply is delivered. Default: at once and whole. */
export interface Delivery {
  /** Without a reply, `fetch` rejects or stays pending. */
  cut?: "network" | "never" | undefined;
  delayMs?: number | undefined;
  byteMs?: number | undefined;
  /** How many bytes arrive. */
  bytes?: number | undefined;
  /** What follows these bytes. */
  end?: "error" | "clean" | "never" | undefined;
}

export interface Reply extends Delivery {
  status: number;
  /** The reason phrase of HTTP/1.1. */
  reason: string;
  headers: Record<string, string>;
  body: Uint8Array;
  /** Whether something in front of the API made it, so that it lacks the API's CORS headers. */
  isForeign?: boolean;
}

/** How the server writes. */
export interface Style {
  host: Host;
  format: Format;
}

/** What the server needs to know for an answer. */
export interface Question extends Style {
  /** The company of the usage, as 32 digits; zeros if the reply names none. */
  digits: string;
  company: Company;
  /** The logged-in user's company. */
  own: string;
  /** The base URL of the API. */
  baseUrl: string;
}

/** The default ErrorCode and Message of each status. */
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
/** A company that no test is likely to ask for. */
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

/** The refusal of an invalid company id, which is checked before anything else. */
export function bindingError({ host, format }: Style, written: string): Reply {
  const errorCode = "SerializationException";
  const errors: ResponseError[] = [
    { errorCode, fieldName: "CompanyId", message: `'${written}' is an Invalid value for 'CompanyId'` },
  ];
  const error = { errorCode, message: "Unable to bind to request 'GetAiChatUsage'", errors };
  return reply(400, "Bad Request", new Writer(host, format).statusOnly(error), CONTENT_TYPES[format]);
}

/** The refusal of a request without accepted credentials. */
export function unauthorized(style: Style, hasToken: boolean): Reply {
  if (style.host !== "endpoints") return statusReply(style, { status: 401 });
  return empty401(hasToken ? 'Bearer error="invalid_token"' : "Bearer");
}

/** A 401 as ASP.NET in front of the API makes it. */
function empty401(challenge: string): Reply {
  return { ...reply(401, "Unauthorized", ""), headers: { "www-authenticate": challenge }, isForeign: true };
}

function redirect(status: number, location: string): Reply {
  return { ...reply(status, status === 301 ? "Moved Permanently" : "Found", ""), headers: { location }, isForeign: true };
}

/** The refusal of an API key that is not a Guid. */
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
