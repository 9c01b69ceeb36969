import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The executable of a major version of Node: from an npm package, or this one. */
export function nodeProgram(major) {
  const program = fileURLToPath(new URL(`node_modules/node-${major}/bin/node`, import.meta.url));
  if (existsSync(program)) return program;
  if (process.versions.node.split(".")[0] === major) return process.execPath;
  throw new Error(`There is no Node ${major} here. On Linux x64 \`bash tests/setup.sh peers\` installs 22 and 24; elsewhere, run this command with Node ${major}.`);
}
