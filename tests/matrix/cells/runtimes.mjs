import { lockedVersion } from "../packed.mjs";

const deno = {
  fixtures: ["shared", "script", "deno"],
  packages: ["deno"],
  cells: [
    {
      name: "Deno",
      run: (app) =>
        app.outcome(app.program("@deno", "deno"), [
          "run",
          "--node-modules-dir=manual",
          "--allow-env",
          "--allow-net=127.0.0.1",
          "esm.mjs",
        ]),
    },
    {
      name: "Deno, without npm: the script by its URL, with its types",
      run: (app) =>
        app.outcome(app.program("@deno", "deno"), [
          "run",
          "--no-config",
          "--no-npm",
          "--check",
          "--allow-env",
          "--allow-net=127.0.0.1",
          "typed.ts",
        ]),
    },
  ],
};

const bun = {
  fixtures: ["shared", "page", "script", "bun"],
  packages: ["bun"],
  prepare: (app) => app.program("@oven", "bin/bun"),
  cells: [
    { name: "Bun, ES module", run: (app, bun) => app.outcome(bun, ["esm.mjs"]) },
    { name: "Bun, CommonJS", run: (app, bun) => app.outcome(bun, ["cjs.cjs"]) },
    {
      name: "bun build --compile",
      async run(app, bun) {
        await app.run(bun, ["build", "--compile", "esm.mjs", "--outfile", "program"]);
        return app.outcome(app.elsewhere("program"));
      },
    },
    {
      name: "bun build",
      async run(app, bun) {
        await app.run(bun, ["build", "main.js", "--outdir", "dist"]);
        return app.scriptPage("dist/main.js");
      },
    },
  ],
};

// Workers with these compatibility dates. Before 2024-11-11 a request has no `cache`, and before 2025-05-05 there is no
// FinalizationRegistry. The last date is the newest that the locked workerd supports: its version contains it.
const [, ...newest] = /^1\.(\d{4})(\d{2})(\d{2})\./.exec(lockedVersion("workerd", "workerd"));
const DATES = ["2023-05-01", "2024-01-01", "2024-09-23", newest.join("-")];

const workerd = {
  fixtures: ["shared", "worker", "workerd"],
  packages: ["workerd"],
  async prepare(app) {
    const conditions = "--conditions=workerd,worker,browser"; // as Wrangler does
    await app.run("esbuild", [
      "worker.js",
      "left.js",
      "--bundle",
      "--format=esm",
      conditions,
      "--loader:.wasm=copy",
      "--asset-names=[name]",
      "--outdir=dist",
    ]);
    return app.program("@cloudflare", "bin/workerd");
  },
  cells: DATES.flatMap((date) => [
    {
      name: `workerd, compatibility date ${date}`,
      run: async (app, program) => app.route(`${await serveWorker(app, program, "worker.js", date)}/?api=${app.api}`),
    },
    {
      name: `workerd, compatibility date ${date}: a client of the module survives requests that end early`,
      async run(app, program) {
        const url = await serveWorker(app, program, "left.js", date);
        let outcome;
        for (const by of ["token", "provider"]) {
          for (const at of [0, 1, 5, 20]) {
            await app.route(`${url}/left?api=${app.api}&by=${by}&at=${at}`);
            outcome = await app.route(`${url}/?api=${app.api}&by=${by}`);
          }
        }
        return outcome;
      },
    },
  ]),
};

// A worker that was bundled without the condition `workerd`.
const workerdBytes = {
  fixtures: ["shared", "worker", "workerd"],
  packages: ["workerd"],
  cells: [
    {
      name: "workerd, bundled without its condition, gives the typed error",
      async run(app) {
        await app.run("esbuild", ["worker.js", "--bundle", "--format=esm", "--outdir=dist"]);
        app.write("config.capnp", app.read("config.capnp").replace(/^.*sdk\.wasm.*\n/m, ""));
        return app.route(`${await serveWorker(app, app.program("@cloudflare", "bin/workerd"), "worker.js", DATES.at(-1))}/?api=${app.api}`);
      },
      error: { name: "RuntimeUnsupportedError", code: "runtime_unsupported", message: /(?=.*workerd)(?=.*bookmore-sdk\/slim)/s },
      calls: 0,
    },
  ],
};

/** Serves a script of dist as a worker. Returns the URL. */
async function serveWorker(app, program, script, date) {
  app.write("dated.capnp", app.read("config.capnp").replace("DATE", date).replace("dist/worker.js", `dist/${script}`));
  const [, port] = await app.start(program, ["serve", "dated.capnp", "--control-fd=1"], {
    ready: /"event":"listen","socket":"http","port":(\d+)/,
  });
  return `http://127.0.0.1:${port}`;
}

export default [deno, bun, workerd, workerdBytes];
