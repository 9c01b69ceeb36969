// What users of comparable clients reported, as rows, in Node.js; the matrix has them in the other runtimes.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { install } from "./installed.mjs";
import { PARTS, SIDE_BY_SIDE } from "./reported/all.mjs";

let user, context;
before(() => {
  user = install();
  const own = createRequire(join(user.folder, "user.cjs"));
  const bytes = new Uint8Array(readFileSync(own.resolve("bookmore-sdk/sdk.wasm")));
  context = { sdk: own("bookmore-sdk"), slim: own("bookmore-sdk/slim"), bytes };
});
after(() => user?.remove());

for (const [part, rows] of Object.entries(PARTS)) {
  describe(part.toLowerCase(), { concurrency: SIDE_BY_SIDE.includes(part) ? 50 : 1 }, () => {
    for (const [name, run] of Object.entries(rows)) it(name, { timeout: 60_000 }, () => run(context));
  });
}
