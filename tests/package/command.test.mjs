// The command of the packed package, run as a user would, against the kit behind HTTP.
import assert from "node:assert/strict";
import { execFile, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, existsSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import { bodyBytes, loadExchanges } from "../server/exchanges.mjs";
import { CREDENTIALS } from "../server/scenarios.mjs";
import { startServer } from "../server/server.mjs";
import { gone } from "./processes.mjs";
import { install } from "./installed.mjs";

const TOKEN = CREDENTIALS.bearerToken;
const id = (number) => `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`;
const OWN = "3fa85f64-5717-4562-b3fc-2c963f66afa6";

let user, server, folder;
before(async () => {
  user = install();
  server = await startServer();
  folder = mkdtempSync(join(tmpdir(), "bookmore-sdk-command-"));
});
after(async () => {
  await server?.close();
  user?.remove();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  server.fake.reset();
  server.requests.length = 0;
});

/** Without what this machine's own environment says of colours, as CI does. */
const surroundings = (env) => {
  const { CI, NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS, NODE_TEST_CONTEXT, ...own } = process.env;
  return { ...own, BOOKMORE_URL: server.url, BOOKMORE_TOKEN: TOKEN, ...env };
};
const program = () => join(user.folder, "node_modules/.bin/bookmore-sdk");

/** What a run prints and ends with. `input`: what it reads. */
function run(args, { input = "", env } = {}) {
  return new Promise((resolve) => {
    const child = execFile(program(), args, { cwd: folder, env: surroundings(env), maxBuffer: 1e8 }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
    child.stdin.on("error", () => {}).end(input);
  });
}

const begin = (args, env) => spawn(program(), args, { cwd: folder, env: surroundings(env), stdio: ["ignore", "pipe", "pipe"] });

/** A named pipe for writing, as soon as somebody reads it. */
async function written(pipe) {
  for (;;) {
    try {
      return openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch {
      await sleep(10);
    }
  }
}

describe("a named pipe in place of a file", { timeout: 60_000 }, () => {
  const pipe = () => join(folder, "pipe");
  before(() => execFileSync("mkfifo", [pipe()]));

  for (const args of [["usage", "--token-file", "pipe"], ["usage", "--file", "pipe"], ["explain", "pipe"], ["doctor", "--token-file", "pipe"]]) {
    it(`Ctrl+C ends ${args.join(" ")} at once, while nobody writes`, async () => {
      const child = begin(args);
      const fd = await written(pipe());
      child.kill("SIGINT");
      assert.deepEqual(await once(child, "close"), [130, null]);
      closeSync(fd);
    });
  }

  it("is read to its end", async () => {
    for (const [args, text, output] of [[["--token-file", "pipe", "--json"], `${TOKEN}\n`, OWN], [["--file", "pipe", "--json"], `${id(1)}\n${id(2)}`, id(2)]]) {
      const running = run(["usage", ...args]);
      const fd = await written(pipe());
      writeFileSync(fd, text);
      closeSync(fd);
      const { code, stdout, stderr } = await running;
      assert.equal(code, 0, stderr);
      assert.ok(stdout.includes(output));
    }
  });
});

describe("usage", () => {
  it("without ids: the logged-in user's company", async () => {
    server.fake.set(OWN, { share: 0.83 });
    const { code, stdout, stderr } = await run(["usage"]);
    assert.deepEqual([code, stderr], [0, ""]);
    // The option comes before the variable.
    const byOption = await run(["usage", "--url", server.url], { env: { BOOKMORE_URL: "ftp://x" } });
    assert.deepEqual([byOption.code, byOption.stdout], [0, stdout], byOption.stderr);
    assert.match(stdout, /^company +used +limit +left +share +level\n/);
    assert.match(stdout, new RegExp(`${OWN}  █+░+  83,000  100,000  17,000 +83 %  warning\n$`));
  });

  it("ids of arguments, a file and standard input: CRLF, comments, blank lines, a byte order mark", async () => {
    writeFileSync(join(folder, "ids.txt"), `\ufeff${id(2)}\r\n\r\n# none\r\n  ${id(3)} # the third\r\n${id(4)}`);
    const { code, stdout } = await run(["usage", id(1), "-", "--file", "ids.txt", "--json"], { input: `${id(9)}\n` });
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout).map(({ companyId }) => companyId), [id(1), id(9), id(2), id(3), id(4)]);
    const none = await run(["usage", "-"], { input: "# nobody\n" });
    assert.deepEqual([none.code, none.stderr], [2, "There are no company ids in standard input.\n"]);
  });

  it("shows any number of ids", async () => {
    const { code, stdout, stderr } = await run(["usage", "-"], { input: `${id(1)}\n`.repeat(150_000) });
    assert.deepEqual([code, stderr, stdout.split("\n").length], [0, "", 150_002]);
  });

  it("refuses a file that is not UTF-8 text", async () => {
    writeFileSync(join(folder, "wide.txt"), `\ufeff${id(1)}\r\n`, "utf16le");
    const { code, stderr } = await run(["usage", "--file", "wide.txt"]);
    assert.deepEqual([code, stderr], [2, "wide.txt is not UTF-8 text.\n"]);
    assert.equal(server.requests.length, 0);
  });

  it("failures are data, too, and sentences on standard error", async () => {
    server.fake.set(id(1), { status: 403 });
    const { code, stdout, stderr } = await run(["usage", id(1), id(2), "nobody", "--jsonl"]);
    assert.equal(code, 1);
    const lines = Object.fromEntries(stdout.trim().split("\n").map((line) => JSON.parse(line)).map((line) => [line.companyId, line]));
    assert.equal(lines[id(1)].error.code, "permission_denied");
    assert.match(lines.nobody.error.message, /is not a Guid/);
    assert.equal(lines[id(2)].tokenLimit, 100_000);
    assert.match(stderr, new RegExp(`^✘ ${id(1)} permission_denied: The server refused`, "m"));
  });

  it("names doctor where no reply comes, and no browser", async () => {
    // fetch blocks this port, so that nothing is sent.
    const { code, stderr } = await run(["usage"], { env: { BOOKMORE_URL: "http://127.0.0.1:9" } });
    assert.equal(code, 1);
    assert.match(stderr, /^✘ \(own\) network_error: No reply came from .*\. Check the network and the base URL\.\nTo see why: npx bookmore-sdk doctor\n$/);
  });

  it("sorts, and asks in the format that is told", async () => {
    [0.2, 0.9, 0.5].forEach((share, n) => server.fake.set(id(3 - n), { share, tokenLimit: 1000 * (n + 1) ** 3 }));
    const order = async (sort) => JSON.parse((await run(["usage", id(1), id(2), id(3), "--json", "--sort", sort, "--format", "jsonl"])).stdout);
    for (const [sort, expected] of [["share", [2, 1, 3]], ["used", [1, 2, 3]], ["id", [1, 2, 3]]]) {
      assert.deepEqual((await order(sort)).map(({ companyId }) => companyId), expected.map(id), sort);
    }
    assert.ok(server.requests.every(({ headers }) => headers.accept === "text/jsonl"));
  });

  it("exit codes: the highest holds", async () => {
    server.fake.set(id(1), { share: 0.9 });
    server.fake.set(id(2), { status: 403 });
    assert.equal((await run(["usage", id(1), "--fail-at", "90.1"])).code, 0);
    assert.equal((await run(["usage", id(1), "--fail-at", "90"])).code, 3);
    assert.equal((await run(["usage", id(1), id(2), "--fail-at", "90"])).code, 3);
    assert.equal((await run(["usage", id(2)])).code, 1);
    assert.equal((await run(["usage", id(1), "--fail-at", "90"], { env: { BOOKMORE_TOKEN: "another" } })).code, 4);
    assert.equal((await run(["usage", id(1), "--timeout", "0"])).code, 2);
  });

  it("a time limit for each company", async () => {
    server.fake.set(id(1), { kind: "hang" });
    const { stdout } = await run(["usage", id(1), "--timeout", "2", "--json"]);
    assert.equal(JSON.parse(stdout)[0].error.code, "timeout");
    // What the command itself takes to load is no company's time.
    const hurried = await run(["usage", id(1), id(2), "--timeout", "0.001", "--json"]);
    assert.equal(hurried.code, 1);
    assert.doesNotMatch(hurried.stdout, /WebAssembly/);
    assert.deepEqual(JSON.parse(hurried.stdout).map(({ companyId, error }) => [companyId, error.code]), [[id(1), "timeout"], [id(2), "timeout"]]);
  });

  it("Ctrl+C keeps what came, and ends with 130", async () => {
    server.fake.set(id(2), { kind: "hang" });
    const child = begin(["usage", id(1), id(2), "--json"]);
    let printed = "";
    child.stdout.on("data", (text) => (printed += text));
    while (server.requests.length < 2) await sleep(10);
    await sleep(100);
    child.kill("SIGINT");
    const [code] = await once(child, "close");
    assert.equal(code, 130);
    assert.deepEqual(JSON.parse(printed).map(({ companyId }) => companyId), [id(1)]);
  });

  it("Ctrl+C before anything is sent ends it at once, and what the token command started", async () => {
    const file = join(folder, "pid");
    const waiting = `echo $$ > ${file}; sleep 300 & wait`;
    const isAsked = async () => {
      while (!existsSync(file) || readFileSync(file, "utf8") === "") await sleep(10);
    };
    // More than a pipe holds: it is read by now.
    const isRead = (child) => new Promise((resolve) => child.stdin.write("# nothing\n".repeat(100_000), resolve));
    const runs = [
      [["usage", id(1)], isAsked, { BOOKMORE_TOKEN: "", BOOKMORE_TOKEN_COMMAND: waiting }],
      ...[["usage", "-"], ["usage", "-", "--watch"], ["explain", "-"]].map((args) => [args, isRead]),
    ];
    for (const [args, begun, env] of runs) {
      const child = spawn(program(), args, { cwd: folder, env: surroundings(env), stdio: ["pipe", "pipe", "pipe"] });
      await begun(child);
      let said = "";
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (said += text));
      child.kill("SIGINT");
      assert.deepEqual([...(await once(child, "close")), said], [130, null, ""], args.join(" "));
    }
    await gone(-Number(readFileSync(file, "utf8")));
  });

  it("output that cannot be written is told", { skip: !existsSync("/dev/full") }, async () => {
    for (const args of [["usage", id(1)], ["--help"]]) {
      const { code, stderr } = await new Promise((resolve) => {
        const line = [program(), ...args].map((word) => `'${word}'`).join(" ");
        execFile("sh", ["-c", `${line} > /dev/full`], { cwd: folder, env: surroundings() }, (error, _, stderr) => resolve({ code: error?.code ?? 0, stderr }));
      });
      assert.deepEqual([code, stderr], [1, "Standard output cannot be written to (ENOSPC).\n"]);
    }
  });

  it("a reader that leaves ends it without a word", async () => {
    const child = begin(["usage", "--jsonl", "--concurrency", "1", ...Array.from({ length: 500 }, (_, n) => id(n + 1))]);
    let errors = "";
    child.stderr.on("data", (text) => (errors += text));
    await once(child.stdout, "data");
    child.stdout.destroy();
    const [code] = await once(child, "close");
    assert.deepEqual([code, errors], [0, ""]);
    assert.ok(server.requests.length < 500);
  });

  it("--watch asks again, until it is ended", async () => {
    const child = begin(["usage", id(1), "--watch", "--interval", "5", "--jsonl"]);
    const [first] = await once(child.stdout, "data");
    assert.match(String(first), /^\{"at":"\d{4}-\d\d-\d\dT[\d:.]+Z","companyId"/);
    child.kill("SIGTERM");
    assert.deepEqual(await once(child, "close"), [130, null]);
  });
});

describe("credentials", () => {
  it("that are missing or cannot be are told before anything is sent", async () => {
    const none = { BOOKMORE_TOKEN: "" };
    for (const [args, env, code, sentence] of [
      [[], none, 4, /^There are no credentials: set BOOKMORE_TOKEN/],
      [["--token-file", "absent"], none, 4, /^The token file absent cannot be read \(ENOENT\)/],
      [["--token-file", "."], none, 4, /^The token file \. cannot be read \(EISDIR\)/],
      [["--token-file", "/dev/null"], none, 4, /^The token file \/dev\/null is empty/],
      [["--token-file", "/dev/zero"], none, 4, /^The token file \/dev\/zero cannot be read \(EFBIG\)/],
      [[], { BOOKMORE_TOKEN: "Bearer two.words" }, 4, /^BOOKMORE_TOKEN: the token must be a string of visible ASCII.*; give it alone, without the word Bearer or anything else\.$/m],
      [[], { ...none, BOOKMORE_TOKEN_COMMAND: "echo Logged in.; echo token" }, 4, /^BOOKMORE_TOKEN_COMMAND: the token must be/],
      [[], { BOOKMORE_API_KEY: "two words" }, 4, /^BOOKMORE_API_KEY must be a string of visible ASCII characters, without spaces or line breaks\.$/m],
      [[], { BOOKMORE_URL: "ftp://x" }, 2, /^BOOKMORE_URL: baseUrl must be an http/],
      [["--url", "ftp://x"], {}, 2, /^--url: baseUrl must be an http/],
      [[], { BOOKMORE_URL: "http://example.com" }, 2, /must not go over plain http; use https\.$/m],
      [[], { ...none, BOOKMORE_TOKEN_COMMAND: "echo hush; exit 3" }, 4, /^BOOKMORE_TOKEN_COMMAND ended with exit code 3/],
      [[], { ...none, BOOKMORE_TOKEN_COMMAND: "echo hush >&2" }, 4, /^BOOKMORE_TOKEN_COMMAND printed nothing/],
      [[], { ...none, BOOKMORE_TOKEN_COMMAND: "yes hush" }, 4, /^BOOKMORE_TOKEN_COMMAND printed more than a token/],
    ]) {
      const { code: came, stdout, stderr } = await run(["usage", ...args], { env });
      assert.deepEqual([came, stdout], [code, ""], stderr);
      assert.match(stderr, sentence);
      assert.doesNotMatch(stderr, /hush|two words/);
    }
    assert.equal(server.requests.length, 0);
  });

  it("never come from an argument", async () => {
    for (const option of ["--token", "--bearer-token=hush", "--api-key", "--tokn=hush"]) {
      const { code, stderr } = await run(["usage", option, "hush"]);
      assert.equal(code, 2);
      assert.match(stderr, /^Tokens and keys are not accepted as arguments/);
      assert.doesNotMatch(stderr, /hush/);
    }
  });

  it("a command prints another token when one is refused, once for all", async () => {
    const file = join(folder, "asked");
    const command = `printf x >> ${file}; test $(wc -c < ${file}) = 1 && echo stale || echo ${TOKEN}`;
    const env = { BOOKMORE_TOKEN: "", BOOKMORE_TOKEN_COMMAND: command };
    const { code, stdout } = await run(["usage", id(1), id(2), id(3), "--json"], { env });
    assert.equal(code, 0, stdout);
    assert.equal(readFileSync(file, "utf8"), "xx");
  });

  it("a file is read again when its token is refused; an API key goes along", async () => {
    writeFileSync(join(folder, "token"), "stale\n");
    const child = begin(["usage", id(1), "--token-file", "token"], { BOOKMORE_TOKEN: "", BOOKMORE_API_KEY: "key-1" });
    while (server.requests.length === 0 && child.exitCode === null) await sleep(1);
    writeFileSync(join(folder, "token"), `${TOKEN}\n`);
    await once(child, "close");
    assert.equal(server.requests[0].headers["x-api-key"], "key-1");
    assert.equal(server.requests[0].headers.authorization, "Bearer stale");
  });

  it("are not in what is printed, nor in the process list", async () => {
    const secret = "s3cret-t0ken-of-the-test";
    server.fake.set(id(1), { kind: "hang" });
    const child = begin(["usage", id(1), id(2), "--timeout", "1"], { BOOKMORE_TOKEN: secret });
    let printed = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (text) => (printed += text));
    while (server.requests.length === 0) await sleep(5);
    const running = existsSync("/proc") ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)) : [];
    const lines = running.map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8");
      } catch {
        return ""; // it has ended
      }
    });
    assert.doesNotMatch(lines.join("\n"), new RegExp(secret));
    await once(child, "close");
    assert.doesNotMatch(printed, new RegExp(secret));
  });
});

