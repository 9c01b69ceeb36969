// Not everything that `fetch` throws is a network failure, and the message contains the reason.
import { client, each, failure, holds, rejection, reply, same, scripted } from "./rows.mjs";

const coded = (code, message = "it failed") => Object.assign(new Error(message), { code });
const typeError = (message, cause) => new TypeError(message, cause === undefined ? undefined : { cause });

const NETWORK = [
  ["Chromium", () => typeError("Failed to fetch")],
  ["Chromium with its host", () => typeError("Failed to fetch (api.example)")], // langfuse/langfuse#14054
  ["Firefox", () => typeError("NetworkError when attempting to fetch resource.")], // sindresorhus/p-retry#51
  ["WebKit", () => typeError("Load failed")],
  ["WebKit with its host", () => typeError("Load failed (api.example)")],
  ["WebKit offline", () => typeError("The Internet connection appears to be offline.")],
  ["WebKit, lost", () => typeError("The network connection was lost.")],
  ["React Native", () => typeError("Network request failed")], // sindresorhus/p-retry#44
  ["React Native, late", () => typeError("Network request timed out")],
  ["Deno", () => typeError("error sending request for url (https://api.example/): client error (Connect)")],
  ["workerd", () => new Error("Network connection lost.")],
  ["Electron", () => new Error("net::ERR_INTERNET_DISCONNECTED")],
  ["a DOMException", () => new DOMException("A network error occurred.", "NetworkError")],
  ...["ECONNREFUSED", "ECONNRESET", "ENOTFOUND", "EAI_AGAIN", "ETIMEDOUT", "EHOSTUNREACH", "ENETUNREACH", "EPIPE", "EPROTO"].map(
    (code) => [`Node's code ${code}`, () => typeError("fetch failed", coded(code))],
  ),
  ...["UND_ERR_SOCKET", "UND_ERR_CONNECT_TIMEOUT", "HPE_INVALID_CONSTANT", "CERT_HAS_EXPIRED", "DEPTH_ZERO_SELF_SIGNED_CERT"].map(
    (code) => [`a cause's code ${code}`, () => new Error("wrapped", { cause: coded(code) })],
  ),
  ...["ERR_NETWORK", "ERR_TLS_CERT_ALTNAME_INVALID", "ERR_SSL_WRONG_VERSION_NUMBER", "ERR_SOCKET_CLOSED", "ConnectionRefused", "FailedToOpenSocket"].map(
    (code) => [`the code ${code}`, () => coded(code)],
  ),
];

const OWN_FAULTS = [
  ["a TypeError of a script", () => typeError("x is not a function")],
  ["a hook's Error", () => new Error("status: error")], // sindresorhus/ky#149
  ["a random Error", () => new Error("this fn does not make req")], // openai/openai-node#1656
  ["a network failure's message in an Error", () => new Error("Failed to fetch")],
  ["a message that only begins like a network failure's", () => typeError("Failed to fetch dynamically imported module: https://app.example/a.js")],
  ["a message of a wrapper", () => typeError("fetch failed validation")],
  ["an invalid URL", () => Object.assign(typeError("Failed to parse URL from x"), { code: "ERR_INVALID_URL" })],
  ["a signal of another realm", () => typeError('RequestInit: Expected signal ("AbortSignal {}") to be an instance of AbortSignal.')], // vitest-dev/vitest#8374
  ["a dispatcher of another undici", () => typeError("fetch failed", coded("UND_ERR_INVALID_ARG", "invalid onRequestStart method"))], // openai/openai-node#1886
  ...["E2BIG", "E11000", "ENOENT", "EACCES", "EINVAL", "EMFILE", "ERR_INVALID_ARG_TYPE", "ABORT_ERR", "UNABLE_TO_PARSE"].map(
    (code) => [`the code ${code}`, () => coded(code)],
  ),
  ["a code that is a number", () => Object.assign(new Error("duplicate"), { code: 11000 })],
  ["a TimeoutError of its own", () => new DOMException("too late", "TimeoutError")],
  ["an AbortError of its own", () => new DOMException("aborted", "AbortError")],
  ["a SyntaxError", () => new SyntaxError("Unexpected token <")],
  ["words", () => "words"],
  ["nothing", () => undefined],
  ["null", () => null],
  ["a number", () => 503],
  ["a symbol", () => Symbol("s")],
  ["an object without a prototype", () => Object.create(null)],
  ["an Error with a status", () => Object.assign(new Error("Not found"), { status: 404 })],
  ["Angular's HttpErrorResponse, which is no Error", () => ({ name: "HttpErrorResponse", message: "Http failure response for /: 404", status: 404, ok: false })],
  ["a status that is text", () => ({ status: "failed" })],
  ["an event", () => new Event("error")],
  ["a number as digest", () => Object.assign(new Error("x"), { digest: 5 })],
];

