// Problems that users of comparable clients reported, as rows, in Node.js; the matrix runs them in the other runtimes.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
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

it("works if a page has frozen Error.prototype before the import", () => {
  const script = `
    for (const of of [Error, TypeError, RangeError, DOMException]) Object.freeze(of.prototype);
    const { BookMoreClient } = require("bookmore-sdk");
    const signal = Object.assign(new EventTarget(), { aborted: false });
    const code = (options, call) => new BookMoreClient({ bearerToken: "t0ken-s3cret", maxRetries: 0, ...options })
      .getAiChatUsage({}, call).then(() => "usage", (error) => [error.name, error.code, error.cause?.name].join());
    const abort = () => { signal.aborted = true; signal.dispatchEvent(new Event("abort")); };
    setTimeout(abort, 20);
    Promise.all([
      code({ fetch: async () => new Response("", { status: 404 }) }),
      code({ fetch: async () => { throw new TypeError("Failed to fetch"); } }),
      code({ fetch: async () => { throw new Error("no: t0ken-s3cret"); } }),
      code({ fetch: () => new Promise(() => {}), totalTimeoutMs: 10 }),
      code({ fetch: () => new Promise(() => {}) }, { signal }),
    ]).then((codes) => console.log(codes.join(" ")));`;
  const printed = execFileSync(process.execPath, ["-e", script], { cwd: user.folder, encoding: "utf8" });
  assert.equal(
    printed.trim(),
    "ApiError,api_error, NetworkError,network_error,TypeError FetchError,fetch_error,Error TimeoutError,timeout, AbortError,,",
  );
});
