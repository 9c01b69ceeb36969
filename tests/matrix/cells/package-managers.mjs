// Package managers with node_modules layouts of their own.
import { cpSync } from "node:fs";

/** Removes the installed package, so that only the manager's own copy is found. Returns the tarball. */
function tarballAlone(app) {
  app.remove("node_modules/bookmore-sdk");
  return JSON.parse(app.read("package.json")).dependencies["bookmore-sdk"];
}

const fill = (app, path, tarball) => app.write(path, app.read(path).replace("TARBALL", tarball));

const yarn = {
  fixtures: ["shared", "script", "yarn", "package-managers"],
  packages: ["@yarnpkg/cli-dist"],
  node: 24,
  async prepare(app) {
    fill(app, "app/package.json", tarballAlone(app));
    for (const file of ["usage.js", "esm.mjs", "cjs.cjs"]) cpSync(app.at(file), app.at(`app/${file}`));
    // With CI=1 it would refuse to write the lock file.
    await app.run("yarn", ["install", "--no-immutable"], { cwd: app.at("app") });
  },
  cells: ["esm.mjs", "cjs.cjs"].map((script) => ({
    name: `Yarn Plug'n'Play, ${script.startsWith("esm") ? "ES module" : "CommonJS"}`,
    run: (app) => app.outcome("yarn", ["node", script], { cwd: app.at("app") }),
  })),
};

const pnpm = {
  fixtures: ["pnpm", "package-managers"],
  packages: ["pnpm"],
  node: 24,
  async prepare(app) {
    const tarball = tarballAlone(app);
    fill(app, "workspace/app/package.json", tarball);
    cpSync(tarball.slice("file:".length), app.at("copy.tgz"));
    fill(app, "workspace/line/package.json", `file:${app.at("copy.tgz")}`);
    await app.run("pnpm", ["install", "--offline", "--no-frozen-lockfile"], { cwd: app.at("workspace") });
  },
  cells: [
    {
      name: "pnpm, an app and a dependency with a copy each recognise each other's clients",
      run: (app) => app.outcome("node", ["copies.js", "good-token"], { cwd: app.at("workspace/app") }),
    },
    {
      name: "pnpm, an app and a dependency with a copy each recognise each other's errors",
      run: (app) => app.outcome("node", ["copies.js", "bad-token"], { cwd: app.at("workspace/app") }),
      error: { name: "AuthenticationError", code: "authentication_error" },
    },
  ],
};

export default [yarn, pnpm];
