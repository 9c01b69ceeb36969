// Bundles of a page, opened in Chromium.
import { createRequire } from "node:module";

const { transformSync } = createRequire(new URL("../../../pkg/package.json", import.meta.url))("esbuild");

/** Importing only errors and guards must not bundle the client: minified, errors.js is at most 3 kB. */
function checkErrorsAlone(app, path) {
  const { code } = transformSync(app.read(path), { minify: true });
  if (code.length > 3_000 || !code.includes("bookmore-sdk.error")) throw new Error(`errors alone bundle ${code.length} bytes`);
}

/** The meter in a production build at `path`, under a policy without inline scripts and styles. */
async function meterPage(app, path, type = "module") {
  const policy = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src ${app.api}; img-src 'self'`;
  return app.scriptPage(path, type, "chromium", { "content-security-policy": policy });
}

const page = (tool, rest) => ({ fixtures: ["shared", "page", tool], ...rest });

const webpack = page("webpack", {
  packages: ["webpack"],
  cells: [
    {
      name: "webpack 5",
      async run(app) {
        await app.run("webpack", ["--mode", "production", "--entry", "./main.js"]);
        await app.run("webpack", ["--mode", "production", "--entry", "./errors.js", "--output-path", "errors"]);
        checkErrorsAlone(app, "errors/main.js");
        return app.scriptPage("dist/main.js", "text/javascript");
      },
    },
    {
      name: "webpack 5, the meter",
      async run(app) {
        await app.run("webpack", ["--mode", "production", "--entry", "./meter.js", "--output-path", "meter"]);
        return meterPage(app, "meter/main.js", "text/javascript");
      },
    },
  ],
});

const rspack = page("rspack", {
  packages: ["@rspack/core"],
  cells: [
    {
      name: "Rspack",
      async run(app) {
        await app.run("rspack", ["build", "--mode", "production", "--entry", "./main.js"]);
        return app.scriptPage("dist/main.js", "text/javascript");
      },
    },
    {
      name: "Rspack, the meter",
      async run(app) {
        await app.run("rspack", ["build", "--mode", "production", "--entry", "./meter.js", "--output-path", "meter"]);
        return meterPage(app, "meter/main.js", "text/javascript");
      },
    },
  ],
});

const rollup = page("rollup", {
  packages: ["rollup"],
  cells: [
    {
      name: "Rollup",
      async run(app) {
        await app.run("rollup", ["main.js", "--plugin", "node-resolve", "--dir", "dist"]);
        await app.run("rollup", ["errors.js", "--plugin", "node-resolve", "--dir", "errors"]);
        checkErrorsAlone(app, "errors/errors.js");
        return app.scriptPage("dist/main.js");
      },
    },
    {
      name: "Rollup, the meter",
      async run(app) {
        await app.run("rollup", ["meter.js", "--plugin", "node-resolve", "--dir", "meter"]);
        return meterPage(app, "meter/meter.js");
      },
    },
  ],
});

const rolldown = page("rolldown", {
  packages: ["rolldown"],
  cells: [
    {
      name: "Rolldown",
      async run(app) {
        await app.run("rolldown", ["main.js", "--dir", "dist"]);
        return app.scriptPage("dist/main.js");
      },
    },
    {
      name: "Rolldown, the meter",
      async run(app) {
        await app.run("rolldown", ["meter.js", "--dir", "meter"]);
        return meterPage(app, "meter/meter.js");
      },
    },
  ],
});

const esbuild = {
  fixtures: ["shared", "page", "script", "srcdoc", "esbuild"],
  packages: ["esbuild"],
  cells: [
    ...["esm", "iife"].map((format) => ({
      name: `esbuild, ${format === "esm" ? "ES module" : "IIFE"}`,
      async run(app) {
        await app.run("esbuild", [
          "main.js",
          "--bundle",
          "--minify",
          `--format=${format}`,
          `--outfile=${format}/main.js`,
        ]);
        await app.run("esbuild", ["errors.js", "--bundle", `--format=${format}`, `--outfile=errors-${format}.js`]);
        checkErrorsAlone(app, `errors-${format}.js`);
        return app.scriptPage(`${format}/main.js`, format === "esm" ? "module" : "text/javascript");
      },
    })),
    ...["esm", "iife"].map((format) => ({
      name: `esbuild, ${format === "esm" ? "ES module" : "IIFE"}, the meter`,
      async run(app) {
        await app.run("esbuild", ["meter.js", "--bundle", "--minify", `--format=${format}`, `--outfile=meter-${format}/meter.js`]);
        return meterPage(app, `meter-${format}/meter.js`, format === "esm" ? "module" : "text/javascript");
      },
    })),
    ...["esm.mjs", "cjs.cjs"].map((script) => ({
      name: `esbuild, a Node.js script in a single file, ${script.startsWith("esm") ? "ES module" : "CommonJS"}`,
      async run(app) {
        const format = script.slice(0, 3);
        await app.run("esbuild", [
          script,
          "--bundle",
          "--platform=node",
          `--format=${format}`,
          `--outfile=script/${script}`,
        ]);
        return app.outcome("node", [app.elsewhere(`script/${script}`)]);
      },
    })),
    {
      name: "esbuild, CommonJS, minified with the names kept",
      run: (app) => keepingNames(app, "cjs.cjs"),
    },
    {
      name: "esbuild, CommonJS, minified with the names kept, gives a typed error",
      run: (app) => keepingNames(app, "refused.js"),
      error: { name: "ConfigError", code: "config_error", message: /baseUrl/ },
      calls: 0,
    },
    {
      name: "esbuild, IIFE, as the text of a script in a srcdoc frame",
      async run(app) {
        const flags = ["--bundle", "--minify", "--format=iife", "--global-name=Usage"];
        await app.run("esbuild", ["usage.js", ...flags, "--outfile=srcdoc/usage.iife.js"]);
        app.write("srcdoc/frame.js", app.read("frame.js"));
        return app.scriptPage("srcdoc/frame.js");
      },
    },
  ],
};

async function keepingNames(app, script) {
  const flags = ["--platform=node", "--format=cjs", "--minify", "--keep-names"];
  await app.run("esbuild", [script, "--bundle", ...flags, `--outfile=names/${script}.cjs`]);
  return app.outcome("node", [app.elsewhere(`names/${script}.cjs`)]);
}

const parcel = page("parcel", {
  packages: ["parcel"],
  cells: [
    {
      name: "Parcel",
      async run(app) {
        await app.run("parcel", ["build", "index.html", "--public-url", "./", "--no-cache"]);
        return app.page(`${await app.serve("dist")}index.html`);
      },
    },
    {
      name: "Parcel, the meter",
      async run(app) {
        // Without this setting, Parcel resolves only the main entry.
        app.write("package.json", JSON.stringify({ ...app.written("package.json"), "@parcel/resolver-default": { packageExports: true } }));
        await app.run("parcel", ["build", "meter.js", "--dist-dir", "meter", "--no-cache"]);
        return meterPage(app, "meter/meter.js");
      },
    },
  ],
});

export default [webpack, rspack, rollup, rolldown, esbuild, parcel];
