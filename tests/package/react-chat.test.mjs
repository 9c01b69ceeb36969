// examples/react-chat: its types, its own tests, its length, and the app as `make serve` shows it, in real browsers.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { By, Key, until } from "selenium-webdriver";
import { browser, stopBrowsers } from "../matrix/browsers.mjs";
import { startServer } from "../server/server.mjs";
import { BROWSERS } from "./browser-drivers.mjs";
import { linesOfCode } from "./lines.mjs";

const app = fileURLToPath(new URL("../../examples/react-chat", import.meta.url));
const OUT = new URL("../out/", import.meta.url);
const PATIENCE = 30_000; // ms; the machine may be busy

/** Runs a script of the app's package.json. */
function run(...args) {
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", ...args], { cwd: app, encoding: "utf8", env: { ...process.env, NO_COLOR: "1" } });
  assert.equal(status, 0, stdout + stderr);
  return stdout;
}

it("has fewer than 110 lines of code, without the stand-in server and the tests", (t) => {
  const files = readdirSync(`${app}/src`).filter((name) => /(?<!\.test)\.tsx?$/.test(name));
  const counts = files.map((name) => [name, linesOfCode(`${app}/src/${name}`)]);
  const sum = counts.reduce((sum, [, count]) => sum + count, 0);
  t.diagnostic(`examples/react-chat: ${sum} lines besides markup and styles (${counts.map(([name, count]) => `${name} ${count}`).join(", ")})`);
  assert.ok(sum > 50 && sum < 110, `${sum} lines`);
});

it("compiles and builds", () => run("build", "--", "--logLevel", "error"));
it("passes its own tests", () => assert.match(run("test"), /Tests +([1-9]\d*) passed \(\1\)/));

