// The public API matches docs/api. A change there affects users, so it is described in CHANGELOG.md.
import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { it } from "node:test";
import { publicItems } from "../public-items.mjs";

const at = (path) => new URL(`../../${path}`, import.meta.url);
const reports = (folder) => readdirSync(at(folder), { recursive: true }).filter((name) => /^(?!temp).*\.api\.md$/.test(name)).sort();

it("has a report for each entry", () => assert.deepEqual(reports("docs/api"), reports("target/declarations")));

for (const name of reports("target/declarations")) {
  it(`matches docs/api/${name}; if the change is intended, run make api`, () => {
    const [built, said] = ["target/declarations", "docs/api"].map((folder) => readFileSync(at(`${folder}/${name}`), "utf8"));
    assert.equal(built, said);
  });
}

it("of the crate matches docs/api/crate.txt; if the change is intended, run make api", () => {
  assert.equal(publicItems(), readFileSync(at("docs/api/crate.txt"), "utf8"));
});
