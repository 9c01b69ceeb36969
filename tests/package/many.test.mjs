// bookmore-sdk/many of the packed tarball with the fake API: when each company is requested, and the outcome of each id.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { cpSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setImmediate as turn, setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { install } from "./installed.mjs";
import { trapping } from "./trap.mjs";

let user, sdk, createFakeBookMore, getManyAiChatUsage;
before(async () => {
  user = install();
  const entry = (name) => import(pathToFileURL(join(user.folder, `node_modules/bookmore-sdk/dist/${name}.js`)));
  [sdk, { createFakeBookMore }, { getManyAiChatUsage }] = await Promise.all(["index", "testing/index", "many/index"].map(entry));
});
after(() => user?.remove());

const id = (number) => `00000000-0000-4000-8000-${String(number + 1).padStart(12, "0")}`;
const ids = (count) => Array.from({ length: count }, (_, number) => id(number));

/** A fake that counts how many requests are open at once. */
function counted(delayMs = 2) {
  const fake = createFakeBookMore();
  const counts = { now: 0, most: 0, sent: 0, open: [] };
  const fetch = async (url, init) => {
    counts.sent++;
    counts.open.push(++counts.now);
    counts.most = Math.max(counts.most, counts.now);
    try {
      await sleep(delayMs, undefined, { signal: init.signal });
      return await fake.fetch(url, init);
    } finally {
      counts.now--;
    }
  };
  return { fake, counts, client: fake.client({ fetch }) };
}

const failures = (outcomes) => outcomes.filter(({ error }) => error);

describe("awaited", () => {
  it("has an outcome for each id, in their order; requests the same Guid once; a bad id has an outcome, too", async () => {
    const { fake, client, counts } = counted();
    fake.set(id(1), { status: 403 });
    const given = [id(2), id(1), "nobody", id(0), `{${id(2).toUpperCase()}}`, id(1), undefined, id(2).replaceAll("-", ""), ""];
    const outcomes = await getManyAiChatUsage(client, given);
    assert.deepEqual(outcomes.map(({ companyId }) => companyId), given);
    assert.deepEqual(outcomes.map(({ usage, error }) => usage?.companyId ?? error.code), [
      id(2), "permission_denied", "config_error", id(0), id(2), "permission_denied", "config_error", id(2), "config_error",
    ]);
    assert.equal(counts.sent, 3);
  });

  it("1 000 companies: all that can succeed do, whatever fails in between", { timeout: 120_000 }, async () => {
    const { fake, client, counts } = counted();
    const all = ids(1000);
    all.forEach((company, n) => {
      if (n % 100 === 0) fake.set(company, { status: 500 });
      else if (n % 5 === 1) fake.set(company, [{ status: 503 }, { share: 0.5 }]);
      else if (n === 500 + 2) fake.set(company, [{ status: 429, retryAfter: 2 }, { share: 0.5 }]);
    });
    const reports = [];
    const onProgress = (report) => reports.push({ at: performance.now(), ...report });
    const began = performance.now();
    const outcomes = await getManyAiChatUsage(client, all, { concurrency: 30, onProgress });
    const seconds = (performance.now() - began) / 1000;
    assert.equal(failures(outcomes).length, 10);
    assert.ok(failures(outcomes).every(({ companyId }) => all.indexOf(companyId) % 100 === 0));
    assert.ok(outcomes.every(({ usage, companyId }, n) => companyId === all[n] && (n % 100 === 0 || usage.companyId === companyId)));
    assert.equal(counts.most, 30);

    // Companies that always fail get one more round, with one attempt.
    const sent = fake.requests.filter(({ companyId }) => companyId === all[100]);
    assert.equal(sent.length, 4);
    assert.ok(sent[3].at - sent[2].at >= 1_990);

    // For two seconds after the 429 nothing is sent; earlier requests are still in flight.
    const limit = fake.requests.findIndex(({ status }) => status === 429);
    const { at } = fake.requests[limit];
    const within = fake.requests.slice(limit + 1).filter((request) => request.at - at < 1_990);
    assert.ok(within.length < 30 && within.every((request) => request.at - at < 200), `${within.length} in the pause`);

    assert.ok(reports.length <= seconds * 10 + 2, `${reports.length} reports in ${seconds} s`);
    const { at: _, ratePerSecond, ...last } = reports.at(-1);
    assert.deepEqual(last, { done: 1000, failed: 10, again: 0, total: 1000, etaMs: 0 });
    assert.ok(ratePerSecond > 0 && reports.some(({ again }) => again > 0));
  });

  it("halves the concurrency after a 429, and raises it again with the successes", async () => {
    const { fake, counts, client } = counted(20);
    fake.set(id(0), [{ status: 429, retryAfter: 1 }, { share: 0.1 }]);
    const outcomes = await getManyAiChatUsage(client, ids(300), { concurrency: 16 });
    assert.equal(failures(outcomes).length, 0);
    // In the order in which they were sent; those in the pause were already in flight.
    const { at } = fake.requests.find(({ status }) => status === 429);
    const after = fake.requests.findIndex((request) => request.at - at >= 990);
    const atOnce = counts.open.slice(after);
    // Half of them, and the refused one.
    assert.ok(Math.max(...atOnce.slice(0, 8)) <= 9, `${atOnce.slice(0, 8)}`);
    assert.ok(counts.most === 16 && Math.max(...atOnce.slice(100)) > 10, `${atOnce}`);
  });

  it("an abort sends nothing more, cancels what is in flight, and rejects with its reason", async () => {
    const { fake, counts, client } = counted(20);
    const controller = new AbortController();
    const reason = new Error("enough");
    let sent;
    const many = getManyAiChatUsage(client, ids(1000), {
      signal: controller.signal,
      onProgress: ({ done }) => {
        if (done < 20 || controller.signal.aborted) return;
        controller.abort(reason);
        sent = counts.sent;
      },
    });
    await assert.rejects(async () => many, (error) => error === reason);
    await turn();
    const open = counts.now;
    await sleep(100);
    assert.deepEqual([counts.sent, open], [sent, 0]);
    assert.ok(fake.requests.length >= 20 && sent < 100);
    // A signal that has already aborted: nothing is sent.
    await assert.rejects(async () => getManyAiChatUsage(client, ids(3), { signal: AbortSignal.abort(reason) }), (error) => error === reason);
    assert.equal(counts.sent, sent);
  });
});

