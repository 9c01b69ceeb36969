// Pictures of the meter in every state and variant. `make shots` writes them to tests/out, to be looked at, and compares
// them at half size with baseline/. With WRITE=1 it writes the baseline and the README's two pictures.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import pixelmatch from "pixelmatch";
import { PNG } from "pngjs";
import { ENTRIES } from "../../pkg/build/entries.mjs";
import { removeFolder, temporaryFolder } from "../matrix/folders.mjs";
import { serve } from "../matrix/serve.mjs";
import { startChromium } from "../package/browser-drivers.mjs";
import { halved, indexed } from "./small-png.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
/** The share of pixels that may differ, because browser versions render fonts differently. */
const TOLERANCE = 0.005;

const sheet = (width, query, { scheme = "light", forced = false, scale = 1 } = {}) => ({ width, query, scheme, forced, scale });
const EVERY = "variants=bar,ring,compact&columns=3";
const SHEETS = {
  "light": sheet(1000, EVERY),
  "dark": sheet(1000, EVERY, { scheme: "dark" }),
  "forced-colors": sheet(1000, EVERY, { forced: true }),
  "rtl": sheet(1000, `${EVERY}&dir=rtl`),
  // A zoom of 200 % in a window of 1000 px.
  "zoom-200": sheet(500, EVERY, { scale: 2 }),
  "390px": sheet(3 * 390 + 4 * 10, EVERY),
  "120px": sheet(6 * 120 + 7 * 10, EVERY.replace("3", "6")),
};
const FEW = `variants=bar,ring&columns=2&${["ok", "warning", "far over"].map((state) => `state=${encodeURIComponent(state)}`).join("&")}`;
const README = { "meter-light": sheet(760, FEW, { scale: 1.5 }), "meter-dark": sheet(760, FEW, { scheme: "dark", scale: 1.5 }) };

const folder = temporaryFolder("shots");
let site, browser;
let failed = 0;
try {
  cpSync(at("."), folder, { recursive: true });
  await bundle();
  site = await serve(folder);
  browser = await startChromium();
  mkdirSync(at("../out/"), { recursive: true });
  for (const [name, asked] of Object.entries(SHEETS)) {
    const baseline = at(`baseline/${name}.png`);
    const picture = await take(asked);
    writeFileSync(at(`../out/meter-${name}.png`), PNG.sync.write(picture));
    const small = indexed(asked.scale > 1 ? halved(halved(picture)) : halved(picture));
    if (process.env.WRITE) save(baseline, small);
    else if (!compare(name, PNG.sync.read(small), baseline)) failed++;
  }
  if (process.env.WRITE) for (const [name, asked] of Object.entries(README)) save(at(`../../docs/pictures/${name}.png`), indexed(await take(asked)));
} finally {
  await browser?.stop();
  await site?.close();
  removeFolder(folder);
}
if (!process.env.WRITE) console.log(`${Object.keys(SHEETS).length - failed} passed, ${failed} failed`);
process.exitCode = failed > 0 ? 1 : 0;

async function bundle() {
  const { build } = createRequire(at("../../pkg/build/build.mjs"))("esbuild");
  const alias = Object.fromEntries(
    ENTRIES.filter(({ wasm }) => !wasm).map(({ name }) => [join("bookmore-sdk", name.replace(/(^|\/)index$/, "")).replace(/\/$/, ""), at(`../../pkg/dist/${name}.js`)]),
  );
  await build({ entryPoints: [join(folder, "sheet.js")], outfile: join(folder, "sheet.bundle.js"), bundle: true, format: "esm", alias, logLevel: "error" });
}

/** A whole sheet, as a PNG. */
async function take({ width, query, scheme, forced, scale }) {
  const { driver } = browser;
  const features = { "prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce", "forced-colors": forced ? "active" : "none" };
  const size = (height) => driver.sendDevToolsCommand("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: scale, mobile: false });
  await driver.sendDevToolsCommand("Emulation.setEmulatedMedia", { features: Object.entries(features).map(([name, value]) => ({ name, value })) });
  await driver.sendDevToolsCommand("Emulation.setTimezoneOverride", { timezoneId: "UTC" });
  await size(600);
  await driver.get(`${site.url}sheet.html?${query}`);
  await driver.wait(async () => (await driver.getTitle()) === "ready", 30_000);
  await size(await driver.executeScript("return document.querySelector('main').scrollHeight"));
  return PNG.sync.read(Buffer.from(await driver.takeScreenshot(), "base64"));
}

function save(path, bytes) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  console.log(`${path.slice(at("../../").length)}  ${bytes.length} bytes`);
}

/** Whether a picture equals the baseline. If not, tests/out has the picture and the difference. */
function compare(name, picture, path) {
  const { width, height } = picture;
  const baseline = existsSync(path) ? PNG.sync.read(readFileSync(path)) : new PNG({ width: 0, height: 0 });
  const isSameSize = baseline.width === width && baseline.height === height;
  const difference = new PNG({ width, height });
  const share = isSameSize ? pixelmatch(baseline.data, picture.data, difference.data, width, height, { threshold: 0.15 }) / (width * height) : 1;
  const isFine = share <= TOLERANCE;
  const result = isSameSize ? `${(share * 100).toFixed(3)} % differ` : `${width} × ${height} instead of ${baseline.width} × ${baseline.height}`;
  console.log(`${isFine ? "✔" : "✘"} ${name.padEnd(14)} ${result}`);
  if (isFine) return true;
  if (isSameSize) writeFileSync(at(`../out/meter-${name}-difference.png`), PNG.sync.write(difference));
  console.log(`  tests/out/meter-${name}.png shows it; if the change is intended, run make shots WRITE=1`);
  return false;
}
