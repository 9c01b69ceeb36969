// Invalid options of the hooks for React, Vue and Svelte, of the packed tarball.
import assert from "node:assert/strict";
import { copyFileSync, readdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { install } from "./installed.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

let user, HOOKS;
before(async () => {
  user = install();
  for (const name of readdirSync(at("../node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(at(`../node_modules/${name}`), join(user.folder, "node_modules", name));
  }
  copyFileSync(at("watch/hooks.mjs"), join(user.folder, "hooks.mjs"));
  HOOKS = await import(pathToFileURL(join(user.folder, "hooks.mjs")));
});
after(() => user?.remove());

const circle = [];
circle.push(circle);
const WHAT = /^The options must be a plain object\.$/;
const ROWS = [
  ["null", () => null, WHAT],
  ["a number", () => 5, WHAT],
  ["an array", () => [], WHAT],
  ["a Map", () => new Map([["intervalMs", 5_000]]), WHAT],
  ["a promise", () => Promise.resolve({}), WHAT],
  ["a bigint", () => ({ intervalMs: 10_000n }), /^intervalMs must be an integer/],
  ["a circle", () => ({ thresholds: circle }), /^thresholds must be/],
  ["another name", () => ({ interval: 5_000 }), /"interval"/],
  ["a getter that throws", () => ({ get intervalMs() { throw new Error("boo"); } }), /^An option cannot be read/],
];

for (const framework of ["react", "vue", "svelte"]) {
  describe(framework, () => {
    for (const [what, options, message] of ROWS) {
      it(`${what} is a ConfigError`, async () => {
        await assert.rejects(HOOKS[framework](options()), (error) => {
          assert.deepEqual([error.name, error.code], ["ConfigError", "config_error"]);
          assert.match(error.message, message);
          return true;
        });
      });
    }

    it("an instance of an app's class is accepted if it has one of the members", async () => {
      class Options {
        intervalMs = 5_000;
      }
      assert.equal(await HOOKS[framework](new Options()), "pending");
      assert.equal(await HOOKS[framework](undefined), "pending");
    });
  });
}
