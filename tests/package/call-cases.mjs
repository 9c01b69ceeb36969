// Failures, retries, tokens and sharing, end to end through the package: run in Node (calls.test.mjs) and in browsers
// (browser.test.mjs). Each case gets `{ sdk, url }`: the package, and the URL of the stand-in server.

const USAGE = '{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}';
const COMPANIES = ["9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c", "3fa85f64-5717-4562-b3fc-2c963f66afa6"];

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const never = () => new Promise(() => {});

function same(actual, expected, words = "") {
  const [given, wanted] = [actual, expected].map((value) => JSON.stringify(value) ?? String(value));
  if (given !== wanted) throw new Error(`${words} expected ${wanted}, got ${given}`);
}

function holds(condition, words) {
  if (!condition) throw new Error(words);
}

async function failure(promise) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`it succeeded with ${JSON.stringify(value)}`);
}

const reply = (body = USAGE, status = 200, headers = {}) =>
  new Response(status === 204 ? null : body, { status, headers: { "content-type": "application/json", ...headers } });

/** A fetch that returns the list's replies, the last one from then on; `sent` has the inits. */
function scripted(...answers) {
  const sent = [];
  const fetch = async (url, init) => {
    sent.push({ url, ...init });
    const answer = answers[Math.min(sent.length, answers.length) - 1];
    return typeof answer === "function" ? answer(init) : reply(...answer);
  };
  return Object.assign(fetch, { sent });
}
const OK = [];
const BUSY = ["", 503];
const REFUSED = ["", 401];

/** A signal that counts its listeners. */
function watched() {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  for (const [method, by] of [["addEventListener", 1], ["removeEventListener", -1]]) {
    signal[method] = (...given) => {
      listeners += by;
      EventTarget.prototype[method].apply(signal, given);
    };
  }
  return { signal, abort: (reason) => controller.abort(reason), listeners: () => listeners };
}

const timeoutOf = ({ name, code, phase, scope, timeoutMs }) => [name, code, phase, scope, timeoutMs];