describe("iterated", () => {
  it("yields outcomes as they arrive, and takes ids as they are needed", async () => {
    const { fake, client } = counted();
    fake.set(id(0), { kind: "slow", delayMs: 300 });
    let taken = 0;
    function* source() {
      for (; taken < 100; taken++) yield id(taken);
    }
    const came = [];
    for await (const { companyId } of getManyAiChatUsage(client, source(), { concurrency: 4 })) {
      came.push(companyId);
      await turn();
      assert.ok(taken - came.length <= 4 + 4, `${taken - came.length} ahead`);
    }
    assert.deepEqual([...came].sort(), ids(100));
    assert.ok(came.indexOf(id(0)) > 10);
  });

  it("leaving the loop sends nothing more, cancels what is in flight, and closes the iterator", async () => {
    const { client, counts } = counted(20);
    let isClosed = false;
    async function* source() {
      try {
        for (const company of ids(1000)) yield company;
      } finally {
        isClosed = true;
      }
    }
    const many = getManyAiChatUsage(client, source());
    for await (const outcome of many) {
      assert.equal(outcome.error, undefined);
      break;
    }
    await turn();
    const { sent, now } = counts;
    await sleep(60);
    assert.deepEqual([counts.sent, now, isClosed], [sent, 0, true]);
    await assert.rejects(async () => many, { name: "AbortError" });
  });

  it("leaving while waiting for the next outcome cancels what is in flight, and waits for nothing", async () => {
    const fake = createFakeBookMore();
    fake.set(id(0), { kind: "hang" });
    const signals = [];
    const client = fake.client({ fetch: (url, init) => (signals.push(init.signal), fake.fetch(url, init)) });
    const iterator = getManyAiChatUsage(client, [id(0)])[Symbol.asyncIterator]();
    const next = iterator.next();
    while (signals.length === 0) await turn();
    assert.deepEqual(await iterator.return(), { done: true, value: undefined });
    assert.deepEqual([await next, signals[0].aborted], [{ done: true, value: undefined }, true]);
    assert.deepEqual(await iterator.next(), { done: true, value: undefined });
  });

  it("iterating yields the outcomes from before an abort", async () => {
    const { client } = counted();
    const controller = new AbortController();
    const came = [];
    const loop = async () => {
      for await (const outcome of getManyAiChatUsage(client, ids(100), { signal: controller.signal })) {
        came.push(outcome);
        if (came.length === 10) controller.abort();
      }
    };
    await assert.rejects(loop, { name: "AbortError" });
    assert.ok(came.length >= 10 && came.length < 30 && came.every(({ usage }) => usage));
  });

  it("waits for a slow reader", async () => {
    const { client, counts } = counted();
    const iterator = getManyAiChatUsage(client, ids(1000), { concurrency: 5 })[Symbol.asyncIterator]();
    await iterator.next();
    await sleep(100);
    assert.ok(counts.sent <= 1 + 5 + 5 + 5, `${counts.sent} sent`);
    await iterator.return();
  });

  it("an endless list of one id", async () => {
    const { client, counts } = counted();
    function* source() {
      for (;;) yield id(7);
    }
    let came = 0;
    for await (const { usage } of getManyAiChatUsage(client, source())) if (usage && ++came === 500) break;
    assert.equal(counts.sent, 1);
  });
});

