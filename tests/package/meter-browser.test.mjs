// <ai-chat-usage-meter> of the packed tarball in real browsers, under a policy that allows neither inline scripts nor
// inline styles.
import assert from "node:assert/strict";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { Key } from "selenium-webdriver";
import { browser, stopBrowsers } from "../matrix/browsers.mjs";
import { serve } from "../matrix/serve.mjs";
import { build, withoutNode } from "./bundle.mjs";
import { install } from "./installed.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const NONCE = "bm9uY2U";
const POLICY = `default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'nonce-${NONCE}'; connect-src 'self'; frame-src 'self'; img-src 'self'`;
const ID = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";

const updatedAt = Date.now();

let user, site;
before(async () => {
  user = install();
  cpSync(at("meter"), user.folder, { recursive: true });
  cpSync(at("../meter/states.js"), join(user.folder, "states.js"));
  cpSync(join(user.folder, "node_modules/bookmore-sdk/dist/meter/meter.css"), join(user.folder, "meter.css"));
  const load = (path) => import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist", path)));
  const { renderToString } = await load("meter/server.js");
  const { usage } = await load("testing/index.js");
  const page = (body, scripts = ["page.bundle.js"]) =>
    `<!doctype html><html lang="en"><meta charset="utf-8"><title>Meter</title><body>${body}${scripts.map((src) => `<script type="module" src="${src}"></script>`).join("")}`;
  writeFileSync(join(user.folder, "index.html"), page("", ["page.bundle.js", "second.bundle.js"]));
  const options = { companyId: ID, timeZone: "UTC", updatedAt, label: 'Of "us" <&>' };
  const rendered = (more) => renderToString(usage({ companyId: ID, share: 0.83 }), { ...options, ...more }).replace("<ai-chat-usage-meter", '<ai-chat-usage-meter id="rendered"');
  for (const [name, more] of [["file", { stylesheetHref: "meter.css" }], ["nonce", { nonce: NONCE }]]) {
    writeFileSync(join(user.folder, `${name}.html`), page(rendered(more)));
    writeFileSync(join(user.folder, `${name}-plain.html`), page(rendered(more), []));
  }
  await bundle(user.folder);
  site = await serve(user.folder, { "content-security-policy": POLICY });
});
after(async () => {
  await stopBrowsers();
  await site?.close();
  user?.remove();
});

async function bundle(folder) {
  for (const name of ["page", "second"]) {
    await build({
      entryPoints: [join(folder, `${name}.js`)],
      outfile: join(folder, `${name}.bundle.js`),
      bundle: true,
      minify: true,
      format: "esm",
      external: ["./second.bundle.js"],
      nodePaths: [at("../node_modules")],
      define: { global: "globalThis" },
      plugins: [withoutNode],
      logLevel: "error",
    });
  }
}

