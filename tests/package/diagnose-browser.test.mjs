// Failing calls in real browsers: bookmore-sdk/diagnose must name the true cause.
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { By, until } from "selenium-webdriver";
import { browser as startedBrowser, readOutput, stopBrowsers } from "../matrix/browsers.mjs";
import { serve } from "../matrix/serve.mjs";
import { startServer } from "../server/server.mjs";
import { build } from "./bundle.mjs";
import { CAUSES, SECRETS } from "./diagnose/causes.mjs";
import { certificates } from "./diagnose/certificates.mjs";
import { clientOptions, host } from "./diagnose/hosts.mjs";
import { install } from "./installed.mjs";
import { spellings } from "./diagnose/spellings.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const rows = CAUSES.filter(({ page }) => page);
/** Pages with a variable named origin. */
const ORIGINS = { text: '"Stockholm"', object: '{ city: "Stockholm" }' };

let user, made;
const sites = new Map();
before(async () => {
  user = install();
  made = certificates();
  cpSync(at("diagnose/page.js"), join(user.folder, "page.js"));
  const html = '<!doctype html><meta charset="utf-8"><output></output><script type="module" src="bundle.js"></script>';
  writeFileSync(join(user.folder, "index.html"), html);
  for (const [name, value] of Object.entries(ORIGINS)) writeFileSync(join(user.folder, `${name}.html`), `${html}<script>var origin = ${value};</script>`);
  await build({ absWorkingDir: user.folder, entryPoints: ["page.js"], outfile: "bundle.js", bundle: true, format: "esm", logLevel: "error" });
});
after(async () => {
  await stopBrowsers();
  for (const site of sites.values()) await site.close();
  made?.remove();
  user?.remove();
});

/** The page's own server: with policies, a cookie, redirects, replies of its own, or by https. */
async function site({ csp, isolated, cookie, redirects, replies, secure = false }) {
  const headers = {
    ...(csp && { "content-security-policy": csp }),
    ...(isolated && { "cross-origin-embedder-policy": "require-corp", "cross-origin-opener-policy": "same-origin" }),
    ...(cookie && { "set-cookie": cookie }),
  };
  const key = JSON.stringify([headers, secure, redirects, replies]);
  if (!sites.has(key)) sites.set(key, await serve(user.folder, headers, secure ? made.good : undefined, redirects, replies));
  return sites.get(key).url;
}

/** What a page finds, and as a text. */
async function diagnosed(browser, { path = "", ...page }, given) {
  const { secure } = page;
  const url = `${await site(page)}${path}#${encodeURIComponent(JSON.stringify(given))}`;
  const { text } = await readOutput(secure ? `${browser} trusting` : browser, url);
  return { diagnosis: JSON.parse(text), text };
}

let named = 0;
const findingsIn = (diagnosis) => diagnosis.findings.filter(({ level }) => level === "error");
const codesOf = ({ code, candidates = [] }) => [code, ...candidates.map(({ code }) => code)];

for (const browser of ["chromium", "firefox", "webkit"]) {
  describe(browser, { timeout: 600_000 }, () => {
    for (const row of rows) {
      it(row.cause, async () => {
        const server = await host(row.host, made);
        try {
          const given = { options: clientOptions(row, server.baseUrl), request: row.company && { companyId: row.company }, adds: row.adds, mode: row.mode };
          const { diagnosis, text } = await diagnosed(browser, { ...row, csp: row.csp?.replace("API", server.baseUrl) }, given);
          assert.equal(diagnosis.error, undefined);
          const found = findingsIn(diagnosis);
          const codes = found.flatMap(codesOf);
          assert.deepEqual(codes, row[browser] ?? row.page, text);
          assert.ok(!row.code || [row.code].flat().some((code) => codes.includes(code)), "the true cause is not named");
          assert.equal(diagnosis.ok, row.page.length === 0);
          assert.deepEqual(diagnosis.told, diagnosis.steps);
          assert.ok(diagnosis.steps.every(({ ms }) => ms >= 0 && ms < 11_000));
          for (const spelling of SECRETS.flatMap(spellings)) assert.ok(!text.includes(spelling), `a secret: ${text}`);
          // Only the call sends secrets, no probe does. Browsers send it again if the connection ends.
          const withSecret = server.requests.filter(({ headers }) => SECRETS.some((secret) => JSON.stringify(headers).includes(secret)));
          assert.ok(new Set(withSecret.map(JSON.stringify)).size <= 1, JSON.stringify(server.requests));
          assert.ok(server.requests.every(({ method }) => method === "GET" || method === "OPTIONS"));
          if (row.code) named++;
        } finally {
          server.close();
        }
      });
    }
  });
}

