// Builds the package again under other conditions, and compares every byte with pkg/dist: in another folder, with a space
// in its name; with another CARGO_HOME; and with the component rust-src if it is missing here, or without it if it is
// installed. `make same-bytes` builds pkg/dist first.
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

/** A copy of the toolchain, with the standard library's sources if the original has none. */
function otherToolchain() {
  const own = execFileSync("rustc", ["--print", "sysroot"], { cwd: root, encoding: "utf8" }).trim();
  const toolchain = join(elsewhere, "toolchain");
  mkdirSync(toolchain);
  for (const part of ["bin", "lib"]) copyTree(join(own, part), toolchain);
  // rustc considers the sources installed if this file exists, whatever it contains.
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

/** Another CARGO_HOME with the same packages. */
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

/** With hard links, which do not work between disks: they take one second, copies ten. */
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