const CONTROL_FLOW = [
  ["Next, dynamic", () => Object.assign(new Error("Dynamic server usage: no-store fetch"), { digest: "DYNAMIC_SERVER_USAGE" })],
  ["Next, a redirect", () => Object.assign(new Error("NEXT_REDIRECT"), { digest: "NEXT_REDIRECT;replace;/login;307;" })], // vercel/next.js#55586
  ["Next, not found", () => Object.assign(new Error("NEXT_HTTP_ERROR_FALLBACK;404"), { digest: "NEXT_HTTP_ERROR_FALLBACK;404" })],
  ["Next, a prerender that hangs", () => Object.assign(new Error("During prerendering, fetch() rejects"), { digest: "HANGING_PROMISE_REJECTION" })],
  ["a digest that is empty", () => Object.assign(new Error("x"), { digest: "" })],
  ["a digest with a network failure's message", () => Object.assign(typeError("Failed to fetch"), { digest: "BAILOUT_TO_CLIENT_SIDE_RENDERING" })],
  ["React, a thenable", () => ({ then() {} })],
  ["React, a promise", () => new Promise(() => {})],
  ["React Router, a redirect", () => new Response(null, { status: 302, headers: { location: "/login" } })], // epicweb-dev/epic-stack#632
  ["a Response of another class", () => ({ get status() { return 404; }, json() {}, text() {} })],
  ["React Router, data()", () => ({ type: "DataWithResponseInit", data: "Not found", init: { status: 404 } })],
  ["SvelteKit, redirect()", () => new (class Redirect { constructor() { Object.assign(this, { status: 303, location: "/login" }); } })()], // sveltejs/kit#9785
  ["SvelteKit, error()", () => new (class HttpError { constructor() { Object.assign(this, { status: 404, body: { message: "Not found" } }); } })()],
  ["TanStack, notFound()", () => ({ isNotFound: true })],
  ["React, a postponed state", () => ({ $$typeof: Symbol.for("react.postpone"), message: "reason" })],
];

/** Thrown at once, and as a rejection. */
const ways = (make) => {
  const thrown = make();
  return [[thrown, () => { throw thrown; }], [thrown, () => Promise.reject(thrown)]];
};

