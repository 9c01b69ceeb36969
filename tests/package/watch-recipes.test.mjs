// Compiles the snippets of pkg/docs/watch.md and meter.md, and the README's in TypeScript, with the packed tarball and their
// frameworks.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { snippetsOf } from "../readme.mjs";
import { install } from "./installed.mjs";

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const snippets = snippetsOf(["pkg/docs/watch.md", "pkg/docs/meter.md", "pkg/README.md"], ["ts", "tsx"]);

let user;
before(() => {
  user = install();
  for (const name of readdirSync(at("../node_modules"))) {
    if (!name.startsWith(".")) symlinkSync(at(`../node_modules/${name}`), join(user.folder, "node_modules", name));
  }
});
after(() => user?.remove());

it("has one for each framework", () => {
  const has = (words) => snippets.some(({ text }) => text.includes(`from "${words}"`));
  const missing = ["bookmore-sdk/watch", "bookmore-sdk/react", "bookmore-sdk/vue", "bookmore-sdk/svelte", "bookmore-sdk/meter/server", "bookmore-sdk/meter/react", "@tanstack/react-query", "swr", "solid-js", "@angular/core"].filter((words) => !has(words));
  assert.deepEqual(missing, []);
});

it("compiles each", () => {
  const files = snippets.map(({ language, text }, index) => {
    const file = `snippet-${index}.${language}`;
    writeFileSync(join(user.folder, file), `${text}\nexport {};\n`);
    return file;
  });
  // Declares what belongs to the user's app.
  writeFileSync(join(user.folder, "app.d.ts"), "declare const session: { accessToken(): Promise<string>; logIn(): void };\ndeclare const companyId: string;\ndeclare const client: import(\"bookmore-sdk\").BookMoreClient;\n");
  const options = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler", "--jsx", "react-jsx", "--lib", "es2022,dom,dom.iterable"];
  const { status, stdout, stderr } = spawnSync(process.execPath, [at("../../pkg/node_modules/typescript/bin/tsc"), ...options, "app.d.ts", ...files], { cwd: user.folder, encoding: "utf8" });
  assert.equal(status, 0, stdout + stderr);
});
