import { readFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { build } from "esbuild";

const brotli = (bytes) =>
  brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } }).length;

/** What a browser loads, in kB of 1000 bytes. */
const LIMIT = 22_000;

/** Prints what a browser loads, and fails when it is over the limit. */
export async function printSizes(dist) {
  const bundled = await build({
    entryPoints: [join(dist, "index.js")],
    bundle: true,
    minify: true,
    format: "esm",
    write: false,
    logLevel: "warning",
  });
  const row = (name, bytes) =>
    console.log(
      `${name.padEnd(34)}${[bytes.length, gzipSync(bytes, { level: 9 }).length, brotli(bytes)]
        .map((size) => String(size).padStart(9))
        .join("")}`,
    );
  console.log(`${"size in bytes".padEnd(34)}${["raw", "gzip", "brotli"].map((name) => name.padStart(9)).join("")}`);
  const entry = bundled.outputFiles[0].contents;
  row("default entry, bundled, minified", entry);
  row("the wasm alone", readFileSync(join(dist, "sdk.wasm")));
  if (brotli(entry) > LIMIT) {
    console.error(`build: the default entry is over its limit of ${LIMIT} bytes brotli`);
    process.exitCode = 1;
  }
}
