// Child processes that never outlive a run. Their failures include their output.
import { spawn } from "node:child_process";
import { basename } from "node:path";

const running = new Set();
process.on("exit", () => [...running].forEach((child) => signal(child, "SIGKILL")));

// Each has its own process group, so that its children are stopped with it.
function begin(command, args, options) {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], ...options, detached: true });
  const call = [basename(command), ...args].join(" ");
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => (printed = (printed + text).slice(-20_000)));
  }
  running.add(child);
  const ended = new Promise((resolve) => {
    child.on("error", (error) => resolve(`could not be started: ${error.message}`));
    child.on("close", (code, by) => resolve(by ? `was ended by ${by}` : `ended with exit code ${code}`));
  }).finally(() => running.delete(child));
  const failure = (what) => new Error(`\`${call}\` ${what}.\n${printed.trim()}`);
  return { child, ended, failure };
}

function signal(child, name) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  } catch {
    // It has already exited.
  }
}

/**
 * Runs a command and waits for its end.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ limit?: number, cwd?: string, env?: object }} options `limit`: milliseconds
 * @returns {Promise<string>} its standard output
 */
export async function finish(command, args, { limit = 4 * 60_000, ...options } = {}) {
  const { child, ended, failure } = begin(command, args, options);
  let output = "";
  child.stdout.on("data", (text) => (output += text));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    signal(child, "SIGKILL");
  }, limit);
  const end = await ended;
  clearTimeout(timer);
  signal(child, "SIGKILL"); // what it left behind
  if (late) throw failure(`took more than ${limit / 1000} seconds`);
  if (end !== "ended with exit code 0") throw failure(end);
  return output;
}

/**
 * Starts a long-running command, and waits until its output matches `ready`.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {{ ready: RegExp, limit?: number, cwd?: string, env?: object }} options
 * @returns {Promise<{ match: RegExpExecArray, stop(): Promise<void> }>}
 */
export async function start(command, args, { ready, limit = 60_000, ...options }) {
  const { child, ended, failure } = begin(command, args, options);
  const stop = async () => {
    signal(child, "SIGTERM");
    const timer = setTimeout(() => signal(child, "SIGKILL"), 3000);
    await ended;
    clearTimeout(timer);
    signal(child, "SIGKILL");
  };
  let timer;
  const late = new Promise(
    (resolve) => (timer = setTimeout(resolve, limit, `was not ready after ${limit / 1000} seconds`)),
  );
  const seen = new Promise((resolve) => {
    let text = "";
    const look = (chunk) => {
      text += chunk.replace(/\x1b\[[\d;]*m/g, "");
      const match = ready.exec(text);
      if (match) resolve(match);
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
  });
  const first = await Promise.race([seen, ended, late]);
  clearTimeout(timer);
  if (typeof first === "string") {
    await stop();
    throw failure(first);
  }
  return { match: first, stop };
}

/** Stops all running commands at once. */
export function killAll() {
  for (const child of running) signal(child, "SIGKILL");
}
