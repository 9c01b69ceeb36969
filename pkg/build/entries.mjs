import { readFileSync } from "node:fs";

/**
 * What can be imported: a line each. package.json's `exports`, `files` and `typesVersions` and the limits of
 * budget.json have to fit; tests/package/entries.test.mjs compares them.
 *
 * `name`: that of the source, `src/NAME.ts`, and of `dist/NAME.js`, `.cjs`, `.d.ts`, `.d.cts`. `wasm`: under the
 * `conditions`, `src/wasm-WASM.ts` stands in for the inlined module. `insteadOf`: under the `conditions`, importing that
 * entry gives this one. `isEffect`: importing it is what it is for. An entry that needs the client imports it from
 * "bookmore-sdk", so that there is one.
 */
export const ENTRIES = [
  { name: "index", formats: ["esm", "cjs"] },
  { name: "index", formats: ["esm"], wasm: "edge", conditions: ["workerd", "edge-light"] },
  { name: "slim", formats: ["esm", "cjs"] },
  { name: "no-wasm", formats: ["esm", "cjs"], insteadOf: "index", conditions: ["react-native"] },
  { name: "many/index", formats: ["esm", "cjs"] },
  { name: "testing/index", formats: ["esm", "cjs"] },
  { name: "testing/msw", formats: ["esm", "cjs"] },
  { name: "watch/index", formats: ["esm", "cjs"] },
  { name: "react/index", formats: ["esm", "cjs"] },
  { name: "vue/index", formats: ["esm", "cjs"] },
  { name: "svelte/index", formats: ["esm", "cjs"] },
  { name: "query/index", formats: ["esm", "cjs"] },
  { name: "diagnose/index", formats: ["esm", "cjs"] },
  { name: "meter/index", formats: ["esm", "cjs"] },
  { name: "meter/define", formats: ["esm", "cjs"], isEffect: true },
  { name: "meter/server", formats: ["esm", "cjs"] },
  ...["sv", "de", "es", "fr"].map((language) => ({ name: `meter/locales/${language}`, formats: ["esm", "cjs"], isEffect: true })),
];

/** Declarations alone, of `src/meter/frameworks`: how frameworks write the meter. */
export const FRAMEWORKS = ["react", "preact", "vue", "svelte", "solid"].map((name) => `meter/${name}`);

/** The style sheet of the meter, for servers; in the scripts it is a text. */
export const SHEET = "meter/meter.css";

/**
 * The command: `main` is what package.json's `bin` names, and `http` what its `serve` and our own tests share. For
 * Node.js, Deno and Bun.
 */
export const COMMAND = ["cli/main", "cli/http"];

const { peerDependencies } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
/** What no script has inside: the client, of which there is one, and what is the user's own. */
export const EXTERNAL = ["bookmore-sdk", ...Object.keys(peerDependencies)];

/** The scripts of an entry: the format, and the name in `dist`. */
export function scripts({ name, formats, wasm }) {
  const stem = wasm ? `${name}.${wasm}` : name;
  return formats.map((format) => ({ format, file: `${stem}.${format === "cjs" ? "cjs" : "js"}` }));
}
