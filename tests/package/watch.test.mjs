// bookmore-sdk/watch of the packed tarball with the fake API, under fake timers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, describe, it, mock } from "node:test";
import { pathToFileURL } from "node:url";
import { QueryClient } from "@tanstack/react-query";
import { trapping } from "./trap.mjs";
import { client, clock, fake, ID, kit, pass, sdk, SECOND, setClock, user, watchAiChatUsage } from "./watch-world.mjs";

const MINUTE = 60 * SECOND;
const DAY = 86_400_000;

const watch = (options, request = { companyId: ID }) => watchAiChatUsage(client, request, options);
/** Subscribes; returns the states that arrive, and a function that unsubscribes. */
function listen(store) {
  const states = [];
  return { states, leave: store.subscribe((state) => states.push(state)) };
}
/** When requests were sent, in seconds from the start. */
const seconds = () => fake.requests.map(({ at }) => Math.round((at - Date.UTC(2026, 0)) / 100) / 10);

describe("a store", () => {
  it("sends nothing before the first subscription, and one request one task after it", async () => {
    const store = watch();
    assert.deepEqual(store.getSnapshot(), { status: "pending" });
    await pass(MINUTE);
    const { states } = listen(store);
    await Promise.resolve();
    assert.equal(fake.requests.length, 0);
    await pass(10);
    assert.equal(fake.requests.length, 1);
    assert.deepEqual(states.map(({ status }) => status), ["pending", "ok"]);
    const { updatedAt, trend, ...state } = store.getSnapshot();
    assert.deepEqual(state, { status: "ok", usage: kit.usage({ companyId: ID, share: 0.5 }), share: 0.5, level: "ok" });
    assert.deepEqual(trend, { usedPerDay: 50_000 / 30, sustainablePerDay: 100_000 / 30 });
    assert.ok(Math.abs(updatedAt - Date.now()) < SECOND);
    assert.equal(store.getSnapshot(), states.at(-1));
    assert.deepEqual(store.getServerSnapshot(), { status: "pending" });
  });

  it("sends nothing if it is left in the same task", async () => {
    listen(watch()).leave();
    await pass(10 * MINUTE);
    assert.equal(fake.requests.length, 0);
    assert.equal(clock.countTimers(), 0);
  });

  it("shares one poll with all stores of the company; the shortest interval counts", async () => {
    const own = fake.companyId;
    fake.set(own, { share: 0.5 });
    const stores = [
      watch({ intervalMs: 300_000 }),
      watch({ intervalMs: 20_000, idleIntervalMs: 20_000 }, { companyId: `{${ID.toUpperCase()}}` }),
      watch({}, { companyId: ID.replaceAll("-", "") }),
    ];
    const listeners = stores.map(listen);
    await pass(50 * SECOND);
    assert.deepEqual(seconds(), [0, 20, 40]);
    for (const store of stores) assert.equal(store.getSnapshot().status, "ok");
    listeners.forEach(({ leave }) => leave());
    fake.reset();
    listen(watch({}, undefined));
    listen(watch({}, { companyId: "00000000-0000-0000-0000-000000000000" }));
    await pass(SECOND);
    assert.equal(fake.requests.length, 1);
  });

  it("doubles the interval while nothing changes", async () => {
    listen(watch());
    await pass(13 * MINUTE);
    assert.deepEqual(seconds(), [0, 60, 180, 420, 720]);
  });

  it("keeps the interval if timers fire slightly early", async () => {
    const { setTimeout } = globalThis;
    globalThis.setTimeout = (run, ms) => setTimeout(run, ms > 10 ? ms - 1 : ms);
    const sent = [];
    const own = fake.client({ fetch: (...given) => (sent.push(performance.now()), fake.fetch(...given)) });
    listen(watchAiChatUsage(own, { companyId: ID }, { intervalMs: 5_000, idleIntervalMs: 5_000 }));
    await pass(20 * SECOND);
    assert.ok(sent.length >= 3);
    for (const [at, time] of sent.slice(1).entries()) assert.ok(time - sent[at] >= 5_000, `${sent}`);
  });

  it("stops one second after the last subscriber has left; another one within that second costs no request", async () => {
    const store = watch();
    const first = listen(store);
    await pass(30 * SECOND);
    first.leave();
    first.leave();
    await pass(900);
    const second = listen(watch());
    assert.equal(second.states[0].usage.tokensUsed, 50_000);
    await pass(10 * SECOND);
    assert.equal(fake.requests.length, 1);
    second.leave();
    await pass(10 * MINUTE);
    assert.equal(fake.requests.length, 1);
    assert.equal(clock.countTimers(), 0);
    listen(store);
    await pass(10);
    assert.equal(fake.requests.length, 2);
  });

  it("cancels a request in flight when it stops", async () => {
    fake.set(ID, { kind: "hang" });
    const { leave } = listen(watch());
    await pass(SECOND);
    leave();
    await pass(SECOND);
    assert.equal(fake.requests[0].aborted, true);
    assert.equal(clock.countTimers(), 0);
  });

  it("keeps the same usage object while it is equal, and during errors", async () => {
    const store = watch();
    listen(store);
    await pass(SECOND);
    const { usage } = store.getSnapshot();
    await pass(MINUTE);
    assert.equal(store.getSnapshot().usage, usage);
    fake.set(ID, { status: 503 });
    await pass(2 * MINUTE);
    const state = store.getSnapshot();
    assert.deepEqual([state.status, state.error.code, state.usage, state.share, state.level], ["error", "server_error", usage, 0.5, "ok"]);
    assert.ok(Object.isFrozen(state));
  });

  it("starts with initialUsage, and still sends a request", async () => {
    const initialUsage = kit.usage({ companyId: ID, share: 0.97 });
    const store = watch({ initialUsage });
    const first = { status: "ok", usage: initialUsage, share: 0.97, level: "critical" };
    assert.deepEqual(store.getSnapshot(), first);
    listen(store);
    await pass(SECOND);
    assert.equal(store.getSnapshot().share, 0.5);
    assert.deepEqual(store.getServerSnapshot(), first);
    assert.equal(store.getServerSnapshot(), store.getServerSnapshot());
  });

  it("shows no usage that names another company", () => {
    const other = kit.usage({ companyId: "3fa85f64-5717-4562-b3fc-2c963f66afa6" });
    assert.deepEqual(watch({ initialUsage: other }).getSnapshot(), { status: "pending" });
    for (const companyId of [ID.toUpperCase(), `{${ID}}`, undefined]) {
      assert.equal(watch({ initialUsage: { ...other, companyId } }).getSnapshot().status, "ok", companyId);
    }
    // It is not yet known which of the two is the user's own company.
    for (const companyId of [undefined, "0".repeat(32)]) assert.equal(watch({ initialUsage: other }, { companyId }).getSnapshot().status, "ok");
  });

  it("sends nothing for the request null", async () => {
    const store = watch({}, null);
    const { states } = listen(store);
    await pass(MINUTE);
    assert.deepEqual([states, fake.requests.length], [[{ status: "pending" }], 0]);
    await assert.rejects(store.refresh(), { code: "config_error", message: /request is null/ });
  });

  it("calls the other subscribers if one throws", async () => {
    const store = watch();
    let calls = 0;
    store.subscribe(() => {
      if (calls++ > 0) throw new Error("of the app");
    });
    const { states } = listen(store);
    // Otherwise the uncaught error would end the test.
    const thrown = [];
    const queue = mock.method(globalThis, "queueMicrotask", (run) => thrown.push(assert.throws(run) ?? run));
    await pass(SECOND);
    queue.mock.restore();
    assert.deepEqual([states.at(-1).status, thrown.length], ["ok", 1]);
  });
});

