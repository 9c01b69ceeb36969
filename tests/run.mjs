// Runs every test: on the host, the wasm in Node and browsers, and the package. `make test`.
import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const started = Date.now();
const summary = [];
let failed = 0;

/**
 * Runs a command and shows what it prints.
 *
 * @param {string} name
 * @param {string[]} command
 * @param {{ env?: object, count?: (printed: string) => number }} options
 *   `count`: the number of tests in the output; zero is a failure
 */
async function step(name, [command, ...args], { env = {}, count } = {}) {
  console.log(`\n== ${name}: ${command} ${args.join(" ")}`);
  const begun = Date.now();
  let printed = "";
  const code = await new Promise((resolve) => {
    const child = spawn(command, args, {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const [from, to] of [[child.stdout, process.stdout], [child.stderr, process.stderr]]) {
      from.on("data", (chunk) => {
        printed += chunk;
        to.write(chunk);
      });
    }
    child.on("error", (error) => {
      console.error(error.message);
      resolve(127);
    });
    child.on("close", resolve);
  });
  const counted = count?.(printed);
  const fine = code === 0 && counted !== 0;
  if (!fine) failed++;
  const took = `${Math.round((Date.now() - begun) / 1000)} s`;
  summary.push(`${fine ? "✔" : "✘"} ${name.padEnd(34)} ${took.padStart(6)}${counted === undefined ? "" : `, ${counted} tests`}`);
  if (!fine) summary.push(...failures(printed).map((line) => `    ${line}`));
  return counted;
}

/** The lines in which cargo, wasm-pack, Node.js and the matrix name what failed; at most the last ten. */
function failures(printed) {
  const lines = printed.match(/^\s*(?:not ok \d+ - .+|✖ .+|✘ .+|test .+ \.\.\. FAIL(?:ED)?)$/gm) ?? [];
  return [...new Set(lines.map((line) => line.trim()))].slice(-10);
}

const sum = (pattern) => (printed) =>
  [...printed.matchAll(pattern)].reduce((total, [, number]) => total + Number(number), 0);
const cargoTests = sum(/^test result: ok\. (\d+) passed/gm);
const nodeTests = sum(/^(?:#|ℹ) pass (\d+)/gm);

const wasm32 = ["--target", "wasm32-unknown-unknown"];
await step("format", ["cargo", "fmt", "--check"]);
await step("clippy, host", ["cargo", "clippy", "--all-targets", "--locked", "--", "-D", "warnings"]);
await step("clippy, wasm32", ["cargo", "clippy", "--all-targets", "--locked", ...wasm32, "--", "-D", "warnings"]);
for (const feature of ["npm", "no-wasm"]) {
  await step(`clippy, wasm32 ${feature}`, ["cargo", "clippy", "--lib", "--locked", ...wasm32, "--no-default-features", "--features", feature, "--", "-D", "warnings"]);
}
const strictDocs = { env: { RUSTDOCFLAGS: "-D warnings" } };
const docs = ["cargo", "doc", "--no-deps", "--locked", "--features", "testing,uuid"]; // as docs.rs builds them
await step("docs, host", docs, strictDocs);
await step("docs, wasm32", [...docs, ...wasm32], strictDocs);
await step("host", ["cargo", "test", "--locked"], { count: cargoTests });

// wasm-pack silently skips tests that are not meant for its browser, so the
// counts must be equal everywhere.
const rings = { "wasm, Node": ["--node"], "wasm, Chrome": ["--headless", "--chrome"], "wasm, Firefox": ["--headless", "--firefox"] };
const counts = [];
for (const [name, flags] of Object.entries(rings)) {
  const env = { WASM_BINDGEN_TEST_TIMEOUT: "120" }; // seconds: the machine may be busy
  counts.push(await step(name, ["wasm-pack", "test", ...flags], { env, count: cargoTests }));
}
if (new Set(counts).size > 1) {
  failed++;
  summary.push(`✘ the wasm rings ran ${counts.join(", ")} tests; the counts must be equal`);
}

await step("build of the package", [process.execPath, "pkg/build/build.mjs"]);
const files = ["tests/server", "tests/recording", "tests/package"].flatMap((folder) =>
  readdirSync(`${root}/${folder}`)
    .filter((file) => file.endsWith(".test.mjs"))
    .map((file) => `${folder}/${file}`),
);
await step("package and stand-in server", [process.execPath, "--test", "--test-concurrency=2", ...files], { count: nodeTests });
// The cells that take less than a minute; `make matrix` runs all.
const cells = (printed) => Number(/^(\d+) passed/m.exec(printed)?.[1] ?? 0);
await step("matrix, the quick cells", [process.execPath, "tests/matrix/run.mjs", "--quick", "--strict"], { count: cells });

console.log(`\n${summary.join("\n")}`);
const seconds = Math.round((Date.now() - started) / 1000);
console.log(`${seconds} s\n${summary.filter((line) => line.startsWith("✔")).length} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;
