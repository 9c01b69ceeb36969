import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { Extractor, ExtractorConfig } from "@microsoft/api-extractor";
import { ENTRIES } from "./entries.mjs";

/** The entries that do not import "bookmore-sdk"; "sdk.wasm" is the module. */
const ALONE = ["index", "slim", "no-wasm", "sdk.wasm"];
const NAMES = [...new Set(ENTRIES.map(({ name }) => name)), "sdk.wasm"];

/**
 * Finishes the declarations that tsc wrote to `dist`. Those of an entry that stands alone are rolled up into one file, so
 * that the links in comments resolve, and Deno, which looks for a script behind each import, finds everything. A summary
 * of each entry's API goes to `out`, as `NAME.api.md`.
 */
export function finishDeclarations(pkg, out) {
  const dist = join(pkg, "dist");
  rmSync(out, { recursive: true, force: true });
  for (const name of NAMES) {
    mkdirSync(dirname(join(out, name)), { recursive: true });
    // Its messages concern release tags, which we do not use; tsc has checked the rest.
    Extractor.invoke(configuration(pkg, name, out), { localBuild: true, messageCallback: (message) => (message.handled = true) });
  }
  for (const file of readdirSync(dist).filter((name) => name.endsWith(".d.ts"))) rmSync(join(dist, file));
  for (const name of ALONE) cpSync(join(out, `${name}.d.ts`), join(dist, `${name}.d.ts`));
  for (const file of readdirSync(dist, { recursive: true }).filter((name) => name.endsWith(".d.ts"))) commonJs(join(dist, file));
}

/** The same declarations for `require`, which reads `.d.cts`. */
function commonJs(path) {
  const text = readFileSync(path, "utf8").replaceAll(/(from "\.{1,2}\/[\w./-]+)\.js"/g, '$1.cjs"');
  writeFileSync(path.replace(/\.ts$/, ".cts"), text);
}

function configuration(pkg, name, out) {
  const entry = join(pkg, "dist", `${name}.d.ts`);
  const isAlone = ALONE.includes(name);
  return ExtractorConfig.prepare({
    configObjectFullPath: undefined,
    packageJsonFullPath: join(pkg, "package.json"),
    configObject: {
      projectFolder: pkg,
      mainEntryPointFilePath: entry,
      compiler: { overrideTsconfig: { extends: join(pkg, "tsconfig.json"), include: [], files: [entry] } },
      apiReport: {
        enabled: true,
        reportFolder: dirname(join(out, name)),
        reportTempFolder: join(out, "temp"),
        reportFileName: `${posix.basename(name)}.api.md`,
        includeForgottenExports: isAlone,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: isAlone, untrimmedFilePath: join(out, `${name}.d.ts`) },
      tsdocMetadata: { enabled: false },
      newlineKind: "lf",
      messages: { extractorMessageReporting: { default: { logLevel: "none" } } },
    },
  });
}