it("sends nothing before it is awaited, and a result that nobody awaits causes no unhandled rejection", async () => {
  const { client, counts } = counted();
  const unhandled = [];
  const note = (reason) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  getManyAiChatUsage(client, ids(3), { concurrency: -1 });
  const begun = getManyAiChatUsage(client, ids(3), { signal: AbortSignal.timeout(1) })[Symbol.asyncIterator]();
  await sleep(20);
  assert.equal(counts.sent, 0);
  await begun.next().catch(() => {});
  getManyAiChatUsage(client, (function* () { throw new Error("no ids"); })())[Symbol.asyncIterator]().next().catch(() => {});
  await sleep(20);
  process.off("unhandledRejection", note);
  assert.deepEqual(unhandled, []);
});

it("refuses invalid arguments with a sentence", async () => {
  const { client, counts } = counted();
  for (const [args, sentence] of [
    [[client, ids(1), { concurency: 3 }], /cannot have "concurency"\. Did you mean concurrency\?/],
    [[client, ids(1), { concurrency: 0 }], /^concurrency must be an integer from 1 to 1000\.$/],
    [[client, ids(1), { rounds: 6 }], /^rounds must be an integer from 0 to 5\.$/],
    [[client, ids(1), { onProgress: true }], /^onProgress must be a function\.$/],
    [[client, ids(1), { maxRetries: 99 }], /^maxRetries must be an integer from 0 to 10\.$/],
    [[client, ids(1), { signal: "now" }], /^signal must be an AbortSignal\.$/],
    [[client, ids(1), null], /^The request options must be an object\.$/],
    [[client, id(1)], /^companyIds must be an array of ids/],
    [[client, undefined], /^companyIds must be an array of ids/],
    [[undefined, ids(1)], /^client must be a BookMoreClient/],
    [[{}, ids(1)], /^client must be a BookMoreClient/],
  ]) {
    await assert.rejects(async () => getManyAiChatUsage(...args), (error) => {
      assert.match(error.message, sentence);
      return error instanceof sdk.ConfigError;
    });
  }
  assert.equal(counts.sent, 0);
});

it("an iterable that throws ends the run with its error", async () => {
  const { client } = counted();
  const reason = new Error("the database is gone");
  async function* source() {
    yield id(0);
    throw reason;
  }
  await assert.rejects(async () => getManyAiChatUsage(client, source()), (error) => error === reason);
});

