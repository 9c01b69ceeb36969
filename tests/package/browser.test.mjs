// The packed tarball in real browsers: the demo page, and every recorded exchange.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { By, Key, until } from "selenium-webdriver";
import { setScenarios } from "../server/scenarios.mjs";
import { startServer } from "../server/server.mjs";
import { BROWSERS } from "./browser-drivers.mjs";
import { CASES } from "./call-cases.mjs";
import { checkOutcome } from "./expected.mjs";
import { install } from "./installed.mjs";

const at = (path) => new URL(path, import.meta.url);
const ROWS = JSON.parse(readFileSync(at("../fixtures/outcomes.json"), "utf8"));
const TABLE = JSON.parse(readFileSync(at("../fixtures/scenarios.json"), "utf8"));
const OUT = at("../out/");
const PATIENCE = 30_000; // ms; a busy machine is no fault of the package

const company = (n) => `5ca1ab1e-0000-4000-8000-${String(n).padStart(12, "0")}`;
const OWN = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

let user, server;
before(async () => {
  mkdirSync(OUT, { recursive: true });
  user = install();
  // Where the page looks for them. A copy, so that a concurrent build does no harm.
  cpSync(join(user.folder, "node_modules/bookmore-sdk"), join(user.folder, "pkg"), { recursive: true });
  for (const file of ["call-cases.mjs", "virtual-world.mjs"]) cpSync(at(file), join(user.folder, "pkg", file));
  const page = join(user.folder, "examples/usage-meter");
  cpSync(at("../../examples/usage-meter"), page, { recursive: true });
  const html = readFileSync(join(page, "index.html"), "utf8");
  const [, imports] = /<script type="importmap">([^]*?)<\/script>/.exec(html);
  const hash = `'sha256-${createHash("sha256").update(imports).digest("base64")}'`;
  for (const [file, scripts] of [["strict.html", `'self' 'wasm-unsafe-eval' ${hash}`], ["no-wasm.html", `'self' ${hash}`]]) {
    const policy = `default-src 'none'; script-src ${scripts}; style-src 'self'; img-src 'self'; connect-src 'self'`;
    const meta = `<meta http-equiv="Content-Security-Policy" content="${policy}">`;
    writeFileSync(join(page, file), html.replace("<head>", `<head>${meta}`));
  }
  server = await startServer({ root: user.folder });
});
after(async () => {
  await server?.close();
  user?.remove();
});

