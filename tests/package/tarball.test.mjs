// The tarball that `npm publish` would upload: its contents and size.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { install } from "./installed.mjs";

const LIMIT = 700_000; // bytes; raise it knowingly

let user;
before(() => (user = install()));
after(() => user?.remove());

it("contains what package.json lists and nothing else", () => {
  const { files } = JSON.parse(readFileSync(new URL("../../pkg/package.json", import.meta.url), "utf8"));
  assert.deepEqual(user.files, ["LICENSE", "README.md", "package.json", ...files].sort());
});

it(`has at most ${LIMIT} bytes`, () => {
  const { size } = statSync(user.tarball);
  console.log(`the tarball has ${size} bytes`);
  assert.ok(size <= LIMIT, `${size} bytes`);
});

it("can be packed again where it is installed", () => {
  const cwd = join(user.folder, "node_modules/bookmore-sdk");
  const told = execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  assert.deepEqual(JSON.parse(told)[0].files.map(({ path }) => path).sort(), user.files);
});
