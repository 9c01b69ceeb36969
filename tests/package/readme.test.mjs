// Runs the README's snippets with the packed tarball, against the stand-in server. Each test puts the variables that a
// snippet expects from the user's app in front of it.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { chromium as playwright } from "playwright-core";
import { causesTable } from "../causes-table.mjs";
import { errorTable } from "../error-table.mjs";
import { SNIPPETS, snippet } from "../readme.mjs";
import { startServer } from "../server/server.mjs";
import { BROWSERS, CHROMIUM_FLAGS, chromiumProgram } from "./browser-drivers.mjs";
import { install } from "./installed.mjs";

const run = promisify(execFile);
const root = fileURLToPath(new URL("../..", import.meta.url));
const COMPANY = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
const ENV = { BOOKMORE_TOKEN: "good-token", BOOKMORE_KEY: "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c" };

let user, server;
before(async () => {
  user = install();
  server = await startServer({ root: user.folder });
});
after(async () => {
  await server?.close();
  user?.remove();
});

/** A snippet that calls the stand-in server. */
function sent(language, words) {
  const text = snippet(language, words);
  const changed = text.replace("new BookMoreClient({", `new BookMoreClient({ baseUrl: "${server.url}",`);
  assert.notEqual(changed, text);
  return changed;
}

async function printed(file, text, ...args) {
  writeFileSync(join(user.folder, file), text);
  // Keeps the user's test out of this run's report.
  const env = { ...process.env, ...ENV, NODE_TEST_CONTEXT: undefined };
  const { stdout } = await run(process.execPath, [file, ...args], { cwd: user.folder, env });
  return stdout;
}

it("the first example", async () => {
  const session = 'const session = { accessToken: async () => "good-token" };\n';
  assert.equal(await printed("first.mjs", session + sent("js", "session.accessToken")), "1234 of 100000 tokens in 30 days\n");
});

it("the first example of the project's README", async () => {
  assert.equal(await printed("asked.mjs", sent("js", "days, ${tokensRemaining} left")), "1234 of 100000 tokens in 30 days, 98766 left\n");
});

const FORBIDDEN = "5ca1ab1e-0000-4000-8000-000000000403";

it("a script for cron, and the equivalent command", async () => {
  const file = (name) => join(user.folder, name);
  writeFileSync(file("companies.txt"), `${COMPANY}\n${FORBIDDEN}\nabc\n`);
  const appended = () => {
    const lines = readFileSync(file("usage.jsonl"), "utf8").trim().split("\n").map((line) => JSON.parse(line));
    rmSync(file("usage.jsonl"));
    assert.ok(lines.every(({ at }) => new Date(at) <= new Date()));
    return lines.map(({ companyId, tokensUsed, error }) => [companyId, tokensUsed ?? error.code]).sort();
  };
  const text = sent("js", "bookmore-sdk/many");
  assert.ok(text.split("\n").length < 40);
  const script = await printed("cron.mjs", text).catch((failed) => failed);
  assert.equal(script.code, 1);
  assert.match(script.stderr, new RegExp(`^${FORBIDDEN} permission_denied The server refused`, "m"));
  assert.match(script.stderr, /^abc config_error The company id is not a Guid/m);
  assert.deepEqual(appended(), [[COMPANY, 1234]]);

  const [, line] = /^0 6 \* \* \* {2}(.+)$/m.exec(readFileSync(join(root, "pkg/README.md"), "utf8"));
  writeFileSync(file("my-login"), '#!/bin/sh\ntest "$1" = print-token && echo good-token\n', { mode: 0o755 });
  const env = { ...process.env, BOOKMORE_URL: server.url, PATH: `${user.folder}:${process.env.PATH}` };
  const command = await run("sh", ["-c", line], { cwd: user.folder, env }).catch((failed) => failed);
  assert.equal(command.code, 1, command.stderr);
  assert.match(command.stdout, new RegExp(`^${COMPANY} .* 98,766 `, "m"));
  assert.deepEqual(appended(), [[FORBIDDEN, "permission_denied"], [COMPANY, 1234], ["abc", "config_error"]].sort());
});