describe("many companies", () => {
  const ids = Array.from({ length: 9 }, (_, index) => ID.slice(0, -1) + index);
  /** A client whose answers wait, and the companies that it was asked for. */
  function waiting() {
    const asked = [];
    const answers = [];
    const getAiChatUsage = ({ companyId }) => (asked.push(ids.indexOf(companyId)), new Promise((resolve) => answers.push(() => resolve(kit.usage({ companyId, share: 0.5 })))));
    return { asked, answers, client: { getAiChatUsage } };
  }

  it("are asked for six at a time, in turn", async () => {
    const { asked, answers, client } = waiting();
    const stores = ids.map((companyId) => watchAiChatUsage(client, { companyId }));
    const listeners = stores.map(listen);
    await pass(20 * SECOND);
    assert.deepEqual(asked, [0, 1, 2, 3, 4, 5]);
    answers[3]();
    listeners[7].leave(); // while it waits
    await pass(2 * SECOND);
    assert.deepEqual(asked, [0, 1, 2, 3, 4, 5, 6]);
    for (const answer of answers.splice(0)) answer();
    await pass(SECOND);
    assert.deepEqual(asked, [0, 1, 2, 3, 4, 5, 6, 8]);
    answers[0]();
    await pass(SECOND);
    assert.deepEqual(stores.map((store) => store.getSnapshot().status), ids.map((_, index) => (index === 7 ? "pending" : "ok")));
    // All turns were given back.
    await pass(MINUTE);
    assert.deepEqual(asked.slice(8).sort(), [0, 1, 2, 3, 4, 5]);
  });

  it("of one client do not wait for those of another, nor does a refresh", async () => {
    const first = waiting();
    for (const companyId of ids) listen(watchAiChatUsage(first.client, { companyId }));
    const second = waiting();
    listen(watchAiChatUsage(second.client, { companyId: ids[0] }));
    void watchAiChatUsage(first.client, { companyId: ids[8] }).refresh();
    await pass(SECOND);
    assert.deepEqual([first.asked.length, second.asked], [7, [0]]);
  });
});