for (const name of ["chromium", "firefox", "webkit"]) {
  describe(name, { timeout: 300_000 }, () => {
    let driver;
    const open = async (page) => {
      await driver.get(site.url + page);
      await driver.wait(async () => (await driver.getTitle()) === "ready", 60_000);
    };
    before(async () => {
      ({ driver } = await browser(name));
      await driver.manage().setTimeouts({ script: 120_000, pageLoad: 60_000 });
      await open("index.html");
    });
    const act = async (what, argument) => {
      const { value, error } = await driver.executeAsyncScript(
        "const done = arguments[2]; window.act(arguments[0], arguments[1]).then((value) => done({ value }), (error) => done({ error: String(error?.stack ?? error) }));",
        what,
        argument,
      );
      if (error) throw new Error(error);
      return value;
    };
    const inside = (selector) => driver.executeScript("return document.querySelector('ai-chat-usage-meter').shadowRoot.querySelector(arguments[0])", selector);

    it("shows the level in words and figures, in each variant", async () => {
      const texts = await act("texts");
      assert.deepEqual(
        Object.fromEntries(Object.entries(texts).filter(([of]) => of.endsWith(", bar"))),
        Object.fromEntries(Object.entries(BARS).map(([of, words]) => [`${of}, bar`, words])),
      );
      assert.equal(texts["far over, ring"], "Over the limit | 2,500,000,000 of 1,000,000 tokens | 2.5K× | 2,500 × the limit | in the last 30 days | ");
      assert.equal(texts["ten digits, compact"], "Within budget | 1.2B of 9.8B tokens | 12% | 8,641,975,320 left | in the last 30 days | ");
    });

    it("contains a meter role, whose value never exceeds the limit", async () => {
      assert.deepEqual(await act("meterAttributes"), METERS);
    });

    it("has a role and a name in the browser's accessibility tree", async () => {
      await act("show", ["over", {}]);
      const meter = await inside(".meter");
      assert.deepEqual([await meter.getAriaRole(), await meter.getAccessibleName()], ["meter", "AI assistant usage"]);
      await act("show", ["stale, no network", { label: "Of us", variant: "compact" }]);
      const compact = await inside(".meter");
      assert.deepEqual([await compact.getAriaRole(), await compact.getAccessibleName()], ["meter", "Of us"]);
      const button = await inside(".retry");
      assert.deepEqual([await button.getAriaRole(), await button.getAccessibleName()], ["button", "Try again"]);
      assert.equal(await (await inside(".said")).getAriaRole(), "status");
      if (name === "chromium") {
        const { nodes } = await driver.sendAndGetDevToolsCommand("Accessibility.getFullAXTree", {});
        // WebDriver has no aria-valuetext, so that is checked as an attribute.
        const { name, value } = nodes.find(({ role }) => role?.value === "meter");
        assert.deepEqual([name.value, value.value], ["Of us", 83_000]);
      }
    });

    it("passes axe in every state, light and dark", async () => assert.deepEqual(await act("axe"), []));
    it("has marks with a contrast of at least 3", async () => assert.deepEqual(await act("marks"), []));
    it("fits from 120 px on, in both directions, with a long label", async () => assert.deepEqual(await act("layout"), []));
    it("breaks no word of a compact meter, however narrow it is", async () => assert.deepEqual(await act("brokenWords"), []));

    it("announces each change of the level once, without numbers", async () => {
      assert.deepEqual(await act("announcements"), [
        "", "AI assistant usage: Near the limit", "AI assistant usage: No connection.", "AI assistant usage: Near the limit",
        "AI assistant usage: Almost used up", "AI assistant usage: Limit reached", "AI assistant usage: Over the limit", "AI assistant usage: Within budget",
      ]);
    });

    it("has states for style sheets", async () => {
      const states = Object.entries(await act("states")).filter(([, custom]) => custom);
      assert.deepEqual(Object.fromEntries(states), {
        "warning": "warning", "critical": "critical", "reached": "over", "over": "over", "far over": "over", "no limit": "over",
        "stale, no network": "warning stale", "stale, logged out": "stale",
        "stale, busy for long": "stale", "stale, quota": "stale",
      });
    });

    it("sends one request, and dispatches events for what it shows", async () => {
      assert.deepEqual(await act("polls"), { requests: 1, shown: "50,000 of 100,000 tokens", events: ["ok 0.5"] });
    });

    it("sends nothing when moved, stops when removed; put back, it shows its last usage and sends a request", async () => {
      const shown = "50,000 of 100,000 tokens";
      assert.deepEqual(await act("moves"), { shown, moved: 1, events: 0, gone: 1, again: shown, back: 2 });
    });

    it("follows another client and company, also while it loads", async () => {
      const { shown, urls } = await act("changes");
      assert.deepEqual(shown, ["90%", "", "70%", "20%", "", "true"]);
      assert.deepEqual(urls.slice(-2), ["11111111222233334444555555555555", "own"].map((id) => (id === "own" ? id : urls.at(-2))));
      assert.match(urls.at(-2), /^1{8}/);
    });

    it("shows nothing of the previous company's usage", async () => {
      assert.deepEqual(await act("knows"), ["83%", "50%", "", "50%"]);
    });

    it("can be changed, removed or moved by a listener of its first event", async () => {
      assert.deepEqual(await act("listeners"), { shown: ["83%", "130%"], listeners: [0, 0, 1] });
    });

    it("keeps the figures beside an error, and has buttons to retry and to log in", async () => {
      const { seen, busy, focused, logins, requests } = await act("failures");
      assert.deepEqual(seen, ["83% | ", "83% | No connection. | Try again", "83% | You are not logged in any more. | Log in", "84% | "]);
      assert.deepEqual([busy, focused, logins, requests], [["false", "true"], "base", 1, 4]);
    });

    it("works with the keyboard", async () => {
      await act("show", ["stale, logged out", {}]);
      await driver.executeScript("window.logins = 0; document.addEventListener('bookmore-login', () => window.logins++)");
      await driver.actions().sendKeys(Key.TAB, Key.ENTER, Key.SPACE).perform();
      assert.equal(await driver.executeScript("return window.logins"), 2);
    });

    it("keeps the focus when it is redrawn", async () => {
      await act("show", ["stale, no network", {}]);
      const focused = () => driver.executeScript("return document.querySelector('ai-chat-usage-meter').shadowRoot.activeElement?.className");
      await driver.actions().sendKeys(Key.TAB, Key.ENTER).perform();
      assert.deepEqual([await act("shown", "stale, no network"), await focused()], [1, "retry"]);
      await driver.actions().sendKeys(Key.SPACE).perform();
      // The button has disappeared with its error.
      assert.deepEqual([await act("shown", "ok"), await focused()], [2, "base"]);
    });

    it("takes over properties that were set before it was defined", async () => {
      assert.deepEqual(await act("lazy"), { first: ["Ours", "25%", "ring", ID, []], then: "50%" });
    });

    it("works in another document", async () => {
      assert.deepEqual(await act("adopted"), { widths: ["1px", "1px", "1px"], shown: "130%", listeners: 1 });
    });

    it("is defined once, by the first of two copies, which share the languages", async () => {
      assert.deepEqual(await act("twice"), { isOther: true, isFirst: true, level: "Inom budget" });
    });

    it("uses the language of the page, or its own", async () => {
      const english = "AI assistant usage | 12,300 of 100,000 tokens | in the last day";
      const [sv, de, es, fr, nonsense, x, page, own, late] = (await act("languages")).map((words) => words.replaceAll(/[\u00a0\u202f]/g, " "));
      assert.equal(sv, "Användning av AI-assistenten | 12 300 av 100 000 token | det senaste dygnet");
      // Their words were not imported.
      assert.deepEqual([de, es, fr, nonsense, x, page], Array(6).fill(english));
      assert.equal(own, english.replace("AI assistant usage", "Chez nous"));
      assert.equal(late, "tlhIngan | <b>x</b> | jaj");
    });

    it("shows what is wrong with an invalid property, and throws nothing", async () => {
      assert.deepEqual(await act("nonsense"), { shown: NONSENSE, requests: 0 });
      assert.deepEqual(await act("refreshWithoutClient"), ["config_error", "The meter has no client to ask."]);
    });

    it("shows the property usage until the first answer, and only to the same user", async () => {
      assert.deepEqual(await act("initial"), ["40%", "40%", "No connection.", "", "You are not logged in any more.", "70%"]);
    });

    it("announces nothing if only the language or the label changes", async () => {
      assert.deepEqual(await act("announcedInOtherWords"), ["Ours: Near the limit", "", "Ours: Almost used up", ""]);
    });

    it("has working buttons for a new client while the previous one does not answer", async () => {
      assert.deepEqual(await act("otherClientWhileTrying"), { disabled: ["true", null], logins: 1, calls: 2, askedAgain: true });
    });

    it("uses the language outside its shadow tree", async () => assert.equal(await act("languageAround"), "Goed"));

    it("shows a failure if a stand-in rejects with undefined", async () => {
      const failed = "The usage could not be loaded.";
      assert.deepEqual(await act("rejectsWithNothing"), { shown: ["No figures yet", failed, "Try again"], busy: "false", said: `AI assistant usage: ${failed}` });
    });

    it("falls back if a function of its strings throws or returns no text, without affecting other meters", async () => {
      const shown = "Gut | 5 of 10 tokens | noch 5";
      assert.deepEqual(await act("brokenStrings"), [shown, shown]);
    });

    it("survives a click on its shadow root", async () => assert.deepEqual(await act("clickOnTheRoot"), []));

    it("shows a new user nothing of the previous one's", async () => {
      assert.deepEqual(await act("givenForTheUserBefore"), ["50%", ""]);
    });

    it("works in what React has rendered on a server", async () => {
      const { shown, logins, companies } = await act("hydrated");
      const html = '<ai-chat-usage-meter variant="ring" company-id="11111111-2222-3333-4444-555555555555"></ai-chat-usage-meter>';
      const attributes = (text) => text.match(/[\w-]+="[^"]*"/g)?.sort().join(" ") ?? text;
      assert.deepEqual(shown.map(attributes), ["50%", attributes(html), "50%", attributes(html)]);
      assert.deepEqual([logins, companies], [2, [ID]]);
    });

    it("shows nothing that a server has rendered for another company", async () => assert.deepEqual(await act("attributeChangedBefore"), ["83%", "83%", "", "30%", "", "The usage is of another company than companyId."]));

    it("makes no page scroll whose own area does", async () => assert.equal(await act("inAScrollingArea"), true));

    it("begins Hebrew words at the right, whatever letter a figure has", async () => assert.deepEqual(await act("fromRightToLeft"), ["he", "\u200f", true]));

    it("is drawn again when the page is looked at again", async () => assert.deepEqual(await act("lookedAtAgain"), ["Within budget", "Bra"]));

    it("is as wide as its wrapper lets it be, and pushes none apart", async () => {
      const { "flex 300": flex, "grid 300": grid, "block 300": block, "fit 300": fit, ...wide } = await act("inWrappers");
      assert.deepEqual([flex, grid, block, fit], [300, 150, 300, 300]);
      assert.deepEqual(wide, { "flex 800": 384, "grid 800": 400, "block 800": 800, "fit 800": 384 });
    });

    it("takes what Preact sets for null as absent", async () => assert.deepEqual(await act("withoutAnyInPreact"), ["", "30%", "50%", ""]));

    it("is readable with every display, and not torn apart where it is stretched", async () => {
      const { widths, content, card } = await act("laidOut");
      assert.deepEqual(widths, { "": [600, true], block: [600, true], flex: [600, true], "inline-flex": [120, true], "inline-block": [120, true], "grid; place-items: center": [600, true] });
      assert.deepEqual([content, card], [true, 400]);
    });
    it("keeps its elements and the focus where an extension adds styles", async () => assert.deepEqual(await act("besideOtherStyles"), [true, true, true, 1]));
    it("discards a usage once the company changes, also before it is in the page", async () => assert.equal(await act("companyBeforeThePage"), ""));
    it("dispatches its events where its states are refused", async () => assert.deepEqual(await act("withoutStates"), ["ok", "error", "ok"]));
    it("tears no figure of ten digits apart, at any width", async () => assert.deepEqual(await act("tornFigures"), []));

    for (const how of ["file", "nonce"]) {
      it(`is visible before any script, with its styles by ${how}, and taken over`, async () => {
        await driver.get(`${site.url}${how}-plain.html`);
        const plain = await driver.executeScript(() => {
          const root = document.querySelector("#rendered").shadowRoot;
          const { width, height } = root.querySelector(".fill").getBoundingClientRect();
          const whole = root.querySelector(".track").getBoundingClientRect();
          return [root.querySelector(".share").textContent, getComputedStyle(root.querySelector(".base")).borderTopWidth, Math.round((100 * width) / whole.width), height > 4, root.querySelector(".label").textContent];
        });
        assert.deepEqual(plain, ["83%", "1px", 83, true, 'Of "us" <&>']);
        await open(`${how}.html`);
        const { asOf, ...shown } = await act("rendered");
        assert.deepEqual(shown, { share: "83%", level: true, styles: 0, border: "1px", updatedAt });
        assert.match(asOf, /^as of /);
        assert.deepEqual(await act("renderedThen"), {
          seen: ["83%", "No connection.", "as of", true, "83%", "", false, "90%"],
          // No event for the usage that the page already had, nor for an equal one.
          events: ["error 0.83", "ok 0.83", "ok 0.9"],
          isSame: true,
        });
        assert.deepEqual(await act("violations"), []);
        await open(`${how}.html`);
        assert.deepEqual(await act("renderedForAnother"), ["83%", ""]);
      });
    }

    it("violates no Content-Security-Policy", async () => {
      await open("index.html");
      await act("texts");
      assert.deepEqual(await act("violations"), []);
    });
  });
}

