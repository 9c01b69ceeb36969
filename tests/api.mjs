// Writes the public API to docs/api, the tables of errors and causes to the package's docs, and the types of the crate as
// a JavaScript module. `make api`.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { BINDINGS_DECLARATIONS, bindingsDeclarations } from "../pkg/build/bindings.mjs";
import { causesTable } from "./causes-table.mjs";
import { errorTable } from "./error-table.mjs";
import { publicItems } from "./public-items.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
rmSync(at("../docs/api"), { recursive: true, force: true });
cpSync(at("../target/declarations"), at("../docs/api"), {
  recursive: true,
  filter: (path) => !/\.d\.ts$|[\\/]temp$/.test(path),
});

writeFileSync(at("../docs/api/crate.txt"), publicItems());

for (const [page, name, table] of [
  ["errors", "errors", errorTable()],
  ["diagnose", "causes", causesTable()],
]) {
  const path = at(`../pkg/docs/${page}.md`);
  const marked = new RegExp(`(<!-- ${name} -->\\n)[^]*(<!-- /${name} -->)`);
  writeFileSync(path, readFileSync(path, "utf8").replace(marked, (_, begin, end) => `${begin}\n${table}\n\n${end}`));
}

writeFileSync(at(`../${BINDINGS_DECLARATIONS}`), bindingsDeclarations(at("..")));
