// Random calls of the module's exports, chosen by a seed and by the module's outputs: with the same seed, two builds of the
// module must have the same outputs.

/** Random numbers from a seed (mulberry32). */
function chanceOf(seed) {
  let state = seed;
  const unit = () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (end) => Math.floor(unit() * end);
  return { unit, below, happens: (probability) => unit() < probability, oneOf: (list) => list[below(list.length)] };
}

const BASE = "https://api.bookmore.com";
const COMPANIES = [undefined, "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c", "{9F2C7B1A-4D3E-4F5A-8B6C-7D8E9F0A1B2C}", "00000000000000000000000000000000", "", "no Guid", "é→😀"];
const TOKENS = ["t0ken-s3cret-9f2c7b1a", "another+t0ken/with=signs", "t"];
const STATUSES = [200, 200, 200, 200, 204, 206, 301, 401, 403, 404, 408, 429, 429, 500, 503, 599];
const HEADERS = [
  "content-type:application/json; charset=utf-8\n",
  "content-type:application/json\nretry-after:3\nx-request-id:a1b2\n",
  "content-type:text/jsonl\ndate:Thu, 26 Nov 2026 04:00:00 GMT\nretry-after:Thu, 26 Nov 2026 04:00:30 GMT\n",
  "content-type:text/html\n",
  "retry-after:1e300\nratelimit-reset:9\n",
  "x-words:t0ken-s3cret-9f2c7b1a é→😀\ncontent-type:application/json\n",
  "",
];
const LIMITS = [NaN, NaN, 1, 250, 10_000, 30_000, Infinity];
const FAILURES = [
  ["TypeError", "fetch failed", "", "ECONNREFUSED"],
  ["TypeError", "Failed to fetch", "", ""],
  ["Error", "t0ken-s3cret-9f2c7b1a was refused", "E1", ""],
  ["AbortError", "This operation was aborted", "", ""],
  ["", "", "", ""],
];

/** A recorded body, usually with bytes changed, removed, repeated or cut off. */
function bodyOf({ below, happens, oneOf }, bodies) {
  const body = Uint8Array.from(oneOf(bodies));
  if (happens(0.4) || body.length === 0) return body;
  for (let count = 1 + below(3); count > 0; count--) body[below(body.length)] = happens(0.7) ? oneOf([34, 44, 48, 57, 58, 92, 91, 93, 123, 125]) : below(256);
  if (happens(0.3)) return body.slice(0, below(body.length));
  return happens(0.1) ? Uint8Array.from([...body, ...body]) : body;
}

/** Plays the schedule of a seed, and returns all outputs. */
export function played(seed, glue, bodies) {
  const chance = chanceOf(seed);
  const { unit, below, happens, oneOf } = chance;
  const told = [];
  let now = oneOf([0, 1e6, 1e9]);
  const at = () => [now, 1.7e12 + now, unit()];
  const core = new glue.Core(BASE, BASE.length, happens(0.5) ? "key/with+s3cret" : undefined, happens(0.8), happens(0.7), happens(0.7), 0);
  const sends = new Map();
  const questions = new Set();
  const calls = new Set();
  const anyOf = (ids) => [...ids][below(ids.size)];

  const acts = {
    call: () =>
      calls.add(
        core.call(
          ...[oneOf(COMPANIES), happens(0.2), happens(0.9) ? "" : "x-a:b\n", oneOf([NaN, 0, 2, 6]), oneOf(LIMITS), oneOf(LIMITS)],
          ...[happens(0.8), happens(0.2), happens(0.1), oneOf([0, 0, 700]), ...at()],
        ),
      ),
    headers: () => {
      const id = anyOf(sends.keys());
      if (sends.get(id)) return acts.body(id);
      const status = oneOf(STATUSES);
      sends.set(id, true);
      const url = happens(0.1) ? oneOf([`${BASE}/login`, "https://evil.example/", ""]) : undefined;
      core.headers(id, status, url, oneOf(HEADERS), 1.7e12 + now);
    },
    body: (id = anyOf(sends.keys())) => {
      if (!sends.get(id)) return acts.headers();
      sends.delete(id);
      core.body(id, bodyOf(chance, bodies), oneOf([0, 0, 0, 0, 1, 2]), ": the peer → left", ...at());
    },
    fail: () => {
      const id = anyOf(sends.keys());
      sends.delete(id);
      core.fail(id, oneOf([0, 0, 0, 1, 2]), ": words of it", ...oneOf(FAILURES), ...at());
    },
    token: () => {
      const id = anyOf(questions);
      questions.delete(id);
      if (happens(0.2)) core.tokenFailed(id, "The bearerToken function failed.", happens(0.1), ...at());
      else core.token(id, happens(0.1) ? undefined : oneOf(TOKENS), oneOf([NaN, 1.7e12 + now + below(300_000)]), ...at());
    },
    setToken: () => {
      const hasProvider = happens(0.6);
      core.setToken(hasProvider ? undefined : oneOf(TOKENS), hasProvider, happens(0.5), ...at());
    },
    abandon: () => {
      const id = anyOf(calls);
      calls.delete(id);
      core.abandon(id, ...at());
    },
    redact: () => told.push(core.redact(anyOf(sends.keys()), oneOf(["Bearer t0ken-s3cret-9f2c7b1a!", "dDBrZW4tczNjcmV0LTlmMmM3YjFh", "é→😀 key/with+s3cret"]))),
    timeout: () => {
      const due = core.pollTimeout();
      if (due === Infinity) now += below(1000);
      else now = Math.max(now, due + oneOf([0, 0, 5, 70_000]));
      core.timeout(...at());
    },
  };

  const possible = () => {
    const names = ["call", "timeout", "timeout"];
    if (sends.size > 0) names.push("headers", "headers", "headers", "body", "body", "fail", "redact");
    if (questions.size > 0) names.push("token", "token", "token");
    if (calls.size > 0 && happens(0.1)) names.push("abandon");
    if (happens(0.1)) names.push("setToken");
    return names;
  };

  acts.setToken();
  for (let steps = 5 + below(happens(0.1) ? 150 : 35); steps > 0; steps--) {
    now += oneOf([0, 0, 1, 20, 400]);
    const act = oneOf(possible());
    acts[act]();
    for (let text; (text = core.command()) !== undefined; ) {
      told.push(text);
      const { do: what, id } = JSON.parse(text);
      if (what === "send") sends.set(id, false);
      else if (what === "ask") questions.add(id);
      else if (what === "settle") calls.delete(id);
      else if (what === "cancel") questions.delete(id) || sends.delete(id);
    }
    told.push(`${act} ${now} ${core.pollTimeout()} ${core.wantsWall} ${core.isIdle}`);
  }
  core.free();
  told.push(...many(chance, glue), ...watch(chance, glue));
  return told.join("\n");
}