describe("a broken iterable", () => {
  const within = (ms) => new Promise((_, reject) => setTimeout(() => reject(new Error("it hangs")), ms).unref());
  const of = (next, more) => ({ [Symbol.asyncIterator]: () => ({ next, ...more }) });
  const failing = () => {
    throw new RangeError("mine");
  };
  for (const [what, source, expected] of [
    ["has no next", { [Symbol.iterator]: () => ({}) }, TypeError],
    ["returns no iterator", { [Symbol.iterator]: () => undefined }, TypeError],
    ["throws when the iterator is created", { [Symbol.iterator]: failing }, RangeError],
    ["throws in next", of(failing), RangeError],
    ["gives nothing", of(() => undefined), TypeError],
    ["returns a promise of undefined", of(async () => undefined), TypeError],
    ["gives a number", of(() => 5), TypeError],
    ["returns promises of a number", of(async () => 5), TypeError],
    ["rejects", of(async () => failing()), RangeError],
    ["has a value that throws", of(async () => ({ get value() { return failing(); } })), RangeError],
    ["throws in length", { get length() { return failing(); }, [Symbol.iterator]: failing }, RangeError],
  ]) {
    it(what, async () => {
      const { client } = counted();
      await assert.rejects(Promise.race([within(2_000), getManyAiChatUsage(client, source)]), expected);
    });
  }

  it("returns thenables without catch, and ids that are not strings", async () => {
    const { client, counts } = counted();
    const given = [id(0), 5, null, Symbol("x"), {}, [id(1)], 10n, new String(id(2))];
    const left = [...given];
    const next = () => ({ then: (take) => void take({ done: left.length === 0, value: left.shift() }) });
    const outcomes = await getManyAiChatUsage(client, of(next));
    assert.deepEqual(outcomes.map(({ companyId }) => companyId), given);
    assert.deepEqual(outcomes.slice(1).map(({ error }) => error.code), Array(7).fill("config_error"));
    assert.equal(counts.sent, 1);
  });

  it("is not closed after it has ended or failed", async () => {
    const { client } = counted();
    const closed = [];
    const source = (next, name) => of(next, { return: () => void closed.push(name) });
    let left = 2;
    assert.equal((await getManyAiChatUsage(client, source(async () => (left-- > 0 ? { value: id(left) } : { done: true }), "at its end"))).length, 2);
    await assert.rejects(async () => getManyAiChatUsage(client, source(failing, "throws")), RangeError);
    await assert.rejects(async () => getManyAiChatUsage(client, source(async () => failing(), "rejects")), RangeError);
    const controller = new AbortController();
    const { client: slow } = counted(200);
    setTimeout(() => controller.abort(), 50);
    left = 1;
    const ended = source(async () => (left-- > 0 ? { value: id(0) } : { done: true }), "ended before the abort");
    await assert.rejects(async () => getManyAiChatUsage(slow, ended, { signal: controller.signal }), { name: "AbortError" });
    assert.deepEqual(closed, []);
  });

  it("has only a sync iterator", async () => {
    const { client } = counted();
    for (const none of [undefined, null]) {
      assert.equal((await getManyAiChatUsage(client, { [Symbol.asyncIterator]: none, [Symbol.iterator]: () => [id(0)].values() })).length, 1);
    }
  });

  it("never returns the next id: an abort ends the run, and closes the iterator", async () => {
    const { client } = counted();
    let isClosed = false;
    const hanging = of(() => new Promise(() => {}), { return: () => ((isClosed = true), new Promise(() => {})) });
    const controller = new AbortController();
    setTimeout(() => controller.abort(), 20);
    await assert.rejects(async () => getManyAiChatUsage(client, hanging, { signal: controller.signal }), { name: "AbortError" });
    assert.equal(isClosed, true);
  });

  it("has a wrong length: the total is corrected, and the time left is never negative", async () => {
    const { client } = counted();
    for (const length of [2, -1, NaN, Infinity, "9", () => 9, null]) {
      const reports = [];
      await getManyAiChatUsage(client, { length, [Symbol.iterator]: () => ids(20).values() }, { concurrency: 1, onProgress: (report) => reports.push(report) });
      assert.ok(reports.every(({ total, done, etaMs }) => (total === undefined || (total >= done && Number.isFinite(total))) && !(etaMs < 0)), JSON.stringify(reports));
      assert.equal(reports.at(-1).total, 20);
    }
  });
});

