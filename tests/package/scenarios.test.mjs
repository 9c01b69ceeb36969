// Every scenario of the table through the packed package.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { install } from "./installed.mjs";
import { mismatch } from "./virtual-world.mjs";

const { companies, scenarios } = JSON.parse(readFileSync(new URL("../fixtures/scenarios.json", import.meta.url), "utf8"));

let user;
before(() => (user = install()));
after(() => user?.remove());

for (const entry of ["bookmore-sdk", "bookmore-sdk/no-wasm"]) {
  describe(entry, () => {
    let sdk;
    before(() => (sdk = createRequire(join(user.folder, "user.cjs"))(entry)));

    let passed = 0;
    for (const scenario of scenarios) {
      it(scenario.name, async () => {
        assert.equal(await mismatch(sdk, companies, scenario), undefined);
        passed++;
      });
    }

    it("all of them ran", () => {
      console.log(`scenarios: ${passed} through ${entry}`);
      assert.equal(passed, scenarios.length);
    });
  });
}
