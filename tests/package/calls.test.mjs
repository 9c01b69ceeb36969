// The cases of call-cases.mjs in Node, and what only Node can show.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { startServer } from "../server/server.mjs";
import { CASES } from "./call-cases.mjs";
import { install } from "./installed.mjs";

let user, server, sdk, noWasm;

before(async () => {
  user = install();
  server = await startServer();
  const own = createRequire(join(user.folder, "user.cjs"));
  [sdk, noWasm] = ["bookmore-sdk", "bookmore-sdk/no-wasm"].map((name) => own(name));
});
after(async () => {
  await server?.close();
  user?.remove();
});

for (const [name, run] of Object.entries(CASES)) {
  it(name, { timeout: 30_000 }, () => run({ sdk, url: server.url }));
  it(`${name}, without WebAssembly`, { timeout: 30_000 }, () => run({ sdk: noWasm, url: server.url }));
}

it("keeps the process alive during a call, and leaves no timer behind", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  let during;
  const fetch = async () => {
    during = timers();
    return new Response("{}", { status: 404 });
  };
  await assert.rejects(new sdk.BookMoreClient({ fetch, bearerToken: async () => "t0ken" }).getAiChatUsage());
  assert.equal(during, before + 1);
  assert.equal(timers(), before);
});

it("does not keep the process alive for a token function that hangs", async () => {
  const timers = () => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;
  const before = timers();
  const never = new Promise(() => {});
  const aborted = new sdk.BookMoreClient({ bearerToken: () => never });
  const controller = new AbortController();
  const call = aborted.getAiChatUsage({}, { signal: controller.signal });
  await new Promise(setImmediate);
  assert.equal(timers(), before + 1);
  controller.abort();
  await assert.rejects(call);
  assert.equal(timers(), before);

  let asked = 0;
  const bearerToken = () => (asked++ === 0 ? { token: "t0ken", expiresAt: Date.now() + 60_000 } : never);
  const fetch = async () => Response.json({ tokensUsed: 1, tokenLimit: 2, tokensRemaining: 1, isWithinBudget: true, windowDays: 30 });
  const renewing = new sdk.BookMoreClient({ fetch, bearerToken });
  await renewing.getAiChatUsage();
  await renewing.getAiChatUsage();
  assert.deepEqual([asked, timers()], [2, before]);
});

it("a closed client's calls in flight use a token that is set later", async () => {
  const sent = [];
  const fetch = async (url, { headers }) => {
    sent.push(headers.Authorization);
    return sent.length === 1 ? new Response("", { status: 503 }) : Response.json({ tokensUsed: 1, tokenLimit: 2, tokensRemaining: 1, isWithinBudget: true, windowDays: 30 });
  };
  const onEvent = ({ type }) => {
    if (type !== "retry") return;
    client.close();
    client.setBearerToken("token-of-bob");
  };
  const client = new sdk.BookMoreClient({ bearerToken: "token-of-alice", fetch, onEvent });
  assert.equal((await client.getAiChatUsage()).tokensUsed, 1);
  assert.deepEqual(sent, ["Bearer token-of-alice", "Bearer token-of-bob"]);
});
