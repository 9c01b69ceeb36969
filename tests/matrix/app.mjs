// A user's app, on which the cells are built: a fresh folder with the tarball among its packages, the
// API that it calls, and all processes that it starts.
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { startServer } from "../server/server.mjs";
import { freePort, readExtension, readOutput } from "./browsers.mjs";
import { removeFolder, temporaryFolder } from "./folders.mjs";
import { NotRun } from "./not-run.mjs";
import { hasPackages, layOut, lockedPackages } from "./packed.mjs";
import { finish, start } from "./processes.mjs";
import { serve } from "./serve.mjs";

// Only the installation of packages may use the network.
const QUIET_TOOLS = {
  CI: "1",
  DO_NOT_TRACK: "1",
  DENO_NO_UPDATE_CHECK: "1",
  NEXT_TELEMETRY_DISABLED: "1",
  NG_CLI_ANALYTICS: "false",
  NUXT_TELEMETRY_DISABLED: "1",
  npm_config_offline: "true",
};

export class App {
  /** The versions that the cell used, for the table. */
  versions = new Set();
  #folder;
  #server;
  #node;
  #env;
  #ends = [];

  /** Installs the packages of the group, unless an earlier run has. */
  static async fetchPackages({ fixtures, node, tools }) {
    if (node) await nodeOf(node);
    if (tools) await lockedPackages(tools);
    if (hasPackages(fixtures)) await lockedPackages(fixtures.at(-1));
  }

