import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const pkg = fileURLToPath(new URL("../../pkg", import.meta.url));

/**
 * Packs the package as `npm publish` would and installs the tarball in an
 * empty folder, as a user would.
 *
 * @returns {{ folder: string, tarball: string, files: string[], remove(): void }}
 *   `files`: the contents of the tarball
 */
export function install() {
  const folder = mkdtempSync(join(tmpdir(), "bookmore-sdk-user-"));
  const npm = (args, cwd) => execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const [{ filename, files }] = JSON.parse(npm(["pack", "--json", "--loglevel", "error", "--pack-destination", folder], pkg));
  writeFileSync(join(folder, "package.json"), '{ "private": true }\n');
  npm(["install", "--offline", "--no-audit", "--no-fund", "--loglevel", "error", `./${filename}`], folder);
  return {
    folder,
    tarball: join(folder, filename),
    files: files.map(({ path }) => path).sort(),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
