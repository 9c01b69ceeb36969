// What pages of tests are bundled with.
import { createRequire } from "node:module";

export const { build } = createRequire(new URL("../../pkg/build/build.mjs", import.meta.url))("esbuild");

/** What sinon looks for in Node.js. */
export const withoutNode = {
  name: "without-node",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(util|timers)(\/promises)?$/ }, ({ path }) => ({ path, namespace: "without-node" }));
    onLoad({ filter: /./, namespace: "without-node" }, () => ({ contents: "module.exports = {};" }));
  },
};
