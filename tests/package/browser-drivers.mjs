// Starts the browsers that the tests drive. Nothing is downloaded: browser and driver must be
// installed, on the PATH or where CHROMIUM, CHROMEDRIVER, FIREFOX and GECKODRIVER say.
import { accessSync, constants, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { Builder } from "selenium-webdriver";
import chrome from "selenium-webdriver/chrome.js";
import firefox from "selenium-webdriver/firefox.js";

export const CHROMIUM_FLAGS = [
  "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync", "--lang=en-US",
  "--accept-lang=en-US", "--force-color-profile=srgb", "--hide-scrollbars",
];

/** Each `start()` returns `{ driver, setDark(isDark), stop() }`. */
export const BROWSERS = [
  { name: "chromium", start: startChromium },
  { name: "firefox", start: startFirefox },
];

export const chromiumProgram = () =>
  find("CHROMIUM", ["chromium", "chromium-browser", "google-chrome"], "Chromium", "on Debian: apt-get install chromium");

/** `flags`: besides those that every Chromium gets. `isTrusting`: accepts any certificate. */
export async function startChromium({ flags = [], isTrusting = false } = {}) {
  const binary = chromiumProgram();
  const program = find("CHROMEDRIVER", ["chromedriver"], "ChromeDriver", "on Debian: apt-get install chromium-driver");
  const profile = mkdtempSync(join(tmpdir(), "usage-meter-chromium-"));
  const options = new chrome.Options().setBinaryPath(binary);
  options.addArguments(...CHROMIUM_FLAGS, ...flags, `--user-data-dir=${profile}`);
  options.setAcceptInsecureCerts(isTrusting);
  options.enableBidi();
  const driver = await new Builder()
    .forBrowser("chrome")
    .setChromeOptions(options)
    .setChromeService(new chrome.ServiceBuilder(program))
    .build();
  return {
    driver,
    setDark: (isDark) =>
      driver.sendDevToolsCommand("Emulation.setEmulatedMedia", {
        features: [{ name: "prefers-color-scheme", value: isDark ? "dark" : "light" }],
      }),
    async stop() {
      await driver.quit();
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 }); // it may still be writing
    },
  };
}

async function startFirefox({ isTrusting = false } = {}) {
  const binary = find("FIREFOX", ["firefox-esr", "firefox"], "Firefox", "on Debian: apt-get install firefox-esr");
  const program = find("GECKODRIVER", ["geckodriver"], "geckodriver", "cargo install geckodriver");
  const options = new firefox.Options().setBinary(binary);
  options.addArguments("-headless");
  options.setPreference("intl.accept_languages", "en-US");
  options.setPreference("layout.css.prefers-color-scheme.content-override", 1);
  options.setAcceptInsecureCerts(isTrusting);
  options.enableBidi();
  const driver = await new Builder()
    .forBrowser("firefox")
    .setFirefoxOptions(options)
    .setFirefoxService(new firefox.ServiceBuilder(program).addArguments("--allow-system-access")) // for setDark
    .build();
  return {
    driver,
    async setDark(isDark) {
      await driver.setContext(firefox.Context.CHROME);
      await driver.executeScript(
        `Services.prefs.setIntPref("layout.css.prefers-color-scheme.content-override", ${isDark ? 0 : 1})`,
      );
      await driver.setContext(firefox.Context.CONTENT);
    },
    stop: () => driver.quit(),
  };
}

/** A browser or its driver is not installed. */
export class MissingProgram extends Error {}

/** The path of a program. A missing one is an error, so that no browser is skipped unnoticed. */
export function find(variable, names, what, install) {
  const given = process.env[variable];
  const paths = given
    ? [given]
    : (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  const found = paths.find(isExecutable);
  if (found) return found;
  const where = given ? `at ${given}, where ${variable} says` : "on the PATH";
  throw new MissingProgram(`${what} was not found ${where}. Install it (${install}), or set ${variable} to its path.`);
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
