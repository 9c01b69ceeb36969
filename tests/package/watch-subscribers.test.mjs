// Subscribers of bookmore-sdk/watch that throw, leave, subscribe others or set tokens, with the fake API.
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import { client, clock, fake, ID, pass, SECOND, setClock, watchAiChatUsage } from "./watch-world.mjs";

const OPTIONS = { intervalMs: 5_000, idleIntervalMs: 5_000 };

const watch = (options) => watchAiChatUsage(client, { companyId: ID }, { ...OPTIONS, ...options });

/** Collects errors thrown into microtasks while `run` runs, which would end the process. */
async function uncaught(run) {
  const thrown = [];
  const queue = mock.method(globalThis, "queueMicrotask", (task) => {
    try {
      task();
    } catch (error) {
      thrown.push(error.message);
    }
  });
  try {
    await run();
  } finally {
    queue.mock.restore();
  }
  return thrown;
}

describe("a subscriber", () => {
  it("that has left is not called, even in the same round", async () => {
    const store = watch();
    const told = [];
    let leaveSecond;
    store.subscribe(() => leaveSecond?.());
    leaveSecond = store.subscribe(({ status }) => told.push(status));
    await pass(SECOND);
    assert.deepEqual(told, ["pending"]);
  });

  it("may subscribe others, refresh, and leave while it is called", async () => {
    const store = watch();
    const inner = [];
    let times = 0;
    const leave = store.subscribe(({ status }) => {
      if (status !== "ok" || times++ > 0) return;
      store.subscribe((state) => inner.push(state.share));
      store.refresh();
      leave();
      leave();
    });
    await pass(SECOND);
    fake.set(ID, { share: 0.6 });
    await pass(5 * SECOND);
    assert.deepEqual([times, inner.at(0), inner.at(-1), fake.requests.length], [1, 0.5, 0.6, 3]);
  });

  it("that throws in its first call can be unsubscribed", async () => {
    const store = watch();
    let leave;
    const thrown = await uncaught(() => {
      leave = store.subscribe(() => {
        throw new Error("of the app");
      });
    });
    assert.deepEqual(thrown, ["of the app"]);
    leave();
    await pass(10 * SECOND);
    assert.deepEqual([fake.requests.length, clock.countTimers()], [0, 0]);
  });

  it("must be a function", async () => {
    for (const run of [undefined, null, "x", { next() {} }]) {
      assert.throws(() => watch().subscribe(run), { code: "config_error", message: /subscribe takes a function/ });
    }
    await pass(10 * SECOND);
    assert.equal(fake.requests.length, 0);
  });

  it("that sets another token hides the old identity's usage from all", async () => {
    const thresholds = [];
    const store = watch({ onThreshold: ({ threshold, usage }) => thresholds.push([threshold, usage.tokensUsed]) });
    const told = [];
    let isOver = false;
    store.subscribe(({ status }) => {
      if (status !== "ok" || isOver) return;
      isOver = true;
      fake.set(ID, { share: 0.96 });
      client.setBearerToken("another");
    });
    store.subscribe(({ status, share }) => told.push([status, share]));
    fake.set(ID, { share: 0.85 });
    await pass(SECOND);
    assert.deepEqual(told.map(([, share]) => share).filter(Boolean), [0.96]);
    assert.deepEqual(thresholds, [[0.95, 96_000]]);
  });

  it("of another framework shares the store", async () => {
    const store = watch();
    const svelte = [];
    const leaveSvelte = store.subscribe(({ status }) => svelte.push(status));
    // Like useSyncExternalStore, compares snapshots whenever it is called.
    const react = [store.getSnapshot()];
    const leaveReact = store.subscribe(() => {
      if (store.getSnapshot() !== react.at(-1)) react.push(store.getSnapshot());
    });
    await pass(SECOND);
    leaveSvelte();
    fake.set(ID, { share: 0.6 });
    await pass(5 * SECOND);
    leaveReact();
    assert.deepEqual(svelte, ["pending", "ok"]);
    assert.deepEqual(react.map(({ share }) => share), [undefined, 0.5, 0.6]);
    await pass(20 * SECOND);
    assert.deepEqual([fake.requests.length, clock.countTimers()], [2, 0]);
  });
});

