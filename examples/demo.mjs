// Shows a usage from the stand-in server: `make demo`.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { startServer } from "../tests/server/server.mjs";

// On a terminal the server keeps running, at the default port if it is free.
const stays = process.stdout.isTTY;
const server = await startServer({ port: stays ? 8787 : 0 }).catch(() => startServer());
console.log(`stand-in server at ${server.url}, which answers like a recorded ServiceStack host\n`);

const inJson = await example("json");
const inJsonLines = await example("jsonl");
assert.equal(inJson.code, 0);
assert.equal(JSON.parse(inJson.printed).tokensUsed, 1234);
assert.deepEqual(inJson, inJsonLines);
console.log("Both are equal.\n");
const refused = await example("json", "5ca1ab1e-0000-4000-8000-000000000403");
assert.equal(refused.code, 1);
assert.match(refused.printed, /^PermissionDeniedError /);

if (stays) {
  console.log(`The page: ${server.url}/examples/usage-meter/\nCtrl+C stops the server.`);
} else {
  await server.close();
  console.log("The page: run `make serve` and open http://127.0.0.1:8787/examples/usage-meter/");
}

/** Runs examples/usage.mjs as a user would: its exit code and what it printed. */
function example(format, ...companyId) {
  console.log(`$ BOOKMORE_FORMAT=${format} node examples/usage.mjs ${companyId.join(" ")}`);
  return new Promise((resolve) => {
    const script = fileURLToPath(new URL("usage.mjs", import.meta.url));
    const child = spawn(process.execPath, [script, ...companyId], {
      env: { ...process.env, BOOKMORE_URL: server.url, BOOKMORE_TOKEN: "good-token", BOOKMORE_FORMAT: format },
    });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk) => (printed += chunk));
    child.on("close", (code) => {
      console.log(printed);
      resolve({ code, printed });
    });
  });
}
