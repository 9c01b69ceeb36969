// Plays the scenarios of tests/fixtures/scenarios.json (format: README.md there) with a client of the package. Clock,
// timers, random numbers and fetch are simulated, so no real time passes. For Node and browsers.

/** The wall clock at the start of a scenario. */
const START = Date.UTC(2026, 0, 1);
/** Far more than any scenario needs: with more, it is in a loop. */
const MOST_EVENTS = 10_000;

/**
 * How a scenario's outcome differs from the expected one; undefined if it does not.
 *
 * @param sdk the package
 * @param companies the names that the table gives to Guids
 */
export async function mismatch(sdk, companies, scenario) {
  const { sends, questions = [], outcomes, never = [] } = scenario;
  const { said, ...came } = await new Play(sdk, companies, scenario).toItsEnd();
  const leak = never.find((secret) => said.includes(secret));
  if (leak !== undefined) return `it shows ${leak}`;
  const expected = { sends, questions, outcomes };
  return isAs(came, expected) ? undefined : `came ${JSON.stringify(came)}, expected ${JSON.stringify(expected)}`;
}

/** Numbers are times, and timers may be late by a fraction. Only the expected members of an error are compared. */
function isAs(came, expected) {
  if (typeof expected === "number") return Math.abs(came - expected) < 1;
  if (typeof expected !== "object" || expected === null) return came === expected;
  if (typeof came !== "object" || came === null) return false;
  const names = Object.keys("error" in expected ? expected : { ...came, ...expected });
  return names.every((name) => isAs(came[name], expected[name]));
}

/** The scenario's events, on a clock that stands still until the next one. */
class Clock {
  now = 0;
  /** How far the wall clock was set forward. */
  moved = 0;
  #due = [];
  #ids = 0;

  get wall() {
    return START + Math.floor(this.now) + this.moved;
  }

  after(ms, run) {
    const id = ++this.#ids;
    this.#due.push({ id, at: this.now + Math.max(0, ms), run });
    return id;
  }

  cancel(id) {
    this.#due = this.#due.filter((due) => due.id !== id);
  }

  /** Runs the next event; false if there is none. Events of the same time run in the order of their ids. */
  step() {
    const next = this.#due.reduce((first, due) => (first && first.at <= due.at ? first : due), undefined);
    if (!next) return false;
    this.cancel(next.id);
    this.now = Math.max(this.now, next.at);
    next.run();
    return true;
  }
}

class Play {
  #clock = new Clock();
  #scenario;
  #companies;
  #sdk;
  #client;
  #server;
  #on;
  #aborts = {};
  #sends = [];
  #questions = [];
  #outcomes = {};
  #said = "";

  constructor(sdk, companies, scenario) {
    this.#sdk = sdk;
    this.#companies = companies;
    this.#scenario = scenario;
    this.#server = (scenario.server ?? []).map((reply) => ({ times: 1, ...reply }));
    this.#on = { ...scenario.on };
  }

