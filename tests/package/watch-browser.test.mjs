// The watch and its bindings in real browsers: React, Vue and Svelte, hidden and shown by the browser itself.
import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { browser, stopBrowsers } from "../matrix/browsers.mjs";
import { serve } from "../matrix/serve.mjs";
import { build, withoutNode } from "./bundle.mjs";
import { install } from "./installed.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

let user, site;
before(async () => {
  user = install();
  cpSync(at("watch"), user.folder, { recursive: true });
  await bundle(user.folder);
  writeFileSync(join(user.folder, "index.html"), '<!doctype html><meta charset="utf-8"><body><script type="module" src="bundle.js"></script>');
  site = await serve(user.folder);
});
after(async () => {
  await stopBrowsers();
  await site?.close();
  user?.remove();
});

async function bundle(folder) {
  const { compile } = await import(pathToFileURL(at("../node_modules/svelte/src/compiler/index.js")));
  const svelte = {
    name: "svelte",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /\.svelte(\?server)?$/ }, ({ path }) => ({ path: join(folder, path), namespace: "svelte" }));
      onLoad({ filter: /./, namespace: "svelte" }, ({ path }) => {
        const [file, generate = "client"] = path.split("?");
        return { contents: compile(readFileSync(file, "utf8"), { generate, filename: file, dev: true }).js.code, resolveDir: folder };
      });
    },
  };
  await build({
    entryPoints: [join(folder, "page.jsx")],
    outfile: join(folder, "bundle.js"),
    bundle: true,
    format: "esm",
    jsx: "automatic",
    conditions: ["browser", "svelte", "development"], // which warns
    mainFields: ["browser", "module", "main"],
    nodePaths: [at("../node_modules")],
    define: { "process.env.NODE_ENV": '"development"', __VUE_OPTIONS_API__: "true", __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true", global: "globalThis" },
    plugins: [svelte, withoutNode],
    logLevel: "error",
  });
}

