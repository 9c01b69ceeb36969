// A folder with the packed package, its peers and the measured programs.
import { cpSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { install } from "../package/installed.mjs";

/** [name, file in clients/, package whose version is shown] */
export const CLIENTS = [
  ["bookmore-sdk", "bookmore-sdk", "bookmore-sdk"],
  ["bookmore-sdk/slim", "bookmore-sdk-slim", "bookmore-sdk"],
  ["bookmore-sdk/no-wasm", "bookmore-sdk-no-wasm", "bookmore-sdk"],
  ["@servicestack/client", "servicestack", "@servicestack/client"],
  ["ky", "ky", "ky"],
  ["openai", "openai", "openai"],
  ["fetch, no client", "fetch"],
].map(([name, file, from]) => ({ name, file, from }));

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

/**
 * @param {string[]} programs files of this folder to copy beside the clients
 * @param {string[]} names the clients; all if empty
 * @param {string[]} packages other packages that the programs import
 * @returns {{ path: string, clients: { name, file, version }[], remove(): void }}
 */
export function prepare(programs, names = CLIENTS.map(({ name }) => name), packages = []) {
  const { folder, remove } = install();
  const linked = (name) => {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(at(`../peers/node_modules/${name}`), link);
  };
  packages.forEach(linked);
  for (const name of [...programs, "clients"]) cpSync(at(name), join(folder, name), { recursive: true });
  const clients = CLIENTS.filter(({ name }) => names.includes(name)).map((client) => {
    const { from } = client;
    if (!from) return { ...client, version: "" };
    if (from !== "bookmore-sdk") linked(from);
    return { ...client, version: JSON.parse(readFileSync(join(folder, "node_modules", from, "package.json"))).version };
  });
  return { path: folder, clients, remove };
}

export function median(numbers) {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
