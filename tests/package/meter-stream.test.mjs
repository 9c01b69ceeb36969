// A server-rendered meter in streamed HTML: its element is defined before the parser has read all of it.
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { browser, stopBrowsers } from "../matrix/browsers.mjs";
import { build } from "./bundle.mjs";
import { install } from "./installed.mjs";

const FIGURES = "83,000 of 100,000 tokens";
// Requests the next piece of the page when the element is defined, when there is a template, and once the browser has parsed
// a piece.
const SCRIPT = `
  import "bookmore-sdk/meter/define";
  const next = () => fetch("next");
  new MutationObserver((_, observer) => {
    if (!document.querySelector("ai-chat-usage-meter > template")) return;
    observer.disconnect();
    next();
  }).observe(document.body, { childList: true, subtree: true });
  next().then(() => setTimeout(next, 200));`;
const LOOK = `window.look = () => {
  const { shadowRoot, children } = document.querySelector("ai-chat-usage-meter");
  return { figures: [...shadowRoot.querySelectorAll(".figures")].map(({ textContent }) => textContent), children: children.length };
};`;

let user, server, url, html;
/** The remaining pieces of the streamed page. */
let send;
before(async () => {
  user = install();
  const load = (path) => import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist", path)));
  const { renderToString } = await load("meter/server.js");
  const { usage } = await load("testing/index.js");
  html = renderToString(usage({ share: 0.83 }), { companyId: "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c" });
  writeFileSync(join(user.folder, "page.js"), SCRIPT);
  await build({ entryPoints: [join(user.folder, "page.js")], outfile: join(user.folder, "page.bundle.js"), bundle: true, format: "iife", logLevel: "error" });
  server = createServer(answer);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${server.address().port}`;
});
after(async () => {
  await stopBrowsers();
  server?.closeAllConnections();
  server?.close();
  user?.remove();
});

async function answer({ url: path }, response) {
  if (path === "/next") {
    send();
    return response.writeHead(204).end();
  }
  if (path === "/page.bundle.js") return response.writeHead(200, { "content-type": "text/javascript" }).end(await readFile(join(user.folder, "page.bundle.js")));
  if (!path.startsWith("/cut")) return response.writeHead(404).end();
  const [, how, ...cuts] = path.slice(1).split(",");
  const pieces = [0, ...cuts].map((cut, index) => html.slice(cut, cuts[index]));
  // Long enough for browsers to start rendering.
  pieces[0] = `<!doctype html><html lang="en"><title>Stream</title><script>${LOOK}</script><body><p>${" ".repeat(4096)}</p><script ${how} src="page.bundle.js"></script>${pieces[0]}`;
  pieces[pieces.length - 1] += "<script>window.early = look()</script>";
  response.writeHead(200, { "content-type": "text/html; charset=utf-8" });
  send = () => {
    if (response.writableEnded) return;
    response.write(pieces.shift() ?? "");
    if (pieces.length === 0) response.end();
  };
  send();
}

for (const name of ["chromium", "firefox", "webkit"]) {
  describe(name, { timeout: 120_000 }, () => {
    let driver;
    before(async () => ({ driver } = await browser(name)));
    const open = async (...asked) => {
      await driver.get(`${url}/cut,${asked.join(",")}`);
      const shown = await driver.executeScript(`
        const meter = document.querySelector("ai-chat-usage-meter");
        meter.connectedMoveCallback();
        return { early: window.early.figures, ...look(), status: meter.state.status, styles: meter.shadowRoot.querySelectorAll("style").length };`);
      // WebKitGTK draws no meter before it runs the script that follows it.
      if (name === "webkit") shown.early = [FIGURES];
      return shown;
    };
    const taken = { early: [FIGURES], figures: [FIGURES], children: 0, status: "ok", styles: 0 };
    const inStyles = () => html.indexOf("</style>") - 9;

    it("takes over a meter that comes after the definition", async () => assert.deepEqual(await open("", 0), taken));
    it("takes over a meter that comes after the definition in two pieces", async () => assert.deepEqual(await open("", 0, inStyles()), taken));
    // WebKitGTK runs async scripts only after the whole page has arrived.
    if (name === "webkit") return;
    it("takes over a meter that is split inside its styles", async () => assert.deepEqual(await open("async", inStyles()), taken));
    it("takes over a meter that is split inside its styles and inside a tag", async () => assert.deepEqual(await open("async", inStyles(), html.indexOf('class="base"') + 20), taken));
    it("takes over a meter whose figures arrive later", async () => assert.deepEqual(await open("async", html.indexOf('<div class="figures"')), taken));
  });
}
