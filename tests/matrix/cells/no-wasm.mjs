// Platforms without WebAssembly: bookmore-sdk/no-wasm, which React Native imports as bookmore-sdk.
import { NotRun } from "../not-run.mjs";
import { LABELS, strictPage } from "./browsers.mjs";

const policy = {
  fixtures: ["shared", "page"],
  prepare: (app) => app.write("usage.js", app.read("usage.js").replace('"bookmore-sdk"', '"./node_modules/bookmore-sdk/dist/no-wasm.js"')),
  cells: Object.entries(LABELS).map(([browser, label]) => ({
    name: `bookmore-sdk/no-wasm, Content-Security-Policy: script-src 'self', ${label}`,
    run: (app) => strictPage(app, "'self'", browser),
  })),
};

const jitless = {
  fixtures: ["no-wasm"],
  cells: [
    {
      name: "bookmore-sdk/no-wasm, Node.js without WebAssembly (--jitless), with a fetch over node:http",
      run: (app) => app.outcome("node", ["--jitless", "jitless.mjs"]),
    },
  ],
};

const jest = {
  fixtures: ["jest"],
  packages: ["jest"],
  cells: [
    {
      name: "Jest with the conditions of React Native's preset imports bookmore-sdk/no-wasm",
      async run(app) {
        app.write("without.cjs", "globalThis.WebAssembly = undefined;\n");
        const conditions = JSON.stringify({ customExportConditions: ["require", "react-native"] });
        await app.run("jest", ["--testEnvironment", "node", "--testEnvironmentOptions", conditions, "--setupFiles", "./without.cjs"]);
        return app.written("outcome.json");
      },
    },
  ],
};

/** Throws if an outcome of app.js is not the expected one. */
function same(outcome, expected) {
  const [given, wanted] = [outcome, expected].map((value) => JSON.stringify(value));
  if (given !== wanted) throw new Error(`The outcome is ${given} instead of ${wanted}.`);
}

// Hermes, the engine of React Native. platform.js stands in for React Native itself.
const hermes = {
  fixtures: ["react-native"],
  packages: ["hermes-engine-cli", "metro", "@react-native/babel-preset"],
  node: 24,
  async prepare(app) {
    const reply = async (token) => {
      const headers = { accept: "application/json", authorization: `Bearer ${token}` };
      const response = await fetch(`${app.api}/assistant/ai-chat/usage`, { headers });
      return { status: response.status, headers: Object.fromEntries(response.headers), body: await response.text() };
    };
    const replies = { ok: await reply("good-token"), unauthorized: await reply("bad-token") };
    app.write("replies.json", JSON.stringify(replies));
    await app.run("metro", ["build", "index.js", "--config", "metro.config.js", "--out", "bundle.js", "--platform", "android", "--dev", "false"]);
    const folder = { linux: "linux64-bin", darwin: "osx-bin" }[process.platform];
    if (!folder) throw new NotRun(`hermes-engine-cli has no engine for ${process.platform}.`);
    const outcomes = await app.outcome(app.at(`node_modules/hermes-engine-cli/${folder}/hermes`), ["-w", "-O", "bundle.js"]);
    if (outcomes.error) throw new Error(outcomes.error.stack);
    console.log(`Hermes: ${outcomes.msACall.toFixed(2)} ms a call, without the network`);
    return outcomes;
  },
  cells: [
    {
      name: "Hermes, bundled by Metro: value",
      run(_, { value, missing, urls }) {
        same(missing, ["WebAssembly", "URL", "DOMException", "FinalizationRegistry"]);
        same(urls[0], "http://localhost/api/assistant/ai-chat/usage");
        return value;
      },
    },
    {
      name: "Hermes, bundled by Metro: 401",
      run: (_, { unauthorized }) => ({ error: unauthorized }),
      error: { name: "AuthenticationError", code: "authentication_error", status: 401, attempts: 1 },
    },
    {
      name: "Hermes, bundled by Metro: timeout",
      run: (_, { timeout }) => ({ error: timeout }),
      error: { name: "TimeoutError", code: "timeout", phase: "headers", scope: "attempt", attempts: 2 },
    },
    {
      name: "Hermes, bundled by Metro: no network",
      run: (_, { offline }) => ({ error: offline }),
      error: { name: "NetworkError", code: "network_error", isRetryable: true, attempts: 1 },
    },
    {
      name: "Hermes, bundled by Metro: abort",
      run: (_, { aborted }) => ({ error: aborted }),
      error: { name: "AbortError", isOurs: false },
    },
    {
      name: "Hermes, bundled by Metro: retry",
      run(_, { retried: { usage, attempts } }) {
        same(attempts.map(({ status, error }) => error ?? status), ["network_error", "server_error", 200]);
        return { usage };
      },
    },
    {
      name: "Hermes, bundled by Metro: an invalid base URL",
      run: (_, { refused }) => ({ error: refused }),
      error: { name: "ConfigError", code: "config_error", message: "The base URL must start with https:// or http://." },
    },
    {
      name: "Hermes, bundled by Metro: many and watch",
      run(_, { many, watched, value }) {
        same(many, [value.usage.tokensUsed, "config_error"]);
        same(watched, ["ok", "ok", value.usage.tokensUsed]);
        return value;
      },
    },
  ].map((cell) => ({ ...cell, calls: 0 })),
};

export default [policy, jitless, jest, hermes];
