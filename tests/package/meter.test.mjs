// The meter of the packed tarball without a page: its manifest, its HTML, and importing it.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { install } from "./installed.mjs";

const ID = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";

let user, read, meter, renderToString, usage;
before(async () => {
  user = install();
  const packed = (path) => join(user.folder, "node_modules/bookmore-sdk", path);
  read = (path) => readFileSync(packed(path), "utf8");
  const load = (path) => import(pathToFileURL(packed(`dist/${path}`)));
  meter = await load("meter/index.js");
  ({ renderToString } = await load("meter/server.js"));
  ({ usage } = await load("testing/index.js"));
});
after(() => user?.remove());

const refused = (act) => {
  try {
    act();
  } catch ({ code, message }) {
    return [code, message];
  }
  return assert.fail("it was taken");
};

it("can be imported without custom elements, in both formats, and then does nothing", () => {
  const names = ["meter", "meter/define", "meter/locales/sv", "meter/locales/de", "meter/locales/es", "meter/locales/fr"].map((name) => `bookmore-sdk/${name}`);
  const run = (...args) => execFileSync(process.execPath, args, { cwd: user.folder, encoding: "utf8" });
  assert.equal(run("-e", `${names.map((name) => `require("${name}");`).join("")} console.log(typeof customElements)`), "undefined\n");
  assert.equal(run("--input-type=module", "-e", `${names.map((name) => `import "${name}";`).join("")} console.log(typeof customElements)`), "undefined\n");
});

it("has a manifest that matches the element", () => {
  const manifest = JSON.parse(read("custom-elements.json"));
  assert.equal(JSON.parse(read("package.json")).customElements, "custom-elements.json");
  const { declarations: [element] } = manifest.modules[0];
  const names = (list) => list.map(({ name }) => name).sort();
  // The other one is React's, and nobody's to write.
  const observed = meter.AiChatUsageMeter.observedAttributes.filter((name) => name !== "companyid");
  assert.deepEqual(names(element.attributes), [...observed].sort());
  const own = Object.getOwnPropertyNames(meter.AiChatUsageMeter.prototype).filter((name) => name !== "constructor" && !name.endsWith("Callback"));
  assert.deepEqual(names(element.members), own.sort());
  const sheet = read("dist/meter/meter.css");
  const [, host] = /^:host\{([^}]*)\}/.exec(sheet);
  assert.deepEqual(names(element.cssProperties), [...host.matchAll(/(--[\w-]+):/g)].map(([, name]) => name).sort());
  const html = ["bar", "ring", "compact"].map((variant) => renderToString(usage({ share: 2 }), { variant })).join("");
  assert.deepEqual(names(element.cssParts), [...new Set([...html.matchAll(/ part="([\w-]+)"/g)].map(([, name]) => name))].sort());
  const source = read("dist/meter/index.js");
  for (const { name } of [...element.events, ...element.cssStates]) assert.ok(source.includes(`"${name}"`), name);
  const [define] = manifest.modules[1].exports;
  assert.ok(read(manifest.modules[1].path).includes(`"${define.name}"`));
  // pkg/docs/meter.md lists the properties, too.
  const page = read("docs/meter.md");
  assert.deepEqual(element.cssProperties.filter(({ name }) => !page.includes(`\`${name}\``)), []);
});

