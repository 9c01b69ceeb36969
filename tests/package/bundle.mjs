// Bundles pages of tests, and parts of the package's source.
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const pkg = fileURLToPath(new URL("../../pkg/", import.meta.url));

export const { build } = createRequire(`${pkg}build/build.mjs`)("esbuild");

/** Bundles and imports a script that imports from `pkg/src`, for parts that the package does not export. */
export async function loadSource(contents, platform = "browser") {
  const stdin = { contents, resolveDir: `${pkg}src`, loader: "ts" };
  const { outputFiles } = await build({ absWorkingDir: pkg, stdin, bundle: true, format: "esm", platform, target: "es2022", write: false });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`);
}

/** Globals of Node.js that sinon needs. */
export const withoutNode = {
  name: "without-node",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(util|timers)(\/promises)?$/ }, ({ path }) => ({ path, namespace: "without-node" }));
    onLoad({ filter: /./, namespace: "without-node" }, () => ({ contents: "module.exports = {};" }));
  },
};
