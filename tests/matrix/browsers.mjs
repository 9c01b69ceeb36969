// The browsers for the cells' pages. They are started when first needed and shared, because each
// page has an origin of its own.
import { createHash } from "node:crypto";
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { createServer } from "node:net";
import { setTimeout as pause } from "node:timers/promises";
import { Builder, Capabilities } from "selenium-webdriver";
import { BROWSERS, CHROMIUM_FLAGS, MissingProgram, chromiumProgram, find, startChromium } from "../package/browser-drivers.mjs";
import { NotRun } from "./not-run.mjs";
import { start } from "./processes.mjs";

const PATIENCE = 30_000; // ms until a page shows something; the machine may be busy

const starters = new Map([...BROWSERS.map(({ name, start }) => [name, start]), ["webkit", startWebKit]]);
const started = new Map();
const LABELS = { chromium: "Chromium", firefox: "Firefox", webkit: "WebKitGTK" };

/** A running browser by name: `{ driver, label, stop() }`. A "trusting" one accepts any certificate. */
export async function browser(name) {
  if (!started.has(name)) started.set(name, begin(name));
  return started.get(name);
}

async function begin(name) {
  try {
    const [program, trusting] = name.split(" ");
    return await labelled(program, await starters.get(program)({ isTrusting: trusting === "trusting" }));
  } catch (error) {
    started.delete(name);
    throw asNotRun(error);
  }
}

async function labelled(name, { driver, stop }) {
  const capabilities = await driver.getCapabilities();
  return { driver, stop, label: `${LABELS[name]} ${capabilities.getBrowserVersion()}` };
}

const asNotRun = (error) => (error instanceof MissingProgram ? new NotRun(error.message) : error);

/** Chromium, for tools that start it themselves. */
export function chromium() {
  try {
    return { program: chromiumProgram(), flags: CHROMIUM_FLAGS };
  } catch (error) {
    throw asNotRun(error);
  }
}

/**
 * Opens a page and waits until its `<output>` has text.
 *
 * @returns {Promise<{ text: string, label: string }>} `label`: the browser and its version
 */
export async function readOutput(name, url) {
  return shownBy(await browser(name), url);
}

/** Opens a page of an unpacked extension, by its path, in a separate Chromium. Returns the same as `readOutput`. */
export async function readExtension(folder, path) {
  let own;
  try {
    // Google's builds ignore the first flag without the second.
    const flags = [`--load-extension=${folder}`, "--disable-features=DisableLoadExtensionCommandLineSwitch"];
    own = await labelled("chromium", await startChromium({ flags }));
    return await shownBy(own, `chrome-extension://${extensionId(folder)}/${path}`);
  } catch (error) {
    throw asNotRun(error);
  } finally {
    await own?.stop();
  }
}

// The id of an extension without a key is derived from its folder, in letters from a to p.
const extensionId = (folder) =>
  createHash("sha256")
    .update(realpathSync(folder))
    .digest("hex")
    .slice(0, 32)
    .replace(/./g, (digit) => String.fromCharCode(97 + parseInt(digit, 16)));

async function shownBy({ driver, label }, url) {
  await driver.get(url);
  const end = Date.now() + PATIENCE;
  for (;;) {
    const text = await driver.executeScript('return document.querySelector("output")?.textContent');
    if (text) {
      await driver.get("about:blank"); // ends the page
      return { text, label };
    }
    if (Date.now() > end)
      throw new Error(
        `${url} shows no output in ${label} after ${PATIENCE / 1000} seconds.\n${await complaints(driver, url)}`,
      );
    await pause(50);
  }
}

// The page's and the browser's messages, for debugging.
async function complaints(driver, url) {
  const entries = await driver
    .manage()
    .logs()
    .get("browser")
    .catch(() => []); // only Chromium has these logs
  const shown = await driver.executeScript("return document.body?.innerText");
  const said = entries.map(({ message }) => message).filter((message) => message.startsWith(new URL(url).origin));
  return [...said, `The page shows: ${shown}`].join("\n");
}

/** Stops all browsers; a later use starts a new one. */
export async function stopBrowsers() {
  const all = [...started.values()];
  started.clear();
  await Promise.allSettled(all.map(async (running) => (await running).stop()));
}

// WebKitGTK's MiniBrowser has no headless mode, so it gets a virtual display.
async function startWebKit({ isTrusting = false } = {}) {
  const driverProgram = find(
    "WEBKITWEBDRIVER",
    ["WebKitWebDriver"],
    "WebKitWebDriver",
    "on Debian: apt-get install webkit2gtk-driver",
  );
  const xvfb = find("XVFB_RUN", ["xvfb-run"], "xvfb-run", "on Debian: apt-get install xvfb xauth");
  const port = await freePort();
  const { stop } = await start(xvfb, ["-a", "sh", "-c", `"${driverProgram}" --port=${port} & echo started; wait`], {
    ready: /started/,
  });
  try {
    const capabilities = new Capabilities({
      browserName: "MiniBrowser",
      acceptInsecureCerts: isTrusting,
      "webkitgtk:browserOptions": { binary: miniBrowser(), args: ["--automation"] },
    });
    const driver = await accepted(() =>
      new Builder().usingServer(`http://127.0.0.1:${port}`).withCapabilities(capabilities).build(),
    );
    return {
      driver,
      async stop() {
        await driver.quit();
        await stop();
      },
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

// The driver prints nothing when it is ready.
async function accepted(connect) {
  const end = Date.now() + 15_000;
  for (;;) {
    try {
      return await connect();
    } catch (error) {
      if (!/ECONNREFUSED/.test(error.message) || Date.now() > end) throw error;
      await pause(100);
    }
  }
}

// MiniBrowser is not on the PATH, and its folder contains the API version.
function miniBrowser() {
  const paths = ["/usr/lib", "/usr/libexec"]
    .filter((folder) => existsSync(folder))
    .flatMap((folder) => [
      folder,
      ...readdirSync(folder)
        .filter((name) => name.endsWith("-linux-gnu"))
        .map((name) => `${folder}/${name}`),
    ])
    .flatMap((folder) => ["4.1", "6.0", "4.0"].map((api) => `${folder}/webkit2gtk-${api}/MiniBrowser`));
  const found = process.env.MINIBROWSER ?? paths.find((path) => existsSync(path));
  if (!found)
    throw new MissingProgram(
      "WebKitGTK's MiniBrowser was not found. Install it (on Debian: apt-get install webkit2gtk-driver), or set MINIBROWSER to its path.",
    );
  return found;
}

/** A free port. */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}