export const THROWN = {
  ...each("is a network failure, and retried", NETWORK, async ({ sdk }, [, make]) => {
    for (const [, run] of ways(make)) {
      const fetch = scripted(run);
      const error = await failure(client(sdk, fetch, { maxRetries: 1 }).getAiChatUsage());
      same([error.code, fetch.inits.length, error.isRetryable], ["network_error", 2, true]);
      holds(/^No reply came from https:\/\/api\.example\//.test(error.message), error.message);
    }
  }),
  ...each("is a failure of the function, and not retried", OWN_FAULTS, async ({ sdk }, [, make]) => {
    for (const [thrown, run] of ways(make)) {
      const fetch = scripted(run);
      const error = await failure(client(sdk, fetch).getAiChatUsage());
      same([error.code, fetch.inits.length, error.isRetryable], ["fetch_error", 1, false]);
      holds(error instanceof sdk.FetchError && /^The fetch function failed by itself/.test(error.message), String(error));
      if (thrown?.message) holds(error.message.includes(thrown.message.replace(/\.$/, "")), error.message);
    }
  }),
  ...each("is a framework's, and rejects the call unchanged", CONTROL_FLOW, async ({ sdk }, [, make]) => {
    for (const [thrown, run] of ways(make)) {
      const fetch = scripted(run);
      const own = client(sdk, fetch);
      const calls = [own.getAiChatUsage(), own.getAiChatUsageWithResponse()].map(rejection);
      for (const got of await Promise.all(calls)) holds(got.thrown === thrown, `it is ${String(got.thrown)}`);
      same(fetch.inits.length, 1, "requests:");
    }
  }),
  ...each("is a framework's, and passes the provider's call unchanged", CONTROL_FLOW, async ({ sdk }, [, make]) => {
    for (const [thrown, bearerToken] of ways(make)) {
      const fetch = scripted(() => { throw new Error("nothing may be sent"); });
      const got = await rejection(client(sdk, fetch, { bearerToken }).getAiChatUsage());
      holds(got.thrown === thrown, `it is ${String(got.thrown)}`);
      same(fetch.inits.length, 0, "requests:");
    }
  }),
  "an error of the body after the headers is a reply that broke off": async ({ sdk }) => {
    for (const make of [() => new Error("x"), () => coded("ENOENT"), () => typeError("terminated"), () => undefined, () => coded("ERR_STREAM_PREMATURE_CLOSE")]) {
      const fetch = scripted(async () => ({ status: 200, text: async () => { throw make(); } }));
      const error = await failure(client(sdk, fetch, { maxRetries: 1 }).getAiChatUsage());
      same([error.code, fetch.inits.length], ["network_error", 2]);
      holds(/^The reply broke off/.test(error.message), error.message);
    }
  },
  "no message and no cause contains the token": async ({ sdk }) => {
    const token = "t0ken-s3cret-9f2c7b1a";
    for (const make of [
      () => new Error(`no: ${token}`),
      () => new Error("no", { cause: new Error(token) }),
      () => Object.assign(new Error("no"), { config: { headers: { authorization: `Bearer ${token}` } } }),
      () => typeError("Failed to fetch", coded("ECONNRESET", token)),
      () => token,
    ]) {
      const error = await failure(client(sdk, () => { throw make(); }, { bearerToken: token, maxRetries: 0 }).getAiChatUsage());
      const { cause } = error;
      const shown = [error.message, error.stack, String(cause), cause?.message, cause?.stack, JSON.stringify(cause), String(cause?.cause)];
      holds(!shown.join().includes("s3cret"), shown.join());
    }
  },

  "fetch is called without this, with a string and plain objects": async ({ sdk }) => { // replicate/replicate-javascript#90, ionic-team/capacitor#8010
    const given = [];
    async function fetch(...all) {
      given.push(this, ...all);
      return reply();
    }
    await client(sdk, fetch, { bearerToken: "t0ken-s3cret", headers: { "x-tag": "a" } }).getAiChatUsage();
    const [self, url, init] = given;
    same([self === undefined, given.length, typeof url], [true, 3, "string"]);
    same([init, init.headers].map((object) => Object.getPrototypeOf(object) === Object.prototype), [true, true]);
  },
  ...each(
    "an invalid token is reported before anything is sent", // postmanlabs/postman-app-support#8004, nodejs/undici#1590
    [["a line break", "t0ken-s3cret\n"], ["a carriage return", "t0ken-s3cret\r\n"], ["a space", " t0ken-s3cret"], ["a letter of no header", "t0ken-s3crét"], ["a NUL", "t0ken\0s3cret"]],
    async ({ sdk }, [, token]) => {
      const fetch = scripted(async () => reply());
      for (const [options, code] of [[{ bearerToken: token }, "config_error"], [{ apiKey: token }, "config_error"], [{ bearerToken: () => token }, "token_provider_error"]]) {
        const error = await failure((async () => client(sdk, fetch, options).getAiChatUsage())());
        same([error.code, fetch.inits.length], [code, 0]);
        holds(/visible ASCII/.test(error.message) && !error.message.includes("s3cr"), error.message);
      }
    },
  ),
  ...each(
    "an error can be cloned and written as JSON", // GoogleChromeLabs/comlink#514, pinojs/thread-stream#29
    [
      ["the network's", () => typeError("Failed to fetch", coded("ECONNRESET"))],
      ["a cause that is a function", () => new Error("x", { cause: () => {} })],
      ["a member that is a function", () => Object.assign(new Error("x"), { retry() {} })],
      ["a function", () => () => {}],
      ["an object with a function", () => ({ retry() {} })],
    ],
    async ({ sdk }, [, make]) => {
      const error = await failure(client(sdk, async () => { throw make(); }, { maxRetries: 0 }).getAiChatUsage());
      same(structuredClone(error).message, error.message);
      const { name, code, message } = JSON.parse(JSON.stringify(error));
      same([name, code, message], [error.name, error.code, error.message]);
    },
  ),

  ...each(
    "the message contains the reason",
    [
      ["a blocked port", () => typeError("fetch failed", new Error("bad port")), ": fetch failed: bad port."],
      ["a proxy's 407", () => typeError("fetch failed", coded("UND_ERR_ABORTED", "Proxy response (407) !== 200 when HTTP Tunneling")), ": fetch failed: UND_ERR_ABORTED: Proxy response (407) !== 200 when HTTP Tunneling."],
      ["a code alone", () => typeError("fetch failed", { code: "ECONNREFUSED" }), ": fetch failed: ECONNREFUSED."],
      ["a code that the words name", () => typeError("fetch failed", coded("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:9")), ": fetch failed: ECONNREFUSED."],
      ["a closed socket", () => typeError("fetch failed", coded("UND_ERR_SOCKET", "other side closed")), ": fetch failed: UND_ERR_SOCKET: other side closed."],
      ["a certificate", () => typeError("fetch failed", coded("CERT_HAS_EXPIRED", "certificate has expired")), ": fetch failed: CERT_HAS_EXPIRED: certificate has expired."],
      ["a full stop of its own", () => typeError("NetworkError when attempting to fetch resource."), "attempting to fetch resource. Check"],
      ["a wrapper's cause", () => new Error("the wrapper failed", { cause: new RangeError("no session") }), ": the wrapper failed: no session."], // WrongStack/WrongStack#100
      ["a dispatcher of another undici", () => typeError("fetch failed", coded("UND_ERR_INVALID_ARG", "invalid onRequestStart method")), "UND_ERR_INVALID_ARG: invalid onRequestStart method."],
    ],
    async ({ sdk }, [, make, words]) => {
      const error = await failure(client(sdk, () => { throw make(); }, { maxRetries: 0 }).getAiChatUsage());
      holds(error.message.includes(words), error.message);
    },
  ),
};