  async toItsEnd() {
    const { client = {}, steps } = this.#scenario;
    const { bearerToken = "A", apiKey, retryPacing } = client;
    // Before the clock stands still, because loading the module takes a while.
    await new this.#sdk.BookMoreClient().ready();
    const { port1, port2 } = new MessageChannel();
    const restore = this.#replacePlatform(client);
    try {
      this.#client = new this.#sdk.BookMoreClient({
        bearerToken: this.#auth(bearerToken),
        apiKey,
        retryPacing,
        onEvent: (event) => this.#listen(event),
      });
      for (const step of steps) this.#clock.after(step.at ?? 0, () => this.#step(step));
      // A platform task runs after all microtasks.
      const settled = () => new Promise((resolve) => (port2.onmessage = resolve) && port1.postMessage(0));
      for (let events = 0; this.#clock.step(); await settled()) {
        if (++events > MOST_EVENTS) throw new Error("it does not end");
      }
    } finally {
      restore();
      port1.close();
      port2.close();
    }
    return { sends: this.#sends, questions: this.#questions, outcomes: this.#outcomes, said: this.#said };
  }

  /** Replaces the platform's functions by the scenario's. Returns a function that restores them. */
  #replacePlatform({ random = 0.5, isolated = false }) {
    const clock = this.#clock;
    const replaced = [
      [globalThis, "setTimeout", (run, ms) => clock.after(ms, run)],
      [globalThis, "clearTimeout", (id) => clock.cancel(id)],
      [globalThis, "fetch", (url, init) => this.#fetch(url, init)],
      [performance, "now", () => clock.now],
      [Date, "now", () => clock.wall],
      [Math, "random", () => random],
      ...(isolated ? [[globalThis, "navigator", { userAgent: "Cloudflare-Workers" }]] : []),
    ].map(([of, name, value]) => {
      const own = Object.getOwnPropertyDescriptor(of, name);
      Object.defineProperty(of, name, { value, writable: true, configurable: true });
      return () => (own ? Object.defineProperty(of, name, own) : delete of[name]);
    });
    return () => replaced.forEach((putBack) => putBack());
  }

  // ---- What the application does ----

  #step({ call, company, options, abort, setBearerToken, sameIdentity, moveWallClock = 0 }) {
    if (call !== undefined) this.#call(call, company, options);
    if (abort !== undefined) this.#aborts[abort].abort();
    if (setBearerToken !== undefined) this.#client.setBearerToken(this.#auth(setBearerToken), { sameIdentity });
    this.#clock.moved += moveWallClock;
  }

  async #call(name, company, options) {
    const { signal } = (this.#aborts[name] = new AbortController());
    const request = company === undefined ? {} : { companyId: this.#companies[company] ?? company };
    let outcome;
    try {
      const { data, response } = await this.#client.getAiChatUsageWithResponse(request, { ...options, signal });
      this.#said += textOf([data, response]);
      outcome = { usage: data.tokensUsed };
    } catch (error) {
      this.#said += textOf(error);
      outcome = signal.aborted && error === signal.reason ? { aborted: true } : failure(error);
    }
    if (name in this.#outcomes) throw new Error(`${name} was settled twice`);
    this.#outcomes[name] = { at: this.#clock.now, ...outcome };
  }

  #listen(event) {
    this.#said += textOf(event);
    const steps = this.#on[event.type] ?? [];
    delete this.#on[event.type];
    for (const step of steps) this.#step(step);
  }

  /** A token, or a provider with a list of answers. */
  #auth(given) {
    if (!Array.isArray(given)) return given;
    let asked = 0;
    return ({ forceRefresh, signal }) => {
      const answer = given[Math.min(asked++, given.length - 1)];
      const question = { at: this.#clock.now, forced: forceRefresh };
      this.#questions.push(question);
      signal.addEventListener("abort", () => (question.cancelled = this.#clock.now));
      for (const step of answer.calls ?? []) this.#step(step);
      return new Promise((resolve, reject) => {
        if (!answer.hangs) this.#clock.after(answer.after ?? 0, () => this.#answer(answer, resolve, reject));
      });
    };
  }

  #answer({ token = null, expiresIn, fails }, resolve, reject) {
    if (fails !== undefined) reject(new Error(fails));
    else resolve(expiresIn === undefined ? token : { token, expiresAt: this.#clock.wall + expiresIn });
  }

  // ---- What the server does ----

  #fetch(url, { headers, signal }) {
    const id = new URL(url).searchParams.get("CompanyId");
    const company = Object.keys(this.#companies).find((name) => this.#companies[name] === id);
    const token = headers.Authorization?.replace("Bearer ", "");
    const send = JSON.parse(JSON.stringify({ at: this.#clock.now, company, token }));
    this.#sends.push(send);
    const usage = this.#sends.length;
    const fits = (name, value) => name === undefined || name === value;
    const reply = this.#server.find((of) => of.times > 0 && fits(of.company, company) && fits(of.token, token)) ?? {};
    reply.times--;
    return new Promise((resolve, reject) => {
      let body;
      const stream = new ReadableStream({ start: (controller) => (body = controller) });
      signal.addEventListener("abort", () => {
        send.cancelled = this.#clock.now;
        reject(signal.reason);
        body.error(signal.reason);
      });
      const { after = 10, headersAfter = after, fails, hangs } = reply;
      if (hangs === "headers") return;
      this.#clock.after(headersAfter, () => (fails === undefined ? resolve(response(reply, stream)) : reject(lost(fails))));
      if (hangs === "body" || fails !== undefined) return;
      this.#clock.after(after, () => {
        if (signal.aborted) return;
        body.enqueue(bytesOf(reply, usage));
        body.close();
      });
    });
  }
}

const lost = (words) => new TypeError("fetch failed", { cause: Object.assign(new Error(words), { code: "ECONNRESET" }) });

function response({ status = 200, headers }, stream) {
  const isBodiless = [204, 205, 304].includes(status);
  return new Response(isBodiless ? null : stream, { status, headers: { "content-type": "application/json", ...headers } });
}

function bytesOf({ status = 200, body, cut }, tokensUsed) {
  const limits = { tokenLimit: 1000, tokensRemaining: 0, isWithinBudget: true, windowDays: 30 };
  const usual = status === 200 ? JSON.stringify({ companyName: "é", tokensUsed, ...limits }) : "";
  return new TextEncoder().encode(body ?? usual).subarray(0, cut);
}

/** The members of an error that are compared. Times count from the start. */
function failure({ code, message, status, attempts, isRetryable, retryAt, retryAfterMs, phase, scope, timeoutMs, cause }) {
  return {
    error: code ?? message,
    message,
    status,
    attempts: attempts?.length,
    isRetryable,
    retryAt: retryAt && retryAt - START,
    retryAfterMs,
    ...(code === "timeout" ? { phase, scope, timeoutMs, last: cause?.code } : {}),
  };
}

/** All strings in a value, also in non-enumerable members. */
function textOf(value, seen = new Set()) {
  if (typeof value !== "object" || value === null) return `${String(value)}\n`;
  if (seen.has(value)) return "";
  seen.add(value);
  return Reflect.ownKeys(value).map((key) => `${String(key)} ${textOf(value[key], seen)}`).join("");
}
