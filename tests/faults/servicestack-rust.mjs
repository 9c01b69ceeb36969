// ServiceStack's client for Rust, run as a process: tests/faults/servicestack-rust.
import { execFileSync, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export const RUST = "servicestack (Rust)";

const root = fileURLToPath(new URL("../..", import.meta.url));
const crate = join(root, "tests/faults/servicestack-rust");
const target = join(root, "target/servicestack-rust");
const flags = ["--locked", "--quiet", "--target-dir", target];

/** Builds and starts it. `call` is like those of tests/peers/clients.mjs. */
export function startRust() {
  execFileSync("cargo", ["build", ...flags], { cwd: crate, stdio: ["ignore", "ignore", "inherit"] });
  const child = spawn(join(target, "debug/servicestack-rust"), { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async call({ url, session: { token, apiKey }, companyId }) {
      child.stdin.write(`${JSON.stringify({ url, token, apiKey, companyId })}\n`);
      const { value, done } = await answers.next();
      if (done) throw new Error("The process of the Rust client is gone.");
      const { usage, error } = JSON.parse(value);
      if (error !== undefined) throw new Error(error);
      return usage;
    },
    stop: () => child.stdin.end(),
  };
}

/** cargo's error when compiling it for wasm32; undefined if it compiles. */
export function wasmFailure() {
  const { status, stderr } = spawnSync("cargo", ["check", "--lib", "--target", "wasm32-unknown-unknown", ...flags], {
    cwd: crate,
    encoding: "utf8",
  });
  if (status === 0) return undefined;
  const errors = [...stderr.matchAll(/^error(?:\[\w+\])?: (.*)$/gm)].map(([, text]) => text);
  return errors.find((text) => !text.startsWith("could not compile")) ?? errors[0] ?? stderr;
}
