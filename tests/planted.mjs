// Plants defects in the engine, one at a time, in a copy of the project, and reports whether the scenarios or the
// simulation find each. Fails for a defect that is not found, or whose text no longer occurs once. `make planted`;
// SCHEDULES (100000) is the number of schedules that the simulation tries.
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const COPY = join(ROOT, "target/planted");
const LIMIT_MS = 300_000;

/** The defects: what goes wrong, the file in src/engine, a text that occurs once in it, and its replacement. */
const DEFECTS = [
  ["a forced renewal joins an unforced question", "questions.rs", "                None => {\n                    group.asked = Some(source);", "                None if self.is_refused(&group) => self.refuse(&mut group),\n                None => {\n                    group.asked = Some(source);"],
  ["a waiter without time for its turn fails late", "attempts.rs", "let by = if is_far { f64::INFINITY } else { turn };", "let by = now;"],
  ["a call that joins a retry without time for it fails late", "calls.rs", "=> self.settle_hurried(&mut group),", "=> {}"],
  ["a call that cannot wait for the end of a new pause fails late", "attempts.rs", "if is_pause {", "if false {"],
  ["a number that is given up is not served", "calls.rs", "self.give_up(group.number);", ""],
  ["a number that is given up is served twice", "attempts.rs", "if is_served { 0.0 } else { 1.0 }", "1.0"],
  ["a success serves no number", "attempts.rs", "self.serve(1.0);", "self.serve(0.0);"],
  ["numbers are served three a second", "tickets.rs", "const EACH_MS: f64 = 500.0;", "const EACH_MS: f64 = 333.0;"],
  ["a 503 pauses every company", "pauses.rs", "Some(503) => Some(company),", "Some(503) => None,"],
  ["a shorter pause ends a longer one", "pauses.rs", "if kept.until < pause.until {", "if true {"],
  ["a call's timeout discards the others' question", "attempts.rs", "self.settle_expired(&mut group, until);", "self.settle_expired(&mut group, until);\n        if group.stage == Stage::Token {\n            self.question = None;\n        }"],
  ["the old provider's answer is taken", "questions.rs", "        self.supersede_question();\n        let is_endless", "        let is_endless"],
  ["calls do not wait for a question in the background", "questions.rs", "return asked.hung_at <= self.at.now;", "return true;"],
  ["a question in the background replaces one that calls wait for", "questions.rs", "if self.question.is_none() {", "if true {"],
  ["a question ends with its last caller", "questions.rs", "if !goes_on || asked.hung_at <= self.at.now {", "if true {"],
  ["a call waits for a hanging question that its callers have left", "questions.rs", "asked.hung_at <= self.at.now || !self.is_current(asked)", "!self.is_current(asked)"],
  ["a call with a short timeout asks again", "questions.rs", "age >= SHORTEST_QUESTION_MS\n            && age", "age"],
  ["a renewal that changed nothing is requested again", "questions.rs", "if is_same || (asked.forced && failure.is_some()) {", "if false {"],
  ["the wall clock does not end a token", "tokens.rs", ".min(expiry.wall - at.wall)", ""],
  ["a token that expires is not checked again before a retry", "group.rs", "if tokens.expires() {", "if false {"],
  ["a reply of the old identity is shared", "questions.rs", "} else if !same_identity {", "} else if false {"],
  ["a request not yet sent is sent with the old token", "questions.rs", "is_old && !self.is_begun(group.send);", "false;"],
  ["a fork does not ask the new provider", "questions.rs", "let is_asked = group.asked == Some(self.shared.tokens.source());", "let is_asked = group.asked.is_some();"],
  ["calls with other headers share a request", "calls.rs", "group.is_listed && group.key == *key", "group.is_listed && group.key.company == key.company"],
  ["a fresh call takes a request that is in flight", "calls.rs", "if !options.fresh || equal.is_unsent() {", "if true {"],
  ["a call waits behind a request that does not know of it", "calls.rs", "equal.behind = Some(group.id);", ""],
  ["the request behind another one does not start", "calls.rs", "if let Some(behind) = group.behind {\n            self.start_behind(behind);\n        }", ""],
  ["a finished request is cancelled", "group.rs", "        self.stage = Stage::Behind;\n", ""],
  ["a request outlives its last caller", "mod.rs", "let is_over = group.calls.is_empty();", "let is_over = false;"],
  ["a late timer sends for callers whose time is up", "attempts.rs", "        self.settle_expired(group, self.at.now);\n", ""],
  ["a call has no deadline", "group.rs", "due = due.min(call.deadline);", "due = due.min(call.deadline + 1e9);"],
  ["replacing a refused token by a newer one uses up the renewal", "attempts.rs", "// There is another token by now, or one can be requested.", "group.renewed = source;"],
  ["a fork keeps waiting for a provider that was replaced", "mod.rs", "        self.supersede_useless_question();\n", ""],
  ["a token shows in base64", "secret.rs", "for before in 0..3 {", "for before in 0..0 {"],
  ["a token of earlier requests shows", "tokens.rs", "self.current.iter().chain(self.earlier.iter().flatten())", "self.current.iter()"],
  ["a Guid shows in the other letter case", "secret.rs", "[byte.to_ascii_lowercase(), byte.to_ascii_uppercase()]", "[byte, byte]"],
  ["a call joins an older request beside a fresh one", "mod.rs", "(0..self.groups.len()).rev()", "(0..self.groups.len())"],
  ["what was sent before a fresh reply is shared after it", "attempts.rs", "if group.is_listed && group.fresh {", "if false {"],
  ["a renewal is followed by another one before its token is tried", "questions.rs", "self.shared.tokens.renewed(now);", ""],
  ["a renewal whose token was accepted bars the next one", "attempts.rs", "self.shared.tokens.accepted();", ""],
  ["a key of a server's metadata shows a token", "redact.rs", "            self.redact(key);\n", ""],
];

function runTests() {
  const args = ["test", "--quiet", "--lib", "--", "engine::simulation", "engine::scenarios"];
  const env = { ...process.env, RUST_BACKTRACE: "0", CARGO_TARGET_DIR: join(ROOT, "target/planted-build") };
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
for (const name of ["Cargo.toml", "Cargo.lock", "rust-toolchain.toml", "README.md", "src", "examples", "tests/common/scenarios", "tests/fixtures"]) {
  cpSync(join(ROOT, name), join(COPY, name), { recursive: true });
}
const only = process.argv[2];
let missed = 0;
const defects = DEFECTS.filter(([what]) => !only || what.includes(only)).map(([what, file, text, replacement]) => {
  const path = join(COPY, "src/engine", file);
  const sound = readFileSync(path, "utf8");
  if (sound.split(text).length !== 2) throw new Error(`${what}: its text must occur exactly once in ${file}`);
  return { what, path, sound, text, replacement };
});
for (const { what, path, sound, text, replacement } of defects) {
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
