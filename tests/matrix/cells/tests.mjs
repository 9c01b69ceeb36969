// Test runners, and the simulated browsers in which they run tests.
import { chromium } from "../browsers.mjs";

const jest = {
  fixtures: ["jest"],
  packages: ["jest"],
  cells: [
    { name: "Jest, Node.js", run: (app) => jestRun(app, "node") },
    {
      name: "Jest, jsdom: says that there is no TextDecoder",
      packages: ["jest-environment-jsdom"],
      run: (app) => jestRun(app, "jsdom"),
      error: { code: "runtime_unsupported", message: /^This runtime has no Text(De|En)coder\./ },
      calls: 0,
    },
    {
      name: "Jest, jsdom with only a TextEncoder: says that there is no TextDecoder",
      packages: ["jest-environment-jsdom"],
      run: (app) => jestRun(app, "jsdom", ["--setupFiles", "./text-encoder.cjs"]),
      error: { code: "runtime_unsupported", message: /TextDecoder/ },
      calls: 0,
    },
    {
      name: "Jest, edge environment",
      packages: ["@edge-runtime/jest-environment"],
      run: (app) => jestRun(app, "@edge-runtime/jest-environment"),
    },
  ],
};

async function jestRun(app, environment, options = []) {
  await app.run("jest", ["--testEnvironment", environment, ...options]);
  return app.written("outcome.json");
}

const vitest = {
  fixtures: ["shared", "vitest"],
  packages: ["vitest"],
  node: 24,
  cells: [
    { name: "Vitest, Node.js", run: (app) => vitestRun(app) },
    {
      name: "Vitest, browser mode",
      async run(app) {
        const { program, flags } = chromium();
        app.versions.add(/\S+ [\d.]+/.exec(await app.run(program, ["--version"]))[0]);
        return vitestRun(app, ["--config", "browser.config.js"], {
          CHROMIUM: program,
          CHROMIUM_FLAGS: flags.join(" "),
        });
      },
    },
    { name: "jsdom by Vitest", run: (app) => vitestRun(app, ["--environment", "jsdom"]), packages: ["jsdom"] },
    {
      name: "happy-dom by Vitest",
      run: (app) => vitestRun(app, ["--environment", "happy-dom"]),
      packages: ["happy-dom"],
    },
  ],
};

async function vitestRun(app, args = [], env = {}) {
  await app.run("vitest", ["run", ...args, "--reporter=default", "--reporter=json", "--outputFile=report.json"], {
    env: { VITE_BOOKMORE_API: app.api, ...env },
  });
  return app.written("report.json").testResults[0].assertionResults[0].meta.outcome;
}

const dom = {
  fixtures: ["shared", "dom"],
  node: 24,
  async prepare(app) {
    await app.run("esbuild", ["imported.mjs", "--bundle", "--format=iife", "--outfile=imported.js"]);
    await app.run("esbuild", ["usage.js", "--bundle", "--format=iife", "--global-name=Usage", "--outfile=bundle.js"]);
  },
  cells: [
    {
      name: "jsdom, a bundle inside its window: says that there is no fetch",
      packages: ["jsdom"],
      run: (app) => app.outcome("node", ["window.mjs", "jsdom"]),
      error: { code: "runtime_unsupported", message: /has no fetch/ },
      calls: 0,
    },
    {
      name: "happy-dom, a bundle inside its window",
      packages: ["happy-dom"],
      run: (app) => app.outcome("node", ["window.mjs", "happy-dom"]),
    },
    {
      name: "linkedom, with its document as the global one",
      packages: ["linkedom"],
      run: (app) => app.outcome("node", ["global.mjs"]),
    },
    ...["jsdom", "happy-dom"].map((name) => ({
      name: `${name}, the meter`,
      packages: [name],
      run: (app) => app.outcome("node", ["meter.mjs", name]),
    })),
  ],
};

export default [jest, vitest, dom];
