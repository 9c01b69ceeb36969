// The Leptos, Dioxus and Yew apps of examples/, which depend on the crate by path: their own tests, and their pages in real
// browsers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { By, until } from "selenium-webdriver";
import { startServer } from "../server/server.mjs";
import { BROWSERS } from "./browser-drivers.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const OUT = new URL("../out/", import.meta.url);
const PATIENCE = 30_000; // ms; the machine may be busy
const WASM32 = "wasm32-unknown-unknown";

let server;
before(async () => {
  mkdirSync(OUT, { recursive: true });
  server = await startServer();
});
after(() => server?.close());

for (const name of ["leptos-usage-meter", "dioxus-usage-meter", "yew-usage-meter"]) {
  describe(name, () => {
    const cwd = `${root}/examples/${name}`;
    // Returns its output.
    const env = { ...process.env, WASM_BINDGEN_TEST_TIMEOUT: "120" }; // seconds: the machine may be busy
    const run = (command, ...args) => execFileSync(command, args, { cwd, env, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });

    before(() => {
      const started = Date.now();
      // With the features that the tests need; otherwise everything would be built twice.
      run("cargo", "build", "--tests", "--locked", "--quiet", "--target", WASM32);
      console.log(`${name}: built in ${Math.round((Date.now() - started) / 1000)} s`);
      const wasm = `${root}/target/examples/${WASM32}/debug/${name}.wasm`;
      run("wasm-bindgen", "--target", "web", "--no-typescript", "--out-dir", "dist", wasm);
    });

    it("passes its tests with the fake API, without its framework", () => {
      assert.match(run("cargo", "test", "--locked", "--quiet"), /test result: ok\. 1 passed/);
    });

    it("passes its tests in Chrome", () => {
      assert.match(run("wasm-pack", "test", "--headless", "--chrome", "--", "--locked"), /test result: ok\. 1 passed/);
    });

    for (const { name: browser, start } of BROWSERS) {
      it(`shows the usage, and the sentence of an error, in ${browser}`, { timeout: 120_000 }, async (t) => {
        const { driver, stop } = await start();
        t.after(stop);

        // What the page shows for a token: the sentence, the bar if there is one, and the token, which stays in its field.
        async function shown(token, sentence) {
          const field = await driver.wait(until.elementLocated(By.css("input")), PATIENCE);
          await field.clear();
          await field.sendKeys(token);
          await driver.findElement(By.css("button")).click();
          const text = await driver.wait(until.elementLocated(By.css(sentence)), PATIENCE).getText();
          writeFileSync(new URL(`${name}-${browser}-${token}.png`, OUT), await driver.takeScreenshot(), "base64");
          const bar = await driver.executeScript(() => {
            const { value, max } = document.querySelector("progress") ?? {};
            return value === undefined ? null : { value, max };
          });
          return { text: text.trim(), bar, field: await driver.findElement(By.css("input")).getAttribute("value") };
        }

        await driver.get(`${server.url}/examples/${name}/`);
        assert.deepEqual(await shown("good-token", "p:has(progress)"), {
          text: "1234 of 100000 tokens used in 30 days",
          bar: { value: 1234, max: 100_000 },
          field: "good-token",
        });
        assert.deepEqual(await shown("bad-token", "[role=alert]"), {
          text: "The server refused the request (401 Unauthorized): Not Authenticated. Pass a valid bearer token or API key.",
          bar: null,
          field: "bad-token",
        });
      });
    }
  });
}