/** The decisions for many companies. */
function* many({ below, happens, oneOf }, { Many }) {
  const run = new Many(1 + below(8), below(4), happens(0.5), 0);
  const asked = [];
  let now = 0;
  for (let steps = below(25); steps > 0; steps--) {
    now += below(500);
    if (run.wantsId(below(3))) run.add(happens(0.8));
    for (let number; (number = run.poll(now)) !== -1; ) {
      if (number >= 0) asked.push(number);
      else yield `${run.settle(-2 - number, 3, 1, NaN, NaN, now)}`;
    }
    const [company] = asked.splice(below(asked.length), 1);
    const wait = () => oneOf([NaN, below(90_000)]);
    if (company !== undefined) yield `${run.settle(company, below(4), 1 + below(2), wait(), wait(), now)}`;
    if (happens(0.05)) run.end(now);
    yield `${run.pollTimeout()} ${run.reports(now)} ${[0, 1, 2, 3, 4].map((figure) => run.figure(figure, oneOf([NaN, 30]), now))}`;
  }
  run.free();
}

/** A poll, and a store's levels and trends. */
function* watch({ unit, below, happens, oneOf }, { Watch, gauge }) {
  let now = below(1000);
  const at = () => [now, 1.7e12 + now, unit()];
  const poll = new Watch(now);
  const listeners = [poll.listen(1000 + below(60_000), 300_000, happens(0.5), oneOf([0.5, Infinity]))];
  let row = [0, NaN, NaN, NaN, NaN, NaN, 2, 0.8, 1];
  for (let steps = below(20); steps > 0; steps--) {
    now += below(40_000);
    const figures = [below(120_000), oneOf([0, 100_000]), happens(0.8), oneOf([1, 30])];
    const request = happens(0.3) ? poll.refresh() : poll.timeout(now);
    if (request > 0 && happens(0.7)) yield `${poll.usage(request, ...figures, ...at())}`;
    else if (request > 0) yield `${poll.error(request, oneOf(["rate_limited", "network_error", "permission_denied"]), oneOf([NaN, 1.7e12 + now + 9000]), ...at())}`;
    if (happens(0.1)) poll.pause(happens(0.5), happens(0.3), ...at());
    const read = gauge(...figures, happens(0.9), 1.7e12 + now, Float64Array.from(row));
    yield `${request} ${poll.pollTimeout()} ${read}`;
    row = [...read.slice(0, 6), 2, 0.8, 1, ...row.slice(9), 1.7e12 + now, figures[0]];
  }
  for (const listener of listeners) poll.leave(listener, now);
  poll.free();
}
