// The rows of tests/package/reported, bugs that users of comparable clients reported, in each runtime.
import { cpSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { PARTS } from "../../package/reported/all.mjs";

const ROWS = fileURLToPath(new URL("../../package/reported", import.meta.url));
const tests = Object.values(PARTS).reduce((sum, rows) => sum + Object.keys(rows).length, 0);
const prepare = async (app) => cpSync(ROWS, app.at("rows"), { recursive: true });

/** How many rows passed. Throws if one failed. */
function counted(outcomes) {
  const failures = outcomes.flatMap(({ failures }) => failures);
  if (failures.length > 0) throw new Error(`${failures.length} rows failed.\n${failures.join("\n")}`);
  return { passed: outcomes.reduce((sum, { passed }) => sum + passed, 0) };
}

const inNode = (major) => ({
  fixtures: ["reported"],
  node: major,
  prepare,
  cells: [{ name: `Reported faults, Node.js ${major}`, tests, run: async (app) => counted(await app.outcome("node", ["script.mjs"])) }],
});

const inDeno = {
  fixtures: ["reported", "deno"],
  packages: ["deno"],
  prepare,
  cells: [
    {
      name: "Reported faults, Deno",
      tests,
      run: async (app) =>
        counted(await app.outcome(app.program("@deno", "deno"), ["run", "--node-modules-dir=manual", "--allow-read", "script.mjs"])),
    },
  ],
};

const inBun = {
  fixtures: ["reported", "bun"],
  packages: ["bun"],
  prepare,
  cells: [
    { name: "Reported faults, Bun", tests, run: async (app) => counted(await app.outcome(app.program("@oven", "bin/bun"), ["script.mjs"])) },
  ],
};

const inBrowser = {
  fixtures: ["reported", "esbuild"],
  packages: ["esbuild"],
  async prepare(app) {
    await prepare(app);
    await app.run("esbuild", ["page.js", "--bundle", "--format=esm", "--loader:.wasm=binary", "--outdir=dist"]);
    app.write("dist/index.html", '<!doctype html><meta charset="utf-8"><output></output><script type="module" src="./page.js"></script>');
    return app.serve("dist");
  },
  cells: [["chromium", "Chromium"], ["firefox", "Firefox"], ["webkit", "WebKit"]].map(([browser, label]) => ({
    name: `Reported faults, ${label}`,
    tests,
    async run(app, url) {
      const outcomes = [];
      for (const part of Object.keys(PARTS)) outcomes.push(await app.page(`${url}?part=${part}`, browser));
      return counted(outcomes);
    },
  })),
};

export default [inNode(24), inDeno, inBun, inBrowser];