  /**
   * @param {{ fixtures: string[], packages?: string[], node?: number, tools?: string }} group
   *   `packages`: those whose versions are shown; `node`: the major version that the tools need; `tools`: another
   *   fixture whose commands are available as well
   * @param {string} tarball
   */
  static async create(group, tarball) {
    const app = new App();
    try {
      app.#folder = temporaryFolder("app");
      app.#ends.push(() => removeFolder(app.#folder));
      app.#server = await startServer();
      app.#ends.push(() => app.#server.close());
      await layOut(app.#folder, group.fixtures, tarball);
      const node = group.node
        ? await nodeOf(group.node)
        : { folder: dirname(process.execPath), version: process.versions.node };
      app.#node = `Node.js ${node.version}`;
      const commands = [join(app.#folder, "node_modules/.bin"), node.folder];
      if (group.tools) commands.push(join(await lockedPackages(group.tools), ".bin"));
      app.#env = {
        ...process.env,
        ...QUIET_TOOLS,
        PATH: [...commands, process.env.PATH].join(delimiter),
        BOOKMORE_API: app.api,
      };
      for (const name of group.packages ?? []) app.uses(name);
      if (group.node) app.versions.add(app.#node);
      return app;
    } catch (error) {
      await app.close();
      throw error;
    }
  }

  /** The base URL of the API. */
  get api() {
    return this.#server.url;
  }

  /** How many usages were requested from the API. */
  get calls() {
    return this.#server.requests.filter(
      ({ method, url }) => method === "GET" && url.startsWith("/assistant/ai-chat/usage"),
    ).length;
  }

  forgetCalls() {
    this.#server.requests.length = 0;
  }

  at(path) {
    return join(this.#folder, path);
  }

  read(path) {
    return readFileSync(this.at(path), "utf8");
  }

  exists(path) {
    return existsSync(this.at(path));
  }

  write(path, text) {
    writeFileSync(this.at(path), text);
  }

  remove(path) {
    rmSync(this.at(path), { recursive: true });
  }

  /** Shows the version of a package of the fixture. */
  uses(name) {
    const { version } = JSON.parse(this.read(`node_modules/${name}/package.json`));
    this.versions.add(`${name} ${version}`);
  }

  /** The path of a program that `scope` ships in one package for each platform. */
  program(scope, path) {
    const folder = this.at(`node_modules/${scope}`);
    const packages = existsSync(folder) ? readdirSync(folder) : [];
    const found = packages.map((name) => join(folder, name, path)).find((file) => existsSync(file));
    if (!found) throw new NotRun(`${scope} ships no program for ${process.platform} on ${process.arch}.`);
    return found;
  }

  /** Runs a command in the folder, with the packages' commands on its PATH. */
  run(command, args = [], { env, ...options } = {}) {
    if (command === "node") this.versions.add(this.#node);
    return finish(command, args, { cwd: this.#folder, ...options, env: { ...this.#env, ...env } });
  }

  /** The JSON in the last line that a script prints. */
  async outcome(command, args, options) {
    const printed = await this.run(command, args, options);
    return parsed(printed.trim().split("\n").pop(), `\`${command}\``);
  }

  /** The JSON in a file that a script writes. */
  written(path) {
    return parsed(this.read(path), path);
  }

  /** Starts a server that ends with the app. Returns the match of `ready` in its output. */
  async start(command, args, { env, ...options }) {
    const { match, stop } = await start(command, args, {
      cwd: this.#folder,
      ...options,
      env: { ...this.#env, ...env },
    });
    this.#ends.push(stop);
    return match;
  }

  /** Serves a folder. Returns the URL, with a trailing slash. */
  async serve(path, headers) {
    const { url, close } = await serve(this.at(path), headers);
    this.#ends.push(close);
    return url;
  }

  freePort = freePort;

  /** The output of a page. `?api=` passes the base URL to it. */
  async page(url, browser = "chromium") {
    const asking = new URL(url);
    asking.searchParams.set("api", this.api);
    const { text, label } = await readOutput(browser, asking.href);
    this.versions.add(label);
    return parsed(text, url);
  }

  /** The output of an extension's page. The folder contains its manifest. */
  async extensionPage(folder, page) {
    const { text, label } = await readExtension(this.at(folder), `${page}?api=${encodeURIComponent(this.api)}`);
    this.versions.add(label);
    return parsed(text, page);
  }

  /** The output of a page with one script, served from the folder of the build. */
  async scriptPage(path, type = "module", browser = "chromium", headers = {}) {
    const folder = dirname(path);
    this.write(
      join(folder, "page.html"),
      `<!doctype html><meta charset="utf-8"><output></output><script type="${type}" src="./${basename(path)}"></script>`,
    );
    return this.page(`${await this.serve(folder, headers)}page.html`, browser);
  }

  /** The content of a page as the server sends it, before any script runs. */
  async sentPage(url) {
    const response = await fetch(url);
    const html = await response.text();
    const text = /<output[^>]*>(.*?)<\/output>/s
      .exec(html)?.[1]
      .replaceAll("&quot;", '"')
      .replaceAll(/<!--.*?-->/g, "");
    if (!text) throw new Error(`${url} has no output (status ${response.status}):\n${html.slice(0, 2000)}`);
    return parsed(text, url);
  }

  /** The JSON that a route answers with. */
  async route(url) {
    const response = await fetch(url);
    return parsed(await response.text(), `${url} (status ${response.status})`);
  }

  /** Copies a file to a new folder, from which no package can be resolved. */
  elsewhere(path) {
    const folder = temporaryFolder("elsewhere");
    this.#ends.push(() => removeFolder(folder));
    const there = join(folder, basename(path));
    cpSync(this.at(path), there);
    return there;
  }

  /** Stops what it started, last first, and removes the folder. */
  async close() {
    for (const end of this.#ends.splice(0).reverse()) {
      await Promise.resolve()
        .then(end)
        .catch((error) => console.error(`matrix: ${error.message}`));
    }
  }
}

/** A major version of Node.js: its full version, and the folder of its command `node`. */
export async function nodeOf(major) {
  const own = join(await lockedPackages("node"), `node-${major}`);
  if (!existsSync(own))
    throw new NotRun(`There is no Node.js ${major} in the registry for ${process.platform} on ${process.arch}.`);
  const { version } = JSON.parse(readFileSync(join(own, "package.json"), "utf8"));
  return { folder: join(own, "bin"), version };
}

function parsed(text, whence) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${whence} gave no JSON: ${text.slice(0, 2000)}`);
  }
}