describe("errors", () => {
  for (const [what, failure, request = { companyId: ID }] of [
    ["401", { status: 401 }],
    ["403", { status: 403 }],
    ["another company", { kind: "other-company" }],
    ["no company id", undefined, { companyId: "x" }],
  ]) {
    it(`${what}: stopped`, async () => {
      if (failure) fake.set(ID, failure);
      const store = watch({}, request);
      listen(store);
      await pass(60 * MINUTE);
      assert.equal(fake.requests.length, failure ? 1 : 0);
      assert.equal(store.getSnapshot().status, "stopped");
    });
  }

  it("503: the interval doubles, without retries, until it recovers", async () => {
    fake.set(ID, [{ status: 503, times: 3 }, { share: 0.9 }]);
    const store = watch();
    const { states } = listen(store);
    await pass(16.5 * MINUTE);
    assert.deepEqual(seconds(), [0, 120, 360, 840, 900, 960]);
    assert.deepEqual(states.slice(0, 5).map(({ status }) => status), ["pending", "error", "error", "error", "ok"]);
    assert.equal(store.getSnapshot().error, undefined);
  });

  it("a page that was opened offline sends a request when it comes online", async (t) => {
    const page = new EventTarget();
    globalThis.addEventListener = page.addEventListener.bind(page);
    t.after(() => delete globalThis.addEventListener);
    fake.set(ID, [{ kind: "network" }, { share: 0.9 }]);
    const { states } = listen(watch());
    await pass(6 * SECOND);
    page.dispatchEvent(new Event("online"));
    await pass(SECOND);
    assert.deepEqual(seconds(), [0, 6]);
    assert.deepEqual(states.map(({ status }) => status), ["pending", "error", "ok"]);
  });

  it("respects Retry-After", async () => {
    fake.set(ID, [{ status: 429, retryAfter: 600 }, { share: 0.9 }]);
    listen(watch({ intervalMs: 5_000 }));
    await pass(9.9 * MINUTE);
    assert.equal(fake.requests.length, 1);
    await pass(0.2 * MINUTE);
    assert.equal(fake.requests.length, 2 + 1);
  });

  it("stops if the module cannot be loaded, and a refresh tries again", async () => {
    const slim = await import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/slim.js")));
    const bytes = readFileSync(join(user.folder, "node_modules/bookmore-sdk/dist/sdk.wasm"));
    const broken = new slim.BookMoreClient({ wasm: Promise.reject(new Error("not there")), fetch: fake.fetch, bearerToken: "t" });
    const store = watchAiChatUsage(broken, { companyId: ID });
    const { leave } = listen(store);
    await pass(10);
    assert.deepEqual([store.getSnapshot().status, store.getSnapshot().error.code], ["stopped", "config_error"]);
    await assert.rejects(store.refresh(), { code: "config_error" });
    // A subscriber after all have left starts from the beginning.
    leave();
    await pass(10);
    assert.deepEqual(watchAiChatUsage(broken, { companyId: ID }).getSnapshot(), { status: "pending" });
    assert.equal(clock.countTimers(), 0);
    const whole = new slim.BookMoreClient({ wasm: bytes, fetch: fake.fetch, bearerToken: "t" });
    await whole.ready();
    const other = watchAiChatUsage(whole, { companyId: ID });
    listen(other);
    await pass(10);
    assert.equal(other.getSnapshot().share, 0.5);
  });
});