it("no ids: no outcomes, and a final progress report", async () => {
  const { client } = counted();
  const reports = [];
  assert.deepEqual(await getManyAiChatUsage(client, new Set(), { onProgress: (report) => reports.push(report) }), []);
  assert.deepEqual(reports.map(({ done, total }) => [done, total]), [[0, 0]]);
});

it("ignores errors of onProgress", async () => {
  const { client } = counted();
  const onProgress = [() => { throw new Error("mine"); }, async () => { throw new Error("mine, later"); }];
  for (const listener of onProgress) assert.equal((await getManyAiChatUsage(client, ids(20), { onProgress: listener })).length, 20);
});

it("accepts an object that stands in for a client", async () => {
  const error = Object.assign(new Error("busy"), { status: 429, isRetryable: true });
  let refused = 0;
  const client = {
    async getAiChatUsage({ companyId }, options) {
      if (companyId === id(1)) throw new Error("no such company");
      if (companyId === id(2) && options.maxRetries !== 0 && ++refused) throw error;
      return { tokensUsed: 1, tokenLimit: 2, tokensRemaining: 1, isWithinBudget: true, windowDays: 30 };
    },
  };
  const outcomes = await getManyAiChatUsage(client, ids(4));
  assert.deepEqual(outcomes.map(({ error, usage }) => error?.message ?? usage.tokensUsed), [1, "no such company", 1, 1]);
  assert.equal(refused, 1);
});

describe("a stand-in's 429", () => {
  const USAGE = { tokensUsed: 1, tokenLimit: 2, tokensRemaining: 1, isWithinBudget: true, windowDays: 30 };
  /** When the second company is requested, after the first got a 429 with this `retryAt`. */
  const pauseAfter = async (retryAt) => {
    const at = [];
    const getAiChatUsage = async () => {
      if (at.push(performance.now()) > 1) return USAGE;
      throw Object.assign(new Error("busy"), { status: 429, isRetryable: true, retryAt: retryAt() });
    };
    const outcomes = await getManyAiChatUsage({ getAiChatUsage }, ids(2), { concurrency: 1, rounds: 0 });
    assert.deepEqual(outcomes.map(({ error }) => error?.message), ["busy", undefined]);
    return at[1] - at[0];
  };

  it("pauses until a Date or a timestamp", async () => {
    for (const as of [(ms) => new Date(ms), (ms) => ms]) {
      const ms = await pauseAfter(() => as(Date.now() + 1_500));
      assert.ok(ms > 1_400, `${ms} ms`);
    }
  });

  it("pauses a second without a time, or with one more than a minute away", { timeout: 20_000 }, async () => {
    for (const retryAt of ["soon", undefined, new Date(NaN), new Date(Date.now() + 90_000), new Date(Date.now() + 30 * 86_400_000)]) {
      const ms = await pauseAfter(() => retryAt);
      assert.ok(ms > 990, `${ms} ms for ${retryAt}`);
    }
  });

  it("lasts to its end even if timers fire early", async () => {
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (run, ms) => setTimeout(run, ms > 100 ? ms - 20 : ms);
    try {
      const ms = await pauseAfter(() => undefined);
      assert.ok(ms >= 1_000, `${ms} ms`);
    } finally {
      globalThis.setTimeout = setTimeout;
    }
  });
});

