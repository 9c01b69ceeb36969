// "Getting a token": each snippet of pkg/docs/tokens.md signs in at a real OpenID Connect server whose tokens live for
// two seconds, and calls an API that accepts them for as long.
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { decodeJwt } from "jose";
import { chromium as playwright } from "playwright-core";
import { snippetsOf } from "../readme.mjs";
import { CHROMIUM_FLAGS, chromiumProgram } from "./browser-drivers.mjs";
import { build } from "./bundle.mjs";
import { install } from "./installed.mjs";
import { startApi, startIdentityServer, wrap } from "./tokens/identity-server.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const SNIPPETS = snippetsOf(["pkg/docs/tokens.md"], ["js"]).map(({ text }) => text);

let user, pages, site, identity, api;
before(async () => {
  user = install();
  for (const name of ["keycloak-js", "oidc-client-ts", "openid-client"]) {
    symlinkSync(at(`../node_modules/${name}`), join(user.folder, "node_modules", name));
  }
  pages = new Map();
  site = createServer((req, res) => {
    const page = pages.get(req.url.split("?")[0]);
    const isScript = req.url.endsWith(".js");
    res.writeHead(page ? 200 : 404, { "content-type": isScript ? "text/javascript" : "text/html" }).end(page);
  });
  site.listen(0, "127.0.0.1");
  await once(site, "listening");
  const own = (name) => `http://localhost:${site.address().port}/${name}`;
  identity = await startIdentityServer([own("keycloak-js"), own("oidc-client-ts")]);
  api = await startApi(identity.jwks);
});
after(() => {
  for (const server of [identity, api]) server?.close();
  site?.close().closeAllConnections();
  user?.remove();
});

/** The snippet with `name`, changed to use this test's servers. */
function snippet(name) {
  const text = SNIPPETS.find((each) => each.includes(`from "${name}"`));
  const changed = text.replace("https://id.example.com", identity.url).replace("new BookMoreClient({", `new BookMoreClient({ baseUrl: "${api.url}",`);
  assert.equal(changed.split("http://").length, 3);
  return changed;
}

it("every snippet is run, and is short", () => {
  assert.deepEqual(SNIPPETS.map((text) => /from "((?:oidc|openid|keycloak)[\w-]+)"/.exec(text)[1]), ["keycloak-js", "oidc-client-ts", "openid-client"]);
  for (const text of SNIPPETS) assert.ok(text.trim().split("\n").length <= 25);
});

for (const name of ["keycloak-js", "oidc-client-ts"]) {
  it(`${name} in Chromium`, { timeout: 120_000 }, async (t) => {
    writeFileSync(join(user.folder, `${name}.mjs`), `${snippet(name)}\nwindow.ask = async () => (await client.getAiChatUsage()).tokensUsed;\n`);
    const { outputFiles } = await build({
      entryPoints: [join(user.folder, `${name}.mjs`)],
      bundle: true,
      format: "esm",
      write: false,
      nodePaths: [at("../node_modules")],
      logLevel: "warning",
    });
    pages.set(`/${name}`, `<!doctype html><script type="module" src="/${name}.js"></script>`);
    pages.set(`/${name}.js`, outputFiles[0].contents);

    const browser = await playwright.launch({ executablePath: chromiumProgram(), args: CHROMIUM_FLAGS });
    t.after(() => browser.close());
    const page = await browser.newPage();
    // The server's own pages load fonts from other hosts.
    await page.route(({ hostname }) => !["localhost", "127.0.0.1"].includes(hostname), (route) => route.abort());
    await page.goto(`http://localhost:${site.address().port}/${name}`);
    await signIn(page);
    await page.waitForFunction(() => "ask" in window);
    await callsThatOutliveTokens(() => page.evaluate(() => window.ask()));
  });
}

/** Fills in the server's own pages: signs in, and consents. */
async function signIn(page) {
  await page.locator('input[name="login"]').fill("somebody");
  await page.locator('input[name="password"]').fill("any");
  await page.locator('button[type="submit"]').click();
  await page.locator('button[type="submit"]:has-text("Continue")').click();
}

it("openid-client in Node.js", { timeout: 60_000 }, async () => {
  // The servers of this test have no certificate.
  const text = snippet("openid-client").replace("CLIENT_SECRET)", "CLIENT_SECRET, undefined, { execute: [oidc.allowInsecureRequests] })");
  assert.match(text, /allowInsecureRequests/);
  writeFileSync(
    join(user.folder, "job.mjs"),
    `${text}
    import { createInterface } from "node:readline";
    for await (const _ of createInterface({ input: process.stdin })) console.log((await client.getAiChatUsage()).tokensUsed);\n`,
  );
  const env = { ...process.env, CLIENT_ID: "my-job", CLIENT_SECRET: "not-so-secret", REFRESH_TOKEN: await refreshToken() };
  const running = promisify(execFile)(process.execPath, ["job.mjs"], { cwd: user.folder, env });
  const { stdin, stdout } = running.child;
  const lines = stdout.setEncoding("utf8").iterator({ destroyOnReturn: false });
  const line = async () => (await Promise.race([lines.next(), running])).value.trim();
  assert.equal(await line(), "98766");
  api.tokens.length = 0;
  await callsThatOutliveTokens(async () => (stdin.write("\n"), Number(await line())));
  stdin.end();
  await running;
});

/** The refresh token of a sign-in with offline access. */
async function refreshToken() {
  const { Grant, RefreshToken, Client } = identity.provider;
  const client = await Client.find("my-job");
  const grant = new Grant({ accountId: "somebody", clientId: "my-job" });
  grant.addOIDCScope("openid offline_access");
  grant.addResourceScope("urn:bookmore:api", "usage");
  const grantId = await grant.save();
  const token = new RefreshToken({
    accountId: "somebody", client, grantId, gty: "authorization_code", scope: "openid offline_access usage", resource: "urn:bookmore:api", rotations: 0,
  });
  return wrap(await token.save());
}

/** Three calls: the first, one after its token has expired, and one whose valid token the API refuses. */
async function callsThatOutliveTokens(ask) {
  api.tokens.length = 0;
  api.refused = 0;
  assert.equal(await ask(), 1234);
  const { exp } = decodeJwt(api.tokens[0]);
  while (Date.now() <= exp * 1000) await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await ask(), 1234);
  assert.notEqual(api.tokens[1], api.tokens[0]);
  assert.equal(api.refused, 0, "an expired token was never sent");
  api.refuseOnce = true;
  assert.equal(await ask(), 1234);
  assert.equal(api.refused, 1);
  assert.equal(new Set(api.tokens).size, 3);
}