describe("clocks", () => {
  it("that jump do no harm, because polls use the monotonic clock", async () => {
    const store = watch();
    store.subscribe(() => {});
    await pass(SECOND);
    for (const jump of [-86_400_000, 10 * 86_400_000]) {
      clock.setSystemTime(Date.now() + jump);
      const before = fake.requests.length;
      await pass(10 * SECOND);
      assert.equal(fake.requests.length - before, 2);
      assert.ok(Math.abs(store.getSnapshot().updatedAt - Date.now()) < 6 * SECOND);
    }
  });

  it("that stand still do no harm if a test moves only timers", async () => {
    clock.uninstall();
    setClock({ toFake: ["setTimeout", "clearTimeout"] });
    const store = watch();
    store.subscribe(() => {});
    await pass(21 * SECOND);
    assert.equal(fake.requests.length, 5);
  });
});

describe("a client", () => {
  it("whose company changes quickly sends a request only for the last one", async () => {
    const ids = Array.from({ length: 20 }, (_, at) => `00000000-0000-4000-8000-${String(at).padStart(12, "0")}`);
    let leave = () => {};
    for (const companyId of ids) {
      leave();
      leave = watchAiChatUsage(client, { companyId }, OPTIONS).subscribe(() => {});
    }
    await pass(2 * SECOND);
    assert.deepEqual(fake.requests.map(({ companyId }) => companyId), [ids.at(-1)]);
    leave();
    await pass(2 * SECOND);
    assert.equal(clock.countTimers(), 0);
  });

  it("with an empty id stops only that store", async () => {
    fake.set(undefined, { share: 0.5 });
    for (const requests of [[{}, { companyId: "" }], [{ companyId: "" }, {}]]) {
      const stores = requests.map((request) => watchAiChatUsage(client, request, OPTIONS));
      const leaves = stores.map((store) => store.subscribe(() => {}));
      await pass(SECOND);
      for (const [at, { companyId }] of requests.entries()) {
        const { status, share, error } = stores[at].getSnapshot();
        assert.deepEqual([status, share, error?.code], companyId === "" ? ["stopped", undefined, "config_error"] : ["ok", 0.5, undefined]);
      }
      for (const leave of leaves) leave();
      await pass(2 * SECOND);
    }
  });

  it("that is a stand-in may throw anything", async () => {
    clock.uninstall();
    for (const thrown of [undefined, null, "words", 5, new Error("of a mock"), Object.assign(new Error("no"), { code: "permission_denied" })]) {
      const store = watchAiChatUsage({ getAiChatUsage: () => Promise.reject(thrown) }, {}, OPTIONS);
      const states = [];
      const leave = store.subscribe((state) => states.push(state.status));
      while (states.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(states[1], thrown?.code ? "stopped" : "error");
      leave();
    }
  });

  it("that is a stand-in and throws at once, or returns nothing, is an error", async () => {
    clock.uninstall();
    const usage = await client.getAiChatUsage({ companyId: ID });
    const other = client.getAiChatUsage({ companyId: ID }, { fresh: true });
    const throwing = { valueOf: () => { throw new Error("mine"); } };
    const gives = [undefined, null, {}, ...[5n, Symbol("x"), throwing, "5"].map((tokensUsed) => ({ ...usage, tokensUsed }))];
    for (const getAiChatUsage of [() => { throw new Error("at once"); }, ...gives.map((given) => async () => given)]) {
      const store = watchAiChatUsage({ getAiChatUsage }, {}, OPTIONS);
      const states = [];
      const leave = store.subscribe((state) => states.push(state));
      while (states.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
      assert.equal(states[1].status, "error", String(getAiChatUsage));
      assert.ok(states[1].error instanceof Error, String(getAiChatUsage));
      leave();
    }
    // Its calls are in the same module.
    assert.equal((await other).tokensUsed, usage.tokensUsed);
  });
});