for (const name of ["chromium", "firefox", "webkit"]) {
  describe(name, { timeout: 300_000 }, () => {
    let driver;
    before(async () => {
      ({ driver } = await browser(name));
      await driver.manage().setTimeouts({ script: 120_000, pageLoad: 60_000 });
      await driver.get(site.url);
      await driver.wait(async () => (await driver.getTitle()) === "ready", 60_000);
    });
    const act = async (what, argument) => {
      const { value, error } = await driver.executeAsyncScript(
        "const done = arguments[2]; window.act(arguments[0], arguments[1]).then((value) => done({ value }), (error) => done({ error: String(error?.stack ?? error) }));",
        what,
        argument,
      );
      if (error) throw new Error(error);
      return value;
    };
    const visibility = () => driver.executeScript("return document.visibilityState");

    it("50 components under StrictMode: one request at mount, one per interval, none after the last left", async () => {
      assert.deepEqual(await act("manyComponents"), { atMount: 1, shown: 50, after20: 5, left: 5 });
    });

    it("10 000 mounts leave nothing behind", async (t) => {
      const heap = async () => {
        if (name !== "chromium") return 0; // the others do not report the heap
        await driver.sendDevToolsCommand("HeapProfiler.collectGarbage");
        return (await driver.sendAndGetDevToolsCommand("Runtime.getHeapUsage")).usedSize;
      };
      const { bytes } = await act("manyMounts", 2_000);
      const before = await heap();
      assert.deepEqual(await act("manyMounts", 10_000), { requests: 1, listeners: 0, timers: 0, bytes });
      const after = await heap();
      if (name === "chromium") t.diagnostic(`heap: ${before} → ${after} bytes`);
      assert.ok(after - before < 1_000_000, `${before} → ${after} bytes`);
    });

    it("403 stops it, 503 doubles the interval until it recovers, and Retry-After is respected", async () => {
      assert.deepEqual(await act("failures"), {
        403: { seconds: [0], status: "stopped" },
        503: { seconds: [0, 10, 30, 70, 75, 80], status: "ok" },
        "Retry-After": { seconds: [0, 60], status: "ok" },
      });
    });

    it("79 → 96 % tells of 0.95 alone, 70 → 85 % of 0.8", async () => {
      assert.deepEqual(await act("thresholds"), [0.95, 0.8]);
    });

    it("hidden for 30 s: no request; shown: one", async () => {
      assert.equal(await act("listen"), 1);
      const rect = await driver.manage().window().getRect();
      await driver.manage().window().minimize();
      await driver.wait(async () => (await visibility()) === "hidden", 20_000);
      assert.deepEqual(await act("pass", 30_000), { requests: 1, visibility: "hidden" });
      await driver.manage().window().setRect(rect);
      await driver.wait(async () => (await visibility()) === "visible", 20_000);
      assert.deepEqual(await act("pass", 1_000), { requests: 2, visibility: "visible" });
    });

    it("20 quick toggles: at most two requests; the same offline", async () => {
      for (const events of [["hidden", "visible"], ["offline", "online"]]) {
        await act("listen");
        assert.deepEqual((await act("pass", 30_000)).requests, 7);
        assert.ok((await act("toggle", events)) <= 9);
      }
    });

    it("offline for 30 s: no request; online: one", async () => {
      await act("listen");
      await driver.executeScript('window.dispatchEvent(new Event("offline"))');
      assert.equal((await act("pass", 30_000)).requests, 1);
      await driver.executeScript('window.dispatchEvent(new Event("online"))');
      assert.equal((await act("pass", 1_000)).requests, 2);
    });

    it("back from the back/forward cache: one request; focus: none", async () => {
      await act("listen");
      await driver.executeScript('window.dispatchEvent(new Event("offline"))');
      await act("pass", 60_000);
      await driver.executeScript('window.dispatchEvent(new Event("online"))');
      assert.equal(await act("backForward"), 2);
      assert.equal(await act("focusIsNothing"), 2);
    });

    it("React hydrates without a warning, even if a poll already has a newer usage", async () => {
      const { html, onServer, shown, recovered, requests, complaints } = await act("reactHydrates");
      assert.deepEqual([html, onServer, recovered, complaints], ["ok 0.83 warning", 0, [], []]);
      assert.deepEqual([shown, requests], ["ok 0.5 ok", 1]);
    });

    it("React follows the request, and not the identity of objects", async () => {
      assert.deepEqual(await act("reactFollows"), { texts: ["pending undefined undefined", "ok 0.5 ok", "ok 0.7 warning"], thresholds: [0.6], requests: 2 });
    });

    it("no framework shows one company's usage for the next", async () => {
      const each = (text) => [text, text, text];
      assert.deepEqual(await act("anotherCompany"), [each("ok 0.5 true"), each("pending undefined false"), each("ok 0 false")]);
    });

    it("React with a growing history reports a threshold once", async () => {
      assert.deepEqual(await act("reactKeepsHistory"), { thresholds: [0.8], text: "3 true" });
    });

    it("React without a provider is an error", async () => {
      assert.deepEqual(await act("reactWithoutProvider"), ["config_error: useAiChatUsage needs a BookMoreProvider around the component."]);
    });

    it("Vue: nothing on the server, no warning, one request, follows the ref, ends with the component", async () => {
      assert.deepEqual(await act("vue"), { texts: ["ok 0.83ok 0.83", "ok 0.5ok 0.5", "ok 0.7ok 0.7"], onServer: 0, one: 1, left: 2, complaints: [] });
    });

    it("Vue: a refresh uses the current request at once; an invalid one shows and sends nothing", async () => {
      const expected = { of: "11111111-2222-3333-4444-555555555555", texts: ["ok 0.7", "pending undefined", "ok 0.5"], caught: ["config_error"], idle: 0, refused: "config_error" };
      assert.deepEqual(await act("vueChanges"), expected);
    });

    it("each framework also refuses an invalid request that is set later", async () => {
      assert.deepEqual(await act("refusedLater"), Array(15).fill("config_error"));
    });

    it("Vue's KeepAlive: sends nothing while hidden, and a request when shown again", async () => {
      assert.deepEqual(await act("vueKeepsAlive"), { counts: [1, 1, 2], text: "ok 0.7", complaints: [] });
    });

    it("a company that changes quickly: each framework shows the last one, with one poll for all", async () => {
      assert.deepEqual(await act("quickChanges"), { texts: ["ok 0.19 ok", "ok 0.19", "ok 0.19"], perInterval: 1, complaints: [] });
    });

    it("Svelte hydrates late without a warning, even if a poll already has a newer usage", async () => {
      assert.deepEqual(await act("svelteIsLate"), { html: "not known", texts: ["ok 0.5", "ok 0.5", "ok 0.5"], requests: 1, complaints: [] });
    });

    it("Svelte: nothing on the server, no warning, one request, ends with the component", async () => {
      assert.deepEqual(await act("svelte"), { texts: ["ok 0.83", "ok 0.5", "ok 0.5"], onServer: 0, one: 1, later: 3, left: 3, complaints: [] });
    });
  });
}