describe("a trap", () => {
  for (const name of ["core_body", "watch_usage", "watch_timeout", "gauge"]) {
    it(`in ${name}: everything starts again`, async () => {
      let traps = 0;
      const restore = trapping(name, () => traps-- > 0);
      try {
        const { BookMoreClient } = await import(`${pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/index.js"))}?${name}`);
        const own = new BookMoreClient({ fetch: fake.fetch, bearerToken: "t" });
        await own.ready();
        traps = 1;
        const store = watchAiChatUsage(own, { companyId: ID });
        listen(store);
        await pass(MINUTE);
        if (name === "core_body") assert.equal(store.getSnapshot().error.code, "internal_error");
        clock.uninstall(); // the module is compiled anew, which takes real time
        setClock({ shouldAdvanceTime: true, now: Date.now() });
        fake.set(ID, { share: 0.6 });
        for (let time = 0; time < 20 && store.getSnapshot().share !== 0.6; time++) await Promise.all([store.refresh(), pass(1_000)]).catch(() => {});
        assert.deepEqual([store.getSnapshot().status, store.getSnapshot().share], ["ok", 0.6]);
      } finally {
        restore();
      }
    });
  }

  it("in __wbg_watch_free: setBearerToken still works, and so does the poll", async () => {
    let traps = 0;
    const restore = trapping("__wbg_watch_free", () => traps-- > 0);
    try {
      const { BookMoreClient } = await import(`${pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/index.js"))}?free`);
      const own = new BookMoreClient({ fetch: fake.fetch, bearerToken: "t" });
      await own.ready();
      const stores = [ID, undefined].map((companyId) => watchAiChatUsage(own, companyId ? { companyId } : {}));
      stores.forEach(listen);
      await pass(10);
      traps = 1;
      own.setBearerToken("another");
      assert.deepEqual([traps, ...stores.map((store) => store.getSnapshot().status)], [0, "pending", "pending"]);
      clock.uninstall(); // the module is compiled anew, which takes real time
      setClock({ shouldAdvanceTime: true, now: Date.now() });
      for (let time = 0; time < 20 && stores.some((store) => store.getSnapshot().status !== "ok"); time++) {
        await Promise.all([...stores.map((store) => store.refresh()), pass(1_000)]).catch(() => {});
      }
      assert.deepEqual(stores.map((store) => store.getSnapshot().status), ["ok", "ok"]);
    } finally {
      restore();
    }
  });
});

describe("refresh", () => {
  it("sends a request at once, even without a subscription", async () => {
    const store = watch();
    const refreshing = store.refresh();
    await pass(10);
    assert.equal((await refreshing).tokensUsed, 50_000);
    assert.equal(store.getSnapshot().share, 0.5);
    await pass(2 * SECOND);
    assert.equal(clock.countTimers(), 0);
  });

  it("never joins an earlier request, whose answer is then ignored", async () => {
    const store = watch();
    fake.set(ID, [{ kind: "slow", delayMs: 3_000 }, { share: 0.9 }]);
    listen(store);
    await pass(SECOND);
    const refreshing = store.refresh();
    await pass(10);
    assert.equal((await refreshing).tokensUsed, 90_000);
    fake.set(ID, { share: 0.1 });
    await pass(5 * SECOND);
    assert.equal(store.getSnapshot().share, 0.9);
  });

  it("starts a store that is stopped", async () => {
    fake.set(ID, { status: 403 });
    const store = watch();
    listen(store);
    await pass(10 * MINUTE);
    await assert.rejects(Promise.all([store.refresh(), pass(10)]), { status: 403 });
    fake.set(ID, { share: 0.9 });
    await Promise.all([store.refresh(), pass(10)]);
    assert.deepEqual([store.getSnapshot().status, store.getSnapshot().error], ["ok", undefined]);
    await pass(MINUTE);
    assert.equal(fake.requests.length, 4);
  });

  it("that fails without being awaited causes no unhandled rejection", async () => {
    fake.set(ID, { status: 403 });
    const store = watch();
    store.refresh(); // this test would fail with it
    await pass(10);
    assert.equal((await store.refresh().catch((error) => error)).code, "permission_denied");
  });

  it("counts the next interval from its end", async () => {
    const store = watch();
    listen(store);
    await pass(50 * SECOND);
    await Promise.all([store.refresh(), pass(10)]);
    await pass(59 * SECOND);
    assert.equal(fake.requests.length, 2);
    await pass(2 * SECOND);
    assert.equal(fake.requests.length, 3);
  });
});

