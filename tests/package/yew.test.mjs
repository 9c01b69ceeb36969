// The Yew app of examples/, which depends on the crate by its path, in real browsers.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { By, until } from "selenium-webdriver";
import { startServer } from "../server/server.mjs";
import { BROWSERS } from "./browser-drivers.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const app = `${root}/examples/yew-usage-meter`;
const target = `${root}/target/yew-usage-meter`; // apart from the crate's, whose build would wait for the lock
const OUT = new URL("../out/", import.meta.url);
const PATIENCE = 30_000; // ms; a busy machine is no fault of the app

let server;
before(async () => {
  const run = (command, ...args) => execFileSync(command, args, { cwd: app, stdio: ["ignore", "ignore", "inherit"] });
  run("cargo", "build", "--locked", "--quiet", "--release", "--target", "wasm32-unknown-unknown", "--target-dir", target);
  const wasm = `${target}/wasm32-unknown-unknown/release/yew-usage-meter.wasm`;
  run("wasm-bindgen", "--target", "web", "--no-typescript", "--out-dir", "dist", wasm);
  mkdirSync(OUT, { recursive: true });
  server = await startServer();
});
after(() => server?.close());

for (const { name, start } of BROWSERS) {
  test(`${name} shows the usage, and the sentence of an error`, { timeout: 120_000 }, async (t) => {
    const { driver, stop } = await start();
    t.after(stop);

    // What the page shows for a token: the sentence, the bar if there is one, and the token itself still.
    async function shown(token, sentence) {
      const field = await driver.wait(until.elementLocated(By.css("input")), PATIENCE);
      await field.clear();
      await field.sendKeys(token);
      await driver.findElement(By.css("button")).click();
      const text = await driver.wait(until.elementLocated(By.css(sentence)), PATIENCE).getText();
      writeFileSync(new URL(`yew-usage-meter-${name}-${token}.png`, OUT), await driver.takeScreenshot(), "base64");
      const bar = await driver.executeScript(() => {
        const { value, max } = document.querySelector("progress") ?? {};
        return value === undefined ? null : { value, max };
      });
      return { text: text.trim(), bar, field: await driver.findElement(By.css("input")).getAttribute("value") };
    }

    await driver.get(`${server.url}/examples/yew-usage-meter/`);
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
