// Nothing that a client shows contains a token or an API key: itself, its errors, its events.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { inspect } from "node:util";
import { install } from "./installed.mjs";

const TOKEN = "t0ken-s3cret-9f2c7b1a";
const FRESH = "fresh-s3cret-3fa85f64";
const KEY = "k3y-s3cret-5ca1ab1e";

let user, sdk;
before(() => {
  user = install();
  sdk = createRequire(join(user.folder, "user.cjs"))("bookmore-sdk");
});
after(() => user?.remove());

const quoted = `${TOKEN} ${KEY}`;
const json = (body, status, headers) => async () =>
  new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json", ...headers } });
const account = {
  ResponseStatus: {
    // Codes are names, not text, and are not redacted.
    ErrorCode: "Refused", Message: `No: ${quoted}`, StackTrace: quoted,
    Errors: [{ ErrorCode: "Quoted", FieldName: KEY, Message: quoted, Meta: { a: quoted } }], Meta: { b: quoted },
  },
};
const throwing = (make) => async (url, init) => {
  throw make(init);
};

/** [what fails, options, request] */
const FAILURES = {
  "an error that the server wrote, quoting everything": { fetch: json(account, 400, { "x-request-id": quoted }) },
  "a 401 that quotes it in its challenge": { fetch: async () => new Response(null, { status: 401, headers: { "www-authenticate": `Bearer error="${quoted} ${FRESH}"` } }) },
  "a plain-text body": { fetch: async () => new Response(quoted, { status: 500 }), maxRetries: 0 },
  "an error at 200": { fetch: json(account, 200) },
  "a content type": { fetch: async () => new Response("x", { headers: { "content-type": `text/${KEY}` } }) },
  "a redirect": { fetch: async () => new Response(null, { status: 302, headers: { location: `https://evil.example/${KEY}?${quoted}` } }) },
  "a reply that is not a usage": { fetch: json({ tokensUsed: quoted }, 200) },
  "another company": { fetch: json({ companyId: "3fa85f6457174562b3fc2c963f66afa6", tokensUsed: 1, tokenLimit: 1, tokensRemaining: 0, isWithinBudget: false, windowDays: 1 }, 200), request: { companyId: "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c" } },
  "a thrown Error that quotes it": { fetch: throwing(() => new Error(`failed with ${quoted}`)), maxRetries: 0 },
  "a thrown Error with the request": { fetch: throwing((init) => Object.assign(new Error("failed"), { config: { nested: [init] } })), maxRetries: 0 },
  "a thrown Error with a Request": { fetch: throwing((init) => Object.assign(new Error("failed"), { request: new Request("https://api.example", { headers: init.headers }) })), maxRetries: 0 },
  "a thrown Error with Headers": { fetch: throwing((init) => Object.assign(new Error("failed"), { sent: new Headers(init.headers) })), maxRetries: 0 },
  "a thrown Error with a Map": { fetch: throwing((init) => Object.assign(new Error("failed"), { sent: new Map(Object.entries(init.headers)) })), maxRetries: 0 },
  "a thrown Error with a Map that shows more than it has": {
    fetch: throwing((init) => {
      class Context extends Map {
        #sent = init.headers;
        toJSON() {
          return this.#sent;
        }
        [inspect.custom]() {
          return inspect(this.#sent);
        }
      }
      return Object.assign(new Error("failed"), { context: new Context([["path", "/usage"]]) });
    }),
    maxRetries: 0,
  },
  "a thrown Error with a list that shows more than it has": {
    fetch: throwing((init) => {
      class Lines extends Array {
        toJSON() {
          return init.headers;
        }
        [inspect.custom]() {
          return inspect(init.headers);
        }
      }
      return Object.assign(new Error("failed"), { lines: new Lines() });
    }),
    maxRetries: 0,
  },
  "a thrown Error whose cause quotes it": { fetch: throwing(() => new TypeError("fetch failed", { cause: new Error(quoted) })), maxRetries: 0 },
  "a thrown text": { fetch: throwing(() => quoted), maxRetries: 0 },
  "a thrown object with the secret": { fetch: throwing(() => ({ toString: () => quoted, quoted })), maxRetries: 0 },
  "a timeout": { fetch: () => new Promise(() => {}), attemptTimeoutMs: 20, maxRetries: 0 },
  "no time for a retry": { fetch: throwing(() => new Error(quoted)), totalTimeoutMs: 100 },
  "an invalid company id": { fetch: json(account, 400), request: { companyId: "abc" } },
  "a body that breaks off": {
    fetch: async () => new Response(new ReadableStream({ start: (stream) => stream.error(new Error(quoted)) }), { headers: { "content-type": "application/json" } }),
    maxRetries: 0,
  },
};

/** Everything that `value` shows, in whatever way it is printed. */
function shown(value) {
  const texts = [String(value), inspect(value, { depth: Infinity, showHidden: true, getters: true }), JSON.stringify(value) ?? ""];
  try {
    texts.push(inspect(structuredClone(value), { depth: Infinity, showHidden: true }));
  } catch {
    // Not cloneable.
  }
  for (let error = value; error instanceof Error; error = error.cause) texts.push(error.message, String(error.stack));
  return texts.join("\n");
}

function assertClean(value, what) {
  const text = shown(value);
  for (const secret of [TOKEN, FRESH, KEY]) assert.ok(!text.includes(secret), `${what} shows ${secret}: ${text}`);
}

for (const [what, { request, ...options }] of Object.entries(FAILURES)) {
  it(`${what} shows no secret`, async () => {
    const events = [];
    const logged = [];
    const { log, warn, error: print } = console;
    for (const name of ["log", "warn", "error"]) console[name] = (...given) => logged.push(given);
    const client = new sdk.BookMoreClient({
      bearerToken: ({ forceRefresh }) => (forceRefresh ? FRESH : TOKEN),
      apiKey: KEY,
      onEvent: (event) => events.push(event),
      ...options,
    });
    let error;
    try {
      error = await client.getAiChatUsage(request).then(() => assert.fail("it succeeded"), (error) => error);
    } finally {
      Object.assign(console, { log, warn, error: print });
    }
    assert.ok(error instanceof sdk.BookMoreError, String(error));
    assertClean(error, "the error");
    assertClean(client, "the client");
    assertClean(events, "the events");
    assertClean(logged, "the console");
    if (!request) assert.ok(events.length > 0);
  });
}

it("an error without a secret stays unchanged", async () => {
  // As Node.js 24 has it.
  class SocketError extends Error {
    get [Symbol.for("undici.error.UND_ERR_SOCKET")]() {
      return true;
    }
  }
  for (const reason of [new Error("x"), new SocketError("x")]) {
    const thrown = new TypeError("fetch failed", { cause: Object.assign(reason, { code: "ECONNRESET" }) });
    const client = new sdk.BookMoreClient({ apiKey: KEY, maxRetries: 0, fetch: throwing(() => thrown) });
    assert.equal(await client.getAiChatUsage().catch(({ cause }) => cause), thrown);
  }
});

it("the search finds a secret if there is one", () => {
  assert.throws(() => assertClean({ deep: { deeper: [KEY] } }, "it"), /it shows k3y/);
  assert.throws(() => assertClean(new Error("x", { cause: new Error(TOKEN) }), "it"), /it shows t0ken/);
});

it("secrets go to no other origin", async () => {
  const sent = [];
  const fetch = async (url, init) => {
    sent.push([url, init.redirect]);
    return new Response(null, { status: 302, headers: { location: "https://evil.example/" } });
  };
  const client = new sdk.BookMoreClient({ apiKey: KEY, bearerToken: TOKEN, fetch });
  const error = await client.getAiChatUsage().catch((error) => error);
  assert.deepEqual([error.code, error.location], ["unexpected_response", "https://evil.example/"]);
  assert.deepEqual(sent, [["https://api.bookmore.com/assistant/ai-chat/usage", "manual"]]);
});
