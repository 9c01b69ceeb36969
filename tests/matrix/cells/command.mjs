// The package's command in each runtime.
const MAIN = "node_modules/bookmore-sdk/dist/cli/main.js";

const COMPANIES = ["9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c", "5ca1ab1e-0000-4000-8000-000000000001"];

/** A coloured table of companies, with the token from a command; then the logged-in user's company by `--json`. */
async function usage(app, command, args = []) {
  const run = (more, env) => app.run(command, [...args, MAIN, "usage", ...more], { env: { BOOKMORE_URL: app.api, ...env } });
  const table = await run(COMPANIES, { BOOKMORE_TOKEN_COMMAND: "echo good-token", FORCE_COLOR: "1" });
  const levels = table.match(/\u001b\[32mok\u001b\[39m/g);
  if (levels?.length !== 2) throw new Error(`The table is\n${table}`);
  const [line] = JSON.parse(await run(["--json"], { BOOKMORE_TOKEN: "good-token" }));
  return { usage: line };
}

const node = (major) => ({
  fixtures: ["script"],
  node: major,
  cells: [{ name: `The command, Node.js ${major}`, run: (app) => usage(app, "node") }],
});

const deno = {
  fixtures: ["script", "deno"],
  packages: ["deno"],
  cells: [
    {
      name: "The command, Deno",
      run: (app) => usage(app, app.program("@deno", "deno"), ["run", "--node-modules-dir=manual", "--allow-env", "--allow-read", "--allow-run", "--allow-net=127.0.0.1"]),
    },
  ],
};

const bun = {
  fixtures: ["script", "bun"],
  packages: ["bun"],
  cells: [{ name: "The command, Bun", run: (app) => usage(app, app.program("@oven", "bin/bun")) }],
};

export default [...[20, 22, 24].map(node), deno, bun];
