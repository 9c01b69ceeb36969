// The tarball that `npm publish` would upload: what is in it, and how much.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, before, it } from "node:test";
import { install } from "./installed.mjs";

const LIMIT = 105_000; // bytes; raise it knowingly

let user;
before(() => (user = install()));
after(() => user?.remove());

it("holds what it should and nothing else", () => {
  assert.deepEqual(user.files, [
    "README.md",
    "dist/client.d.cts",
    "dist/client.d.ts",
    "dist/core.js",
    "dist/errors.d.cts",
    "dist/errors.d.ts",
    "dist/index.cjs",
    "dist/index.d.cts",
    "dist/index.d.ts",
    "dist/index.edge-light.js",
    "dist/index.js",
    "dist/index.workerd.js",
    "dist/public.d.cts",
    "dist/public.d.ts",
    "dist/sdk.wasm",
    "dist/slim.cjs",
    "dist/slim.d.cts",
    "dist/slim.d.ts",
    "dist/slim.js",
    "dist/types.d.cts",
    "dist/types.d.ts",
    "dist/wasm-inline.js",
    "package.json",
  ]);
});

it(`has at most ${LIMIT} bytes`, () => {
  const { size } = statSync(user.tarball);
  console.log(`the tarball has ${size} bytes`);
  assert.ok(size <= LIMIT, `${size} bytes`);
});