describe("another token", () => {
  it("forgets the usage of the old identity, even without subscribers, and sends a request", async () => {
    const store = watch({ initialUsage: kit.usage({ share: 0.1 }) });
    const left = watch();
    const { leave } = listen(left);
    const { states } = listen(store);
    await pass(10);
    leave();
    fake.set(ID, { share: 0.7 });
    client.setBearerToken("other");
    assert.deepEqual([store.getSnapshot(), left.getSnapshot()], [{ status: "pending" }, { status: "pending" }]);
    await pass(10);
    assert.equal(store.getSnapshot().share, 0.7);
    assert.deepEqual(states.map(({ share }) => share), [0.1, 0.5, undefined, 0.7]);
  });

  it("cancels the requests of the old one", async () => {
    const store = watch();
    fake.set(ID, [{ kind: "slow", delayMs: 3_000 }, { share: 0.7 }]);
    const { states } = listen(store);
    await pass(SECOND);
    client.setBearerToken("other");
    await pass(10 * SECOND);
    assert.deepEqual(states.map(({ share }) => share), [undefined, 0.7]);
    assert.equal(fake.requests.length, 2);
  });

  it("of the same identity changes nothing", async () => {
    const store = watch();
    const { states } = listen(store);
    await pass(10);
    client.setBearerToken("renewed", { sameIdentity: true });
    await pass(30 * SECOND);
    assert.deepEqual([states.length, fake.requests.length], [2, 1]);
  });

  it("reaches a poll that started during a refresh of the previous identity", async () => {
    fake.set(ID, [{ kind: "slow", delayMs: 3_000 }, { share: 0.6 }, { share: 0.7 }]);
    const refreshing = watch().refresh().catch(() => {});
    await pass(10);
    client.setBearerToken("second");
    await pass(2 * SECOND); // the refresh's poll has ended, because it has no subscribers
    const store = watch();
    listen(store);
    await pass(10);
    assert.equal(store.getSnapshot().share, 0.6);
    await pass(2 * SECOND);
    await refreshing;
    client.setBearerToken("third");
    assert.equal(store.getSnapshot().status, "pending");
    await pass(10);
    assert.equal(store.getSnapshot().share, 0.7);
  });

  for (const sameIdentity of [true, false]) {
    it(`restarts a stopped store (sameIdentity: ${sameIdentity})`, async () => {
      fake.set(ID, [{ status: 401 }, { share: 0.9 }]);
      const store = watch();
      listen(store);
      await pass(10 * MINUTE);
      client.setBearerToken("renewed", { sameIdentity });
      await pass(10);
      assert.deepEqual([store.getSnapshot().status, fake.requests.length], ["ok", 2]);
    });
  }
});