describe("--append", () => {
  const lines = (file) => readFileSync(join(folder, file), "utf8").split("\n");

  it("adds a line with the time for each company, failures too", async () => {
    server.fake.set(id(1), { status: 403 });
    writeFileSync(join(folder, "log.jsonl"), '{"cut":');
    await run(["usage", id(1), id(2), "--append", "log.jsonl"]);
    await run(["usage", id(2), "--append", "log.jsonl"]);
    const [cut, ...added] = lines("log.jsonl");
    assert.equal(cut, '{"cut":');
    assert.equal(added.pop(), "");
    const values = added.map((line) => JSON.parse(line));
    assert.deepEqual(values.map(({ companyId }) => companyId).sort(), [id(1), id(2), id(2)]);
    assert.ok(values.every(({ at }) => new Date(at).toISOString() === at));
  });

  it("goes on when the reader of standard output has left", async () => {
    const ids = Array.from({ length: 40 }, (_, n) => id(n + 1));
    const child = begin(["usage", "--jsonl", "--concurrency", "1", "--append", "left.jsonl", ...ids]);
    await once(child.stdout, "data");
    child.stdout.destroy();
    const [code] = await once(child, "close");
    const added = lines("left.jsonl").filter(Boolean).map((line) => JSON.parse(line).companyId);
    assert.deepEqual([code, added.sort()], [0, ids.sort()]);
  });

  it("a file that cannot be written to is told; all are asked and shown, and the highest exit code holds", { skip: !existsSync("/dev/full") }, async () => {
    server.fake.set(id(1), { share: 0.95 });
    server.fake.set(id(2), { status: 403 });
    const given = ["usage", id(1), id(2), id(3), "--append", "/dev/full", "--concurrency", "1"];
    const cannot = /^\/dev\/full cannot be written to \(ENOSPC\)\.$/gm;
    for (const [options, code] of [[["--json"], 1], [["--jsonl"], 1], [["--jsonl", "--fail-at", "90"], 3], [["--json", "--watch"], 1]]) {
      const came = await run([...given, ...options]);
      assert.equal(came.code, code, options.join(" "));
      assert.equal(came.stderr.match(cannot)?.length, 1, came.stderr);
      const outcomes = options.includes("--json") ? JSON.parse(came.stdout) : came.stdout.trim().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual(outcomes.map(({ companyId }) => companyId), [id(1), id(2), id(3)], options.join(" "));
    }
  });

  const times = Number(process.env.KILLS ?? 8);
  it("every line is whole after kill -9, and with two writers", { timeout: 180_000 + times * 15_000 }, async () => {
    const given = Array.from({ length: 300 }, (_, n) => id(n + 1));
    for (let time = 0; time < times; time++) {
      const children = [1, 2].map(() => begin(["usage", ...given, "--append", "killed.jsonl", "--concurrency", "20"]));
      const came = server.requests.length;
      while (server.requests.length < came + 20 + ((time * 37) % 200)) await sleep(1);
      for (const child of children) child.kill("SIGKILL");
      await Promise.all(children.map((child) => once(child, "close")));
    }
    const all = lines("killed.jsonl");
    assert.equal(all.pop(), "");
    for (const line of all) assert.ok(JSON.parse(line).companyId, line);
    assert.ok(all.length > times * 20, `${all.length} lines`);
  });
});

