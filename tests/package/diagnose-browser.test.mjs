// What calls fail of, tried in real browsers: bookmore-sdk/diagnose has to name the true cause.
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { readOutput, stopBrowsers } from "../matrix/browsers.mjs";
import { serve } from "../matrix/serve.mjs";
import { CAUSES, SECRETS } from "./diagnose/causes.mjs";
import { certificates } from "./diagnose/certificates.mjs";
import { clientOptions, host } from "./diagnose/hosts.mjs";
import { install } from "./installed.mjs";
import { spellings } from "./diagnose/spellings.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const rows = CAUSES.filter(({ page }) => page);

let user, made;
const sites = new Map();
before(async () => {
  user = install();
  made = certificates();
  cpSync(at("diagnose/page.js"), join(user.folder, "page.js"));
  writeFileSync(join(user.folder, "index.html"), '<!doctype html><meta charset="utf-8"><output></output><script type="module" src="bundle.js"></script>');
  const { build } = createRequire(at("../../pkg/build/build.mjs"))("esbuild");
  await build({ absWorkingDir: user.folder, entryPoints: ["page.js"], outfile: "bundle.js", bundle: true, format: "esm", logLevel: "error" });
});
after(async () => {
  await stopBrowsers();
  for (const site of sites.values()) await site.close();
  made?.remove();
  user?.remove();
});

/** The page's own server: with a policy, or by https. */
async function site({ csp = "", secure = false }) {
  const key = `${csp} ${secure}`;
  if (!sites.has(key)) sites.set(key, await serve(user.folder, csp ? { "content-security-policy": csp } : {}, secure ? made.good : undefined));
  return sites.get(key).url;
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
          const given = { options: clientOptions(row, server.baseUrl), request: row.company && { companyId: row.company } };
          const { text } = await readOutput(row.secure ? `${browser} trusting` : browser, `${await site(row)}#${encodeURIComponent(JSON.stringify(given))}`);
          const diagnosis = JSON.parse(text);
          assert.equal(diagnosis.error, undefined);
          const found = findingsIn(diagnosis);
          const codes = found.flatMap(codesOf);
          assert.deepEqual(codes, row[browser] ?? row.page, text);
          assert.ok(!row.code || [row.code].flat().some((code) => codes.includes(code)), "the true cause is not named");
          assert.equal(diagnosis.ok, row.page.length === 0);
          assert.deepEqual(diagnosis.told, diagnosis.steps);
          assert.ok(diagnosis.steps.every(({ ms }) => ms >= 0 && ms < 11_000));
          for (const spelling of SECRETS.flatMap(spellings)) assert.ok(!text.includes(spelling), `a secret: ${text}`);
          // Probes have none of them; the call alone has.
          const withSecret = server.requests.filter(({ headers }) => SECRETS.some((secret) => JSON.stringify(headers).includes(secret)));
          assert.ok(withSecret.length <= 1, JSON.stringify(server.requests));
          assert.ok(server.requests.every(({ method }) => method === "GET" || method === "OPTIONS"));
          if (row.code) named++;
        } finally {
          server.close();
        }
      });
    }
  });
}

it("counts", () => console.log(`named: ${named} of ${rows.length - 1} causes x 3 browsers = ${3 * (rows.length - 1)}`));
