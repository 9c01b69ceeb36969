// A user's TypeScript, against the declarations of the packed tarball.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { fileURLToPath } from "node:url";
import { install } from "./installed.mjs";

const tsc = fileURLToPath(new URL("../../pkg/node_modules/typescript/bin/tsc", import.meta.url));
let user;
before(() => (user = install()));
after(() => user?.remove());

const PROGRAM = `
import { BookMoreClient, BookMoreError, ApiError, DecodeError, type AiChatUsageResponse, type ErrorCode } from "bookmore-sdk";
export async function run(signal: AbortSignal): Promise<number | undefined> {
  const client = new BookMoreClient({
    baseUrl: new URL("https://api.bookmore.com"),
    bearerToken: async () => "token",
    apiKey: undefined,
    credentials: "include",
    format: "jsonl",
    headers: { "X-Language": "sv" },
    fetch,
  });
  await client.ready();
  try {
    const usage: AiChatUsageResponse = await client.getAiChatUsage({ companyId: "x" }, { signal });
    const { data, response } = await client.getAiChatUsageWithResponse({}, { format: "json" });
    const id: string | undefined = response.requestId ?? data.companyId ?? usage.responseStatus?.meta?.["Region"];
    return id === undefined ? usage.tokensUsed : data.windowDays;
  } catch (error) {
    if (error instanceof ApiError) return error.fieldErrors.length + error.status;
    if (error instanceof DecodeError) return error.offset + error.path.length;
    if (error instanceof BookMoreError) {
      const code: ErrorCode = error.code;
      const cause: unknown = error.cause;
      return code === "timeout_that_is_none" || cause === undefined ? 0 : 1;
    }
    throw error;
  }
}
`;

const WRONG = `
new BookMoreClient({ format: "xml" });
new BookMoreClient({ baseURL: "https://x" });
new BookMoreClient().getAiChatUsage({ companyId: null });
new BookMoreClient().getAiChatUsage().then((usage) => usage.TokensUsed);
`;

function compile(file, program, ...options) {
  writeFileSync(join(user.folder, file), program);
  const strict = ["--noEmit", "--strict", "--exactOptionalPropertyTypes", "--skipLibCheck", "false", "--types", ""];
  return spawnSync(process.execPath, [tsc, ...strict, ...options, file], { cwd: user.folder, encoding: "utf8" });
}

for (const [resolution, file, ...options] of [
  ["nodenext as ESM", "user.mts", "--module", "nodenext"],
  ["nodenext as CommonJS", "user.cts", "--module", "nodenext"],
  ["bundler", "bundled.ts", "--module", "esnext", "--moduleResolution", "bundler"],
]) {
  it(`compiles with ${resolution}, strict, lib es2020 and dom`, () => {
    const right = PROGRAM.replace(' === "timeout_that_is_none"', ' === "network_error"');
    const { status, stdout } = compile(file, right, ...options, "--target", "es2020", "--lib", "es2020,dom,dom.iterable");
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });
}

it("refuses what the types do not have", () => {
  const { stdout } = compile("wrong.mts", PROGRAM + WRONG, "--module", "nodenext", "--lib", "es2022,dom");
  assert.equal(stdout.match(/error TS/g)?.length, 5, stdout);
});