describe("pauses", () => {
  // The calls' timeout is shorter than the wait that the server asks for.
  const hurried = (fake) => fake.client({ maxRetries: 0, totalTimeoutMs: 500 });

  it("that began before the run are waited out", async () => {
    const fake = createFakeBookMore();
    const client = hurried(fake);
    fake.set(id(9), { status: 429, retryAfter: 2 });
    await assert.rejects(client.getAiChatUsage({ companyId: id(9) }));
    assert.deepEqual(failures(await getManyAiChatUsage(client, ids(5), { rounds: 0 })), []);
    const [refused, first] = fake.requests;
    assert.ok(first.at - refused.at >= 1_990, `${first.at - refused.at} ms`);
  });

  it("no company is retried before the time that the server named, nor if that is more than a minute away", async () => {
    const fake = createFakeBookMore();
    fake.set(id(0), [{ status: 503, retryAfter: 4 }, { share: 0.5 }]);
    fake.set(id(1), [{ kind: "network" }, { share: 0.5 }]);
    fake.set(id(2), { status: 503, retryAfter: 90 });
    const outcomes = await getManyAiChatUsage(hurried(fake), ids(3));
    assert.deepEqual(outcomes.map(({ error }) => error?.retryAfterMs), [undefined, undefined, 90_000]);
    const [began] = fake.requests;
    const again = fake.requests.slice(3).map(({ companyId, at }) => [companyId, Math.round((at - began.at) / 1000)]);
    assert.deepEqual(again, [[id(1), 2], [id(0), 4]]);
  });

  it("a company whose 429 asks for more than a minute is not retried; the others are", async () => {
    const fake = createFakeBookMore();
    fake.set(id(0), { status: 429, retryAfter: 90 });
    const outcomes = await getManyAiChatUsage(hurried(fake), ids(3), { concurrency: 1, rounds: 5 });
    assert.deepEqual(outcomes.map(({ error }) => error?.retryAfterMs), [90_000, undefined, undefined]);
    assert.deepEqual(fake.requests.map(({ companyId }) => companyId), ids(3));
  });

  it("end when the identity changes, for retries, too", { timeout: 30_000 }, async () => {
    const fake = createFakeBookMore();
    const client = hurried(fake);
    fake.set(id(0), [{ status: 429, retryAfter: 50 }, { share: 0.5 }]);
    const run = getManyAiChatUsage(client, ids(4), { concurrency: 1 });
    const outcomes = Promise.resolve(run);
    while (fake.requests.length === 0) await sleep(5);
    await sleep(50);
    client.setBearerToken("renewed-token", { sameIdentity: true });
    await sleep(50);
    assert.equal(fake.requests.length, 1);
    client.setBearerToken("another-token");
    assert.deepEqual(failures(await outcomes), []);
    assert.deepEqual(fake.requests.map(({ companyId }) => companyId), [id(0), id(1), id(2), id(3), id(0)]);
  });

  it("with a rate limit, every company has its usage in the end", { timeout: 60_000 }, async () => {
    const fake = createFakeBookMore();
    let [window, count] = [0, 0];
    const fetch = async (url, init) => {
      const now = performance.now();
      if (now >= window + 1_000) [window, count] = [now, 0];
      if (++count > 20) return new Response("", { status: 429, headers: { "retry-after-ms": `${Math.ceil(window + 1_000 - now)}` } });
      return fake.fetch(url, init);
    };
    // Each call has one attempt and does not wait.
    const client = fake.client({ fetch, maxRetries: 0, totalTimeoutMs: 300 });
    assert.deepEqual(failures(await getManyAiChatUsage(client, ids(120), { concurrency: 50 })), []);
  });

  it("after ten without a success nothing more is sent: the ids left have the last 429 as their outcome", async () => {
    const { setTimeout } = globalThis;
    const waits = [];
    try {
      let asked = 0;
      const getAiChatUsage = async () => {
        // Loads the module first, because loading counts towards the timeout, too.
        globalThis.setTimeout = (run, ms) => (waits.push(ms), setTimeout(run, 0));
        throw Object.assign(new Error(`busy ${++asked}`), { status: 429, isRetryable: true });
      };
      const given = [...ids(200), "nobody", id(0)];
      const outcomes = await getManyAiChatUsage({ getAiChatUsage }, given, { concurrency: 1 });
      assert.deepEqual(outcomes.map(({ companyId }) => companyId), given);
      assert.ok(outcomes.every(({ error }) => error.message === "busy 10"));
      const seconds = waits.map((ms) => Math.round(ms / 1000));
      assert.deepEqual([asked, seconds], [10, [1, 2, 4, 8, 16, 32, 60, 60, 60]]);
    } finally {
      globalThis.setTimeout = setTimeout;
    }
  });
});