describe("thresholds", () => {
  const told = async (percents, options) => {
    const thresholds = [];
    const store = watch({ intervalMs: 5_000, idleIntervalMs: 5_000, ...options, onThreshold: ({ threshold }) => thresholds.push(threshold) });
    const { leave } = listen(store);
    for (const percent of percents) {
      fake.set(ID, { share: percent / 100 });
      await pass(5 * SECOND);
    }
    leave();
    await pass(2 * SECOND);
    return thresholds;
  };

  it("only the highest is reported, and again only after two points below it", async () => {
    assert.deepEqual(await told([79, 96]), [0.95]);
    assert.deepEqual(await told([79, 96, 70, 85]), [0.95, 0.8]);
  });

  it("also with the first usage; in any order", async () => {
    assert.deepEqual(await told([85], { thresholds: [0.9, 0.5] }), [0.5]);
    assert.deepEqual(await told([100]), [1]);
  });

  it("belong to each store, as does the level", async () => {
    fake.set(ID, { share: 0.6 });
    const stores = [watch({ thresholds: [0.5] }), watch({ thresholds: [0.3, 0.55] }), watch({ thresholds: [] }), watch()];
    stores.forEach(listen);
    await pass(10);
    assert.deepEqual(stores.map((store) => store.getSnapshot().level), ["warning", "critical", "ok", "ok"]);
    fake.set(ID, { share: 1.2 });
    await pass(MINUTE);
    assert.deepEqual(stores.map((store) => store.getSnapshot().level), ["over", "over", "over", "over"]);
    assert.equal(stores[0].getSnapshot().share, 1.2);
  });

  it("are not reported again when the store gets a new subscriber", async () => {
    const thresholds = [];
    fake.set(ID, { share: 0.9 });
    const store = watch({ onThreshold: ({ threshold, usage }) => thresholds.push([threshold, usage.tokensUsed]) });
    const { leave } = listen(store);
    await pass(10);
    leave();
    listen(store);
    await pass(MINUTE);
    assert.deepEqual(thresholds, [[0.8, 90_000]]);
  });

  // The first look, before the module is loaded, is the only decision that TypeScript makes as well.
  it("determine the same level for initialUsage", async () => {
    for (const thresholds of [[], [0.5], [0.8, 0.95, 1]]) {
      for (const share of [0, 0.49, 0.5, 0.8, 0.95, 0.99, 1, 1.3]) {
        const { tokenLimit } = kit.usage();
        fake.set(ID, { share, tokenLimit });
        const initialUsage = kit.usage({ companyId: ID, share });
        const store = watch({ thresholds, initialUsage });
        const first = store.getSnapshot();
        const { leave } = listen(store);
        await pass(10);
        const { level, share: own } = store.getSnapshot();
        assert.deepEqual([first.level, first.share], [level, own], `${share} of ${thresholds}`);
        leave();
        await pass(2 * SECOND);
      }
    }
    for (const [isWithinBudget, level] of [[true, "ok"], [false, "over"]]) {
      const usage = { ...kit.usage({ companyId: ID }), tokensUsed: 5, tokenLimit: 0, tokensRemaining: 0, isWithinBudget };
      const store = watchAiChatUsage(fake.client({ fetch: async () => Response.json(usage) }), { companyId: ID }, { initialUsage: usage });
      const states = [store.getSnapshot()];
      listen(store);
      await pass(10);
      states.push(store.getSnapshot());
      assert.deepEqual(states.map(({ level, share }) => [level, share]), [[level, undefined], [level, undefined]]);
    }
  });
});

describe("the trend", () => {
  const at = (days, tokensUsed) => ({ at: Date.now() - days * DAY, tokensUsed });
  const trendWith = async (history) => {
    const store = watch({ history });
    const { leave } = listen(store);
    await pass(10);
    leave();
    await pass(2 * SECOND);
    return store.getSnapshot().trend;
  };

  it("has a date only if 7 days were observed, and at most 14 days ahead", async () => {
    const { netPerDay, spanMs, exhaustsAt } = await trendWith([at(8, 10_000)]);
    assert.ok(Math.abs(netPerDay - 5_000) < 1 && Math.abs(spanMs - 8 * DAY) < MINUTE);
    assert.ok(Math.abs(exhaustsAt - (Date.now() + 10 * DAY)) < MINUTE);
    assert.equal((await trendWith([at(6, 10_000)])).exhaustsAt, undefined);
    assert.equal((await trendWith([at(8, 30_000)])).exhaustsAt, undefined);
  });

  it("is forgotten when the limit changes", async () => {
    const store = watch({ history: [at(8, 10_000)] });
    listen(store);
    await pass(10);
    fake.set(ID, { tokenLimit: 200_000 });
    await pass(MINUTE);
    const { netPerDay, exhaustsAt, sustainablePerDay } = store.getSnapshot().trend;
    assert.deepEqual([netPerDay, exhaustsAt, sustainablePerDay], [undefined, undefined, 200_000 / 30]);
  });
});

describe("iterating", () => {
  it("yields the state at once and after each change, until the loop is left", async () => {
    const statuses = [];
    const over = (async () => {
      for await (const { status } of watch()) {
        statuses.push(status);
        if (statuses.length === 3) break;
      }
    })();
    await pass(2 * MINUTE);
    await over;
    assert.deepEqual(statuses, ["pending", "ok", "ok"]);
    await pass(2 * SECOND);
    assert.equal(clock.countTimers(), 0);
  });

  it("can be left while waiting", async () => {
    const iterator = watch({}, null)[Symbol.asyncIterator]();
    assert.equal((await iterator.next()).value.status, "pending");
    const waiting = [iterator.next(), iterator.next()];
    await iterator.return();
    assert.deepEqual((await Promise.all(waiting)).map(({ done }) => done), [true, true]);
    assert.equal(clock.countTimers(), 0);
  });
});

