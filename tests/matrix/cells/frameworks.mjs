const vite = (how, major, { fixtures, packages }) => ({
  fixtures: [...fixtures, `vite-${major}`],
  packages: ["vite", ...packages],
  cells: [
    {
      name: `Vite ${major}, ${how}, dev server`,
      async run(app) {
        const [, url] = await app.start(
          "vite",
          ["--host", "127.0.0.1", "--port", await app.freePort(), "--strictPort"],
          { ready: /Local:\s+(http\S+)/ },
        );
        return app.page(url);
      },
    },
    {
      name: `Vite ${major}, ${how}, build`,
      async run(app) {
        await app.run("vite", ["build"]);
        return app.page(await app.serve("dist"));
      },
    },
  ],
});

/** Vite's production build, served under a policy without inline scripts and styles. */
const viteMeter = (major) => ({
  fixtures: ["shared", "page", `vite-${major}`],
  packages: ["vite"],
  cells: [
    {
      name: `Vite ${major}, the meter, build`,
      async run(app) {
        app.write("index.html", app.read("index.html").replace("./main.js", "./meter.js"));
        await app.run("vite", ["build"]);
        const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src ${app.api}; img-src 'self'`;
        return app.page(await app.serve("dist", { "content-security-policy": policy }));
      },
    },
  ],
});

const library = {
  fixtures: ["shared", "page", "library", "vite-8"],
  packages: ["vite"],
  cells: [
    {
      name: "Vite 8, inside a library",
      async run(app) {
        await app.run("vite", ["build", "--config", "library.config.js"]);
        app.write("usage.js", 'export * from "./library/usage.js";');
        app.remove("node_modules/bookmore-sdk"); // the library contains it
        await app.run("vite", ["build"]);
        return app.page(await app.serve("dist"));
      },
    },
  ],
};

/** Starts the dev server of a framework built on Vite. Returns the URL. */
async function devServer(app, tool) {
  const port = await app.freePort();
  const [, url] = await app.start(tool, ["dev", "--host", "127.0.0.1", "--port", port], { ready: /Local:\s+(http\S+?)\/?\s/ });
  return url;
}

const reactRouter = {
  fixtures: ["shared", "react-router", "vite-8"],
  packages: ["react-router", "vite", "react"],
  node: 24,
  async prepare(app) {
    await app.run("react-router", ["build"]);
    const env = { HOST: "127.0.0.1", PORT: await app.freePort() };
    const [, url] = await app.start("react-router-serve", ["build/server/index.js"], { env, ready: /(http\S+?)\/?\s/ });
    return url;
  },
  cells: [
    { name: "React Router, loader on the server", run: (app, url) => app.sentPage(`${url}/?api=${app.api}`) },
    { name: "React Router, a redirect that a wrapped fetch throws", run: (app, url) => app.sentPage(`${url}/moved?api=${app.api}`) },
    { name: "React Router, loader in the page", run: (app, url) => app.page(`${url}/client`) },
    {
      name: "React Router, dev server",
      run: async (app) => app.sentPage(`${await devServer(app, "react-router")}/?api=${app.api}`),
    },
  ],
};

const svelteKit = {
  fixtures: ["shared", "sveltekit"],
  packages: ["@sveltejs/kit", "vite"],
  node: 24,
  async prepare(app) {
    await app.run("vite", ["build"]);
    const env = { HOST: "127.0.0.1", PORT: await app.freePort() };
    const [, url] = await app.start("node", ["build/index.js"], { env, ready: /Listening on (http\S+)/ });
    return url;
  },
  cells: [
    { name: "SvelteKit, rendered on the server", run: (app, url) => app.sentPage(`${url}/?api=${app.api}`) },
    { name: "SvelteKit, a redirect that a wrapped fetch throws", run: (app, url) => app.sentPage(`${url}/moved?api=${app.api}`) },
    {
      name: "SvelteKit, dev server",
      run: async (app) => app.sentPage(`${await devServer(app, "vite")}/?api=${app.api}`),
    },
  ],
};

const angular = {
  fixtures: ["shared", "angular"],
  packages: ["@angular/core", "@angular/ssr"],
  node: 24,
  async prepare(app) {
    await app.run("ng", ["build"]);
    const env = { PORT: await app.freePort() };
    const [, url] = await app.start("node", ["dist/server/server.mjs"], { env, ready: /Listening on (http\S+)/ });
    return url;
  },
  cells: [
    { name: "Angular, rendered on the server", run: (app, url) => app.sentPage(`${url}/?api=${app.api}`) },
    { name: "Angular, rendered in the page", run: (app, url) => app.page(`${url}/client`) },
  ],
};

const nuxt = {
  fixtures: ["shared", "nuxt"],
  packages: ["nuxt"],
  node: 24,
  async prepare(app) {
    await app.run("nuxt", ["build"]);
    const env = { HOST: "127.0.0.1", PORT: await app.freePort() };
    const [, url] = await app.start("node", [".output/server/index.mjs"], {
      env,
      ready: /Listening on (http\S+?)\/?\s/,
    });
    return url;
  },
  cells: [
    { name: "Nuxt, rendered on the server", run: (app, url) => app.sentPage(`${url}/?api=${app.api}`) },
    { name: "Nuxt, API route", run: (app, url) => app.route(`${url}/api/usage?api=${app.api}`) },
  ],
};

const next = (how, prepare, otherCells = []) => ({
  fixtures: ["shared", "next"],
  packages: ["next", "react"],
  prepare,
  cells: [
    { name: "client component", run: (app, url) => app.page(`${url}/client`) },
    { name: "the meter", run: (app, url) => app.page(`${url}/meter`) },
    { name: "server component", run: (app, url) => app.sentPage(`${url}/server?api=${app.api}`) },
    { name: "Node.js route", run: (app, url) => app.route(`${url}/node?api=${app.api}`) },
    { name: "edge route of pages", run: (app, url) => app.route(`${url}/api/edge?api=${app.api}`) },
    { name: "middleware", run: (app, url) => app.route(`${url}/middleware?api=${app.api}`) },
    ...otherCells,
  ].map(({ name, run }) => ({ name: `Next 16, ${how}, ${name}`, run })),
});

const edgeRoute = { name: "edge route", run: (app, url) => app.route(`${url}/edge?api=${app.api}`) };

const nextTurbopack = next(
  "Turbopack build",
  async (app) => {
    await app.run("next", ["build"]);
    checkEdgeModules(app, 3);
    return nextServer(app, "start");
  },
  [edgeRoute],
);

const nextWebpack = next("webpack build", async (app) => {
  // With webpack, Next 16.4.6 cannot build any edge route of the app router, not even one without imports.
  app.remove("app/edge");
  await app.run("next", ["build", "--webpack"]);
  checkEdgeModules(app, 2);
  return nextServer(app, "start");
});

const nextDev = next("Turbopack dev server", (app) => nextServer(app, "dev"), [edgeRoute]);

/** Hosts of edge functions, unlike `next start`, do not compile bytes, so the build must contain the compiled module. */
function checkEdgeModules(app, count) {
  const { middleware, functions } = app.written(".next/server/middleware-manifest.json");
  const all = [...Object.values(middleware), ...Object.values(functions)];
  if (all.length !== count) throw new Error(`There are ${all.length} edge functions instead of ${count}.`);
  for (const { name, wasm } of all)
    if (wasm.length !== 1) throw new Error(`The edge function ${name} has ${wasm.length} modules instead of one.`);
}

/** A page that Next tries to prerender at build time. Its figures must come from the request. */
const nextPrerender = (name, page, config) => ({
  fixtures: ["next-prerender", "next"],
  packages: ["next", "react"],
  async prepare(app) {
    const other = page === "cached" ? "prerendered" : "cached";
    for (const route of ["client", "meter", "server", "node", "edge", other]) app.remove(`app/${route}`);
    for (const path of ["pages", "middleware.js"]) app.remove(path);
    app.write("next.config.mjs", `export default ${JSON.stringify(config)};\n`);
    await app.run("next", ["build"]);
    return nextServer(app, "start");
  },
  cells: [
    {
      name: `Next 16, ${name}`,
      async run(app, url) {
        const built = app.exists(`.next/server/app/${page}.html`) ? app.read(`.next/server/app/${page}.html`) : "";
        if (built.includes("<output")) throw new Error("The page contains a usage from build time.");
        return app.sentPage(`${url}/${page}`);
      },
    },
  ],
});

const nextDynamic = nextPrerender("a static prerender whose fetch is dynamic", "prerendered", {});
const nextCached = nextPrerender("cacheComponents", "cached", { cacheComponents: true });

async function nextServer(app, command) {
  const [, url] = await app.start("next", [command, "--hostname", "127.0.0.1", "--port", await app.freePort()], {
    ready: /Local:\s+(http\S+)[^]*Ready/,
  });
  return url;
}

const react = { fixtures: ["shared", "react"], packages: ["react"] };
const slim = { fixtures: ["page", "slim-vite"], packages: [] };

export default [
  vite("React", 7, react),
  vite("React", 8, react),
  vite("bookmore-sdk/slim", 8, slim),
  viteMeter(7),
  viteMeter(8),
  library,
  nextTurbopack,
  nextWebpack,
  nextDev,
  reactRouter,
  nextDynamic,
  nextCached,
  svelteKit,
  angular,
  nuxt,
];
