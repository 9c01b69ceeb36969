// Builds the package once more as somebody else would, and compares every byte with pkg/dist: in another folder with a
// space in its name, from another home of cargo's, and with the component rust-src where it is missing here, without it
// where it is there. `make same-bytes`, which has built pkg/dist before.
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { basename, delimiter, dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const elsewhere = mkdtempSync(join(tmpdir(), "somebody else "));
process.on("exit", () => rmSync(elsewhere, { recursive: true, force: true }));
for (const name of ["SIGINT", "SIGTERM"]) process.on(name, () => process.exit(130));

const project = join(elsewhere, "bookmore sdk");
const { toolchain, hasSources } = otherToolchain();
const cargoHome = otherCargoHome();
copyProject();
console.log(`same-bytes: building in ${project}, ${hasSources ? "with" : "without"} rust-src`);
execFileSync(process.execPath, ["pkg/build/build.mjs"], {
  cwd: project,
  env: { ...process.env, CARGO_HOME: cargoHome, PATH: `${join(toolchain, "bin")}${delimiter}${process.env.PATH}` },
  stdio: ["ignore", "ignore", "inherit"],
});

const here = hashes(join(root, "pkg/dist"));
const there = hashes(join(project, "pkg/dist"));
const different = [...new Set([...here.keys(), ...there.keys()])].filter((file) => here.get(file) !== there.get(file));
for (const [whose, files] of [["pkg/dist", here], ["somebody else's", there]]) {
  const all = sha256([...files].sort().join("\n"));
  console.log(`${whose.padEnd(15)}  sdk.wasm ${files.get("sdk.wasm")?.slice(0, 16)}  all ${files.size} files ${all.slice(0, 16)}`);
}
console.log(different.length > 0 ? `same-bytes: these differ: ${different.join(", ")}` : "same-bytes: the same");
process.exitCode = different.length > 0 || here.size === 0 ? 1 : 0;

/** The toolchain in another place, with the sources of the standard library if it has none here. */
function otherToolchain() {
  const own = execFileSync("rustc", ["--print", "sysroot"], { cwd: root, encoding: "utf8" }).trim();
  const toolchain = join(elsewhere, "toolchain");
  mkdirSync(toolchain);
  for (const part of ["bin", "lib"]) copyTree(join(own, part), toolchain);
  // rustc takes the sources for installed where this file is, whatever is in it.
  const sources = join(toolchain, "lib/rustlib/src");
  const first = join(sources, "rust/library/std/src/lib.rs");
  const hasSources = !existsSync(first);
  rmSync(sources, { recursive: true, force: true });
  if (hasSources) {
    mkdirSync(dirname(first), { recursive: true });
    writeFileSync(first, "");
  }
  return { toolchain, hasSources };
}

/** Another home of cargo's with the same packages in it. */
function otherCargoHome() {
  const own = process.env.CARGO_HOME ?? join(homedir(), ".cargo");
  const home = join(elsewhere, "cargo home");
  mkdirSync(home);
  for (const name of ["registry", "git", "config.toml"]) {
    if (existsSync(join(own, name))) symlinkSync(join(own, name), join(home, name));
  }
  return home;
}

function copyProject() {
  const made = new Set([".git", "target", "node_modules", "dist", "out"]);
  cpSync(root, project, { recursive: true, filter: (path) => path === root || !made.has(basename(path)) });
  symlinkSync(join(root, "pkg/node_modules"), join(project, "pkg/node_modules"));
}

/** Links to files take a second where copies take ten; between disks there are none. */
function copyTree(from, to) {
  try {
    execFileSync("cp", ["-al", from, to], { stdio: "ignore" });
  } catch {
    execFileSync("cp", ["-a", from, to]);
  }
}

function hashes(folder) {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  return new Map(
    files.map(({ parentPath, name }) => {
      const path = join(parentPath, name);
      return [relative(folder, path), sha256(readFileSync(path))];
    }),
  );
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}
