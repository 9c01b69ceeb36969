// The package as it is, without a bundler.

// What a plain page writes in place of the package's name.
const withPaths = (app) =>
  app.write("usage.js", app.read("usage.js").replace('"bookmore-sdk"', '"./node_modules/bookmore-sdk/dist/index.js"'));

const KINDS = { "module script": "index.html", "dedicated worker": "dedicated.html", "service worker": "service.html" };

const plain = (browser, label) => ({
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

const policy = {
  fixtures: ["shared", "page"],
  prepare: withPaths,
  cells: [
    {
      name: "Content-Security-Policy: script-src 'self' 'wasm-unsafe-eval'",
      run: (app) => strictPage(app, "'self' 'wasm-unsafe-eval'"),
    },
    {
      name: "Content-Security-Policy: script-src 'self' gives the typed error",
      run: (app) => strictPage(app, "'self'"),
      error: { name: "RuntimeUnsupportedError", code: "runtime_unsupported" },
      calls: 0,
    },
  ],
};

async function strictPage(app, scripts) {
  const policy = `default-src 'none'; script-src ${scripts}; connect-src ${app.api}`;
  return app.page(`${await app.serve(".", { "content-security-policy": policy })}index.html`);
}

const slim = {
  fixtures: ["slim"],
  cells: [
    { name: "bookmore-sdk/slim with bytes, Node.js, ES module", run: (app) => app.outcome("node", ["bytes.mjs"]) },
    { name: "bookmore-sdk/slim with bytes, Node.js, CommonJS", run: (app) => app.outcome("node", ["bytes.cjs"]) },
    { name: "bookmore-sdk/slim with a URL, Chromium", run: (app) => app.scriptPage("url.js") },
  ],
};

export default [plain("chromium", "Chromium"), plain("firefox", "Firefox"), plain("webkit", "WebKit"), policy, slim];
