// bookmore-sdk/slim of the packed tarball, and the module passed to it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { startServer } from "../server/server.mjs";
import { install } from "./installed.mjs";

let user, server, slim, wasm, version;
before(async () => {
  user = install();
  server = await startServer();
  const own = createRequire(join(user.folder, "user.cjs"));
  slim = own("bookmore-sdk/slim");
  wasm = readFileSync(own.resolve("bookmore-sdk/sdk.wasm"));
  version = own("bookmore-sdk/package.json").version;
});
after(async () => {
  await server?.close();
  user?.remove();
});

const usage = (wasm) => new slim.BookMoreClient({ wasm, baseUrl: server.url, bearerToken: "good-token" }).getAiChatUsage();

/** The module with another version, like that of an older release in a cache. */
function ofVersion(other) {
  const mark = `bookmore-sdk${version}`;
  const at = wasm.indexOf(mark);
  assert.ok(at > 0 && wasm.indexOf(mark, at + 1) < 0, "the module tells its version once");
  assert.equal(other.length, version.length);
  const bytes = Buffer.from(wasm);
  bytes.write(other, at + mark.length - version.length, "latin1");
  return bytes;
}

it("accepts the module of its own version", async () => {
  assert.equal((await usage(wasm)).tokensUsed, 1234);
  assert.equal((await usage(new WebAssembly.Module(wasm))).tokensUsed, 1234);
});

it("names both versions if they differ", async () => {
  const other = version.replace(/^./, (digit) => (digit === "0" ? "7" : "0"));
  server.requests.length = 0;
  for (const given of [ofVersion(other), new WebAssembly.Module(ofVersion(other))]) {
    await assert.rejects(usage(given), (error) => {
      assert.ok(error instanceof slim.ConfigError);
      assert.equal(error.code, "config_error");
      assert.equal(
        error.message,
        `The module passed as wasm is version ${other}, but bookmore-sdk/slim is version ${version}. Pass the sdk.wasm of the same version; a cache may hold an old one.`,
      );
      return true;
    });
  }
  assert.equal(server.requests.length, 0);
});

it("fetches the module again after its server had failed", async () => {
  const statuses = [503, 404, 200];
  const files = createServer((_, reply) => {
    const status = statuses.shift();
    reply.writeHead(status, { "content-type": "application/wasm" }).end(status === 200 ? wasm : "");
  });
  await once(files.listen(0, "127.0.0.1"), "listening");
  try {
    const client = new slim.BookMoreClient({ wasm: `http://127.0.0.1:${files.address().port}/sdk.wasm`, baseUrl: server.url, bearerToken: "good-token" });
    await assert.rejects(client.getAiChatUsage(), { code: "network_error", isRetryable: true, message: "The URL of the module answered with 503. Try again." });
    await assert.rejects(client.getAiChatUsage(), { code: "config_error", isRetryable: false, message: /^The URL of the module answered with 404; pass/ });
    assert.equal((await client.getAiChatUsage()).tokensUsed, 1234);
  } finally {
    files.close();
    files.closeAllConnections();
  }
});

it("says that a module is not bookmore-sdk's", async () => {
  const empty = new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
  await assert.rejects(usage(empty), { code: "config_error", message: /^The module passed as wasm is not bookmore-sdk's, but / });
});