describe("rendered to a string", () => {
  it("has the figures, a name and a value, and no style attribute", () => {
    const html = renderToString(usage({ share: 0.83 }), { companyId: ID, updatedAt: Date.UTC(2026, 0, 31, 13, 5), timeZone: "Europe/Stockholm" });
    assert.ok(html.startsWith(`<ai-chat-usage-meter company-id="${ID}"><template shadowrootmode="open"><style>`));
    assert.match(html, /<\/template><\/ai-chat-usage-meter>$/);
    assert.match(html, /role="meter" aria-labelledby="label" aria-valuemin="0" aria-valuemax="100000" aria-valuenow="83000" aria-valuetext="83,000 of 100,000 tokens"/);
    assert.match(html, /<rect class="fill" part="fill" width="83%"/);
    assert.match(html, /as of Jan 31, 2026, 2:05\sPM/);
    assert.doesNotMatch(html, / style=/);
  });

  it("has its styles by nonce or from a file, and escapes text", () => {
    assert.match(renderToString(null, { nonce: 'a"b' }), /<style nonce="a&#34;b">:host/);
    assert.match(renderToString(null, { nonce: "a", stylesheetHref: "/m.css" }), /<link rel="stylesheet" href="\/m.css" nonce="a">/);
    const html = renderToString(null, { stylesheetHref: "/m.css?a&b", label: "<b>", variant: "ring" });
    assert.match(html, /^<ai-chat-usage-meter label="&#60;b&#62;" variant="ring"><template shadowrootmode="open"><link rel="stylesheet" href="\/m.css\?a&#38;b"><div class="box"><div class="base"/);
    assert.match(html, /aria-busy="true"/);
    assert.doesNotMatch(html, /<style|role="meter"|<b>/);
  });

  it("uses an imported language, with the locale's numbers", () => {
    const script = `
      import { renderToString } from "bookmore-sdk/meter/server";
      import "bookmore-sdk/meter/locales/sv";
      import { de } from "bookmore-sdk/meter/locales/de";
      import { usage } from "bookmore-sdk/testing";
      const words = (options) => /aria-valuetext="([^"]*)"/.exec(renderToString(usage({ share: 0.5 }), options))[1].replaceAll(/\\s/g, " ");
      console.log([words({ locale: "sv-SE" }), words({ locale: "de" }), words({ locale: "xx", strings: de }), words({ locale: "no such" })].join("|"));`;
    const printed = execFileSync(process.execPath, ["--input-type=module", "-e", script], { cwd: user.folder, encoding: "utf8" });
    assert.equal(printed, "50 000 av 100 000 token|50.000 von 100.000 Token|50,000 von 100,000 Token|50,000 of 100,000 tokens\n");
  });

  it("has the tokens used in bold, wherever the sentence has them", () => {
    const figures = (used, tokens) => /class="figures"[^>]*>(.*?)<\/div>/.exec(renderToString(usage({ tokensUsed: tokens, tokenLimit: 100 }), { strings: { used } }))[1];
    assert.equal(figures((used, limit) => `${limit} トークン中 ${used}`, 1), "100 トークン中 <strong>1</strong>");
    assert.equal(figures((used, limit) => `${used} av ${limit}`, 1), "<strong>1</strong> av 100");
    assert.equal(figures((used, limit) => (used === "0" ? `none of ${limit}` : `${used} of ${limit}`), 0), "none of 100");
    assert.equal(figures(() => "some", 1), "some");
  });

  it("takes texts that a region lacks from its language, and ignores texts of another type", () => {
    meter.addMeterStrings("nn", { label: "Bruk", ok: "Fint" });
    meter.addMeterStrings("nn-NO", { label: "Bruken" });
    const words = (strings) => [/id="label">([^<]*)</, /class="words">([^<]*)</, /aria-valuetext="([^"]*)"/].map((part) => part.exec(renderToString(usage({ share: 0.5 }), { locale: "nn-NO", strings }))[1]);
    // Neither has words for the figures.
    const english = "50,000 of 100,000 tokens";
    assert.deepEqual(words(), ["Bruken", "Fint", english]);
    for (const strings of [{ used: undefined, label: undefined }, { used: "x", ok: () => "y" }]) assert.deepEqual(words(strings), ["Bruken", "Fint", english]);
    assert.deepEqual(words({ label: "Eigen" })[0], "Eigen");
    // Added to what the language has.
    meter.addMeterStrings("nn", { used: (used, limit) => `${used} av ${limit}` });
    const figures = new Intl.NumberFormat("nn-NO");
    assert.deepEqual(words(), ["Bruken", "Fint", `${figures.format(50_000)} av ${figures.format(100_000)}`]);
  });

  it("ignores functions that throw or return no text", () => {
    const strings = { used: () => { throw new Error("boo"); }, left: () => 7, window: () => undefined };
    assert.equal(renderToString(usage({ share: 0.5 }), { strings }), renderToString(usage({ share: 0.5 })));
  });

  it("is drawn full for a limit below 0, as for 0", () => {
    const drawn = (tokenLimit) => /<line class="overflow"[^>]*>/.exec(renderToString({ tokensUsed: 5, tokenLimit, tokensRemaining: 0, isWithinBudget: false, windowDays: 30 }))[0];
    assert.equal(drawn(-1), drawn(0));
    assert.doesNotMatch(drawn(-1), /hidden/);
  });

  it("reveals no more in the page's source than the page shows", () => {
    const given = { ...usage({ companyId: ID, share: 0.83 }), responseStatus: { message: "Internal." }, secret: "x" };
    const state = (options) => JSON.parse(/ data-state="([^"]*)"/.exec(renderToString(given, options))[1].replaceAll("&#34;", '"'));
    const { tokensUsed, tokenLimit, tokensRemaining, isWithinBudget, windowDays } = given;
    const shown = { usage: { tokensUsed, tokenLimit, tokensRemaining, isWithinBudget, windowDays } };
    assert.deepEqual(state(), shown);
    assert.deepEqual(state({ updatedAt: 5, companyId: ID }), { ...shown, companyId: ID, updatedAt: 5 });
    assert.doesNotMatch(renderToString(given), new RegExp(`Internal|secret|${ID}`));
    assert.doesNotMatch(renderToString(null), /data-state/);
  });

  it("refuses invalid arguments", async () => {
    const good = usage({ share: 0.5 });
    const { tokensRemaining, ...incomplete } = good;
    for (const bad of [{ tokensUsed: 5 }, { ...good, tokensUsed: 1.5 }, { ...good, tokensUsed: 2 ** 53 }, { ...good, tokenLimit: NaN }, { ...good, windowDays: "30" }, { ...good, isWithinBudget: 1 }, incomplete, 5, 0, "", false, "usage", []]) {
      assert.deepEqual(refused(() => renderToString(bad)), ["config_error", "The usage must be one that getAiChatUsage returns."], JSON.stringify(bad));
    }
    for (const [options, message] of [
      [{ companyId: null }, "companyId must be a string."],
      [{ label: null }, "label must be a string."],
      [{ nonce: 5 }, "nonce must be a string."],
      [{ stylesheetHref: new URL("https://a.example") }, "stylesheetHref must be a string."],
      [{ locale: 5 }, "locale must be a string."],
      [{ variant: "pie" }, 'variant must be "bar", "ring" or "compact".'],
      [{ variant: null }, 'variant must be "bar", "ring" or "compact".'],
      [{ strings: null }, "strings must be an object."],
      [{ strings: "words" }, "strings must be an object."],
      [null, "The options of renderToString must be an object."],
      ["bar", "The options of renderToString must be an object."],
    ]) assert.deepEqual(refused(() => renderToString(null, options)), ["config_error", message]);
    // With the message of a call.
    const { BookMoreClient } = await import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/index.js")));
    const { message } = await new BookMoreClient().getAiChatUsage({ companyId: "nope" }).catch((error) => error);
    for (const companyId of ["nope", "", `${ID}0`]) assert.equal(refused(() => renderToString(null, { companyId }))[1], message);
    assert.match(refused(() => renderToString(null, { style: "x" }))[1], /^The options of renderToString cannot have "style"/);
    for (const updatedAt of [NaN, 9e15, null, "2026-11-26T00:00:00Z", new Date()]) {
      assert.match(refused(() => renderToString(usage(), { updatedAt }))[1], /^updatedAt must be/, String(updatedAt));
    }
    assert.match(refused(() => renderToString(null, { timeZone: "Mars" }))[1], /^timeZone must be/);
  });

  it("has the same level as the watch", () => {
    const { watchAiChatUsage } = createRequire(join(user.folder, "user.cjs"))("bookmore-sdk/watch");
    for (const share of [0, 0.79, 0.8, 0.95, 1, 2]) {
      const initialUsage = usage({ share });
      const { level } = watchAiChatUsage({ getAiChatUsage() {} }, null, { initialUsage }).getSnapshot();
      assert.ok(renderToString(initialUsage).includes(`data-level="${level}"`), `${share}`);
    }
  });
});

it("has every text in every language", async () => {
  const languages = ["sv", "de", "es", "fr"];
  const all = await Promise.all(languages.map((name) => import(pathToFileURL(join(user.folder, `node_modules/bookmore-sdk/dist/meter/locales/${name}.js`)))));
  const kinds = (strings) => Object.entries(strings).map(([name, word]) => `${name}: ${typeof word}`).sort();
  for (const [index, module] of all.entries()) {
    const strings = module[languages[index]];
    assert.deepEqual(kinds(strings), kinds(all[0].sv));
    for (const [name, word] of Object.entries(strings)) assert.ok(typeof word === "string" ? word : word("5", "7", 7).includes("5"), `${languages[index]}.${name}`);
  }
});
