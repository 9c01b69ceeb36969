// Tools that build for Cloudflare Workers, each with the runtime that it brings.

// No telemetry, and all state of a tool in the app's folder.
const quiet = (app) => ({
  CLOUDFLARE_CF_FETCH_ENABLED: "false",
  WRANGLER_SEND_METRICS: "false",
  WRANGLER_SEND_ERROR_REPORTS: "false",
  WRANGLER_LOG_PATH: app.at("logs"),
  ASTRO_TELEMETRY_DISABLED: "1",
});

/** Starts a Vite server, `dev` or `preview`, of Vite itself or of a framework. Returns the URL. */
async function viteServer(app, tool, command) {
  const port = await app.freePort();
  const [, url] = await app.start(tool, [command, "--host", "127.0.0.1", "--port", port], {
    env: quiet(app),
    ready: /(?:Local:?\s+|Network:?\s+)(http:\/\/127\S+?)\/?\s/,
  });
  return url;
}

/** Starts Wrangler's server with these arguments. Returns the URL. */
async function wranglerServer(app, what = [], command = ["dev"]) {
  const address = ["--ip", "127.0.0.1", "--port", await app.freePort()];
  const [, url] = await app.start("wrangler", [...command, ...what, ...address, "--show-interactive-dev-session=false"], {
    env: quiet(app),
    ready: /Ready on (http\S+)/,
  });
  return url;
}

const wrangler = {
  fixtures: ["shared", "worker", "wrangler", "cloudflare"],
  packages: ["wrangler", "workerd"],
  node: 24,
  cells: [
    {
      name: "Wrangler, dev server",
      run: async (app) => app.route(`${await wranglerServer(app)}/?api=${app.api}`),
    },
  ],
};

const pages = {
  fixtures: ["shared", "pages", "cloudflare"],
  packages: ["wrangler", "workerd"],
  node: 24,
  cells: [
    {
      name: "Cloudflare Pages, function",
      run: async (app) => app.route(`${await wranglerServer(app, ["public", "--compatibility-date", "2026-01-01"], ["pages", "dev"])}/usage?api=${app.api}`),
    },
  ],
};

const vite = {
  fixtures: ["shared", "worker", "wrangler", "cloudflare-vite", "cloudflare"],
  packages: ["@cloudflare/vite-plugin", "vite", "workerd"],
  node: 24,
  cells: [
    {
      name: "Cloudflare's Vite plugin, dev server",
      run: async (app) => app.route(`${await viteServer(app, "vite", "dev")}/?api=${app.api}`),
    },
    {
      name: "Cloudflare's Vite plugin, build",
      async run(app) {
        await app.run("vite", ["build"], { env: quiet(app) });
        return app.route(`${await viteServer(app, "vite", "preview")}/?api=${app.api}`);
      },
    },
  ],
};

const astro = {
  fixtures: ["shared", "page", "astro", "cloudflare"],
  packages: ["astro", "@astrojs/cloudflare", "workerd"],
  node: 24,
  async prepare(app) {
    app.remove("index.html"); // replaced by a page of Astro
    await app.run("astro", ["build"], { env: quiet(app) });
    return viteServer(app, "astro", "preview");
  },
  cells: [
    {
      name: "Astro on Cloudflare, build, rendered on the server",
      run: (app, url) => app.sentPage(`${url}/?api=${app.api}`),
    },
    { name: "Astro on Cloudflare, build, script of a page", run: (app, url) => app.page(`${url}/client`) },
    {
      name: "Astro on Cloudflare, dev server",
      run: async (app) => app.sentPage(`${await viteServer(app, "astro", "dev")}/?api=${app.api}`),
    },
  ],
};

const svelteKit = {
  fixtures: ["shared", "sveltekit-cloudflare"],
  packages: ["@sveltejs/kit", "@sveltejs/adapter-cloudflare", "workerd"],
  node: 24,
  async prepare(app) {
    await app.run("vite", ["build"]);
    return wranglerServer(app);
  },
  cells: [
    { name: "SvelteKit on Cloudflare, rendered on the server", run: (app, url) => app.sentPage(`${url}/?api=${app.api}`) },
    { name: "SvelteKit on Cloudflare, route", run: (app, url) => app.route(`${url}/api?api=${app.api}`) },
  ],
};

const nuxt = {
  fixtures: ["shared", "nuxt"],
  packages: ["nuxt"],
  node: 24,
  tools: "cloudflare",
  async prepare(app) {
    // Nitro needs this setting for WebAssembly modules.
    const config = app.read("nuxt.config.js").replace("{", "{ nitro: { experimental: { wasm: true } }, ");
    app.write("nuxt.config.js", config);
    await app.run("nuxt", ["build", "--preset", "cloudflare_module"]);
    return wranglerServer(app, [".output/server/index.mjs", "--assets", ".output/public", "--compatibility-date", "2026-01-01"]);
  },
  cells: [
    { name: "Nuxt with cloudflare_module and experimental.wasm, rendered on the server", run: (app, url) => app.sentPage(`${url}/?api=${app.api}`) },
    { name: "Nuxt with cloudflare_module and experimental.wasm, API route", run: (app, url) => app.route(`${url}/api/usage?api=${app.api}`) },
  ],
};

const openNext = (externalPackages, cells) => ({
  fixtures: ["shared", "next", "opennext"],
  packages: ["@opennextjs/cloudflare", "next", "wrangler", "workerd"],
  node: 24,
  slow: true,
  async prepare(app) {
    ["app/edge", "pages", "middleware.js"].forEach((path) => app.remove(path)); // OpenNext builds nothing for the edge
    app.write("next.config.mjs", `export default ${JSON.stringify({ serverExternalPackages: externalPackages })};`);
    await app.run("opennextjs-cloudflare", ["build"], { env: quiet(app) });
    return wranglerServer(app);
  },
  cells,
});

const openNextExternal = openNext(["bookmore-sdk"], [
  { name: "OpenNext, serverExternalPackages, server component", run: (app, url) => app.sentPage(`${url}/server?api=${app.api}`) },
  { name: "OpenNext, serverExternalPackages, route", run: (app, url) => app.route(`${url}/node?api=${app.api}`) },
  { name: "OpenNext, serverExternalPackages, client component", run: (app, url) => app.page(`${url}/client`) },
]);

// Next bundles the package, without the condition `workerd`.
const openNextBundled = openNext([], [
  {
    name: "OpenNext, bundled by Next, gives the typed error",
    run: (app, url) => app.route(`${url}/node?api=${app.api}`),
    error: { name: "RuntimeUnsupportedError", code: "runtime_unsupported", message: /serverExternalPackages/ },
    calls: 0,
  },
]);

export default [wrangler, pages, vite, astro, svelteKit, nuxt, openNextExternal, openNextBundled];