export const CASES = {
  // ---- Base URLs ----

  "a relative base URL is resolved against the page, and refused without one": async ({ sdk, url }) => {
    const make = () => new sdk.BookMoreClient({ baseUrl: "/", bearerToken: "good-token" });
    if (globalThis.location) {
      same(new URL(url).origin, globalThis.location.origin);
      same((await make().getAiChatUsage()).tokensUsed, 1234);
    } else {
      same((await failure((async () => make())())).code, "config_error");
    }
  },

  // ---- Timeouts ----

  "the attempt timeout covers the headers and the body": async ({ sdk, url }) => {
    // The headers of a body that stalls have to arrive in time, on a busy machine too.
    for (const [fault, phase, attemptTimeoutMs] of [["stall-headers", "headers", 150], ["stall-body", "body", 3_000]]) {
      const client = new sdk.BookMoreClient({ baseUrl: `${url}/faults/${fault}/limit`, attemptTimeoutMs, maxRetries: 1 });
      const error = await failure(client.getAiChatUsage());
      holds(error instanceof sdk.TimeoutError, String(error));
      same(timeoutOf(error), ["TimeoutError", "timeout", phase, "attempt", attemptTimeoutMs]);
      same(error.attempts.map(({ error }) => error), ["timeout", "timeout"]);
    }
  },
  "the total timeout ends an attempt, and is final": async ({ sdk, url }) => {
    const client = new sdk.BookMoreClient({ baseUrl: `${url}/faults/stall-headers/total`, attemptTimeoutMs: null, totalTimeoutMs: 150 });
    const error = await failure(client.getAiChatUsage());
    same(timeoutOf(error), ["TimeoutError", "timeout", "headers", "total", 150]);
    same(error.attempts.length, 1);
  },
  "the total timeout covers the token": async ({ sdk }) => {
    let told;
    const client = new sdk.BookMoreClient({ bearerToken: (about) => ((told = about), never()), fetch: scripted(OK) });
    const error = await failure(client.getAiChatUsage({}, { totalTimeoutMs: 50 }));
    same(timeoutOf(error), ["TimeoutError", "timeout", "token", "total", 50]);
    same(told.signal.aborted, false, "the function goes on:");
  },
  "without time for a retry, the timeout has the failure as its cause": async ({ sdk }) => {
    const fetch = scripted(BUSY);
    const error = await failure(new sdk.BookMoreClient({ fetch, totalTimeoutMs: 100 }).getAiChatUsage());
    same(timeoutOf(error), ["TimeoutError", "timeout", "backoff", "total", 100]);
    holds(error.cause instanceof sdk.ServerError && error.cause.status === 503, String(error.cause));
    same(fetch.sent.length, 1);
  },
  "null disables the timeouts": async ({ sdk, url }) => {
    const client = new sdk.BookMoreClient({ baseUrl: `${url}/faults/slow-drip/off`, attemptTimeoutMs: null, totalTimeoutMs: null });
    same((await client.getAiChatUsage()).tokensUsed, 1234);
  },

  // ---- Abort ----

  ...Object.fromEntries(
    Object.entries({
      "while the token is awaited": { bearerToken: never, fetch: scripted(OK) },
      "in flight": { fetch: scripted(never) },
      "in the body": { fetch: scripted(() => new Response(new ReadableStream(), { headers: { "content-type": "application/json" } })) },
      "in the wait before a retry": { fetch: scripted(BUSY) },
    }).map(([phase, options]) => [
      `an abort ${phase} rejects with the reason and leaves nothing`,
      async ({ sdk }) => {
        for (const reason of ["words", 0, null, { any: "thing" }, new Error("left the page")]) {
          const { fetch } = options;
          const client = new sdk.BookMoreClient(options);
          const watch = watched();
          const before = fetch.sent.length;
          const failed = failure(client.getAiChatUsage({}, { signal: watch.signal }));
          await pause(60);
          const sent = fetch.sent.slice(before);
          watch.abort(reason);
          holds((await Promise.race([failed, pause(1000).then(() => "late")])) === reason, "the reason comes at once");
          same(watch.listeners(), 0, "listeners:");
          holds(sent.every(({ signal }) => signal !== watch.signal), "the caller's signal is not handed on");
          if (phase !== "in the wait before a retry") holds(sent.every(({ signal }) => signal.aborted), "the request is aborted");
          if (reason === 0) await pause(600);
          same(fetch.sent.length, before + sent.length, "requests:");
        }
      },
    ]),
  ),
  "a call that ends leaves no listener": async ({ sdk }) => {
    for (const answers of [[OK], [REFUSED], [BUSY, OK]]) {
      const watch = watched();
      await new sdk.BookMoreClient({ fetch: scripted(...answers) }).getAiChatUsage({}, { signal: watch.signal }).catch(() => {});
      same(watch.listeners(), 0);
    }
  },

  "a body that is not read to its end is cancelled": async ({ sdk }) => {
    for (const [status, code] of [[200, "decode_error"], [206, "unexpected_response"]]) {
      let cancelled = false;
      const body = new ReadableStream({
        pull: (stream) => stream.enqueue(new Uint8Array(65_536).fill(32)),
        cancel: () => void (cancelled = true),
      });
      const fetch = async () => new Response(body, { status, headers: { "content-type": "application/json" } });
      same((await failure(new sdk.BookMoreClient({ fetch }).getAiChatUsage())).code, code);
      await pause(0);
      same(cancelled, true, `${status}:`);
    }
  },

  // ---- Retries and Retry-After ----

  "temporary failures are retried, and the call reports each attempt": async ({ sdk, url }) => {
    for (const fault of ["503-then-200", "reset-then-200", "429-then-200"]) {
      const client = new sdk.BookMoreClient({ baseUrl: `${url}/faults/${fault}/retry${Math.random()}` });
      const { data, response } = await client.getAiChatUsageWithResponse();
      same(data.tokensUsed, 1234, fault);
      const [first, second] = response.attempts;
      // A browser asks again by itself after a reset.
      if (!second) continue;
      holds(first.error && second.waitMs >= 250 && second.status === 200, JSON.stringify(response.attempts));
      holds(response.elapsedMs >= second.waitMs, "the whole is longer than the wait");
      holds(Math.abs(response.receivedAt - Date.now()) < 60_000, "receivedAt is a time of now");
    }
  },
  "permanent failures are not retried": async ({ sdk }) => {
    const quota = '{"ResponseStatus":{"ErrorCode":"insufficient_quota","Message":"Used up."}}';
    for (const answer of [["", 400], ["", 402], ["", 404], ["", 501], ["", 505], [quota, 429], ['{"tokensUsed":"a lot"}']]) {
      const fetch = scripted(answer, OK);
      await failure(new sdk.BookMoreClient({ fetch }).getAiChatUsage());
      same(fetch.sent.length, 1, JSON.stringify(answer));
    }
  },
  "retries are limited, by the client and by the call": async ({ sdk }) => {
    const fetch = scripted(BUSY);
    const client = new sdk.BookMoreClient({ fetch, maxRetries: 1 });
    await failure(client.getAiChatUsage());
    same(fetch.sent.length, 2);
    await failure(client.getAiChatUsage({}, { maxRetries: 0 }));
    same(fetch.sent.length, 3);
  },
  "random numbers come from Math.random": async ({ sdk }) => {
    const { random } = Math;
    Math.random = () => 0.5;
    try {
      const waits = [];
      const onEvent = ({ waitMs }) => waitMs && waits.push(waitMs);
      await new sdk.BookMoreClient({ fetch: scripted(BUSY, BUSY, OK), onEvent }).getAiChatUsage();
      // The clock has fractions of a millisecond, and waits are rounded up.
      same(waits.map((ms) => Math.round(ms / 5) * 5), [375, 750]);
    } finally {
      Math.random = random;
    }
  },
  "a call that would wait too long fails with retryAt": async ({ sdk }) => {
    const fetch = scripted(["", 429, { "retry-after": "3600" }]);
    const error = await failure(new sdk.BookMoreClient({ fetch }).getAiChatUsage());
    holds(error instanceof sdk.RateLimitError, String(error));
    same([fetch.sent.length, error.retryAfterMs], [1, 3_600_000]);
    holds(Math.abs(error.retryAt - Date.now() - 3_600_000) < 60_000, `retryAt: ${error.retryAt}`);
  },
  "a timeout without time for a retry has retryAt, too": async ({ sdk }) => {
    const fetch = scripted(["", 503, { "retry-after": "0" }]);
    const { code, cause } = await failure(new sdk.BookMoreClient({ fetch, totalTimeoutMs: 200 }).getAiChatUsage());
    same([code, cause.code], ["timeout", "server_error"]);
    holds(Math.abs(cause.retryAt - Date.now()) < 60_000, `retryAt: ${cause.retryAt}`);
  },
  "a call whose retry would be too late fails at once, with retryAt": async ({ sdk }) => {
    const { random } = Math;
    Math.random = () => 0;
    try {
      // Ten retries are served at once, then two a second.
      const fetch = scripted(BUSY);
      const client = new sdk.BookMoreClient({ fetch, totalTimeoutMs: 2000 });
      const calls = Array.from({ length: 20 }, () => client.getAiChatUsage({}, { coalesce: false, maxRetries: 1 }));
      const errors = await Promise.all(calls.map(failure));
      const late = errors.filter(({ attempts }) => attempts.length === 1);
      same([late.length, fetch.sent.length], [7, 33]);
      for (const { code, retryAt } of late) {
        same(code, "server_error");
        holds(retryAt - Date.now() < 6_000, `retryAt: ${retryAt}`);
      }
      const unpaced = new sdk.BookMoreClient({ fetch: scripted(BUSY), totalTimeoutMs: 2000, retryPacing: false });
      const all = Array.from({ length: 20 }, () => unpaced.getAiChatUsage({}, { coalesce: false, maxRetries: 1 }));
      for (const { attempts } of await Promise.all(all.map(failure))) same(attempts.length, 2);
    } finally {
      Math.random = random;
    }
  },

  // ---- Tokens ----

  "fifty calls share one call of the provider, and one refresh": async ({ sdk }) => {
    const told = [];
    const bearerToken = async ({ forceRefresh }) => {
      told.push(forceRefresh);
      await pause(20);
      return { token: forceRefresh ? "new" : "old", expiresAt: Date.now() + 3_600_000 };
    };
    const fetch = scripted(({ headers }) => (headers.Authorization === "Bearer old" ? reply(...REFUSED) : reply()));
    const client = new sdk.BookMoreClient({ fetch, bearerToken });
    const calls = Array.from({ length: 50 }, () => client.getAiChatUsage({}, { coalesce: false }));
    for (const { tokensUsed } of await Promise.all(calls)) same(tokensUsed, 5);
    same(told, [false, true]);
    same(fetch.sent.length, 100);
  },
  "a second 401 is the end": async ({ sdk }) => {
    const fetch = scripted(REFUSED);
    const told = [];
    const client = new sdk.BookMoreClient({ fetch, bearerToken: ({ forceRefresh }) => (told.push(forceRefresh), `token${told.length}`) });
    const error = await failure(client.getAiChatUsage());
    same([error.name, error.code, fetch.sent.length, told], ["AuthenticationError", "authentication_error", 2, [false, true]]);
    await failure(new sdk.BookMoreClient({ fetch, bearerToken: "fixed" }).getAiChatUsage());
    same(fetch.sent.length, 3);
  },
  "one caller's abort does not affect the others that wait for the token": async ({ sdk }) => {
    let give;
    let about;
    const bearerToken = (given) => ((about = given), new Promise((resolve) => (give = resolve)));
    const client = new sdk.BookMoreClient({ fetch: scripted(OK), bearerToken });
    const controllers = [new AbortController(), new AbortController()];
    const calls = controllers.map(({ signal }, at) => client.getAiChatUsage({ companyId: COMPANIES[at] }, { signal }));
    const failed = failure(calls[0]);
    await pause(20);
    controllers[0].abort("left");
    same(await failed, "left");
    same(about.signal.aborted, false);
    give("t0ken");
    same((await calls[1]).tokensUsed, 5);
    // After all have left the provider goes on, and the next call waits for it.
    const last = new AbortController();
    const lost = failure(client.getAiChatUsage({}, { signal: last.signal }));
    await pause(20);
    const left = about;
    last.abort("left, too");
    same([await lost, left.signal.aborted], ["left, too", false]);
    const next = client.getAiChatUsage();
    await pause(20);
    holds(about === left, "it is not asked twice at once");
    give("t0ken");
    same((await next).tokensUsed, 5);
  },
  "a token is used until it is about to expire": async ({ sdk }) => {
    let asked = 0;
    let left = 200_000;
    const fetch = scripted(OK);
    const bearerToken = () => ({ token: `token${++asked}`, expiresAt: new Date(Date.now() + left) });
    const client = new sdk.BookMoreClient({ fetch, bearerToken });
    const used = async () => {
      await client.getAiChatUsage();
      await pause(0);
      return [asked, fetch.sent.at(-1).headers.Authorization.slice(7)];
    };
    same(await used(), [1, "token1"]);
    same(await used(), [1, "token1"]);
    left = 60_000;
    client.setBearerToken(bearerToken);
    same(await used(), [2, "token2"]);
    // Refreshed in the background.
    left = 10_000;
    same(await used(), [3, "token2"]);
    // 10 s left: the call waits for a new one.
    left = 200_000;
    same(await used(), [4, "token4"]);
  },
  "a provider's error is the cause": async ({ sdk }) => {
    const thrown = new RangeError("no session");
    for (const bearerToken of [() => { throw thrown; }, async () => { throw thrown; }]) {
      const error = await failure(new sdk.BookMoreClient({ fetch: scripted(OK), bearerToken }).getAiChatUsage());
      holds(error instanceof sdk.TokenProviderError && error.cause === thrown, String(error.cause));
    }
  },
  "a removed token is not sent again": async ({ sdk }) => {
    const fetch = scripted(BUSY, OK);
    const client = new sdk.BookMoreClient({ fetch, bearerToken: "t0ken", onEvent: ({ type }) => type === "retry" && client.setBearerToken(null) });
    await client.getAiChatUsage();
    same(fetch.sent.map(({ headers }) => headers.Authorization), ["Bearer t0ken", undefined]);
  },
  "a token that was replaced during a call is sent after a 401": async ({ sdk }) => {
    const fetch = scripted(() => (client.setBearerToken("new"), reply(...REFUSED)), OK);
    const client = new sdk.BookMoreClient({ fetch, bearerToken: "old" });
    await client.getAiChatUsage();
    same(fetch.sent.map(({ headers }) => headers.Authorization), ["Bearer old", "Bearer new"]);
  },
  "a replaced provider's late token is not used": async ({ sdk }) => {
    let give;
    const fetch = scripted(OK);
    const client = new sdk.BookMoreClient({ fetch, bearerToken: () => new Promise((resolve) => (give = resolve)) });
    const call = client.getAiChatUsage();
    await pause(20);
    client.setBearerToken("new");
    give("old");
    await call;
    await client.getAiChatUsage();
    same(fetch.sent.map(({ headers }) => headers.Authorization), ["Bearer new", "Bearer new"]);
  },

  // ---- Coalescing ----

  "equal calls share a request, each with a value of its own": async ({ sdk }) => {
    const fetch = scripted(() => pause(20).then(() => reply()));
    const client = new sdk.BookMoreClient({ fetch });
    const [first, second] = await Promise.all([client.getAiChatUsage(), client.getAiChatUsage()]);
    same(fetch.sent.length, 1);
    first.tokensUsed = 0;
    same(second.tokensUsed, 5);
    await client.getAiChatUsage();
    same(fetch.sent.length, 2, "after the end a call is a new one:");
  },
  "calls that differ share nothing": async ({ sdk }) => {
    const fetch = scripted(() => pause(20).then(() => reply()));
    const client = new sdk.BookMoreClient({ fetch, bearerToken: "one" });
    const calls = [
      client.getAiChatUsage(),
      client.getAiChatUsage({}, { format: "jsonl" }),
      client.getAiChatUsage({}, { headers: { "X-Language": "sv" } }),
      client.getAiChatUsage({}, { coalesce: false }),
      client.getAiChatUsage({ companyId: COMPANIES[0] }),
    ];
    await pause(5);
    client.setBearerToken("two");
    calls.push(client.getAiChatUsage());
    await Promise.all(calls.map((call) => call.catch(() => {})));
    same(fetch.sent.length, 6);
  },
  "a shared request ends when the last caller has left": async ({ sdk }) => {
    const fetch = scripted(never);
    const client = new sdk.BookMoreClient({ fetch });
    const controllers = [new AbortController(), new AbortController()];
    const failed = controllers.map(({ signal }) => failure(client.getAiChatUsage({}, { signal })));
    await pause(30);
    controllers[0].abort("first");
    same(await failed[0], "first");
    same([fetch.sent.length, fetch.sent[0].signal.aborted], [1, false]);
    controllers[1].abort("second");
    same(await failed[1], "second");
    await pause(0);
    same(fetch.sent[0].signal.aborted, true);
  },
  "a failure reaches every caller": async ({ sdk }) => {
    const fetch = scripted(["", 404]);
    const client = new sdk.BookMoreClient({ fetch });
    const errors = await Promise.all([1, 2, 3].map(() => failure(client.getAiChatUsage())));
    same([fetch.sent.length, ...errors.map(({ status }) => status)], [1, 404, 404, 404]);
  },

  // ---- Events ----

  "events report what happens, whatever the listener does": async ({ sdk }) => {
    for (const trouble of [() => {}, () => { throw new Error("listener"); }, async () => { throw new Error("listener"); }]) {
      const seen = [];
      const onEvent = (event) => (seen.push(event), trouble());
      const answers = [BUSY, OK, ["", 404, { "x-request-id": "r1" }]];
      const client = new sdk.BookMoreClient({ fetch: scripted(...answers), onEvent, baseUrl: "https://api.example" });
      await client.getAiChatUsage({ companyId: COMPANIES[0] });
      const error = await failure(client.getAiChatUsage({ companyId: COMPANIES[0] }));
      same(error.requestId, "r1");
      const url = "https://api.example/assistant/ai-chat/usage";
      const [{ callId }, , { waitMs }, , , success] = seen;
      const { callId: other, elapsedMs } = seen.at(-1);
      holds(callId !== other, "each call has an id of its own");
      same(seen, [
        { type: "attempt", callId, attempt: 1, url },
        { type: "response", callId, attempt: 1, status: 503 },
        { type: "retry", callId, attempt: 1, waitMs, code: "server_error", status: 503 },
        { type: "attempt", callId, attempt: 2, url },
        { type: "response", callId, attempt: 2, status: 200 },
        { type: "success", callId, attempt: 2, elapsedMs: success.elapsedMs },
        { type: "attempt", callId: other, attempt: 1, url },
        { type: "response", callId: other, attempt: 1, status: 404 },
        { type: "error", callId: other, attempt: 1, elapsedMs, code: "api_error", status: 404 },
      ]);
    }
  },
  "an abort inside the listener: a call with a success event resolves, the others reject without events": async ({ sdk }) => {
    for (const [aborted, expected, told] of [[0, "usage usage", 2], [1, "usage left", 1]]) {
      const controllers = [new AbortController(), new AbortController()];
      let successes = 0;
      const onEvent = ({ type }) => {
        if (type !== "success" || successes++ > 0) return;
        controllers[aborted].abort("left");
      };
      const client = new sdk.BookMoreClient({ fetch: scripted(OK), onEvent });
      const outcomes = await Promise.allSettled(controllers.map(({ signal }) => client.getAiChatUsage({}, { signal })));
      same(outcomes.map(({ value, reason }) => (value ? "usage" : reason)).join(" "), expected);
      same(successes, told);
    }
  },

  "an abort inside the listener of the attempt sends nothing": async ({ sdk }) => {
    const controller = new AbortController();
    const fetch = scripted(OK);
    const onEvent = ({ type }) => type === "attempt" && controller.abort("left");
    const client = new sdk.BookMoreClient({ fetch, onEvent });
    same(await failure(client.getAiChatUsage({}, { signal: controller.signal })), "left");
    same(fetch.sent.length, 0);
  },

  "the request id is the first of four": async ({ sdk }) => {
    const names = ["x-request-id", "request-id", "x-correlation-id", "traceparent"];
    for (const [at, name] of names.entries()) {
      const headers = Object.fromEntries(names.slice(at).map((name) => [name, `of ${name}`]));
      const { response } = await new sdk.BookMoreClient({ fetch: scripted([USAGE, 200, headers]) }).getAiChatUsageWithResponse();
      same(response.requestId, `of ${name}`);
    }
  },

  // ---- Concurrency ----

  "calls can be made from inside the provider, the listener and the fetch function": async ({ sdk }) => {
    for (const where of ["bearerToken", "onEvent", "fetch"]) {
      const inner = [];
      const isFirst = () => inner.length === 0;
      const again = () => inner.push(client.getAiChatUsage());
      const client = new sdk.BookMoreClient({
        totalTimeoutMs: 5000,
        bearerToken: async () => {
          if (where === "bearerToken" && isFirst()) again(), await inner[0];
          return "t0ken";
        },
        onEvent: () => { if (where === "onEvent" && isFirst()) again(); },
        fetch: async () => {
          if (where === "fetch" && isFirst()) again(), await inner[0];
          return reply();
        },
      });
      same((await client.getAiChatUsage()).tokensUsed, 5, where);
      same((await inner[0]).tokensUsed, 5, where);
    }
  },
  "fifty different calls at the same time have their own outcomes": async ({ sdk, url }) => {
    const client = new sdk.BookMoreClient({ baseUrl: url, bearerToken: async () => (await pause(1), "good-token"), maxRetries: 0 });
    const outcomes = await Promise.all(
      Array.from({ length: 50 }, (_, at) => {
        const companyId = at % 2 ? "5ca1ab1e-0000-4000-8000-000000000403" : undefined;
        return client.getAiChatUsage(companyId ? { companyId } : {}, { coalesce: false }).then(({ tokensUsed }) => tokensUsed, ({ status }) => status);
      }),
    );
    same(outcomes, Array.from({ length: 50 }, (_, at) => (at % 2 ? 403 : 1234)));
  },
};