describe("in a browser", () => {
  let server;
  before(async () => {
    mkdirSync(OUT, { recursive: true });
    server = await startServer();
  });
  after(async () => {
    await stopBrowsers();
    await server?.close();
  });

  for (const name of ["chromium", "firefox", "webkit"]) {
    it(`${name}: warns, closes, shows errors and asks for a new login`, { timeout: 120_000 }, async () => {
      const { driver } = await browser(name);
      const press = async (text) => (await driver.findElement(By.xpath(`//button[normalize-space()="${text}"]`))).click();
      const notice = () => driver.findElement(By.css(".notice"));
      const shows = async (element, words) => driver.wait(until.elementTextMatches(await element, words), PATIENCE);
      const usage = () => driver.findElement(By.css(".usage"));

      await driver.get(`${server.url}/examples/react-chat/`);
      await driver.wait(until.elementLocated(By.css(".usage")), PATIENCE);
      await shows(usage(), /^62 % of 100,000 tokens used in 30 days\s*38,000 left$/);
      const field = await driver.findElement(By.css("input"));
      await field.sendKeys("How many orders are open?", Key.ENTER);
      await shows(usage(), /32,000 left$/);
      assert.match(await driver.findElement(By.css("ol")).getText(), /How many orders are open\?.*14 open orders/s);
      assert.equal(await field.getAttribute("value"), "");

      await press("85 %");
      await shows(notice(), /^Only 15,000 tokens are left\.$/);
      await press("120 %");
      await shows(driver.findElement(By.css(".closed")), /^No tokens are left\..* last 30 days\.$/s);
      assert.equal(await field.isEnabled(), false);
      await press("50 %");
      await driver.wait(() => field.isEnabled(), PATIENCE);

      for (const [what, words] of [
        ["403, not allowed", /^You are not allowed to see/],
        ["503, unavailable", /^The usage is not available right now\. The app will try again\.$/],
        ["Connection lost", /^The connection is lost\./],
        ["429, come back in 90 s", /The next attempt is at/],
      ]) {
        await press(what);
        await shows(notice(), words);
        await shows(usage(), /50,000 left at/);
      }
      await press("Usage");
      await shows(notice(), /^$/);

      const before = server.requests.length;
      await press("Token expires"); // refreshed silently
      await driver.wait(() => server.requests.length >= before + 2, PATIENCE);
      await press("Session ends");
      await shows(notice(), /^Your login has expired\./);
      await press("Log in again");
      await shows(notice(), /^$/);
      assert.equal(await driver.executeScript("return document.querySelectorAll('.requests > li').length"), 6);
    });
  }

  const contrastOfTexts = () => {
    const parse = (color) => color.match(/[\d.]+/g).map(Number);
    const luminance = (color) => {
      const [r, g, b] = parse(color).map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
      return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const backgroundOf = (element) => {
      const { backgroundColor } = getComputedStyle(element);
      return parse(backgroundColor)[3] === 0 ? backgroundOf(element.parentElement) : backgroundColor;
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT, ({ data, parentElement }) =>
      data.trim() && parentElement.checkVisibility() && !parentElement.closest("fieldset:disabled, script") ? NodeFilter.FILTER_ACCEPT : NodeFilter.FILTER_SKIP);
    const found = [];
    while (texts.nextNode()) {
      const element = texts.currentNode.parentElement;
      const [dark, light] = [getComputedStyle(element).color, backgroundOf(element)].map(luminance).sort((a, b) => a - b);
      found.push([texts.currentNode.data, (light + 0.05) / (dark + 0.05)]);
    }
    return found;
  };

  it("fits a phone, is readable, and looks as saved in tests/out/", { timeout: 120_000 }, async (t) => {
    const { driver, setDark, stop } = await BROWSERS[0].start();
    t.after(stop);
    const bidi = await driver.getBidi();
    const context = await driver.getWindowHandle();
    for (const [suffix, width, height, isDark, state] of [
      ["", 1100, 950, false, "85 %"],
      ["-dark", 1100, 950, true, "120 %"],
      ["-phone", 390, 844, false, "403, not allowed"],
      ["-phone-dark", 390, 844, true, "Session ends"],
    ]) {
      await setDark(isDark);
      await bidi.send({ method: "browsingContext.setViewport", params: { context, viewport: { width, height } } });
      await driver.get(`${server.url}/examples/react-chat/`);
      await driver.wait(until.elementLocated(By.css(".usage")), PATIENCE);
      await driver.findElement(By.css("input")).sendKeys("Hello", Key.ENTER);
      await driver.wait(until.elementLocated(By.css("[data-by=you] ~ [data-by=assistant]")), PATIENCE);
      await driver.findElement(By.xpath(`//button[.="${state}"]`)).click();
      await driver.wait(until.elementLocated(By.css(".notice:not(:empty), .closed:not(:empty)")), PATIENCE);
      const overflow = await driver.executeScript(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${width} px: ${overflow} px too wide`);
      const contrasts = await driver.executeScript(contrastOfTexts);
      assert.ok(contrasts.length > 30);
      assert.deepEqual(contrasts.filter(([, contrast]) => contrast < 4.5), [], suffix);
      await driver.executeScript(() => scrollTo(0, 0));
      writeFileSync(new URL(`react-chat${suffix}.png`, OUT), await driver.takeScreenshot(), "base64");
    }
  });

  it("can be used with only a keyboard", { timeout: 120_000 }, async (t) => {
    const { driver, stop } = await BROWSERS[0].start();
    t.after(stop);
    await driver.get(`${server.url}/examples/react-chat/`);
    await driver.wait(until.elementLocated(By.css(".usage")), PATIENCE);
    const press = (...keys) => driver.actions().sendKeys(...keys).perform();
    const stops = [];
    for (let tabs = 0; tabs < 5; tabs++) {
      await press(Key.TAB);
      stops.push(await driver.executeScript(() => document.activeElement.ariaLabel ?? document.activeElement.textContent));
    }
    assert.deepEqual(stops, ["Messages", "Message", "Send", "0 %", "50 %"]);
    await press(Key.ENTER);
    await driver.wait(until.elementTextContains(driver.findElement(By.css(".usage")), "50,000 left"), PATIENCE);
  });
});
