// The package as it is, without a bundler.

const LABELS = { chromium: "Chromium", firefox: "Firefox", webkit: "WebKit" };

// What a plain page writes in place of the package's name.
const withPaths = (app) =>
  app.write("usage.js", app.read("usage.js").replace('"bookmore-sdk"', '"./node_modules/bookmore-sdk/dist/index.js"'));

const KINDS = { "module script": "index.html", "dedicated worker": "dedicated.html", "service worker": "service.html" };

const plain = ([browser, label]) => ({
  fixtures: ["shared", "page", "browser"],
  async prepare(app) {
    withPaths(app);
    return app.serve(".");
  },
  cells: Object.entries(KINDS).map(([kind, page]) => ({
    name: `${label}, ${kind}`,
    run: (app, url) => app.page(url + page, browser),
  })),
});

const REFUSED = { name: "RuntimeUnsupportedError", code: "runtime_unsupported", message: /'wasm-unsafe-eval'/ };

const policy = {
  fixtures: ["shared", "page"],
  prepare: withPaths,
  cells: Object.entries(LABELS).flatMap(([browser, label]) => [
    {
      name: `Content-Security-Policy: script-src 'self' 'wasm-unsafe-eval', ${label}`,
      run: (app) => strictPage(app, "'self' 'wasm-unsafe-eval'", browser),
    },
    {
      name: `Content-Security-Policy: script-src 'self' gives the typed error, ${label}`,
      run: (app) => strictPage(app, "'self'", browser),
      error: REFUSED,
      calls: 0,
    },
  ]),
};

async function strictPage(app, scripts, browser) {
  const policy = `default-src 'none'; script-src ${scripts}; connect-src ${app.api}`;
  return app.page(`${await app.serve(".", { "content-security-policy": policy })}index.html`, browser);
}

const slim = {
  fixtures: ["slim"],
  cells: [
    { name: "bookmore-sdk/slim with bytes, Node.js, ES module", run: (app) => app.outcome("node", ["bytes.mjs"]) },
    { name: "bookmore-sdk/slim with bytes, Node.js, CommonJS", run: (app) => app.outcome("node", ["bytes.cjs"]) },
    { name: "bookmore-sdk/slim with a URL, Chromium", run: (app) => app.scriptPage("url.js") },
  ],
};

export default [...Object.entries(LABELS).map(plain), policy, slim];
