// The packages that the cells install: the tarball, and the locked packages of a fixture.
import { createHash } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeFolder, temporaryFolder } from "./folders.mjs";
import { NotRun } from "./not-run.mjs";
import { finish } from "./processes.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const PKG = at("../../pkg");
const FIXTURES = at("fixtures");
const CACHE = at("../out/matrix");

const QUIET = ["--no-audit", "--no-fund", "--loglevel", "error"];

/**
 * Packs the package as `npm publish` would.
 *
 * @returns {Promise<{ file: string, version: string, bytes: number, remove(): void }>}
 */
export async function pack() {
  const folder = temporaryFolder("packed");
  const printed = await finish("npm", ["pack", "--json", "--loglevel", "error", "--pack-destination", folder], {
    cwd: PKG,
  });
  const [{ filename, version, size }] = JSON.parse(printed);
  return {
    file: join(folder, filename),
    version,
    bytes: size,
    remove: () => removeFolder(folder),
  };
}

/**
 * The node_modules of a fixture by its lock file, installed once and kept
 * between runs. Nothing else uses the network. Install scripts do not run, so
 * that none can download anything from outside the registry.
 */
export async function lockedPackages(fixture) {
  const files = ["package.json", "package-lock.json"];
  const hash = createHash("sha256");
  for (const file of files) hash.update(readFileSync(join(FIXTURES, fixture, file)));
  const folder = join(CACHE, `${fixture}-${hash.digest("hex").slice(0, 12)}`);
  if (!existsSync(folder)) {
    mkdirSync(CACHE, { recursive: true });
    // Installed next to its place and then moved, so that an incomplete installation is never used.
    const half = mkdtempSync(join(CACHE, "half-"));
    try {
      for (const file of files) cpSync(join(FIXTURES, fixture, file), join(half, file));
      await finish("npm", ["ci", "--ignore-scripts", ...QUIET], { cwd: half, limit: 10 * 60_000 }).catch((error) => {
        throw new NotRun(`The packages of ${fixture} could not be installed. ${error.message}`);
      });
      renameSync(half, folder);
      for (const other of readdirSync(CACHE)) {
        if (isOf(fixture, other) && join(CACHE, other) !== folder) rmSync(join(CACHE, other), { recursive: true });
      }
    } finally {
      rmSync(half, { recursive: true, force: true });
    }
  }
  return join(folder, "node_modules");
}

/** The version of a package in the lock file of a fixture. */
export function lockedVersion(fixture, name) {
  const { packages } = JSON.parse(readFileSync(join(FIXTURES, fixture, "package-lock.json"), "utf8"));
  return packages[`node_modules/${name}`].version;
}

/** Whether a kept folder belongs to this fixture, whatever its lock file was. */
const isOf = (fixture, name) => name.slice(0, -"-123456789abc".length) === fixture;

/** Whether the last of these fixtures, that of the tool, has packages. */
export function hasPackages(fixtures) {
  return existsSync(join(FIXTURES, fixtures.at(-1), "package.json"));
}

/**
 * Sets up a user's folder: the files of the fixture, its packages, and the tarball installed with
 * them.
 *
 * @param {string} folder
 * @param {string[]} fixtures folders of `fixtures`, copied over each other; the last one may have packages
 * @param {string} tarball
 */
export async function layOut(folder, fixtures, tarball) {
  for (const fixture of fixtures) cpSync(join(FIXTURES, fixture), folder, { recursive: true });
  const manifest = join(folder, "package.json");
  const modules = join(folder, "node_modules");
  if (!hasPackages(fixtures)) {
    writeFileSync(manifest, '{ "private": true, "type": "module" }\n');
    await finish("npm", ["install", "--offline", ...QUIET, tarball], { cwd: folder });
    return;
  }
  const packages = await lockedPackages(fixtures.at(-1));
  // With hard links, which take one second, where copies take ten.
  await finish("cp", ["-al", packages, modules]).catch(() =>
    cpSync(packages, modules, { recursive: true, verbatimSymlinks: true }),
  );
  const own = join(modules, "bookmore-sdk");
  mkdirSync(own);
  await finish("tar", ["-xzf", tarball, "--strip-components=1", "-C", own]);
  // Listed as npm would list it, because some tools treat listed packages differently.
  const listed = JSON.parse(readFileSync(manifest, "utf8"));
  listed.dependencies = { ...listed.dependencies, "bookmore-sdk": `file:${tarball}` };
  writeFileSync(manifest, JSON.stringify(listed, null, 2));
}
