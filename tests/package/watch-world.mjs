// The set-up of each test of bookmore-sdk/watch: the packed tarball, a client of the fake API, and fake timers. Importing it
// registers the hooks.
import { join } from "node:path";
import { after, afterEach, before, beforeEach } from "node:test";
import { pathToFileURL } from "node:url";
import FakeTimers from "@sinonjs/fake-timers";
import { install } from "./installed.mjs";

export const ID = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
export const SECOND = 1_000;

export let user, sdk, kit, watchAiChatUsage;
before(async () => {
  user = install();
  const load = (path) => import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist", path)));
  [sdk, kit, { watchAiChatUsage }] = await Promise.all([load("index.js"), load("testing/index.js"), load("watch/index.js")]);
  await new sdk.BookMoreClient().ready(); // compiling takes real time, which fake timers do not wait for
});
after(() => user?.remove());

export let clock, fake, client;
let random;
beforeEach(() => {
  random = Math.random;
  Math.random = () => 0.5; // no jitter
  setClock({ now: Date.UTC(2026, 0), toFake: ["setTimeout", "clearTimeout", "setInterval", "clearInterval", "Date", "performance"] });
  fake = kit.createFakeBookMore();
  fake.set(ID, { share: 0.5 });
  client = fake.client();
});
afterEach(() => {
  clock.uninstall();
  Math.random = random;
});

/** Installs a new clock, after the last one was uninstalled. */
export function setClock(options) {
  clock = FakeTimers.install(options);
}

export const pass = (ms) => clock.tickAsync(ms);