it("a diagnosis", async () => {
  const session = 'const session = { token: "another" };\n';
  const text = await printed("why.mjs", session + sent("js", "bookmore-sdk/diagnose"));
  assert.match(text, /^✘ The server refused the request \(401 Unauthorized\).*\(token_refused\)\n    new BookMoreClient/);
});

it("CommonJS", async () => {
  assert.equal(await printed("user.cjs", sent("js", "require(")), "98766\n");
});

it("a Worker", async () => {
  writeFileSync(join(user.folder, "worker.mjs"), sent("js", "export default"));
  const { default: worker } = await import(pathToFileURL(join(user.folder, "worker.mjs")));
  const response = await worker.fetch(new Request("https://worker.example/"), ENV);
  assert.equal((await response.json()).tokensUsed, 1234);
});

it("slim", async () => {
  assert.equal(await printed("slim.mjs", sent("js", "bookmore-sdk/slim")), "98766\n");
});

it("a page without a bundler", async (t) => {
  // The page's own server. The API is on another origin, which allows it.
  cpSync(join(user.folder, "node_modules/bookmore-sdk"), join(user.folder, "pkg"), { recursive: true });
  const page = sent("html", "meter");
  const own = await serveFolder(t, `<!doctype html>${page}`);
  const browser = await BROWSERS.find(({ name }) => name === "chromium").start();
  t.after(() => browser.stop());
  await browser.driver.get(own);
  const meter = () => browser.driver.executeScript("return document.querySelector('ai-chat-usage-meter').shadowRoot?.querySelector('[role=meter]')?.ariaValueText");
  await browser.driver.wait(meter, 30_000);
  assert.equal(await meter(), "1,234 of 100,000 tokens");
});

it("Rust compiles", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "bookmore-sdk-readme-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const text = snippet("rust", "async fn show");
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "src/lib.rs"), `#![allow(dead_code)]\n${text}`);
  const manifest = `[package]\nname = "readme"\nversion = "0.0.0"\nedition = "2024"\n[dependencies]\nbookmore-sdk = { path = ${JSON.stringify(root)} }\n[workspace]\n`;
  writeFileSync(join(folder, "Cargo.toml"), manifest);
  cpSync(join(root, "Cargo.lock"), join(folder, "Cargo.lock"));
  const target = join(root, "target/readme");
  const args = ["check", "--quiet", "--offline", "--target", "wasm32-unknown-unknown", "--target-dir", target];
  execFileSync("cargo", args, { cwd: folder, stdio: ["ignore", "ignore", "inherit"] });
});

