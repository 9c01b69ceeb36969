// The declarations of the packed tarball: two linters, and the type tests of types/ under each compiler and each
// way in which it finds a package.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { install } from "./installed.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const OLDEST = at("../node_modules/typescript-5.0");
const LAST_WITH_NODE10 = at("../node_modules/typescript-6.0");
const NEWEST = at("../../pkg/node_modules/typescript");

let user;
before(() => {
  user = install();
  cpSync(at("types"), user.folder, { recursive: true });
  for (const name of ["face", "slim", "no-wasm", "many", "testing", "watch", "diagnose", "meter", "meter-server"]) {
    for (const extension of ["mts", "cts"]) cpSync(at(`types/${name}.ts`), join(user.folder, `${name}.${extension}`));
  }
  // What a user would install as well.
  const modules = join(user.folder, "node_modules");
  for (const name of ["@types", "undici", "preact", "solid-js", "svelte", "vue", "@vue", "csstype"]) symlinkSync(at(`../node_modules/${name}`), join(modules, name));
});
after(() => user?.remove());

// The output is shown if the command fails.
function passes(script, ...args) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, ...args], { cwd: user.folder, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
}

describe("linters", () => {
  it("publint, its warnings included", () => passes(at("../node_modules/publint/src/cli.js"), "--strict", user.tarball));

  // Without the module and the style sheet, which attw mistakes for scripts.
  const attw = (...options) =>
    passes(at("../node_modules/@arethetypeswrong/cli/dist/index.js"), user.tarball, "--exclude-entrypoints", "sdk.wasm", "meter/meter.css", ...options);
  it("attw, for every resolver", () => attw());
});

// Flags that are stricter than most users' own. The target and the libraries are the oldest that the README promises.
const STRICT = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--noImplicitOverride", "--skipLibCheck", "false", "--target", "es2015"];
const NO_TYPES = ["--typeRoots", "none"];
const DOM = [...NO_TYPES, "--lib", "es2018,dom"];
const WORKER = [...NO_TYPES, "--lib", "es2018,webworker"];
const NODE = ["--types", "node", "--lib", "es2018"];
const BUN = ["--types", "bun", "--lib", "es2018"];
const NODENEXT = ["--module", "nodenext"];
const BUNDLER = ["--module", "esnext", "--moduleResolution", "bundler"];
const NODE10 = ["--module", "commonjs", "--moduleResolution", "node10"];
const ALL = ["face.ts", "slim.ts", "no-wasm.ts", "sdk-wasm.ts", "many.ts", "testing.ts", "watch.ts", "diagnose.ts", "meter-server.ts"];
const ESM = ["face.mts", "slim.mts", "no-wasm.mts", "many.mts", "testing.mts", "watch.mts", "diagnose.mts", "meter-server.mts"];
const COMMONJS = ["face.cts", "slim.cts", "no-wasm.cts", "many.cts", "testing.cts", "watch.cts", "diagnose.cts", "meter-server.cts", "required.cts"];
// Some frameworks' own declarations fail without it, or with old libraries.
const FRAMEWORK = [...NO_TYPES, "--lib", "esnext,dom,dom.iterable", "--skipLibCheck"];
const jsx = (source) => [...BUNDLER, "--jsx", "preserve", "--jsxImportSource", source];

