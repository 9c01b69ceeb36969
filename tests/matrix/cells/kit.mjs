// bookmore-sdk/testing in the tests of an app: one test file under three runners, and Mock Service Worker.
import { fileURLToPath } from "node:url";
import { snippet } from "../../readme.mjs";

const TSC = fileURLToPath(new URL("../../../pkg/node_modules/typescript/bin/tsc", import.meta.url));

const BROWSERS = { chromium: "Chromium", firefox: "Firefox", webkit: "WebKit" };

const app = {
  fixtures: ["app-tests"],
  packages: ["react", "@testing-library/react"],
  node: 24,
  cells: [
    { name: "Tests of a React app, Vitest", packages: ["vitest"], tests: 6, run: vitest },
    {
      name: "Tests of a React app, Jest",
      packages: ["jest", "jest-fixed-jsdom"],
      tests: 6,
      async run(app) {
        app.write("runner.js", app.read("runners/jest.js"));
        await app.run("jest", ["--json", "--outputFile=report.json"]);
        return { passed: app.written("report.json").numPassedTests };
      },
    },
    {
      name: "Tests of a React app, node --test",
      packages: ["global-jsdom"],
      tests: 6,
      async run(app) {
        app.write("runner.js", app.read("runners/node.js"));
        const bundle = ["--bundle", "--packages=external", "--format=esm", "--jsx=automatic"];
        await app.run("esbuild", ["usage-panel.test.jsx", ...bundle, "--outfile=bundled.test.mjs"]);
        const printed = await app.run("node", ["--import", "global-jsdom/register", "--test", "bundled.test.mjs"]);
        return { passed: Number(/^(?:#|ℹ) pass (\d+)$/m.exec(printed)[1]) };
      },
    },
    {
      name: "The README's component test, Vitest",
      packages: ["vitest"],
      tests: 1,
      run(app) {
        app.remove("usage-panel.test.jsx");
        app.write("readme.test.jsx", snippet("jsx", "UsagePanel"));
        return vitest(app);
      },
    },
  ],
};

async function vitest(app) {
  app.write("runner.js", app.read("runners/vitest.js"));
  await app.run("vitest", ["run", "--reporter=default", "--reporter=json", "--outputFile=report.json"]);
  return { passed: app.written("report.json").numPassedTests };
}

const inNode = {
  fixtures: ["kit"],
  cells: [{ name: "bookmore-sdk/testing, Node.js 20", run: (app) => app.outcome("node", ["script.mjs"]), calls: 0 }],
};

const inDeno = {
  fixtures: ["kit", "deno"],
  packages: ["deno"],
  cells: [
    {
      name: "bookmore-sdk/testing, Deno",
      run: (app) => app.outcome(app.program("@deno", "deno"), ["run", "--node-modules-dir=manual", "script.mjs"]),
      calls: 0,
    },
  ],
};

const inBun = {
  fixtures: ["kit", "bun"],
  packages: ["bun"],
  cells: [
    {
      name: "bookmore-sdk/testing, Bun",
      run: (app) => app.outcome(app.program("@oven", "bin/bun"), ["script.mjs"]),
      calls: 0,
    },
  ],
};

const inBrowser = {
  fixtures: ["kit", "esbuild"],
  packages: ["esbuild"],
  async prepare(app) {
    await app.run("esbuild", ["page.js", "--bundle", "--format=esm", "--outdir=dist"]);
  },
  cells: ["chromium", "firefox", "webkit"].map((browser) => ({
    name: `bookmore-sdk/testing, ${BROWSERS[browser]}`,
    run: (app) => app.scriptPage("dist/page.js", "module", browser),
    calls: 0,
  })),
};

const inWorkerd = {
  fixtures: ["kit", "workerd"],
  packages: ["workerd"],
  cells: [
    {
      name: "bookmore-sdk/testing, workerd",
      async run(app) {
        app.write("dated.capnp", app.read("config.capnp").replace("DATE", "2026-01-01"));
        const options = ["--conditions=workerd,worker,browser", "--loader:.wasm=copy", "--asset-names=[name]"];
        await app.run("esbuild", ["worker.js", "--bundle", "--format=esm", ...options, "--outdir=dist"]);
        const [, port] = await app.start(app.program("@cloudflare", "bin/workerd"), ["serve", "dated.capnp", "--control-fd=1"], {
          ready: /"event":"listen","socket":"http","port":(\d+)/,
        });
        return app.route(`http://127.0.0.1:${port}/`);
      },
      calls: 0,
    },
  ],
};

const msw = (major, fixtures) => ({
  fixtures,
  packages: ["msw"],
  node: 24,
  cells: [
    {
      name: `Mock Service Worker ${major}, Node.js`,
      async run(app) {
        // The handlers must type-check with this version of MSW.
        await app.run("node", [TSC, "--noEmit", "--strict", "--module", "nodenext", "--types", "", "--skipLibCheck", "typed.ts"]);
        return app.outcome("node", ["mocked.mjs"]);
      },
      calls: 0,
    },
    {
      name: `Mock Service Worker ${major}, Chromium`,
      async run(app) {
        await app.run("esbuild", ["main.js", "--bundle", "--format=esm", "--outdir=dist"]);
        app.write("dist/mockServiceWorker.js", app.read("node_modules/msw/lib/mockServiceWorker.js"));
        return app.scriptPage("dist/main.js");
      },
      calls: 0,
    },
    {
      name: `The README's Mock Service Worker ${major}`,
      tests: 1,
      async run(app) {
        app.write("readme.mjs", snippet("js", "setupServer"));
        const printed = await app.run("node", ["readme.mjs"]);
        return { passed: printed.trim() === "50000 after 3 requests" ? 1 : 0 };
      },
    },
  ],
});

export default [app, inNode, inDeno, inBun, inBrowser, inWorkerd, msw(3, ["kit", "msw"]), msw(2, ["kit", "msw", "msw-2"])];