describe("a terminal", () => {
  /** What stands on a terminal of so many columns. */
  function onTerminal(columns, args, env) {
    const line = [program(), ...args].map((word) => `'${word}'`).join(" ");
    return new Promise((resolve) => {
      const child = spawn("script", ["-qec", `stty cols ${columns} rows 20; ${line}`, "/dev/null"], { cwd: folder, env: surroundings({ TERM: "xterm", ...env }) });
      let printed = "";
      child.stdout.on("data", (text) => (printed += text));
      child.on("close", (code) => resolve({ code, printed }));
    });
  }
  const plain = (text) => text.replace(/\u001b\[[\d;]*[A-Za-z]/g, "");

  it("shows colours, a progress line and a summary; NO_COLOR takes the colours", async () => {
    server.fake.set(id(1), { share: 1.2 });
    const { printed } = await onTerminal(120, ["usage", id(1), id(2)]);
    assert.match(printed, /\u001b\[31mover/);
    assert.match(plain(printed), /2\/2/);
    assert.match(printed, /2 asked, 0 failed, [\d.]+ s/);
    const { printed: grey } = await onTerminal(120, ["usage", id(1)], { NO_COLOR: "1" });
    assert.doesNotMatch(grey, /\u001b\[\d+m/);
  });

  it("has 40 columns", async () => {
    server.fake.set(id(1), { tokensUsed: 1_234_567_890, tokenLimit: 2_000_000_000 });
    const { printed } = await onTerminal(40, ["usage", id(1), id(2)]);
    const rows = plain(printed).split(/\r?\n|\r/);
    assert.ok(rows.every((row) => row.length <= 40), rows.find((row) => row.length > 40));
    assert.ok(rows.includes(id(1)) && rows.some((row) => /61\.7 % ok/.test(row)));
  });

  it("has fewer columns, or says 0: ids are whole", async () => {
    for (const columns of [20, 0]) {
      const { printed } = await onTerminal(columns, ["usage", id(1), id(2)]);
      for (const company of [id(1), id(2)]) assert.ok(plain(printed).includes(company), `${columns}: ${printed}`);
    }
  });

  it("is dumb: no progress line, which could not be erased", async () => {
    const { printed } = await onTerminal(100, ["usage", id(1), id(2)], { TERM: "dumb" });
    assert.doesNotMatch(printed, /\u001b\[K|2\/2/);
    assert.match(printed, /2 asked, 0 failed/);
  });

  it("FORCE_COLOR colours what goes into a pipe, but never data", async () => {
    const env = { FORCE_COLOR: "1" };
    assert.match((await run(["usage", id(1)], { env })).stdout, /\u001b\[32mok/);
    assert.doesNotMatch((await run(["usage", id(1)])).stdout, /\u001b/);
    const { stdout } = await run(["usage", id(1), "--json"], { env });
    assert.equal(JSON.parse(stdout).length, 1);
  });

  it("nothing that a server says moves the cursor", async () => {
    server.fake.set(id(1), { status: 400, message: "\u001b[2Jgone\u0007" });
    const { stderr } = await run(["usage", id(1)]);
    assert.doesNotMatch(stderr, /[\u001b\u0007]/);
    assert.match(stderr, /gone/);
  });
});

describe("help", () => {
  it("for each command, with examples; --version", async () => {
    for (const args of [["--help"], ["usage", "--help"], ["serve", "-h"], ["explain", "--help"], ["usage", "--help=1"]]) {
      const { code, stdout } = await run(args, { env: { BOOKMORE_TOKEN: "" } });
      assert.equal(code, 0);
      assert.match(stdout, /^Usage: bookmore-sdk /);
      assert.match(stdout, /\nExamples:\n  .*bookmore-sdk/);
      assert.ok(stdout.split("\n").every((line) => line.length <= 120));
    }
    const { version } = JSON.parse(readFileSync(join(user.folder, "node_modules/bookmore-sdk/package.json"), "utf8"));
    assert.equal((await run(["--version"])).stdout, `${version}\n`);
  });

  it("what is misspelt is refused, with the nearest there is", async () => {
    for (const [args, sentence] of [
      [[], /^Usage:/],
      [["usgae"], /^There is no command "usgae"; did you mean usage\?$/m],
      [["usage", "--fail-att=3"], /^There is no option --fail-att; did you mean --fail-at\?$/m],
      [["usage", "--zzz"], /^There is no option --zzz; see --help\.$/m],
      [["usage", "--file"], /^--file needs a value; see --help\.$/m],
      [["usage", "--file", "--json"], /^--file needs a value/],
      [["usage", "--file", ""], /^--file needs a value/],
      [["usage", "--token-file="], /^--token-file needs a value/],
      [["usage", "--file", "a", "--file", "b"], /^--file is given more than once\.$/m],
      [["usage", "--hlep"], /^There is no option --hlep; did you mean --help\?$/m],
      [["usage", "--json=1"], /^--json takes no value/],
      [["usage", "--json", "--jsonl"], /exclude each other/],
      [["usage", "--sort", "shre"], /^--sort must be share, used or id, not "shre"; did you mean share\?$/m],
      [["usage", "--concurrency", "1.5"], /^--concurrency must be a whole number from 1 to 1000, not "1\.5"\.$/m],
      [["usage", "--interval", "9"], /^--interval goes with --watch\.$/m],
      [["usage", "--file", "absent"], /^There is no file absent\.$/m],
      [["usage", "--append", "absent/log", id(1)], /^absent\/log cannot be written to \(ENOENT\)\.$/m],
      [["serve", "--scenario", "quoat"], /^There is no scenario "quoat"; did you mean quota\?$/m],
      [["serve", "--scenario", '{"kind":"quoat"}'], /^--scenario: There is no failure of the kind "quoat"; did you mean "quota"\?/m],
      [["serve", "--port", "99999"], /^--port must be a whole number from 0 to 65535/],
      [["serve", "here"], /^serve takes no "here"/],
      [["explain"], /^explain takes one file/],
      [["explain", "absent"], /^There is no file absent\.$/m],
    ]) {
      const { code, stdout, stderr } = await run(args);
      assert.deepEqual([code, stdout], [2, ""], `${args}: ${stderr}`);
      assert.match(stderr, sentence);
    }
  });
});

describe("serve", () => {
  async function served(t, ...args) {
    const child = begin(["serve", "--port", "0", ...args]);
    t.after(() => child.kill());
    const [greeting] = await once(child.stdout, "data");
    return { child, url: /http:\S+/.exec(greeting)[0] };
  }
  const ask = (url, companyId, headers) =>
    fetch(`${url}/assistant/ai-chat/usage${companyId ? `?CompanyId=${companyId}` : ""}`, { headers: { Accept: "application/json", Authorization: "Bearer any", ...headers } });

  it("gives each company the share, and allows pages of any origin", async (t) => {
    const { child, url } = await served(t, "--share", "83");
    for (const companyId of [undefined, id(1)]) {
      const reply = await ask(url, companyId, { Origin: "https://app.example" });
      assert.equal((await reply.json()).TokensUsed, 83_000);
      assert.equal(reply.headers.get("access-control-allow-origin"), "https://app.example");
    }
    assert.equal((await ask(url, "nobody")).status, 400);
    const otherCase = await fetch(`${url}/assistant/ai-chat/usage?companyId=${id(2)}`, { headers: { Accept: "application/json", Authorization: "Bearer any" } });
    assert.equal((await otherCase.json()).TokensUsed, 83_000);
    let said = "";
    child.stdout.on("data", (text) => (said += text));
    await fetch(`${url}/assistant/ai-chat/usage?access_token=s3cret`);
    while (!/access_token.*\n/.test(said)) await once(child.stdout, "data");
    assert.match(said, /^GET \/assistant\/ai-chat\/usage\?access_token=\[secret\] 404$/m);
    const headers = { Origin: "https://app.example", "Access-Control-Request-Headers": "authorization,x-mine" };
    const preflight = await fetch(`${url}/assistant/ai-chat/usage`, { method: "OPTIONS", headers });
    assert.equal(preflight.headers.get("access-control-allow-headers"), "authorization,x-mine");
    assert.match(await (await fetch(`${url}/nope`)).text(), /the path is \/nope/);
    child.kill("SIGINT");
    assert.deepEqual(await once(child, "close"), [0, null]);
  });

  it("has scenarios, by name and as data", async (t) => {
    const { url } = await served(t, "--scenario", "rate-limited");
    const reply = await ask(url, id(1));
    assert.deepEqual([reply.status, reply.headers.get("retry-after")], [429, "2"]);
    const { url: other } = await served(t, "--scenario", '[{ "status": 503, "times": 1 }, { "share": 0.5 }]');
    assert.deepEqual([(await ask(other)).status, (await ask(other)).status], [503, 200]);
    assert.deepEqual([(await ask(other, id(1))).status, (await ask(other, id(1).replaceAll("-", ""))).status], [503, 200], "one company, however it is written");
    const { url: moved } = await served(t, "--scenario", "moved");
    assert.equal((await ask(moved, id(1), {})).url, `${moved}/moved/assistant/ai-chat/usage`);
    assert.equal((await ask(`${moved}/moved`, id(1))).status, 200);
    const port = new URL(url).port;
    const { code, stderr } = await run(["serve", "--port", port]);
    assert.deepEqual([code, stderr], [2, `Port ${port} is in use; choose another one with --port, or 0 for any free one.\n`]);
  });
});

describe("explain", () => {
  const USAGE = '{"CompanyId":"9f2c7b1a4d3e4f5a8b6c7d8e9f0a1b2c","TokensUsed":83000,"TokenLimit":100000,"TokensRemaining":17000,"IsWithinBudget":true,"WindowDays":30}';
  const saved = (status, headers, body) => [`HTTP/1.1 ${status}`, ...headers, "", body].join("\r\n");
  const JSON_TYPE = "Content-Type: application/json";

  for (const [what, reply, ...patterns] of [
    ["a usage", saved("200 OK", [JSON_TYPE], USAGE), /Result: {4}a usage/, /has used 83000 of 100000 tokens \(83 %\) in 30 days/],
    ["line feeds alone", saved("200 OK", [JSON_TYPE], USAGE).replaceAll("\r", ""), /a usage/],
    ["a 429", saved("429 Too Many Requests", [JSON_TYPE, "Retry-After: 7"], '{"ResponseStatus":{"ErrorCode":"Busy","Message":"Slow down"}}'), /rate_limited \(RateLimitError\)/, /Busy/, /Retries by itself/, /wait for 7 s/],
    ["a long Retry-After", saved("503 Down", ["Retry-After: 3600"], ""), /server_error/, /Does not wait that long/],
    ["a 401", saved("401 Unauthorized", [], ""), /authentication_error/, /Calls its bearerToken function for another token/],
    ["a login page", saved("200 OK", ["Content-Type: text/html"], "<html>"), /unexpected_response/, /Does not retry/],
    ["a redirect", saved("302 Found", ["Location: https://login.example/"], ""), /unexpected_response/],
    ["a body that broke off", saved("200 OK", [JSON_TYPE, "Content-Length: 500"], USAGE), /shorter than its Content-Length/, /network_error/],
    ["a body that curl has decoded", saved("200 OK", [JSON_TYPE, "Content-Encoding: gzip", "Content-Length: 70"], USAGE), /a usage/],
    ["a short body that curl has decoded", saved("200 OK", [JSON_TYPE, "Content-Encoding: br", "Content-Length: 500"], USAGE), /a usage/],
    ["a body that begins like a reply", saved("502 Bad Gateway", ["Content-Type: text/plain"], "HTTP/1.1 upstream failed"), /502 Bad Gateway/, /server_error/],
    ["after a proxy's reply", `HTTP/1.1 200 Connection established\r\n\r\n${saved("403 Forbidden", [], "")}`, /403 Forbidden/, /permission_denied/],
    ["a counter beyond 2^53", saved("200 OK", [JSON_TYPE], USAGE.replace("83000", "9007199254740993")), /decode_error/],
  ]) {
    it(what, async () => {
      const { code, stdout, stderr } = await run(["explain", "-"], { input: reply, env: { BOOKMORE_TOKEN: "" } });
      assert.deepEqual([code, stderr], [0, ""]);
      for (const pattern of patterns) assert.match(stdout, pattern);
    });
  }

  it("reads a file, and checks the requested company", async () => {
    writeFileSync(join(folder, "reply.txt"), saved("200 OK", [JSON_TYPE], USAGE));
    assert.match((await run(["explain", "reply.txt", "--company", "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"])).stdout, /a usage/);
    assert.match((await run(["explain", "reply.txt", "--company", id(1)])).stdout, /company_mismatch/);
    assert.equal((await run(["explain", "reply.txt", "--company", "nobody"])).code, 2);
  });

  it("agrees with the client about every recording", async () => {
    const { BookMoreClient } = await import(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/index.js")));
    const expected = [];
    for (const exchange of loadExchanges().filter(({ response }) => response.status)) {
      const { request, response } = exchange;
      const body = bodyBytes(exchange);
      const headers = response.headers.filter(([name]) => !/^(content-length|transfer-encoding)$/i.test(name));
      const head = [`HTTP/1.1 ${response.status} ${response.reason}`, ...headers.map((header) => header.join(": ")), "", ""].join("\r\n");
      const company = /[?&]CompanyId=([\da-f-]{32,36})(?=&|$)/i.exec(request.path)?.[1];
      const file = join(folder, `recorded-${expected.length}`);
      writeFileSync(file, Buffer.concat([Buffer.from(head, "latin1"), body]));
      const coding = headers.find(([name]) => /^content-encoding$/i.test(name))?.[1];
      const bytes = coding === "gzip" ? gunzipSync(body) : body;
      const fetch = async () => ({ status: response.status, headers: new Headers(headers), arrayBuffer: async () => new Uint8Array(bytes).buffer });
      const came = await new BookMoreClient({ fetch, maxRetries: 0 }).getAiChatUsage({ companyId: company }).then(() => "a usage", ({ code, name }) => `${code} (${name})`);
      expected.push({ id: exchange.id, args: ["explain", file, ...(company ? ["--company", company] : [])], came });
    }
    // All in one process: importing the command runs it.
    writeFileSync(join(folder, "all.mjs"), `
      const words = [];
      process.setMaxListeners(0);
      process.stdout.setMaxListeners(0);
      process.stderr.setMaxListeners(0);
      const { exit, stdout: { write } } = process;
      for (const args of ${JSON.stringify(expected.map(({ args }) => args))}) {
        process.argv.splice(2, Infinity, ...args);
        process.exit = () => {};
        process.stdout.write = (text, done) => (words.push(/^Result: {4}(.*)$/m.exec(text)?.[1]), done());
        await import(${JSON.stringify(String(pathToFileURL(join(user.folder, "node_modules/bookmore-sdk/dist/cli/main.js"))))} + "?" + words.length);
      }
      write.call(process.stdout, JSON.stringify(words.filter(Boolean)), () => exit(0));
    `);
    const { stdout } = await promisify(execFile)(process.execPath, ["all.mjs"], { cwd: folder, env: surroundings() });
    const words = JSON.parse(stdout);
    assert.ok(expected.length > 200, `${expected.length} recordings`);
    assert.deepEqual(expected.map(({ id }, n) => [id, words[n]]), expected.map(({ id, came }) => [id, came]));
  });

  it("refuses input that is not a reply, with a sentence", async () => {
    for (const [input, sentence] of [["", /must be a status line/], [USAGE, /must be a status line/], ["HTTP/1.1 000 X\n\n", /must be a status line/], ["HTTP/1.1 200 OK\nno header\n\n", /is not a header/], ["HTTP/1.1 200 OK\nX-A: a\0b\n\n{}", /is not a header/]]) {
      const { code, stderr } = await run(["explain", "-"], { input });
      assert.equal(code, 2);
      assert.match(stderr, sentence);
    }
  });
});