it("options with getters and one-shot headers: each member is read once, and passed to every call", async () => {
  const read = {};
  class Options {
    get maxRetries() {
      read.maxRetries = (read.maxRetries ?? 0) + 1;
      return 0;
    }
    get headers() {
      read.headers = (read.headers ?? 0) + 1;
      return new Map([["x-tenant", "a"]]).entries();
    }
    get onProgress() {
      read.onProgress = (read.onProgress ?? 0) + 1;
      return () => {};
    }
    get signal() {
      read.signal = (read.signal ?? 0) + 1;
      return undefined;
    }
  }
  const { fake, client } = counted();
  const sent = [];
  const fetch = async (url, init) => (sent.push(new Headers(init.headers).get("x-tenant")), fake.fetch(url, init));
  fake.set(id(0), { status: 503 });
  await getManyAiChatUsage(fake.client({ fetch }), ids(3), Object.assign(new Options(), { rounds: 0 }));
  assert.deepEqual(sent, ["a", "a", "a"]);
  assert.deepEqual(read, { maxRetries: 1, headers: 1, onProgress: 1, signal: 1 });
  assert.equal((await getManyAiChatUsage(client, ids(1))).length, 1);
});

it("ids are equal if they are the same Guid, in the forms that a call accepts", async () => {
  const [bare, upper] = [id(0).replaceAll("-", ""), id(0).toUpperCase()];
  for (const form of [
    ...[bare, upper, `{${upper}}`, `{${bare}}`, `(${upper})`, ` ${upper}`, `${upper}\n`, `${upper}0`, `${bare.slice(1)}-`],
    ...[`{${upper}`, `${upper}}`, upper.replace("-", ""), `${bare.slice(0, 4)}-${bare.slice(4)}`, "", "ä"],
  ]) {
    const { fake, client, counts } = counted();
    fake.set(id(0), { share: 0.5 });
    const isTaken = await client.getAiChatUsage({ companyId: form }).then(() => true, ({ code }) => code !== "config_error");
    counts.sent = 0;
    const [, { usage, error }] = await getManyAiChatUsage(client, [id(0), form]);
    assert.deepEqual([usage?.companyId, error?.code, counts.sent], isTaken ? [id(0), undefined, 1] : [undefined, "config_error", 1], form);
  }
});

it("all runs with one signal share one listener", async () => {
  const warnings = [];
  const note = (warning) => warnings.push(warning.name);
  process.on("warning", note);
  const { client } = counted(20);
  const { signal } = new AbortController();
  await Promise.all(Array.from({ length: 12 }, () => getManyAiChatUsage(client, ids(2), { signal })));
  await sleep(20);
  process.off("warning", note);
  assert.deepEqual(warnings, []);
});

describe("a trap", () => {
  for (const name of ["many_new", "many_poll", "many_settle", "many_figure", "core_tellLimit", "__wbg_many_free"]) {
    it(`in ${name}: the run ends with an InternalError, and the next one works`, { timeout: 20_000 }, async () => {
      let traps = 0;
      let trapped = 0;
      const restore = trapping(name, () => traps-- > 0 && ++trapped > 0);
      try {
        const { BookMoreClient } = await import(`${pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/index.js"))}?many-${name}`);
        const own = new BookMoreClient({ fetch: createFakeBookMore().fetch, bearerToken: "t" });
        await own.getAiChatUsage();
        traps = 1;
        const many = async () => getManyAiChatUsage(own, ids(5), { onProgress() {} });
        // At the end, a trap has no consequences.
        if (name === "__wbg_many_free") assert.equal((await many()).length, 5);
        else await assert.rejects(many, ({ code, cause }) => code === "internal_error" && cause instanceof WebAssembly.RuntimeError);
        assert.equal(trapped, 1);
        assert.deepEqual(failures(await many()), []);
      } finally {
        restore();
      }
    });
  }
});

