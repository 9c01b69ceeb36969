// package.json and the size limits agree with the build's list of entries.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { posix } from "node:path";
import { it } from "node:test";
import { fileURLToPath } from "node:url";
import { COMMAND, ENTRIES, FRAMEWORKS, scripts, SHEET } from "../../pkg/build/entries.mjs";
import { install } from "./installed.mjs";

const read = (path) => readFileSync(new URL(`../../pkg/${path}`, import.meta.url), "utf8");
const manifest = JSON.parse(read("package.json"));
const GENERATED = ["dist/core.js", "dist/wasm-inline.js", "dist/no-wasm-core.js", "dist/no-wasm-module.js", "dist/sdk.wasm", "dist/sdk.wasm.d.ts"];

const names = [...new Set(ENTRIES.map(({ name }) => name))];
const command = COMMAND.map((name) => `${name}.js`);
const allScripts = ENTRIES.flatMap((entry) => scripts(entry).map(({ file }) => file));
/** What a user imports: `.` for index, `./testing` for testing/index. */
const subpath = (name) => (name === "index" ? "." : `./${name.replace(/\/index$/, "")}`);

const esmOf = (name) => ({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
const cjsOf = (name) => ({ types: `./dist/${name}.d.cts`, default: `./dist/${name}.cjs` });

function conditions(name) {
  const [esm, cjs] = [esmOf(name), cjsOf(name)];
  const [own, ...runtimes] = ENTRIES.filter((entry) => entry.name === name).sort((a) => (a.wasm ? 1 : -1));
  const instead = ENTRIES.filter((entry) => entry.insteadOf === name);
  return [
    ...instead.flatMap((entry) => entry.conditions.map((condition) => [condition, { import: esmOf(entry.name), require: cjsOf(entry.name) }])),
    ...runtimes.flatMap(({ wasm, conditions }) =>
      conditions.map((condition) => [condition, { require: cjs, ...esm, default: `./dist/${name}.${wasm}.js` }]),
    ),
    ["import", esm],
    ...(own.formats.includes("cjs") ? [["require", cjs]] : []),
    ["default", esm.default],
  ];
}

it("exports each entry, the runtimes' own scripts first", () => {
  // As pairs, because their order counts: the first condition that matches is used.
  const pairs = Object.entries(manifest.exports).map(([key, value]) => [key, typeof value === "string" ? value : Object.entries(value)]);
  assert.deepEqual(pairs, [
    ...names.map((name) => [subpath(name), conditions(name)]),
    ...FRAMEWORKS.map((name) => [`./${name}`, [["import", { types: `./dist/${name}.d.ts` }], ["require", { types: `./dist/${name}.d.cts` }]]]),
    [`./${SHEET}`, `./dist/${SHEET}`],
    ["./sdk.wasm", Object.entries({ types: "./dist/sdk.wasm.d.ts", default: "./dist/sdk.wasm" })],
    ["./custom-elements.json", "./custom-elements.json"],
    ["./package.json", "./package.json"],
  ]);
});

it("gives require the CommonJS entry under every condition", () => {
  const user = install();
  try {
    for (const condition of ["workerd", "edge-light", "browser", "worker"]) {
      for (const entry of names.map(subpath).filter((name) => name !== "./testing/msw")) {
        const name = `bookmore-sdk${entry.slice(1)}`;
        const has = entry === "./meter/define" ? "true" : "Object.keys(own).length > 0";
        const script = `const own = require("${name}"); console.log(require.resolve("${name}"), ${has})`;
        // The frameworks of the bindings are installed for the tests.
        const env = { ...process.env, NODE_PATH: fileURLToPath(new URL("../node_modules", import.meta.url)) };
        const printed = execFileSync(process.execPath, ["-C", condition, "-e", script], { cwd: user.folder, env, encoding: "utf8" });
        assert.match(printed, /\.cjs true\n$/, `${name} under ${condition}`);
      }
    }
  } finally {
    user.remove();
  }
});

it("has declarations for compilers that do not read exports", () => {
  const others = [...names.filter((name) => name !== "index"), ...FRAMEWORKS, "sdk.wasm"];
  assert.deepEqual(manifest.typesVersions["*"], Object.fromEntries(others.map((name) => [subpath(name).slice(2), [`./dist/${name}.d.ts`]])));
});

it("packs the docs, the scripts, and the declarations that entries import", () => {
  const reached = new Set();
  const reach = (path) => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const [, to] of read(path).matchAll(/\b(?:from|import\()\s*"(\.{1,2}\/[^"]+)"/g)) {
      reach(posix.join(posix.dirname(path), to.replace(/\.(c?)js$/, ".d.$1ts")));
    }
  };
  for (const { name, formats } of ENTRIES) {
    for (const format of formats) reach(`dist/${name}.d.${format === "cjs" ? "cts" : "ts"}`);
  }
  for (const name of FRAMEWORKS) for (const kind of ["ts", "cts"]) reach(`dist/${name}.d.${kind}`);
  const pages = readdirSync(new URL("../../pkg/docs", import.meta.url)).map((file) => `docs/${file}`);
  const expected = [...pages, "custom-elements.json", ...[...allScripts, ...command, SHEET].map((file) => `dist/${file}`), ...GENERATED, ...reached];
  assert.deepEqual([...manifest.files].sort(), expected.sort());
});

it("has one command", () => assert.deepEqual(manifest.bin, { "bookmore-sdk": `dist/${command[0]}` }));

it("lets bundlers drop every script but those with side effects", () => {
  const effects = ENTRIES.filter(({ isEffect }) => isEffect).flatMap((entry) => scripts(entry).map(({ file }) => file));
  const kept = manifest.sideEffects.map((glob) => new RegExp(`^${glob.slice(2).replaceAll(".", "\\.").replaceAll("*", "[^/]*")}$`));
  const isKept = (file) => kept.some((glob) => glob.test(`dist/${file}`));
  assert.deepEqual([...allScripts, SHEET].filter(isKept).sort(), [...effects, SHEET].sort());
});

it("limits the size of each script", () => {
  assert.deepEqual(Object.keys(JSON.parse(read("build/budget.json"))), [...allScripts, "sdk.wasm"]);
});

it("has the same version as the crate", () => {
  const [, version] = /^version = "(.+)"$/m.exec(readFileSync(new URL("../../Cargo.toml", import.meta.url), "utf8"));
  assert.equal(manifest.version, version);
});
