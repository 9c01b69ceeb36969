// The package without a bundler, in browsers that load modules.
import { cpSync } from "node:fs";

export const LABELS = { chromium: "Chromium", firefox: "Firefox", webkit: "WebKit" };

// The path that a page without a bundler imports instead of the package's name.
const withPaths = (app) =>
  app.write("usage.js", app.read("usage.js").replace('"bookmore-sdk"', '"./node_modules/bookmore-sdk/dist/index.js"'));

const KINDS = { "module script": "index.html", "dedicated worker": "dedicated.html", "shared worker": "shared.html", "service worker": "service.html" };

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

export async function strictPage(app, scripts, browser) {
  const policy = `default-src 'none'; script-src ${scripts}; connect-src ${app.api}`;
  return app.page(`${await app.serve(".", { "content-security-policy": policy })}index.html`, browser);
}

const extension = {
  fixtures: ["shared", "extension", "esbuild"],
  async prepare(app) {
    await app.run("esbuild", ["background.js", "--bundle", "--format=iife", "--outfile=allowed/background.js"]);
    const own = ["popup.html", "popup.js", "manifest.json"];
    own.forEach((file) => app.write(`allowed/${file}`, app.read(file)));
    cpSync(app.at("allowed"), app.at("refused"), { recursive: true });
    const manifest = app.written("manifest.json");
    manifest.content_security_policy = { extension_pages: "script-src 'self' 'wasm-unsafe-eval'" };
    app.write("allowed/manifest.json", JSON.stringify(manifest));
  },
  cells: [
    {
      name: "Chromium, an extension's service worker with 'wasm-unsafe-eval'",
      run: (app) => app.extensionPage("allowed", "popup.html"),
    },
    {
      name: "Chromium, an extension's service worker without it gives the typed error",
      run: (app) => app.extensionPage("refused", "popup.html"),
      error: REFUSED,
      calls: 0,
    },
  ],
};

const slim = {
  fixtures: ["slim"],
  cells: [
    { name: "bookmore-sdk/slim with bytes, Node.js, ES module", run: (app) => app.outcome("node", ["bytes.mjs"]) },
    { name: "bookmore-sdk/slim with bytes, Node.js, CommonJS", run: (app) => app.outcome("node", ["bytes.cjs"]) },
    { name: "bookmore-sdk/slim with a URL, Chromium", run: (app) => app.scriptPage("url.js") },
  ],
};

export default [...Object.entries(LABELS).map(plain), policy, extension, slim];
