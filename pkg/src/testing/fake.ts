import { BookMoreClient } from "bookmore-sdk";
import type { ClientOptions } from "bookmore-sdk";
import { Companies } from "./companies.js";
import { asBrowser, corsHeaders, CORS_POLICIES, preflightReply, type CorsPolicy } from "./cors.js";
import { deliver } from "./deliver.js";
import { isCut, type Answers } from "./failures.js";
import { dashed, EMPTY, guidDigits } from "./guid.js";
import { checkMembers, unknown } from "./members.js";
import { DEFAULT_BASE_URL } from "../operation.js";
import { isSecret, SECRET } from "../secret.js";
import { bindingError, malformedKey, replyTo, unauthorized, type Reply, type Style } from "./reply.js";
import { asked, logAsked, logged, received, RequestMismatchError, type FakeRequest, type Received } from "./request.js";
import { HOSTS, type Host } from "./wire.js";

/** Options of a {@link FakeBookMore}. */
export interface FakeOptions {
  /** The base URL of the API. Requests to any other address are refused. Default: `https://api.bookmore.com`. */
  baseUrl?: string | URL | undefined;
  /** The logged-in user's company, which answers requests without a company id. */
  companyId?: string | undefined;
  /** The only token that is accepted; any other gets a 401. Default: any. */
  bearerToken?: string | undefined;
  /** The only API key that is accepted, a Guid; any other gets a 401 or 403. Default: any. */
  apiKey?: string | undefined;
  /** How the server is configured. Default: `"classic"`. */
  host?: Host | undefined;
  /**
   * The server's CORS policy. `fetch` then behaves as in a page of another origin, and throws a TypeError if CORS forbids
   * the request. Default: CORS is not simulated.
   */
  cors?: CorsPolicy | undefined;
}

/** A BookMore API in memory. */
export interface FakeBookMore {
  /** Stands in for the platform's `fetch`: `new BookMoreClient({ fetch: fake.fetch })`. Needs no `this`. */
  readonly fetch: typeof fetch;
  /** The base URL of the API. */
  readonly baseUrl: string;
  /** The logged-in user's company. */
  readonly companyId: string;
  /** The server's CORS policy. */
  readonly cors: CorsPolicy | undefined;
  /** A client of this API, with a token that is accepted, unless `options` have other credentials. */
  client(options?: ClientOptions): BookMoreClient;
  /** All requests since the last `reset()`, oldest first. */
  readonly requests: readonly FakeRequest[];
  /**
   * Sets what requests for a company get from now on; undefined is the logged-in user's company.
   *
   * - A usage, or a few of its members; the others stay as they are: `{ tokenLimit: 50_000 }` changes only the limit.
   *   The tokens count as used just now.
   * - A failure: `{ status: 403 }`, `{ kind: "network" }`. The usage does not change.
   * - A list of these: one for each request, and the last for all others;
   *   `[{ status: 503, times: 2 }, { share: 0.83 }]` fails twice.
   *
   * @throws TypeError for invalid or contradictory values, and for unknown members, with the nearest known name.
   */
  set(companyId: string | undefined, answers: Answers): void;
  /** Records that the company uses tokens now. They drop out of its window after `windowDays` days. */
  record(companyId: string | undefined, tokens: number | bigint): void;
  /** Advances the server's clock, which is `Date.now()` plus the sum of these. Runs no timer. */
  advance(ms: number): void;
  /** Forgets companies, requests and what `advance` has added. */
  reset(): void;
}

const OPTIONS: (keyof FakeOptions)[] = ["baseUrl", "companyId", "bearerToken", "apiKey", "host", "cors"];
/** The company that the recorded server answered for. */
const OWN_COMPANY = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

/**
 * Makes a BookMore API in memory. A company that was not set has used nothing
 * of 100 000 tokens in 30 days.
 *
 * A request that does not match the API is refused with a `RequestMismatchError`
 * that names the difference. It is also printed and listed in `requests`, because
 * an app may mistake it for a network error.
 *
 * A request with `credentials: "include"` counts as logged in, because the platform adds its cookies.
 *
 * @throws TypeError for an invalid option.
 */