const WINDOW = "in the last 30 days";
const BARS = {
  "pending": " |  |  |  |  | ",
  "unused": `Within budget | 0 of 100,000 tokens | 0% | 100,000 left | ${WINDOW} | `,
  "ok": `Within budget | 12,300 of 100,000 tokens | 12% | 87,700 left | ${WINDOW} | `,
  "warning": `Near the limit | 83,000 of 100,000 tokens | 83% | 17,000 left | ${WINDOW} | `,
  "critical": `Almost used up | 99,600 of 100,000 tokens | 99% | 400 left | ${WINDOW} | `,
  "reached": `Limit reached | 100,000 of 100,000 tokens | 100% | 0 left | ${WINDOW} | `,
  "over": `Over the limit | 130,000 of 100,000 tokens | 130% | 30,000 over the limit | ${WINDOW} | `,
  "far over": `Over the limit | 2,500,000,000 of 1,000,000 tokens | 2,500 × the limit | 2,499,000,000 over the limit | ${WINDOW} | `,
  "no limit": `Not within budget | 12,300 of 0 tokens |  | 12,300 over the limit | ${WINDOW} | `,
  "ten digits": `Within budget | 1,234,567,890 of 9,876,543,210 tokens | 12% | 8,641,975,320 left | ${WINDOW} | `,
  "stale, no network": `Near the limit | 83,000 of 100,000 tokens | 83% | 17,000 left | ${WINDOW} | No connection.`,
  "stale, logged out": `Within budget | 12,300 of 100,000 tokens | 12% | 87,700 left | ${WINDOW} | You are not logged in any more.`,
  "no figures, busy": " | No figures yet |  |  |  | Too many requests at the moment.",
  "stale, busy for long": `Within budget | 12,300 of 100,000 tokens | 12% | 87,700 left | ${WINDOW} | Too many requests; wait until Jan 31, 2096, 1:06 PM.`,
  "stale, quota": `Within budget | 12,300 of 100,000 tokens | 12% | 87,700 left | ${WINDOW} | The quota of the API is used up.`,
  "wrong company id": ` | No figures yet |  |  |  | The company id is not a Guid. Pass one such as ${ID}.`,
};
const METERS = {
  "pending": null,
  "unused": "0 | 100000 | 0 of 100,000 tokens",
  "ok": "12300 | 100000 | 12,300 of 100,000 tokens",
  "warning": "83000 | 100000 | 83,000 of 100,000 tokens",
  "critical": "99600 | 100000 | 99,600 of 100,000 tokens",
  "reached": "100000 | 100000 | 100,000 of 100,000 tokens",
  "over": "100000 | 100000 | 130,000 of 100,000 tokens",
  "far over": "1000000 | 1000000 | 2,500,000,000 of 1,000,000 tokens",
  "no limit": "1 | 1 | 12,300 of 0 tokens",
  "ten digits": "1234567890 | 9876543210 | 1,234,567,890 of 9,876,543,210 tokens",
  "stale, no network": "83000 | 100000 | 83,000 of 100,000 tokens",
  "stale, logged out": "12300 | 100000 | 12,300 of 100,000 tokens",
  "no figures, busy": null,
  "stale, busy for long": "12300 | 100000 | 12,300 of 100,000 tokens",
  "stale, quota": "12300 | 100000 | 12,300 of 100,000 tokens",
  "wrong company id": null,
};
const NO_USAGE = "No figures yet |  |  | The usage must be one that getAiChatUsage returns.";
const NONSENSE = {
  "NaN": NO_USAGE,
  "absent members": NO_USAGE,
  "a string": NO_USAGE,
  "no remainder": NO_USAGE,
  "a fraction of a token": NO_USAGE,
  "more than 2^53 - 1": NO_USAGE,
  "0 as usage": NO_USAGE,
  "an invalid usage with a client": NO_USAGE,
  "an invalid client": "No figures yet |  |  | client must be a BookMoreClient, or an object with its functions.",
  "false for a client": "No figures yet |  |  | client must be a BookMoreClient, or an object with its functions.",
  "false for a store": "No figures yet |  |  | The store must be one of watchAiChatUsage.",
  "an invalid variant and locale": "5 of 10 tokens | 50% | 5 left | ",
  "an invalid store": "No figures yet |  |  | The store must be one of watchAiChatUsage.",
  "a store without refresh": "No figures yet |  |  | The store must be one of watchAiChatUsage.",
  "a stand-in that returns nonsense": "No figures yet |  |  | The usage could not be loaded.",
  "a stand-in that throws nonsense": "No figures yet |  |  | The usage could not be loaded.",
  "an invalid company id": "No figures yet |  |  | The company id is not a Guid; pass it as 32 hexadecimal digits, with or without dashes.",
  "an empty company id": "No figures yet |  |  | The company id is empty; leave it out to ask for the caller's own company.",
  "negative": "-5 of 100,000 tokens | -0.1% | 100,005 left | ",
  "over, but within budget": "130,000 of 100,000 tokens | 130% | 30,000 over the limit | ",
  "a limit of 0 within budget": "0 of 0 tokens |  | 0 left | ",
  "2^53 - 1 of 1": "9,007,199,254,740,991 of 1 token | 9,007,199,254,740,991 × the limit | 9,007,199,254,740,990 over the limit | ",
  "without properties": " |  |  | ",
  "invalid strings": "50,000 of 100,000 tokens | 50% | 50,000 left | ",
};