describe("clients", () => {
  it("can be objects that stand in for one", async () => {
    let asked = 0;
    const standIn = { getAiChatUsage: async () => kit.usage({ share: ++asked / 10 }) };
    clock.uninstall(); // it has no module, so the package's own is loaded
    const store = watchAiChatUsage(standIn, undefined, { thresholds: [0.2] });
    const { leave, states } = listen(store);
    const other = listen(watchAiChatUsage(standIn));
    while (store.getSnapshot().status === "pending") await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual([store.getSnapshot().share, asked], [0.1, 1]);
    assert.equal((await store.refresh()).tokensUsed, 20_000);
    assert.deepEqual(states.map(({ level }) => level), [undefined, "ok", "warning"]);
    leave();
    other.leave();
  });

  it("of the other module format and in proxies share the poll", async () => {
    const { watchAiChatUsage: required } = createRequire(join(user.folder, "user.cjs"))("bookmore-sdk/watch");
    listen(required(new Proxy(client, {}), { companyId: ID }));
    listen(watch());
    await pass(SECOND);
    assert.equal(fake.requests.length, 1);
  });

  it("of two users never see each other's usage", async () => {
    const [a, b] = [fake, kit.createFakeBookMore()].map((of, at) => {
      of.set(ID, { share: at / 10 });
      return watchAiChatUsage(of.client(), { companyId: ID });
    });
    listen(a);
    listen(b);
    await pass(10);
    assert.deepEqual([a.getSnapshot().share, b.getSnapshot().share], [0, 0.1]);
  });
});

describe("invalid arguments are refused", () => {
  for (const [what, act, sentence] of [
    ["no client", () => watchAiChatUsage({}), /must be a BookMoreClient/],
    ["an unknown option", () => watch({ interval: 5_000 }), /cannot have "interval". Did you mean intervalMs\?/],
    ["an interval that is too short", () => watch({ intervalMs: 1_000 }), /intervalMs must be an integer from 5000/],
    ["an idle interval shorter than the interval", () => watch({ idleIntervalMs: 5_000 }), /idleIntervalMs must be an integer from intervalMs, 60000/],
    ["percents", () => watch({ thresholds: [80] }), /such as 0.8 for 80 %/],
    ["another pause", () => watch({ whenHidden: "stop" }), /"pause" or "poll"/],
    ["no function", () => watch({ onThreshold: "warn" }), /onThreshold must be a function/],
    ["no usage", () => watch({ initialUsage: {} }), /initialUsage must be a usage/],
    ["seconds", () => watch({ history: [{ at: 1_700_000_000, tokensUsed: 5 }] }), /milliseconds since 1970/],
    ["an unknown member of the request", () => watch({}, { company: ID }), /Did you mean companyId\?/],
    ["no request", () => watch({}, 5), /The request must be an object/],
    ["no options", () => watch("5s"), /must be an object/],
    ["a promise of a request", () => watch({}, Promise.resolve({ companyId: ID })), /request must be a plain object, or one with companyId; await/],
    ["a list as a request", () => watch({}, []), /The request must be an object/],
    ["a Map as a request", () => watchAiChatUsage({ getAiChatUsage() {} }, new Map()), /request must be a plain object/],
    ["a promise of options", () => watch(Promise.resolve({})), /options of a watch must be a plain object/],
  ]) {
    it(what, () => assert.throws(act, (error) => sdk.isBookMoreError(error) && error.code === "config_error" && sentence.test(error.message)));
  }
});

