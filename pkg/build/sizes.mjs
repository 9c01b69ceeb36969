import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";
import { EXTERNAL } from "./entries.mjs";

const brotli = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;

/**
 * Prints the size of each entry, bundled and minified as in an app, and fails if
 * one exceeds its limit in budget.json (bytes of brotli; null for none).
 */
export async function printSizes(dist) {
  const budget = JSON.parse(readFileSync(new URL("budget.json", import.meta.url), "utf8"));
  const columns = (values) => values.map((value) => String(value).padStart(9)).join("");
  console.log(`${"size in bytes".padEnd(34)}${columns(["raw", "gzip", "brotli", "limit"])}`);
  for (const [file, limit] of Object.entries(budget)) {
    const bytes = file.endsWith(".wasm") ? readFileSync(join(dist, file)) : await bundled(join(dist, file));
    const size = brotli(bytes);
    console.log(`${file.padEnd(34)}${columns([bytes.length, gzipSync(bytes, { level: 9 }).length, size, limit ?? "none"])}`);
    if (size > (limit ?? Infinity)) {
      console.error(`build: ${file} has ${size} bytes of brotli and may have ${limit}; CONTRIBUTING.md says how to raise a limit`);
      process.exitCode = 1;
    }
  }
}

async function bundled(entry) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    bundle: true,
    minify: true,
    format: "esm",
    // Where a runtime takes the module as a file of its own, and what an entry shares with the app.
    external: ["./sdk.wasm*", ...EXTERNAL],
    write: false,
    logLevel: "warning",
  });
  return outputFiles[0].contents;
}
