// Node.js itself; the versions come from npm packages.
const version = (major) => ({
  fixtures: ["shared", "script"],
  node: major,
  cells: ["esm.mjs", "cjs.cjs"].map((script) => ({
    name: `Node.js ${major}, ${script.startsWith("esm") ? "ES module" : "CommonJS"}`,
    run: (app) => app.outcome("node", [script]),
  })),
});

const running = {
  fixtures: ["shared", "script"],
  cells: [
    { name: "Node.js, worker_threads", run: (app) => app.outcome("node", ["threads.mjs"]) },
    {
      name: "Node.js without WebAssembly (--jitless) gives the typed error",
      run: (app) => app.outcome("node", ["--jitless", "esm.mjs"]),
      error: { name: "RuntimeUnsupportedError", code: "runtime_unsupported" },
      calls: 0,
    },
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
