// Temporary folders that never outlive a run, however it ends.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const present = new Set();
process.on("exit", () => [...present].forEach(removeFolder));

/** A new folder with this word in its name. */
export function temporaryFolder(name) {
  const folder = mkdtempSync(join(tmpdir(), `bookmore-sdk-${name}-`));
  present.add(folder);
  return folder;
}

export function removeFolder(folder) {
  present.delete(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 }); // something may still be writing
}
