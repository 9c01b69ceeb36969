// The declarations of the packed tarball: two linters, and the type tests of types/ under each compiler and each
// way in which it finds a package.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { install } from "./installed.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const OLDEST = at("../node_modules/typescript-5.4");
const LAST_WITH_NODE10 = at("../node_modules/typescript-6.0");
const NEWEST = at("../../pkg/node_modules/typescript");

let user;
before(() => {
  user = install();
  cpSync(at("types"), user.folder, { recursive: true });
  for (const name of ["face", "slim", "testing"]) {
    for (const extension of ["mts", "cts"]) cpSync(at(`types/${name}.ts`), join(user.folder, `${name}.${extension}`));
  }
});
after(() => user?.remove());

// What is printed is shown where the command fails.
function passes(script, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: user.folder, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
}

describe("linters", () => {
  it("publint, its warnings included", () => passes(at("../node_modules/publint/src/cli.js"), "--strict", user.tarball));

  // sdk.wasm is left out: it is no module, and what importing it gives is the bundler's to declare.
  const attw = (...options) =>
    passes(at("../node_modules/@arethetypeswrong/cli/dist/index.js"), user.tarball, "--exclude-entrypoints", "sdk.wasm", ...options);
  it("attw, for every resolver", () => attw());
});

// A user's own flags can be stricter than the package's; what compiles with these compiles without them.
const STRICT = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--target", "es2020"];
const DOM = ["--lib", "es2020,dom"];
const NODENEXT = ["--module", "nodenext", ...DOM];
const BUNDLER = ["--module", "esnext", "--moduleResolution", "bundler"];
const NODE10 = ["--module", "commonjs", "--moduleResolution", "node10", ...DOM];

for (const [compiler, cases] of [
  [OLDEST, [
    ["nodenext, ESM", ["face.mts", "slim.mts", "testing.mts"], NODENEXT],
    ["nodenext, CommonJS", ["face.cts", "slim.cts", "testing.cts", "required.cts"], NODENEXT],
    ["bundler", ["face.ts", "slim.ts", "testing.ts"], [...BUNDLER, ...DOM]],
    ["node10", ["face.ts", "slim.ts", "testing.ts"], NODE10],
  ]],
  [LAST_WITH_NODE10, [
    ["node10", ["face.ts", "slim.ts", "testing.ts"], [...NODE10, "--ignoreDeprecations", "6.0"]],
  ]],
  [NEWEST, [
    ["nodenext, ESM", ["face.mts", "slim.mts", "testing.mts"], NODENEXT],
    ["nodenext, CommonJS", ["face.cts", "slim.cts", "testing.cts", "required.cts"], NODENEXT],
    ["bundler", ["face.ts", "slim.ts", "testing.ts"], [...BUNDLER, ...DOM]],
    ["bundler, in a worker", ["face.ts", "slim.ts", "testing.ts"], [...BUNDLER, "--lib", "es2022,webworker"]],
  ]],
]) {
  const { version } = createRequire(import.meta.url)(`${compiler}/package.json`);
  describe(`the type tests with TypeScript ${version}`, () => {
    for (const [resolution, files, flags] of cases) {
      it(resolution, () => passes(`${compiler}/bin/tsc`, ...STRICT, ...flags, "same.d.ts", ...files));
    }
  });
}

for (const [entry, tests, least] of [["index", "face", 20], ["testing/index", "testing", 15]]) {
  it(`the type tests name every export of ${entry}`, () => {
    const ts = createRequire(import.meta.url)(OLDEST);
    const file = join(user.folder, `node_modules/bookmore-sdk/dist/${entry}.d.ts`);
    const program = ts.createProgram([file], {});
    const checker = program.getTypeChecker();
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(program.getSourceFile(file)));
    const text = readFileSync(at(`types/${tests}.ts`), "utf8");
    const missing = exported.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    assert.deepEqual(missing, []);
    assert.ok(exported.length > least);
  });
}