describe("queries", () => {
  it("call the client, and their key has its identity but no token", async () => {
    clock.uninstall();
    fake.set(ID, { share: 0.5 });
    const { aiChatUsageQuery } = await import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/query/index.js")));
    const queries = new QueryClient();
    const ask = (of) => queries.fetchQuery(aiChatUsageQuery(of, { companyId: ID }));
    client.setBearerToken("s3cret-t0ken");
    assert.equal((await ask(client)).tokensUsed, 50_000);
    assert.equal(await ask(new Proxy(client, {})), await ask(client));
    assert.equal(fake.requests.length, 1);
    // Another identity, client or company has another key.
    const { queryKey, staleTime, retry } = aiChatUsageQuery(client, { companyId: ID });
    const other = createFakeClient({ share: 0.9 });
    assert.equal((await ask(other)).tokensUsed, 90_000);
    fake.set(ID, { share: 0.7 });
    client.setBearerToken("another-t0ken");
    assert.equal((await ask(client)).tokensUsed, 70_000);
    assert.notDeepEqual(aiChatUsageQuery(client).queryKey, aiChatUsageQuery(client, { companyId: ID }).queryKey);
    // An invalid request must not find an earlier answer.
    await queries.fetchQuery(aiChatUsageQuery(client));
    for (const request of [{ companyID: ID }, { companyId: null }, { companyId: 5n }, ID, 5, null, [], new Map(), Promise.resolve({})]) {
      await assert.rejects(queries.fetchQuery(aiChatUsageQuery(client, request)), { code: "config_error" }, String(request));
    }
    assert.throws(() => aiChatUsageQuery(null), { code: "config_error" });
    // Another page load has another key, because a stored answer may be another user's.
    for (const platform of ["", `Object.defineProperty(performance, "timeOrigin", { value: undefined });`]) {
      const script = `${platform} import { aiChatUsageQuery } from "bookmore-sdk/query"; console.log(aiChatUsageQuery({ getAiChatUsage() {} }).queryKey[2]);`;
      const loads = [1, 2].map(() => execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: user.folder, encoding: "utf8" }));
      assert.match(loads[0], /^[\d.]+\/1\.0$/m);
      assert.notEqual(loads[0], loads[1]);
    }
    assert.deepEqual([queryKey.slice(0, 2), staleTime, retry], [["bookmore-sdk", "ai-chat-usage"], 30_000, false]);
    assert.doesNotMatch(JSON.stringify(queries.getQueryCache().getAll().map((query) => query.queryKey)), /t0ken/);
    queries.clear();
  });

  function createFakeClient(members) {
    const fake = kit.createFakeBookMore();
    fake.set(ID, members);
    return fake.client();
  }
});

it("10 000 stores leave nothing on the heap", () => {
  const script = `
    import { createFakeBookMore } from "bookmore-sdk/testing";
    import { watchAiChatUsage } from "bookmore-sdk/watch";
    const client = createFakeBookMore().client();
    const memory = [];
    const instantiate = WebAssembly.instantiate;
    WebAssembly.instantiate = async (...given) => {
      const made = await instantiate(...given);
      memory.push(...Object.values(made.exports ?? made.instance.exports).filter((value) => value instanceof WebAssembly.Memory));
      return made;
    };
    const stays = watchAiChatUsage(client);
    const leave = stays.subscribe(() => {});
    const round = async (count) => {
      for (let at = 0; at < count; at++) {
        const store = watchAiChatUsage(client, undefined, { onThreshold() {} });
        store.subscribe(() => {})();
        store.getSnapshot();
        if (at % 500 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
      }
      for (let time = 0; time < 5; time++) {
        await new Promise((resolve) => setTimeout(resolve, 5));
        gc();
      }
      return { heap: process.memoryUsage().heapUsed, wasm: memory[0].buffer.byteLength };
    };
    const [before, after] = [await round(2_000), await round(10_000)];
    leave();
    console.log(JSON.stringify({ before, after }));`;
  const file = join(user.folder, "heap.mjs");
  writeFileSync(file, script);
  const { before, after } = JSON.parse(execFileSync(process.execPath, ["--expose-gc", file], { encoding: "utf8", timeout: 60_000 }));
  assert.equal(after.wasm, before.wasm);
  assert.ok(after.heap - before.heap < 500_000, `${before.heap} → ${after.heap} bytes`);
});

describe("a process", () => {
  const run = (script) => {
    const file = join(user.folder, "process.mjs");
    writeFileSync(file, `import { createFakeBookMore } from "bookmore-sdk/testing";\nimport { watchAiChatUsage } from "bookmore-sdk/watch";\n
const fake = createFakeBookMore();\nconst store = watchAiChatUsage(fake.client());\n${script}`);
    return execFileSync(process.execPath, [file], { encoding: "utf8", timeout: 20_000 });
  };

  it("ends in spite of a subscription", () => {
    const script = `store.subscribe(() => {});
const wait = setInterval(() => {
  if (store.getSnapshot().status === "pending") return;
  clearInterval(wait);
  console.log(store.getSnapshot().status, fake.requests.length);
}, 20);`;
    assert.equal(run(script), "ok 1\n");
  });

  it("keeps running during an iteration", () => {
    const script = 'for await (const { status } of store) {\n  console.log(status);\n  if (status === "ok") break;\n}';
    assert.equal(run(script), "pending\nok\n");
  });
});
