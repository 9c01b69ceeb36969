const vite = (major) => ({
  fixtures: ["shared", "react", `vite-${major}`],
  packages: ["vite", "react"],
  quick: true,
  cells: [
    {
      name: `Vite ${major}, dev server`,
      async run(app) {
        const [, url] = await app.start("vite", ["--host", "127.0.0.1", "--port", await app.freePort(), "--strictPort"], { ready: /Local:\s+(http\S+)/ });
        return app.page(url);
      },
    },
    {
      name: `Vite ${major}, build`,
      async run(app) {
        await app.run("vite", ["build"]);
        return app.page(await app.serve("dist"));
      },
    },
  ],
});

const svelteKit = {
  fixtures: ["shared", "sveltekit"],
  packages: ["@sveltejs/kit", "vite"],
  node: 24,
  cells: [
    {
      name: "SvelteKit, rendered on the server",
      async run(app) {
        await app.run("vite", ["build"]);
        const env = { HOST: "127.0.0.1", PORT: await app.freePort() };
        const [, url] = await app.start("node", ["build/index.js"], { env, ready: /Listening on (http\S+)/ });
        return app.sentPage(`${url}/?api=${app.api}`);
      },
    },
  ],
};

const nuxt = {
  fixtures: ["shared", "nuxt"],
  packages: ["nuxt"],
  node: 24,
  async prepare(app) {
    await app.run("nuxt", ["build"]);
    const env = { HOST: "127.0.0.1", PORT: await app.freePort() };
    const [, url] = await app.start("node", [".output/server/index.mjs"], { env, ready: /Listening on (http\S+?)\/?\s/ });
    return url;
  },
  cells: [
    { name: "Nuxt, rendered on the server", run: (app, url) => app.sentPage(`${url}/?api=${app.api}`) },
    { name: "Nuxt, API route", run: (app, url) => app.route(`${url}/api/usage?api=${app.api}`) },
  ],
};

const next = {
  fixtures: ["shared", "next"],
  packages: ["next", "react"],
  async prepare(app) {
    await app.run("next", ["build"]);
    const [, url] = await app.start("next", ["start", "--hostname", "127.0.0.1", "--port", await app.freePort()], { ready: /Local:\s+(http\S+)[^]*Ready/ });
    return url;
  },
  cells: [
    { name: "Next 16 Turbopack, client component", run: (app, url) => app.page(`${url}/client`) },
    { name: "Next 16 Turbopack, server component", run: (app, url) => app.sentPage(`${url}/server?api=${app.api}`) },
    { name: "Next 16 Turbopack, Node.js route", run: (app, url) => app.route(`${url}/node?api=${app.api}`) },
    {
      name: "Next 16 Turbopack, edge route",
      run(app, url) {
        // `next start` would compile a module from bytes, hosts of edge functions do not: the build must hand it over.
        const { wasm } = JSON.parse(app.read(".next/server/middleware-manifest.json")).functions["/edge/route"];
        if (wasm.length !== 1) throw new Error(`The edge function has ${wasm.length} modules instead of one.`);
        return app.route(`${url}/edge?api=${app.api}`);
      },
    },
  ],
};

export default [vite(7), vite(8), next, svelteKit, nuxt];