for (const [compiler, cases] of [
  [OLDEST, [
    ["nodenext, ESM", [...ESM, "meter.mts"], NODENEXT, DOM],
    ["nodenext, CommonJS", [...COMMONJS, "meter.cts"], NODENEXT, DOM],
    ["bundler", [...ALL, "meter.ts", "web-assembly.ts"], BUNDLER, DOM],
    ["node10", [...ALL, "meter.ts"], NODE10, DOM],
  ]],
  [LAST_WITH_NODE10, [
    ["node10", ALL, [...NODE10, "--ignoreDeprecations", "6.0"], DOM],
    ["Node's types alone", ALL, BUNDLER, NODE],
  ]],
  [NEWEST, [
    ["nodenext, ESM", [...ESM, "meter.mts"], NODENEXT, DOM],
    ["nodenext, CommonJS", [...COMMONJS, "meter.cts"], NODENEXT, DOM],
    ["bundler", [...ALL, "meter.ts", "web-assembly.ts"], BUNDLER, DOM],
    ["in a worker", [...ALL, "web-assembly.ts"], BUNDLER, WORKER],
    ["Node's types alone, ESM", [...ESM, "cron.ts", "undici.ts"], NODENEXT, NODE],
    ["Node's types alone, CommonJS", COMMONJS, NODENEXT, NODE],
    ["Bun's types", [...ALL, "cron.ts"], BUNDLER, BUN],
    ["the meter in React", ["meter-react.tsx"], jsx("react"), FRAMEWORK],
    ["the meter in Preact", ["meter-preact.tsx"], jsx("preact"), FRAMEWORK],
    ["the meter in Solid", ["meter-solid.tsx"], jsx("solid-js"), FRAMEWORK],
    ["the meter in Vue and Svelte", ["meter-templates.ts"], BUNDLER, FRAMEWORK],
    ["a React app", ["app.tsx"], [...BUNDLER, "--jsx", "react-jsx"], DOM],
  ]],
]) {
  const { version } = createRequire(import.meta.url)(`${compiler}/package.json`);
  describe(`the type tests with TypeScript ${version}`, () => {
    for (const [what, files, resolution, platform] of cases) {
      it(what, () => passes(`${compiler}/bin/tsc`, ...STRICT, ...resolution, ...platform, "same.d.ts", ...files));
    }
  });
}

/** The declarations of an entry, as the compiler sees them. */
function compiled(entry) {
  const ts = createRequire(import.meta.url)(LAST_WITH_NODE10);
  const file = join(user.folder, `node_modules/bookmore-sdk/dist/${entry}.d.ts`);
  const program = ts.createProgram([file], { module: ts.ModuleKind.NodeNext, types: [] });
  return { ts, program, checker: program.getTypeChecker(), source: program.getSourceFile(file) };
}

for (const [entry, tests, least] of [
  ["index", "face", 20],
  ["many/index", "many", 4],
  ["testing/index", "testing", 15],
  ["watch/index", "watch", 5],
  ["query/index", "watch", 2],
  ["diagnose/index", "diagnose", 6],
  ["meter/index", "meter", 4],
  ["meter/server", "meter-server", 1],
]) {
  it(`the type tests name every export of ${entry}`, () => {
    const { checker, source } = compiled(entry);
    const exported = checker.getExportsOfModule(checker.getSymbolAtLocation(source));
    const text = readFileSync(at(`types/${tests}.ts`), "utf8");
    const missing = exported.map(({ name }) => name).filter((name) => !new RegExp(`\\b${name}\\b`).test(text));
    assert.deepEqual(missing, []);
    assert.ok(exported.length > least);
  });
}

for (const [entry, least] of [["index", 10], ["slim", 10], ["many/index", 0], ["testing/index", 0], ["watch/index", 1], ["diagnose/index", 2]]) {
  it(`an editor resolves the links in the comments of ${entry}`, () => {
    const { ts, program, checker, source } = compiled(entry);
    const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(dirname(source.fileName)));
    const links = [];
    const visit = (node) => {
      if (ts.isJSDocLink(node)) links.push(node);
      // After a tag, braces would be a type.
      if (ts.isJSDocThrowsTag(node)) assert.equal(node.typeExpression, undefined, node.getText());
      ts.forEachChild(node, visit);
      for (const comment of node.jsDoc ?? []) visit(comment);
    };
    own.forEach(visit);
    assert.ok(links.length >= least, `${links.length} links`);
    for (const link of links) assert.ok(link.name && checker.getSymbolAtLocation(link.name), link.getText());
  });
}

it("Deno finds the types of a script without npm", () => {
  const [first] = readFileSync(join(user.folder, "node_modules/bookmore-sdk/dist/index.js"), "utf8").split("\n");
  assert.equal(first, '// @ts-self-types="./index.d.ts"');
  // It only resolves imports here; tests/matrix/cells/runtimes.mjs has it check a file.
  for (const entry of ["index", "slim"]) assert.doesNotMatch(compiled(entry).source.text, /\bfrom ["']/);
});
