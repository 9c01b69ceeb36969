// Pages whose hooks hydrate what a server rendered. A server never mixes up users and never polls, the build ends, and
// each part of the page starts with the server's state, even one that is hydrated late.
import { setTimeout as pause } from "node:timers/promises";
import { browser } from "../browsers.mjs";
import { startTwoUsers, USERS } from "../two-users.mjs";

const PATIENCE = 30_000;
/** Whether the user can have used this much: there are fewer than 300 requests, and each adds 1 000 tokens. */
const isOf = (user, used) => used >= USERS[user] && used < USERS[user] + 300_000;

/** What the components in a page's HTML show, as `status used`. */
const shown = (html) => [...html.matchAll(/class="live"[^>]*>(\w+) (\w+)</g)].map(([, status, used]) => `${status} ${used}`);

async function withUsers(run) {
  const api = await startTwoUsers();
  try {
    await run(api, (url, user) => `${url}?${new URLSearchParams({ api: api.url, user })}`);
    return { passed: 1 };
  } finally {
    api.close();
  }
}

const twoAtOnce = (app, { url, path }) =>
  withUsers(async (api, pageOf) => {
    const users = Array.from({ length: 40 }, (_, at) => Object.keys(USERS)[at % 2]);
    await Promise.all(
      users.map(async (user) => {
        const html = await (await fetch(pageOf(url + path, user))).text();
        const numbers = shown(html).map((text) => Number(text.replace("ok ", "")));
        if (numbers.length === 0 || !numbers.every((used) => isOf(user, used))) throw new Error(`${user} got ${shown(html)}: ${html.slice(0, 2_000)}`);
      }),
    );
    await pause(2_000); // a poll would be sent by now
    if (api.requests.length !== users.length) throw new Error(`${users.length} pages sent ${api.requests.length} requests.`);
  });

const takesOver = (app, { url, path }) =>
  withUsers(async (api, pageOf) => {
    const { driver, label } = await browser("chromium");
    app.versions.add(label);
    const bidi = await driver.getBidi();
    const command = async (method, params) => (await bidi.send({ method, params })).result;
    const { script } = await command("script.addPreloadScript", {
      functionDeclaration: `() => {
        window.complaints = [];
        for (const name of ["error", "warn"]) console[name] = (...words) => complaints.push(words.map(String).join(" "));
        addEventListener("error", ({ message }) => complaints.push(message));
        addEventListener("unhandledrejection", ({ reason }) => complaints.push(String(reason)));
      }`,
    });
    try {
      for (const user of Object.keys(USERS)) {
        await driver.get(pageOf(url + path, user));
        const texts = () => driver.executeScript('return [...document.querySelectorAll(".live")].map(({ textContent }) => textContent)');
        // Both show the usage of the page's own request.
        const isUpToDate = async () => {
          const [early, late] = await texts();
          return late !== undefined && early === late && api.requests.some((request) => request.user === user && request.isFromPage);
        };
        await driver.wait(isUpToDate, PATIENCE, `The page of ${user} is not up to date`).catch(async (error) => {
          throw new Error(`${error.message}: ${await texts()}; ${await driver.executeScript("return complaints.join('\\n')")}`);
        });
        await pause(4_000); // the late part has arrived and been hydrated
        const [early, late] = await texts();
        if (early !== late || !isOf(user, Number(early.replace("ok ", "")))) throw new Error(`${user} sees ${early} and ${late}.`);
        const complaints = await driver.executeScript("return complaints");
        if (complaints.length > 0) throw new Error(`The page says: ${complaints.join("\n")}`);
        const { length } = api.requests.filter((request) => request.user === user && request.isFromPage);
        if (length !== 1) throw new Error(`The page of ${user} sent ${length} requests instead of one.`);
      }
    } finally {
      await command("script.removePreloadScript", { script });
      await driver.get("about:blank");
    }
  });

/**
 * @param {string} name
 * @param {object} group see `runGroup`
 * @param {{ path: string, build(app): Promise<void>, start(app): Promise<string>, dev(app): Promise<string> }} how
 *   `build` must end, although it renders a page with a hook; the others return a URL
 */
