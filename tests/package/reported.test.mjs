// What users of comparable clients reported, as rows, in Node.js; the matrix has them in the other runtimes.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { install } from "./installed.mjs";
import { ROWS } from "./reported/all.mjs";

let user, context;
before(() => {
  user = install();
  const own = createRequire(join(user.folder, "user.cjs"));
  const bytes = new Uint8Array(readFileSync(own.resolve("bookmore-sdk/sdk.wasm")));
  context = { sdk: own("bookmore-sdk"), slim: own("bookmore-sdk/slim"), bytes };
});
after(() => user?.remove());

for (const [name, run] of Object.entries(ROWS)) it(name, { timeout: 30_000 }, () => run(context));