/** The headers that ServiceStack's CorsFeature writes with these settings. */
function corsFeature(fix) {
  const [, origin, allowed, exposed] = /^Plugins\.Add\(new CorsFeature\(allowOriginWhitelist: new\[\] \{ "(.+?)" \}, allowedHeaders: "(.+?)", exposeHeaders: "(.+?)", allowCredentials: true\)\);$/.exec(fix);
  return { "access-control-allow-origin": origin, "access-control-allow-headers": allowed, "access-control-expose-headers": exposed, "access-control-allow-credentials": "true" };
}

/** The headers that nginx adds with these lines. */
const nginxHeaders = (fix) => Object.fromEntries([...fix.matchAll(/^add_header (\S+) "?(.+?)"? always;$/gm)].map(([, name, value]) => [name, value]));

describe("the fixes work when pasted", { timeout: 300_000 }, () => {
  const given = (server, more) => ({ options: { ...clientOptions({}, server.baseUrl), ...more } });
  const isFine = async (row, server, more) => assert.deepEqual((await diagnosed("chromium", row, given(server, more))).diagnosis.findings, []);
  const found = async (row, server, more) => {
    const [{ fix, elsewhere, candidates = [] }] = (await diagnosed("chromium", row, given(server, more))).diagnosis.findings;
    return { fix: fix ?? candidates.find((cause) => cause.fix).fix, elsewhere };
  };

  for (const cors of ["servicestack-default", "allow-list", "none", "preflight-405", "wildcard-with-credentials"]) {
    it(`CORS: ${cors}`, async () => {
      const more = { credentials: "include", apiKey: SECRETS[3] };
      const server = await host({ cors }, made);
      const { fix, elsewhere } = await found({}, server, more);
      server.close();
      const settings = [corsFeature(fix), ...(elsewhere ? [nginxHeaders(elsewhere.nginx)] : [])];
      for (const headers of settings) {
        const mended = await host({ headers }, made);
        await isFine({}, mended, more);
        mended.close();
      }
    });
  }

  it("the page's policies", async () => {
    const server = await host({ cors: "open" }, made);
    const wasm = "script-src 'self' 'wasm-unsafe-eval'";
    await isFine({ csp: `${wasm}; ${(await found({ csp: `${wasm}; connect-src 'self'` }, server)).fix}` }, server);
    const { fix } = await found({ csp: "script-src 'self' https://cdn.example" }, server);
    assert.equal(fix, "script-src 'self' https://cdn.example 'wasm-unsafe-eval'");
    await isFine({ csp: fix }, server);
    server.close();
  });

  it("the base URL", async () => {
    const server = await host({ cors: "open", path: "/wrong" }, made);
    const [, baseUrl] = /baseUrl: "(.+?)"/.exec((await found({}, server)).fix);
    await isFine({}, server, { baseUrl });
    server.close();
  });
});

describe("a page with a variable named origin", { timeout: 120_000 }, () => {
  for (const name of Object.keys(ORIGINS)) {
    it(name, async () => {
      const server = await host({ cors: "none" }, made);
      const { diagnosis } = await diagnosed("chromium", { path: `${name}.html` }, { options: clientOptions({}, server.baseUrl) });
      server.close();
      const { origin } = new URL(await site({}));
      assert.equal(diagnosis.findings[0].code, "cors_blocked");
      assert.ok(diagnosis.findings[0].doctor.includes(`--origin ${origin} `), diagnosis.findings[0].doctor);
    });
  }
});

it("the demo page shows why", { timeout: 120_000 }, async () => {
  const server = await startServer();
  const other = await host({ cors: "servicestack-default" }, made);
  const { driver } = await startedBrowser("chromium");
  try {
    await driver.get(`${server.url}/examples/usage-meter/`);
    await driver.executeScript("document.getElementById('connection').open = true; document.getElementById('base').value = arguments[0];", other.baseUrl);
    await driver.findElement(By.id("show")).click();
    const [why, cause] = [await driver.findElement(By.id("why")), await driver.findElement(By.id("cause"))];
    await driver.wait(until.elementIsVisible(why), 30_000);
    await why.click();
    await driver.wait(until.elementTextMatches(cause, /^✔ runtime: .*\(cors_headers\)$/ms), 30_000);
  } finally {
    await server.close();
    other.close();
  }
});

it("counts", () => console.log(`named: ${named} of ${rows.length - 1} causes x 3 browsers = ${3 * (rows.length - 1)}`));