const live = (name, group, { path, build, start, dev }) => ({
  ...group,
  slow: true,
  async prepare(app) {
    await build(app);
    return { url: await start(app), path };
  },
  cells: [
    { name: `${name}, live usage of two users at once`, tests: 1, run: twoAtOnce },
    { name: `${name}, live usage hydrated in the page`, tests: 1, run: takesOver },
    { name: `${name}, live usage hydrated in the page, dev server`, tests: 1, run: async (app) => takesOver(app, { url: await dev(app), path }) },
  ],
});

const host = async (app) => ({ HOST: "127.0.0.1", PORT: await app.freePort() });

async function nextServer(app, command) {
  const [, url] = await app.start("next", [command, "--hostname", "127.0.0.1", "--port", await app.freePort()], { ready: /Local:\s+(http\S+)[^]*Ready/ });
  return url;
}

const next = live("Next 16", { fixtures: ["live-next", "next"], packages: ["next", "react"] }, {
  path: "/live",
  async build(app) {
    for (const other of ["app/client", "app/server", "app/node", "app/edge", "app/meter", "pages", "middleware.js"]) app.remove(other);
    await app.run("next", ["build"]);
    if (!shown(app.read(".next/server/app/static.html")).includes("pending undefined")) throw new Error("The page was not prerendered.");
  },
  start: (app) => nextServer(app, "start"),
  dev: (app) => nextServer(app, "dev"),
});

const nuxt = live("Nuxt", { fixtures: ["live-nuxt", "nuxt"], packages: ["nuxt", "vue"], node: 24 }, {
  path: "/",
  async build(app) {
    app.write("app/app.vue", app.read("live.vue"));
    app.remove("server");
    app.write("nuxt.config.js", 'export default defineNuxtConfig({ compatibilityDate: "2026-01-01", telemetry: false, nitro: { prerender: { routes: ["/static"] } } });\n');
    await app.run("nuxt", ["build"]);
    if (!shown(app.read(".output/public/static/index.html")).includes("pending undefined")) throw new Error("The page was not prerendered.");
  },
  async start(app) {
    const [, url] = await app.start("node", [".output/server/index.mjs"], { env: await host(app), ready: /Listening on (http\S+?)\/?\s/ });
    return url;
  },
  async dev(app) {
    const [, url] = await app.start("nuxt", ["dev", "--host", "127.0.0.1", "--port", await app.freePort()], { ready: /Local:\s+(http\S+?)\/?\s/ });
    return url;
  },
});

const svelteKit = live("SvelteKit", { fixtures: ["live-sveltekit", "sveltekit"], packages: ["@sveltejs/kit", "svelte"], node: 24 }, {
  path: "/live",
  async build(app) {
    for (const file of ["+page.server.js", "+page.svelte"]) app.remove(`src/routes/${file}`);
    await app.run("vite", ["build"]);
    if (!shown(app.read("build/prerendered/static.html")).includes("pending undefined")) throw new Error("The page was not prerendered.");
  },
  async start(app) {
    const [, url] = await app.start("node", ["build/index.js"], { env: await host(app), ready: /Listening on (http\S+)/ });
    return url;
  },
  async dev(app) {
    const [, url] = await app.start("vite", ["dev", "--host", "127.0.0.1", "--port", await app.freePort(), "--strictPort"], { ready: /Local:\s+(http\S+?)\/?\s/ });
    return url;
  },
});

/** Components with the hooks under the compilers of their frameworks; `@ts-expect-error` marks what must not compile. */
const typed = {
  fixtures: ["live-types"],
  packages: ["typescript"],
  cells: [
    ["tsc", "react", ["-p", "react"]],
    ["vue-tsc", "vue", ["-p", "vue"]],
    ["svelte-check", "svelte", ["--workspace", "svelte", "--tsconfig", "tsconfig.json", "--fail-on-warnings"]],
  ].map(([command, framework, args]) => ({
    name: `${command}, live usage`,
    packages: [framework, ...(command === "tsc" ? [] : [command])],
    tests: 1,
    async run(app) {
      await app.run(command, args);
      return { passed: 1 };
    },
  })),
};

export default [next, nuxt, svelteKit, typed];