for (const { name, start } of BROWSERS) {
  describe(name, { timeout: 300_000 }, () => {
    let browser, driver, bidi;
    before(async () => {
      browser = await start();
      driver = browser.driver;
      await driver.manage().setTimeouts({ script: 120_000, pageLoad: PATIENCE });
      bidi = await driver.getBidi();
      await setViewport(1000, 1100);
    });
    after(() => browser?.stop());

    // ---- The page, as a person uses it ----

    const find = (id) => driver.findElement(By.id(id));

    async function open(rest = "") {
      await driver.get(`${server.url}/examples/usage-meter/${rest}`);
      return answer();
    }

    async function fill(id, text) {
      if (!(await find(id).isDisplayed())) await driver.findElement(By.css("summary")).click();
      await find(id).clear();
      await find(id).sendKeys(text);
    }

    async function show({ company, format, base, token } = {}) {
      if (company !== undefined) await fill("company", company);
      if (base !== undefined) await fill("base", base);
      if (token !== undefined) await fill("token", token);
      if (format) await driver.findElement(By.css(`input[value=${format}]`)).click();
      await find("show").click();
    }

    // What the page shows after its answer.
    async function answer() {
      await driver.wait(until.elementLocated(By.css("#result[aria-busy=false]")), PATIENCE).catch(async () => {
        assert.fail(`No answer is shown after ${PATIENCE} ms. The page says: ${await find("status").getText()}`);
      });
      return driver.executeScript(() => {
        const visible = (id) => {
          const element = document.getElementById(id);
          return element.checkVisibility() ? element : undefined;
        };
        const text = (id) => visible(id)?.innerText;
        const hero = document.getElementById("hero").shadowRoot;
        const meter = hero.querySelector("[role=meter]");
        const ids = ["used", "limit", "remaining", "window", "within", "whose", "note-text"];
        return {
          state: document.getElementById("result").dataset.state,
          sentence: text("status"),
          kind: text("kind"),
          meter: meter && [meter.ariaValueNow, meter.ariaValueMax, meter.ariaValueText, hero.querySelector(".share").textContent].join(" | "),
          figures: visible("usage") && ids.map((id) => text(id) ?? null),
        };
      });
    }

    async function asked(request) {
      await show(request);
      return answer();
    }

    async function setViewport(width, height) {
      const context = await driver.getWindowHandle();
      await command("browsingContext.setViewport", { context, viewport: { width, height } });
    }

    async function command(method, params) {
      const reply = await bidi.send({ method, params });
      assert.notEqual(reply.type, "error", `${method}: ${reply.message}`);
      return reply.result;
    }

    async function screenshot(suffix = "") {
      const png = Buffer.from(await driver.takeScreenshot(), "base64");
      writeFileSync(new URL(`usage-meter-${name}${suffix}.png`, OUT), png);
      return { bytes: png.length, width: png.readUInt32BE(16), height: png.readUInt32BE(20) };
    }

    const OK = {
      state: "within",
      sentence: "Within budget: 98,766 tokens left.",
      kind: null,
      meter: "1234 | 100000 | 1,234 of 100,000 tokens | 1.2%",
      figures: ["1,234 tokens", "100,000 tokens", "98,766 tokens", "30 days", "Yes", OWN, null],
    };

    test("the caller's own company, in JSON and in JSONL", async () => {
      const formats = () => server.requests.map(({ headers }) => headers.accept);
      server.requests.length = 0;
      assert.deepEqual(await open(), OK);
      assert.deepEqual(formats(), ["application/json"]);
      assert.deepEqual(await asked({ format: "jsonl" }), OK);
      assert.deepEqual(formats(), ["application/json", "text/jsonl"]);
      assert.equal(server.requests[1].url, "/assistant/ai-chat/usage");
      assert.equal(server.requests[1].headers.authorization, "Bearer good-token");
    });

    test("the page's URL selects company and format, and follows the form", async () => {
      server.requests.length = 0;
      const shown = await open(`?company=${company(601)}&format=jsonl`);
      assert.equal(shown.figures[0], "9 tokens");
      assert.equal(shown.meter, "9 | 10 | 9 of 10 tokens | 90%");
      assert.equal(server.requests[0].headers.accept, "text/jsonl");
      await asked({ company: company(1), format: "json" });
      assert.equal(await driver.getCurrentUrl(), `${server.url}/examples/usage-meter/?company=${company(1)}&format=json`);
    });

    test("assistive technology finds the meter and the form", async () => {
      await open();
      const meter = await driver.executeScript(() => document.getElementById("hero").shadowRoot.querySelector("[role=meter]"));
      assert.equal(await meter.getAccessibleName(), "AI assistant usage");
      assert.equal(await meter.getAriaRole(), "meter");
      // The meter announces, not the page.
      assert.equal(await find("status").getAttribute("aria-live"), null);
      for (const [id, label] of [["share", "Tokens used, of the limit"], ["company", "Company id"], ["base", "Base URL"], ["token", "Bearer token"]]) {
        if (id === "base") await driver.findElement(By.css("summary")).click();
        assert.equal(await find(id).getAccessibleName(), label);
      }
    });

    test("by keyboard alone", async () => {
      await open();
      const press = (...keys) => driver.actions().sendKeys(...keys).perform();
      const focus = () =>
        driver.executeScript(() => document.activeElement.id || document.activeElement.value || document.activeElement.tagName);
      const stops = [];
      await driver.executeScript(() => document.getElementById("company").focus());
      await press(company(5), Key.TAB);
      stops.push(await focus());
      await press(Key.ENTER, Key.TAB); // opens "Server and token"
      for (const keys of [[Key.TAB], [Key.TAB], [Key.ARROW_RIGHT], [Key.TAB]]) {
        stops.push(await focus());
        await press(...keys);
      }
      stops.push(await focus());
      assert.deepEqual(stops, ["SUMMARY", "base", "token", "json", "jsonl", "show"]);
      await press(Key.ENTER);
      const shown = await answer();
      assert.equal(shown.sentence, "The limit is reached: all 100,000 tokens are used.");
      assert.equal(server.requests.at(-1).headers.accept, "text/jsonl");
    });

    test("over the limit, at it, and at zero", async () => {
      await open();
      const over = await asked({ company: company(2) });
      assert.equal(over.state, "exceeded");
      assert.equal(over.sentence, "Over the limit by 2,499,000,000 tokens.");
      assert.deepEqual(over.figures, [
        "2,500,000,000 tokens", "1,000,000 tokens", "0 tokens", "30 days", "No", company(2), null,
      ]);
      assert.equal(over.meter, "1000000 | 1000000 | 2,500,000,000 of 1,000,000 tokens | 2,500 × the limit");

      const none = await asked({ company: company(1) });
      assert.equal(none.sentence, "Within budget: 100,000 tokens left.");
      assert.equal(none.meter, "0 | 100000 | 0 of 100,000 tokens | 0%");

      const noted = await asked({ company: company(200) });
      assert.equal(noted.figures.at(-1), "Usage is recalculated hourly");
    });

    test("a limit of 0 has no share", async (t) => {
      const usage = { TokensUsed: 0, TokenLimit: 0, TokensRemaining: 0, IsWithinBudget: false, WindowDays: 1 };
      const own = await startOwnServer((res) => res.end(JSON.stringify(usage)));
      t.after(own.close);
      await open();
      const shown = await asked({ base: own.url });
      assert.equal(shown.sentence, "Not within budget: the limit is 0 tokens.");
      assert.equal(shown.meter, "1 | 1 | 0 of 0 tokens | ");
      assert.deepEqual(shown.figures, ["0 tokens", "0 tokens", "0 tokens", "1 day", "No", "not named by the server", null]);
    });

    test("numbers have the format of the user's language", async () => {
      const { script } = await command("script.addPreloadScript", {
        functionDeclaration: `() => Object.defineProperty(Navigator.prototype, "languages", { get: () => ["de-DE"] })`,
      });
      const shown = await open();
      await command("script.removePreloadScript", { script });
      assert.equal(shown.sentence, "Within budget: 98.766 tokens left.");
      assert.deepEqual(shown.figures.slice(0, 2), ["1.234 tokens", "100.000 tokens"]);
    });

    test("under a strict Content-Security-Policy", async () => {
      assert.deepEqual(await open("strict.html"), OK);
      const refused = await open("no-wasm.html");
      assert.match(refused.sentence, /refused to compile WebAssembly.*add 'wasm-unsafe-eval' to its script-src/);
      assert.equal(refused.kind, "RuntimeUnsupportedError · runtime_unsupported");
    });

    test("each error shows its sentence", async () => {
      await open();
      const base = server.url;
      const cases = [
        [{ company: company(403) }, /You do not have access to company "Åre & Söner"\n\(line two\)/, "PermissionDeniedError · permission_denied · HTTP 403 · Forbidden"],
        [{ company: company(404) }, /404 NotFound\): Company does not exist/, "ApiError · api_error · HTTP 404 · NotFound"],
        [{ company: company(429) }, /Too many requests\..*Wait/s, "RateLimitError · rate_limited · HTTP 429 · RateLimitExceeded"],
        [{ company: company(5030) }, /503\).* may be a proxy's/, "ServerError · server_error · HTTP 503"],
        [{ company: company(302) }, /redirected.*login page/, "UnexpectedResponseError · unexpected_response"],
        [{ company: company(6) }, new RegExp(`answered for company ${OWN} although company ${company(6)}`), "UnexpectedResponseError · company_mismatch · HTTP 200"],
        [{ company: company(3) }, /tokensUsed: the number is beyond 2\^53 - 1/, "DecodeError · decode_error · HTTP 200"],
        [{ company: company(204) }, /answered with 204; only a 200 carries a usage/, "UnexpectedResponseError · unexpected_response · HTTP 204"],
        [{ company: "abc" }, /The company id is not a Guid/, "ConfigError · config_error"],
        [{ company: "", token: "wrong" }, /Not Authenticated.*token/s, "AuthenticationError · authentication_error · HTTP 401 · Unauthorized"],
        [{ token: "" }, /Not Authenticated/, /^AuthenticationError · /],
        [{ token: "good token" }, /bearerToken must be a string of visible ASCII/, "ConfigError · config_error"],
        [{ token: "good-token", base: "nonsense" }, /baseUrl must be an http\(s\) URL/, "ConfigError · config_error"],
        [{ base: "http://127.0.0.1:1" }, /No reply came from http:\/\/127\.0\.0\.1:1\/.*Check the network/, "NetworkError · network_error"],
        [{ base: `${base}/cookie` }, /redirected.*login page/, "UnexpectedResponseError · unexpected_response"],
      ];
      for (const [request, sentence, kind] of cases) {
        const shown = await asked(request);
        const what = JSON.stringify(request);
        assert.equal(shown.state, "error", what);
        assert.match(shown.sentence, sentence, what);
        if (typeof kind === "string") assert.equal(shown.kind, kind, what);
        else assert.match(shown.kind, kind, what);
        assert.equal(shown.figures, null, `${what}: figures of another answer`);
      }
      console.log(`${name}: ${cases.length} errors shown`);
      assert.deepEqual(await asked({ base }), OK); // and it recovers
    });

    test("choosing a failure without a client keeps the error", async () => {
      await open();
      const shown = await asked({ base: "nowhere:" });
      assert.match(shown.kind, /^ConfigError · config_error/);
      const refreshed = await driver.executeAsyncScript((done) => {
        new Promise((resolve) => resolve(document.getElementById("hero").refresh())).catch(({ message }) => done(message));
      });
      assert.match(refreshed, /^baseUrl must be /);
    });

    test("the slider, the failures and the login change the server, and the meter shows it", async (t) => {
      t.after(() => {
        server.fake.reset();
        setScenarios(server.fake);
      });
      await open();
      const hero = () => driver.executeScript(() => {
        const root = document.getElementById("hero").shadowRoot;
        return [".words", ".share", ".message"].map((part) => (root.querySelector(part).checkVisibility() ? root.querySelector(part).textContent : ""));
      });
      const comes = (expected) => driver.wait(async () => (await hero()).join() === expected.join(), PATIENCE).catch(async () => assert.deepEqual(await hero(), expected));
      const press = (words) => driver.findElement(By.xpath(`//*[@id="failures"]/button[contains(., "${words}")]`)).click();
      await find("share").sendKeys(Key.END);
      await comes(["Over the limit", "150%", ""]);
      await press("No network");
      await comes(["Over the limit", "150%", "No connection."]);
      assert.match(await find("kind").getText(), /^NetworkError · network_error/);
      await press("401");
      await comes(["Over the limit", "150%", "You are not logged in any more."]);
      await driver.executeScript(() => document.getElementById("hero").shadowRoot.querySelector(".login").click());
      await comes(["Over the limit", "150%", ""]);
      await press("2,500");
      await comes(["Over the limit", "2,500 × the limit", ""]);
      await find("share").sendKeys(Key.HOME);
      await comes(["Within budget", "0%", ""]);
      assert.equal(await find("error").isDisplayed(), false);
    });

    test("a new request aborts the previous one", async (t) => {
      const own = await startOwnServer(() => {}); // never answers
      t.after(own.close);
      await open();
      await show({ base: own.url });
      await driver.wait(() => own.received.length === 1, PATIENCE);
      assert.equal(await find("result").getAttribute("aria-busy"), "true");
      assert.equal(await find("status").getText(), "Loading…");

      const before = await sentences();
      assert.equal((await asked({ base: server.url, company: company(2) })).state, "exceeded");
      await driver.wait(() => own.aborted.length === 1, PATIENCE); // the connection really ended
      assert.deepEqual((await before()).slice(-2), ["Loading…", "Over the limit by 2,499,000,000 tokens."]);
    });

    // Records every sentence of the status line from now on.
    async function sentences() {
      await driver.executeScript(() => {
        const status = document.getElementById("status");
        window.said = [];
        new MutationObserver(() => window.said.push(status.innerText)).observe(status, { childList: true });
      });
      return () => driver.executeScript(() => window.said);
    }

    test("it fits a phone, and looks as saved in tests/out/", async (t) => {
      t.after(() => browser.setDark(false).then(() => setViewport(1000, 1100)));
      const backgrounds = [];
      for (const [suffix, width, height, isDark, query] of [
        ["", 1000, 1100, false, ""],
        ["-dark", 1000, 1100, true, `?company=${company(601)}`],
        ["-over", 1000, 1100, false, `?company=${company(2)}`],
        ["-phone", 390, 844, false, `?company=${company(403)}`],
        ["-phone-dark", 390, 844, true, `?company=${company(2)}`],
      ]) {
        await browser.setDark(isDark);
        await setViewport(width, height);
        await open(query);
        backgrounds.push(await driver.executeScript(() => getComputedStyle(document.body).backgroundColor));
        const overflow = await driver.executeScript(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${width} px: ${overflow} px too wide`);
        const saved = await screenshot(suffix);
        assert.ok(saved.bytes > 10_000, `${suffix}: ${saved.bytes} bytes`);
        assert.deepEqual([saved.width, saved.height], [width, height]);
      }
      assert.equal(new Set(backgrounds).size, 2, "light and dark");
    });

    // ---- The package ----

    test("every recorded exchange has the expected outcome", async () => {
      await driver.get(`${server.url}/health`);
      const replies = await driver.executeAsyncScript(callEach, ROWS.map(({ id, companyId }) => ({ id, companyId })));
      const failures = [];
      for (const [i, outcome] of JSON.parse(replies).entries()) {
        try {
          checkOutcome(ROWS[i], outcome, { inBrowser: true });
        } catch (error) {
          failures.push(error.message);
        }
      }
      const checked = JSON.parse(replies).length;
      console.log(`${name}: ${checked} exchanges checked`);
      assert.deepEqual(failures, []);
      assert.equal(checked, 254);
      assert.equal(new Set(ROWS.map(({ id }) => id)).size, 254);
    });

    test("every case of call-cases.mjs passes, as in Node", async () => {
      await driver.get(`${server.url}/health`);
      const names = Object.keys(CASES);
      const { passed, failures } = await driver.executeAsyncScript(runCases, names);
      console.log(`${name}: ${passed} cases passed`);
      assert.deepEqual(failures, []);
      assert.equal(passed, names.length);
    });

    test("every scenario has the expected outcome", async () => {
      await driver.get(`${server.url}/health`);
      const { passed, failures } = await driver.executeAsyncScript(playEach, TABLE);
      console.log(`${name}: scenarios: ${passed} through the package`);
      assert.deepEqual(failures, []);
      assert.equal(passed, TABLE.scenarios.length);
    });
  });
}

// Runs in the browser: each scenario, and its difference from the expected outcome.
async function playEach({ companies, scenarios }, done) {
  const failures = [];
  let passed = 0;
  try {
    const sdk = await import("/pkg/dist/index.js");
    const { mismatch } = await import("/pkg/virtual-world.mjs");
    for (const scenario of scenarios) {
      const words = await mismatch(sdk, companies, scenario).catch(String);
      if (words === undefined) passed++;
      else failures.push(`${scenario.name}: ${words}`);
    }
  } catch (error) {
    failures.push(String(error));
  }
  done({ passed, failures });
}

// Runs in the browser: each case of call-cases.mjs, and what went wrong.
async function runCases(names, done) {
  const failures = [];
  let passed = 0;
  try {
    const sdk = await import("/pkg/dist/index.js");
    const { CASES } = await import("/pkg/call-cases.mjs");
    for (const name of names) {
      try {
        await CASES[name]({ sdk, url: location.origin });
        passed++;
      } catch (error) {
        failures.push(`${name}: ${error?.message ?? error}`);
      }
    }
  } catch (error) {
    failures.push(String(error));
  }
  done({ passed, failures });
}

// Runs in the browser: the outcome of each row, as JSON, which keeps absent members absent.
async function callEach(rows, done) {
  try {
    const { BookMoreClient } = await import("/pkg/dist/index.js");
    const outcomes = [];
    for (const { id, companyId } of rows) {
      const client = new BookMoreClient({ baseUrl: `${location.origin}/replay/${id}`, bearerToken: "good-token", maxRetries: 0 });
      try {
        outcomes.push({ usage: await client.getAiChatUsage(companyId === undefined ? {} : { companyId }) });
      } catch ({ name, code, status, errorCode, path, message }) {
        outcomes.push({ error: { name, code, status, errorCode, path, message } });
      }
    }
    done(JSON.stringify(outcomes));
  } catch (error) {
    done(JSON.stringify([{ error: { code: "no outcome", message: String(error) } }]));
  }
}

// A server of another origin that allows the page, for behaviour that the stand-in server lacks.
// `received` and `aborted` contain the URLs of the requests, and of those that the page cancelled.
async function startOwnServer(answer) {
  const received = [];
  const aborted = [];
  const own = createServer((req, res) => {
    res.setHeader("access-control-allow-origin", "*");
    res.setHeader("access-control-allow-headers", "authorization");
    if (req.method === "OPTIONS") return res.end();
    res.setHeader("content-type", "application/json; charset=utf-8");
    received.push(req.url);
    res.on("close", () => res.writableFinished || aborted.push(req.url));
    answer(res);
  });
  await new Promise((resolve) => own.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${own.address().port}`,
    received,
    aborted,
    close() {
      own.closeAllConnections();
      return new Promise((resolve) => own.close(resolve));
    },
  };
}
