// Writes what is public into docs/api, as the build has found it, and the table of errors into the package's README.
// `make api`.
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { errorTable } from "./error-table.mjs";
import { publicItems } from "./public-items.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
rmSync(at("../docs/api"), { recursive: true, force: true });
cpSync(at("../target/declarations"), at("../docs/api"), {
  recursive: true,
  filter: (path) => !/\.d\.ts$|[\\/]temp$/.test(path),
});

writeFileSync(at("../docs/api/crate.txt"), publicItems());

const readme = at("../pkg/README.md");
const text = readFileSync(readme, "utf8");
writeFileSync(readme, text.replace(/(<!-- errors -->\n)[^]*(<!-- \/errors -->)/, `$1\n${errorTable()}\n\n$2`));
