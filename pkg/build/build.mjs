#!/usr/bin/env node
// Builds the npm package into pkg/dist:
//   cargo → wasm-bindgen → wasm-opt (→ wasm2js) → esbuild → tsc → api-extractor.
import "./written-over.mjs";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, transformSync } from "esbuild";
import { finishDeclarations } from "./declarations.mjs";
import { COMMAND, ENTRIES, EXTERNAL, FRAMEWORKS, scripts, SHEET } from "./entries.mjs";
import { inlined } from "./inline.mjs";
import { buildModule, buildTranslation } from "./module.mjs";
import { writeReply } from "./reply.mjs";
import { printSizes } from "./sizes.mjs";

const pkg = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(pkg);
const dist = join(pkg, "dist");
const generated = join(root, "target/wasm-bindgen");
const { version } = JSON.parse(readFileSync(join(pkg, "package.json"), "utf8"));
/** The esbuild options of every script. */
const COMMON = {
  absWorkingDir: pkg,
  bundle: true,
  define: { VERSION: JSON.stringify(version) },
  target: "es2022",
  logLevel: "warning",
};

buildModule(root, generated, run);
buildTranslation(root, join(generated, "no-wasm"), run);
writeReply(root, join(pkg, "src/reply.ts"));
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });
const wasm = readFileSync(join(generated, "sdk.wasm"));
writeFileSync(join(dist, "sdk.wasm"), wasm);
writeFileSync(join(dist, "core.js"), minified(wrapped(read("core.js"))));
writeFileSync(join(dist, "no-wasm-core.js"), minified(wrapped(read("no-wasm/core.js"))));
writeFileSync(join(dist, "no-wasm-module.js"), minified(`${read("no-wasm/module.js")}\nexport { instantiate };\n`));
writeFileSync(join(dist, "wasm-inline.js"), inlined(wasm));
mkdirSync(dirname(join(dist, SHEET)), { recursive: true });
const sheet = transformSync(readFileSync(join(pkg, "src", SHEET), "utf8"), { loader: "css", minify: true }).code;
writeFileSync(join(dist, SHEET), sheet);
await Promise.all(ENTRIES.flatMap((entry) => scripts(entry).map((script) => bundle(entry, script))));
await Promise.all(COMMAND.map(bundleCommand));
for (const project of [pkg, join(pkg, "src/cli")]) run(process.execPath, [join(pkg, "node_modules/typescript/bin/tsc"), "-p", project]);
for (const name of FRAMEWORKS) cpSync(join(pkg, "src/meter/frameworks", `${basename(name)}.d.ts`), join(dist, `${name}.d.ts`));
finishDeclarations(pkg, join(root, "target/declarations"));
cpSync(join(root, "LICENSE"), join(pkg, "LICENSE"));
await printSizes(dist);

function read(name) {
  return readFileSync(join(generated, name), "utf8");
}

function minified(script) {
  return transformSync(script, { minify: true, format: "esm", target: COMMON.target }).code;
}

function run(command, args, env) {
  console.log(`build: ${[command, ...args].join(" ").replaceAll(`${root}/`, "")}`);
  execFileSync(command, args, { cwd: root, env: { ...process.env, ...env }, stdio: ["ignore", "inherit", "inherit"] });
}

/**
 * Wraps the generated script in a function, so that importing it has no effect, bundlers can drop it if it is unused, and
 * a trap can be followed by a new instance. The first parameter shadows `document`: the script would look for its module
 * next to `document.currentScript`, and throw if there is none. The second replaces the way an instance is made.
 */
function wrapped(glue) {
  return `export function glue(document, WebAssembly = globalThis.WebAssembly) {\n${glue}\nreturn wasm_bindgen;\n}\n`;
}

/** Bundles a script. ES modules share the generated files; CommonJS includes them. */
function bundle({ name, wasm }, { format, file }) {
  const resolveGenerated = ({ path }) => {
    if (wasm && path === "./wasm-inline.js") return { path: join(pkg, `src/wasm-${wasm}.ts`) };
    return format === "esm" ? { path, external: true } : { path: join(dist, path) };
  };
  return build({
    ...COMMON,
    entryPoints: [`src/${name}.ts`],
    outfile: `dist/${file}`,
    format,
    external: [...EXTERNAL, "./sdk.wasm*"],
    // Tells Deno where to find the types of a script imported by its URL.
    banner: format === "esm" ? { js: `// @ts-self-types="./${name.split("/").pop()}.d.ts"` } : {},
    platform: "neutral",
    // CommonJS includes the translated module, which esbuild would print on lines of their own: twice the bytes.
    minifyWhitespace: name === "no-wasm" && format === "cjs",
    // In CommonJS, an `import()` of a package would load a second copy of it, and Jest refuses it.
    supported: { "dynamic-import": format === "esm" },
    plugins: [{
      name: "generated",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^\.\/(core|wasm-inline|no-wasm-(core|module))\.js$/ }, resolveGenerated);
        onLoad({ filter: /\.css$/ }, () => ({ contents: sheet, loader: "text" }));
      },
    }],
  });
}

/** Bundles a script of the command. */
function bundleCommand(name) {
  const isMain = name.endsWith("/main");
  return build({
    ...COMMON,
    entryPoints: [`src/${name}.ts`],
    outfile: `dist/${name}.js`,
    format: "esm",
    external: [...EXTERNAL, "./http.js"],
    banner: isMain ? { js: "#!/usr/bin/env node" } : {},
    platform: "node",
  });
}
