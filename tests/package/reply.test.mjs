// Each member of the reply reaches JavaScript, in both letter cases. The members are read from the build, so a new one is tested, too.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { replies } from "../../pkg/build/reply.mjs";
import { install } from "./installed.mjs";

const REPLIES = Object.fromEntries(replies(fileURLToPath(new URL("../..", import.meta.url))).map(({ name, members }) => [name, members]));
const GUID = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";

let user, sdk;
before(() => {
  user = install();
  sdk = createRequire(join(user.folder, "user.cjs"))("bookmore-sdk");
});
after(() => user?.remove());

/** A value for each member; all texts and numbers differ. */
function filled(reply, path = reply) {
  return Object.fromEntries(REPLIES[reply].map(({ name, type }, at) => [name, valueOf(name, type, `${path}.${name}`, at)]));
}

function valueOf(name, type, path, at) {
  const plain = { number: at + 1, boolean: true, string: name === "companyId" ? GUID : path, "Record<string, string>": { Key: path } };
  if (type in plain) return plain[type];
  return type.endsWith("[]") ? [filled(type.slice(0, -2), path)] : filled(type, path);
}

const pascal = (value) => {
  if (Array.isArray(value)) return value.map(pascal);
  if (typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name[0].toUpperCase() + name.slice(1), pascal(inner)]));
};

for (const [what, written] of [["camelCase", (value) => value], ["PascalCase", pascal]]) {
  it(`in ${what}`, async () => {
    const usage = filled("AiChatUsageResponse");
    assert.ok(Object.keys(usage).length >= 7);
    // With an error code it would be an error.
    delete usage.responseStatus.errorCode;
    const body = JSON.stringify(written(usage));
    const fetch = async () => new Response(body, { headers: { "content-type": "application/json" } });
    assert.deepEqual(await new sdk.BookMoreClient({ fetch, maxRetries: 0 }).getAiChatUsage(), usage);
  });
  it(`in ${what}, of an error`, async () => {
    const status = filled("ResponseStatus");
    const fetch = async () => new Response(JSON.stringify({ ResponseStatus: written(status) }), { status: 403 });
    await assert.rejects(new sdk.BookMoreClient({ fetch, maxRetries: 0 }).getAiChatUsage(), ({ responseStatus }) => {
      assert.deepEqual({ ...responseStatus, stackTrace: responseStatus.stackTrace }, status);
      return true;
    });
  });
}