it("a framework's control flow reaches the framework", async () => {
  const flow = Object.assign(new Error("NEXT_REDIRECT"), { digest: "NEXT_REDIRECT;/login" });
  const client = new sdk.BookMoreClient({ fetch: async () => { throw flow; } });
  await assert.rejects(async () => getManyAiChatUsage(client, ids(3)), (error) => error === flow);
});

it("CommonJS, and a client of slim, which does not load the module of the default entry", async () => {
  const required = createRequire(join(user.folder, "user.cjs"));
  const { createFakeBookMore } = required("bookmore-sdk/testing");
  const { getManyAiChatUsage } = required("bookmore-sdk/many");
  assert.equal((await getManyAiChatUsage(createFakeBookMore().client(), ids(3))).length, 3);
  const stand = { getAiChatUsage: async () => ({ tokensUsed: 3 }) };
  assert.equal((await getManyAiChatUsage(stand, ids(2)))[1].usage.tokensUsed, 3);

  const script = `
    import { readFile } from "node:fs/promises";
    import { BookMoreClient } from "bookmore-sdk/slim";
    import { getManyAiChatUsage } from "bookmore-sdk/many";
    const wasm = readFile(new URL(import.meta.resolve("bookmore-sdk/sdk.wasm")));
    const fetch = async () => Response.json({ tokensUsed: 1, tokenLimit: 2, tokensRemaining: 1, isWithinBudget: true, windowDays: 3 });
    const outcomes = await getManyAiChatUsage(new BookMoreClient({ wasm, fetch }), ["${id(0)}", "x"]);
    console.log(outcomes.map(({ usage, error }) => usage?.tokensUsed ?? error.code).join());
  `;
  const folder = join(user.folder, "slim");
  cpSync(join(user.folder, "node_modules"), join(folder, "node_modules"), { recursive: true });
  for (const file of ["index.js", "wasm-inline.js"]) rmSync(join(folder, "node_modules/bookmore-sdk/dist", file));
  writeFileSync(join(folder, "slim.mjs"), script);
  const { stdout } = await promisify(execFile)(process.execPath, ["slim.mjs"], { cwd: folder });
  assert.equal(stdout, "1,config_error\n");
});

it("10 000 companies: only their outcomes stay in memory", { timeout: 120_000 }, async () => {
  const script = `
    import { BookMoreClient } from "bookmore-sdk";
    import { getManyAiChatUsage } from "bookmore-sdk/many";
    const id = (number) => "00000000-0000-4000-8000-" + String(number).padStart(12, "0");
    const usage = { tokensUsed: 1, tokenLimit: 2, tokensRemaining: 1, isWithinBudget: true, windowDays: 3 };
    const client = new BookMoreClient({
      fetch: async (url) => Response.json({ companyId: new URL(url).searchParams.get("CompanyId"), ...usage }),
    });
    const heap = () => (gc(), gc(), process.memoryUsage().heapUsed);
    async function* source() {
      for (let number = 1; number <= 12_000; number++) yield id(number);
    }
    const seen = [];
    let came = 0;
    for await (const { error } of getManyAiChatUsage(client, source())) {
      if (error) throw error;
      // A first run loads and compiles, which is not counted.
      if (++came % 2_000 === 0) seen.push(heap());
    }
    console.log(JSON.stringify(seen));
  `;
  writeFileSync(join(user.folder, "memory.mjs"), script);
  const { stdout } = await promisify(execFile)(process.execPath, ["--expose-gc", "memory.mjs"], { cwd: user.folder });
  const seen = JSON.parse(stdout);
  const perOutcome = (seen.at(-1) - seen[0]) / 10_000;
  // The outcome, its usage, two ids and their indices.
  assert.ok(perOutcome < 1_000, `${perOutcome} bytes an outcome: ${stdout}`);
});
