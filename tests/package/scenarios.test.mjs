// What happens between calls: every scenario of the table through the packed package.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { install } from "./installed.mjs";
import { mismatch } from "./virtual-world.mjs";

const { companies, scenarios } = JSON.parse(readFileSync(new URL("../fixtures/scenarios.json", import.meta.url), "utf8"));

let user, sdk;
before(() => {
  user = install();
  sdk = createRequire(join(user.folder, "user.cjs"))("bookmore-sdk");
});
after(() => user?.remove());

let passed = 0;
for (const scenario of scenarios) {
  it(scenario.name, async () => {
    assert.equal(await mismatch(sdk, companies, scenario), undefined);
    passed++;
  });
}

it("all of them ran", () => {
  console.log(`scenarios: ${passed} through the package`);
  assert.equal(passed, scenarios.length);
});