export function createFakeBookMore(options: FakeOptions = {}): FakeBookMore {
  checkMembers(options, OPTIONS, "The fake's options");
  const { baseUrl = DEFAULT_BASE_URL, companyId = OWN_COMPANY, bearerToken, apiKey, host = "classic", cors } = options;
  if (bearerToken !== undefined && !isSecret(bearerToken)) {
    throw new TypeError(`The fake's bearerToken must be ${SECRET}.`);
  }
  if (apiKey !== undefined && (typeof apiKey !== "string" || !guidDigits(apiKey))) throw new TypeError("The fake's apiKey must be a Guid, as those of the server are.");
  if (!HOSTS.includes(host)) throw new TypeError(`There is no host ${unknown(String(host), HOSTS)}.`);
  if (cors !== undefined && !CORS_POLICIES.includes(cors)) throw new TypeError(`There is no CORS policy ${unknown(String(cors), CORS_POLICIES)}.`);
  const base = checkedUrl(baseUrl);
  let ahead = 0;
  const now = () => Date.now() + ahead;
  const companies = new Companies(companyId, now);
  const requests: FakeRequest[] = [];

  async function answer(request: Received, log: FakeRequest, over: () => void): Promise<Response> {
    const { format, company: written } = asked(request, base);
    logAsked(log, format, written);
    const digits = written === "" ? companies.own : guidDigits(written);
    const company = companies.of(digits === undefined || digits === EMPTY ? companies.own : digits);
    const { failure } = company;
    const style = { host, format };
    const refused = failure && isCut(failure) ? undefined : refusal(request, style, written, digits);
    const reply = refused ?? replyTo({ ...style, digits: digits ?? EMPTY, company, own: companies.own, baseUrl: base.href.replace(/\/+$/, "") }, failure);
    if (!refused) company.answered();
    const headers = reply.isForeign ? reply.headers : { ...reply.headers, ...corsHeaders(cors) };
    const response = await deliver({ ...reply, headers }, request.signal, now(), over);
    log.status = response.status;
    return response;
  }

  /** What the server says of a request whose company id or credentials are not right. */
  function refusal(request: Received, style: Style, written: string, digits: string | undefined): Reply | undefined {
    const bad = digits === undefined ? bindingError(style, written) : undefined;
    const { headers, hasCookies } = request;
    const token = headers.get("authorization");
    const key = headers.get("x-api-key");
    const isAccepted =
      hasCookies ||
      (token !== null && (bearerToken === undefined ? /^Bearer ./.test(token) : token === `Bearer ${bearerToken}`)) ||
      (key !== null && (apiKey === undefined || key.toLowerCase() === apiKey.toLowerCase()));
    if (isAccepted) return bad;
    const isMalformed = key !== null && guidDigits(key) === undefined;
    const refused = isMalformed ? malformedKey(style) : unauthorized(style, token !== null);
    return host === "endpoints" ? refused : (bad ?? refused);
  }

  async function fakeFetch(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    const request = received(input, init);
    const { signal } = request;
    signal?.throwIfAborted();
    const log = logged(request, now());
    requests.push(log);
    const aborted = () => (log.aborted = true);
    signal?.addEventListener("abort", aborted);
    try {
      return await answer(request, log, () => signal?.removeEventListener("abort", aborted));
    } catch (error) {
      if (error instanceof RequestMismatchError) log.mismatch = error.message;
      throw error;
    }
  }

  async function send(input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response> {
    if (cors === undefined) return fakeFetch(input, init);
    const request = received(input, init);
    if (request.method === "OPTIONS") return preflightReply(cors);
    // Behind HTTP the browser that asks decides what its page may have.
    if (request.mode === "same-origin") return fakeFetch(input, init);
    return asBrowser(cors, request, base, () => fakeFetch(input, init));
  }

  const fetch: typeof globalThis.fetch = (input, init) => send(input, init).catch(told);
  return {
    fetch,
    baseUrl: base.href.replace(/\/+$/, ""),
    companyId: dashed(companies.own),
    cors,
    requests,
    client: (given = {}) =>
      new BookMoreClient({
        baseUrl,
        ...(given.apiKey === undefined ? { bearerToken: bearerToken ?? "fake-token" } : {}),
        fetch,
        ...given,
      }),
    set: (id, answers) => companies.set(id, answers),
    record: (id, tokens) => companies.record(id, tokens),
    advance(ms) {
      if (!(Number.isFinite(ms) && ms >= 0)) throw new TypeError("advance takes milliseconds, 0 or more.");
      ahead += ms;
    },
    reset() {
      companies.reset();
      requests.length = 0;
      ahead = 0;
    },
  };
}

/** An app may take it for a lost network, and say nothing of it. */
function told(error: unknown): never {
  if (error instanceof RequestMismatchError) console.error(error.message);
  throw error;
}

function checkedUrl(given: string | URL): URL {
  let url;
  try {
    url = new URL(String(given));
  } catch {
    // Refused below.
  }
  if (!url || !/^https?:$/.test(url.protocol)) {
    throw new TypeError("baseUrl must be an http(s) URL, such as https://api.bookmore.com.");
  }
  return url;
}