it("a unit test", async () => {
  mkdirSync(join(user.folder, "app"));
  writeFileSync(join(user.folder, "app/package.json"), '{ "type": "module" }');
  writeFileSync(
    join(user.folder, "app/budget-line.js"),
    `export const budgetLine = (client) => client.getAiChatUsage().then(
      ({ isWithinBudget, tokensRemaining }) => (isWithinBudget ? \`\${tokensRemaining} tokens left\` : "over budget"),
      ({ code }) => (code === "permission_denied" ? "no access" : code),
    );`,
  );
  assert.match(await printed("app/line.test.js", snippet("js", "budgetLine")), /^(#|ℹ) pass 1$/m);
});

it("Playwright", async (t) => {
  writeFileSync(join(user.folder, "route.mjs"), snippet("js", "page.route").replace("async function", "export async function"));
  const { routeToFake } = await import(pathToFileURL(join(user.folder, "route.mjs")));
  const { createFakeBookMore } = await import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/testing/index.js")));
  const page = `<!doctype html><output></output><script type="module">
    import { BookMoreClient } from "./node_modules/bookmore-sdk/dist/index.js";
    const client = new BookMoreClient({ bearerToken: "any", maxRetries: 0 });
    document.querySelector("output").textContent = await client.getAiChatUsage().then(
      ({ tokensUsed }) => tokensUsed + " tokens",
      ({ code, status }) => code + " " + status,
    );
  </script>`;
  const own = await serveFolder(t, page);
  const browser = await playwright.launch({ executablePath: chromiumProgram(), args: CHROMIUM_FLAGS });
  t.after(() => browser.close());
  const tab = await browser.newPage();
  const fake = createFakeBookMore();
  await routeToFake(tab, fake);
  for (const [answers, text] of [
    [{ share: 0.83 }, "83000 tokens"],
    [{ status: 401 }, "authentication_error 401"],
    [{ status: 429, retryAfter: 90 }, "rate_limited 429"],
    [{ kind: "network" }, "network_error undefined"],
    [{ kind: "login-page" }, "unexpected_response 200"],
  ]) {
    fake.set(undefined, answers);
    await tab.goto(own);
    await tab.locator("output:not(:empty)").waitFor({ timeout: 30_000 });
    assert.equal(await tab.locator("output").textContent(), text);
  }
  assert.deepEqual(fake.requests.map(({ headers }) => headers.authorization), Array(5).fill("Bearer [secret]"));
});

/** Serves the user's folder, and a page at its root, while the test runs. */
async function serveFolder(t, page) {
  const own = createServer((req, res) => {
    const script = req.url.startsWith("/node_modules/bookmore-sdk/dist/");
    res.setHeader("content-type", script ? "text/javascript" : "text/html");
    res.end(script ? readFileSync(join(user.folder, req.url)) : page);
  });
  await new Promise((resolve) => own.listen(0, "127.0.0.1", resolve));
  t.after(() => own.close());
  return `http://127.0.0.1:${own.address().port}/`;
}

it("the table of errors matches the types; if the change is intended, run make api", () => {
  assert.ok(readFileSync(join(root, "pkg/docs/errors.md"), "utf8").includes(`<!-- errors -->\n\n${errorTable()}\n\n<!-- /errors -->`));
});

it("the table of causes matches the tests; if the change is intended, run make api", () => {
  assert.ok(readFileSync(join(root, "pkg/docs/diagnose.md"), "utf8").includes(`<!-- causes -->\n\n${causesTable()}\n\n<!-- /causes -->`));
});

it("npm's page starts with the installation, and links only to files of the tarball", () => {
  const text = readFileSync(join(root, "pkg/README.md"), "utf8");
  assert.match(text, /^# bookmore-sdk\n\n```sh\nnpm install bookmore-sdk\n```\n/);
  for (const page of user.files.filter((file) => file.endsWith(".md"))) {
    const text = readFileSync(join(root, "pkg", page), "utf8");
    assert.doesNotMatch(text, /\bmake\b \w+`|\bmake (test|demo|serve)|\b(tests|examples|src)\//, page);
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, to]) => to);
    for (const to of links.filter((link) => !/^https?:/.test(link))) {
      const [path, heading] = to.split("#");
      const file = path ? posix.join(posix.dirname(page), path) : page;
      assert.ok(user.files.includes(file), `${page}: ${to}`);
      const headings = readFileSync(join(root, "pkg", file), "utf8").match(/^#+ .*$/gm) ?? [];
      const anchors = headings.map((line) => line.replace(/^#+ /, "").toLowerCase().replaceAll(/[^\w -]/g, "").replaceAll(" ", "-"));
      assert.ok(!heading || anchors.includes(heading), `${page}: ${to}`);
    }
  }
});

// Elsewhere: tests/matrix/cells/kit.mjs runs the component test and the one with Mock Service Worker, which need packages;
// tests/client/readme.rs the Rust test; and bindings.test.mjs the module that wasm-pack builds.
it("every snippet is run", () => {
  assert.equal(SNIPPETS.length, 15);
});
