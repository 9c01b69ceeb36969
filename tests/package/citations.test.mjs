// Comments cite existing items of docs/wire-contract.md, and that page cites existing recordings.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path) => readFileSync(`${root}/${path}`, "utf8");
const page = read("docs/wire-contract.md");

/** `Failures 2` for each numbered item, `Failures` for each section. */
function places() {
  const found = new Set();
  for (const section of page.split(/^## /m).slice(1)) {
    const [title] = section.split("\n");
    found.add(title);
    for (const [, number] of section.matchAll(/^(\d+)\. /gm)) found.add(`${title} ${number}`);
  }
  return found;
}

it("every citation of the contract resolves", () => {
  const sources = ["src", "pkg/src", "tests", "examples"].flatMap((folder) =>
    readdirSync(`${root}/${folder}`, { recursive: true })
      .map((path) => `${folder}/${path}`)
      .filter((path) => /\.(rs|ts|mjs)$/.test(path) && !/node_modules|\/out\//.test(path)),
  );
  const known = places();
  let cited = 0;
  for (const path of sources) {
    // A citation may continue on the next line of a comment.
    const text = read(path).replaceAll(/\n\s*(\/\/[/!]?|\*)/g, "");
    for (const [, title, numbers = ""] of text.matchAll(/\bcontract, "([A-Z]\w*)"((?: \d+|,(?= \d)| and(?= \d))*)/gi)) {
      const all = numbers.match(/\d+/g) ?? [];
      for (const place of all.length > 0 ? all.map((number) => `${title} ${number}`) : [title]) {
        assert.ok(known.has(place), `${path}: Contract, "${title}"${numbers}: there is no ${place}`);
        cited++;
      }
    }
  }
  assert.ok(cited >= 5, `only ${cited} citations were found`);
});

it("every recording that the contract cites exists", () => {
  const folder = "tests/fixtures/exchanges";
  const files = readdirSync(`${root}/${folder}`).filter((name) => name.endsWith(".json"));
  const recorded = new Set(files.flatMap((name) => JSON.parse(read(`${folder}/${name}`)).map(({ id }) => id)));
  const hosts = files.map((name) => name.slice(0, -".json".length)).join("|");
  const named = [...page.matchAll(new RegExp(`\`((?:${hosts})/[\\w-]+)\``, "g"))].map(([, id]) => id);
  assert.deepEqual(named.filter((id) => !recorded.has(id)), []);
  assert.ok(named.length > 30, `only ${named.length} were found`);
});
