import { join } from "node:path";
import { nodeFolder } from "../app.mjs";

const version = (major) => ({
  fixtures: ["shared", "script", "node"],
  prepare: (app) => app.uses(`node-${major}`, "Node.js"),
  cells: ["esm.mjs", "cjs.cjs"].map((script) => ({
    name: `Node.js ${major}, ${script.startsWith("esm") ? "ES module" : "CommonJS"}`,
    run: async (app) => app.outcome(join(await nodeFolder(major), "node"), [script]),
  })),
});

const running = {
  fixtures: ["shared", "script"],
  quick: true,
  prepare: (app) => app.versions.add(`Node.js ${process.versions.node}`),
  cells: [
    { name: "Node.js, worker_threads", run: (app) => app.outcome("node", ["threads.mjs"]) },
    {
      name: "Node.js, node --test",
      async run(app) {
        await app.run("node", ["--test", "user.test.mjs"]);
        return app.written("outcome.json");
      },
    },
  ],
};

export default [...[20, 22, 24].map(version), running];
