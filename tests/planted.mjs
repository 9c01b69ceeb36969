// Plants defects in the engine, one after the other, in a copy of the project, and tells what finds each: the scenarios
// or the simulation. A defect that nothing finds, or whose place has gone, fails.
// Run it with `make planted`; SCHEDULES (100000) is how far the simulation looks.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const COPY = join(ROOT, "target/planted");
const LIMIT_MS = 300_000;

/** What is wrong, and what stands there instead: file in src/engine, text (which stands there once), replacement. */
const DEFECTS = [
  ["a forced renewal joins an unforced question", "questions.rs", "if is_same {\n                    self.refuse", "if true {\n                    self.refuse"],
  ["a waiter without time for its turn fails late", "attempts.rs", "by: if is_far { f64::INFINITY } else { turn },", "by: self.at.now,"],
  ["who joins a retry without time for it fails late", "calls.rs", "=> self.fail_who_cannot_sleep(shared, group),", "=> {}"],
  ["who cannot keep a new pause fails late", "attempts.rs", "if is_pause {", "if false {"],
  ["a number that is given up is not served", "calls.rs", "} => self.give_up(shared, number),", "} => self.line.retain(|(own, _)| *own != number),"],
  ["a number that is given up is served twice", "attempts.rs", "if is_served { 0.0 } else { 1.0 }", "1.0"],
  ["a success serves nobody", "attempts.rs", "engine.serve(shared, 1.0);", "engine.serve(shared, 0.0);"],
  ["numbers are served three a second", "tickets.rs", "const PER_MS: f64 = 0.002;", "const PER_MS: f64 = 0.003;"],
  ["a 503 pauses every company", "pauses.rs", "Some(503) => Some(company),", "Some(503) => None,"],
  ["a shorter pause ends a longer one", "pauses.rs", "|| kept.until >= until", ""],
  ["a call's limit throws the others' question away", "calls.rs", "self.leave(shared, group_id, id);", "self.leave(shared, group_id, id);\n        self.supersede_question();"],
  ["the old provider's answer is taken", "questions.rs", "// Another provider is not asked by the old one's question.\n            engine.supersede_question();", ""],
  ["a question in the background is waited for", "questions.rs", "!asked.is_background && self.at.now", "self.at.now"],
  ["a question in the background takes the place of one that calls wait for", "questions.rs", "asked.is_background && self.at.now - asked.asked_at >=", "self.at.now - asked.asked_at >="],
  ["renewals that change nothing are asked for again", "questions.rs", "if is_same {\n                        shared", "if false {\n                        shared"],
  ["the wall clock does not end a token", "tokens.rs", ".min(expiry.wall - at.wall)", ""],
  ["a token with an end is not looked at again before a retry", "group.rs", "if tokens.expires() {", "if false {"],
  ["a reply of the old identity is shared", "questions.rs", "} else if !same_identity {", "} else if false {"],
  ["a request not yet sent goes with the old token", "questions.rs", "if engine.withdraw(send) {", "if false {"],
  ["a fork does not ask the new provider", "questions.rs", "let is_asked = group.asked == Some(shared.tokens.source());", "let is_asked = group.asked.is_some();"],
  ["calls with other headers share a request", "calls.rs", "group.key == *key", "group.key.format == key.format"],
  ["a fresh call takes a request that is in flight", "calls.rs", "if !options.fresh || equal.is_unsent() {", "if true {"],
  ["a call waits behind a group that has gone", "calls.rs", "Some(behind) if self.groups.get(behind).is_some() => behind,", "Some(behind) => behind,"],
  ["the request behind another one does not start", "calls.rs", "if let Some(behind) = group.behind {\n            self.start_behind(shared, behind);\n        }", ""],
  ["a finished request is cancelled", "group.rs", "        self.stage = Stage::Behind;\n", ""],
  ["a request outlives its last caller", "calls.rs", "own.waiting.retain(|&waiting| waiting != call);\n            self.end_if_left(shared, group);", "own.waiting.retain(|&waiting| waiting != call);"],
  ["a late timer sends for callers of the past", "attempts.rs", "        self.fail_late(shared, id);\n", ""],
  ["a call has no deadline", "calls.rs", "        self.timers.set(call.deadline, id);\n", ""],
  ["a token shows as base64", "redact.rs", "redactor.forms.push(base64(secret));", ""],
  ["a server's key shows a token", "redact.rs", "            self.redact(key);\n", ""],
];

function runTests() {
  const args = ["test", "--quiet", "--lib", "--", "engine::simulation", "engine::scenarios"];
  const env = { ...process.env, RUST_BACKTRACE: "0", CARGO_TARGET_DIR: join(ROOT, "target") };
  const { status, stdout, stderr } = spawnSync("cargo", args, { cwd: COPY, env, encoding: "utf8", timeout: LIMIT_MS, killSignal: "SIGKILL" });
  const text = stdout + stderr;
  if (/^error/m.test(text) && !/test failed/.test(text)) throw new Error(`It does not compile:\n${text}`);
  return {
    hangs: status === null,
    scenarios: /scenarios::every_scenario_comes_out_as_written/.test(text.split("failures:").pop()) && status !== 0,
    simulation: text.match(/SEED=(\d+)/)?.[1],
  };
}

rmSync(COPY, { recursive: true, force: true });
mkdirSync(COPY, { recursive: true });
for (const name of ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "README.md", "src", "examples", "tests/fixtures"]) {
  cpSync(join(ROOT, name), join(COPY, name), { recursive: true });
}
const only = process.argv[2];
let missed = 0;
for (const [what, file, text, replacement] of DEFECTS) {
  if (only && !what.includes(only)) continue;
  const path = join(COPY, "src/engine", file);
  const sound = readFileSync(path, "utf8");
  if (sound.split(text).length !== 2) throw new Error(`${what}: its place in ${file} has gone`);
  writeFileSync(path, sound.replace(text, () => replacement));
  const { hangs, scenarios, simulation } = runTests();
  writeFileSync(path, sound);
  const found = [scenarios && "scenarios", simulation && `simulation (seed ${simulation})`, hangs && "never ends"].filter(Boolean);
  if (found.length === 0) missed++;
  console.log(`${what.padEnd(76)} ${found.join(", ") || "MISSED"}`);
}
const count = only ? "" : `${DEFECTS.length - missed} of ${DEFECTS.length} planted defects were found`;
console.log(count);
process.exitCode = missed === 0 ? 0 : 1;
