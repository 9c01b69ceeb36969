// `bookmore-sdk doctor` of the packed package, for each cause that it can find.
import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { connect, createServer as createTcpServer } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gone } from "./processes.mjs";
import { CAUSES, GOOD, OTHER, SECRETS } from "./diagnose/causes.mjs";
import { certificates } from "./diagnose/certificates.mjs";
import { clientOptions, host } from "./diagnose/hosts.mjs";
import { spellings } from "./diagnose/spellings.mjs";
import { install } from "./installed.mjs";
import { matchesSample } from "../readme.mjs";

const PAGE = "https://app.example";
const USAGE = '{"tokensUsed":1,"tokenLimit":10,"tokensRemaining":9,"isWithinBudget":true,"windowDays":30}';
const rows = CAUSES.filter(({ terminal }) => terminal);

let user, made, proxy, PROXY;
before(async () => {
  user = install();
  made = certificates();
  proxy = createServer().on("connect", ({ url }, socket) => {
    const to = connect(new URL(`tcp://${url}`).port, "127.0.0.1", () => {
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
      to.pipe(socket).pipe(to);
    });
    for (const each of [to, socket]) each.on("error", () => {}).on("close", () => (to.destroy(), socket.destroy()));
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  PROXY = `http://127.0.0.1:${proxy.address().port}`;
});
after(() => {
  proxy?.close();
  made?.remove();
  user?.remove();
});

/** The output and exit code of a run that does not inherit this machine's proxy settings. */
function run(args, env, meanwhile = async () => {}) {
  const { CI, NO_COLOR, FORCE_COLOR, NODE_DISABLE_COLORS, NODE_TEST_CONTEXT, NODE_OPTIONS, ...own } = process.env;
  for (const name of Object.keys(own)) if (/_proxy$|^NODE_|^BOOKMORE_/i.test(name)) delete own[name];
  return new Promise((resolve) => {
    const child = execFile(join(user.folder, "node_modules/.bin/bookmore-sdk"), ["doctor", ...args], { cwd: user.folder, env: { ...own, ...env }, timeout: 120_000, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      resolve({ code: error ? (error.code ?? error.signal) : 0, stdout, stderr });
    });
    meanwhile(child);
  });
}

const environment = (row, baseUrl) => {
  const { bearerToken, apiKey } = clientOptions(row, baseUrl);
  return {
    BOOKMORE_URL: baseUrl,
    ...(bearerToken ? { BOOKMORE_TOKEN: bearerToken } : {}),
    ...(apiKey ? { BOOKMORE_API_KEY: apiKey } : {}),
    ...(row.trusts ? { NODE_EXTRA_CA_CERTS: made.authority } : {}),
    ...Object.fromEntries(Object.entries(row.env ?? {}).map(([name, value]) => [name, value.replace("PROXY", PROXY)])),
  };
};
const codesOf = ({ code, candidates = [] }) => [code, ...candidates.map(({ code }) => code)];
const CREDENTIALS = /^(credentials_missing|token_|key_refused|clock_skew)/;

let named = 0;
describe("causes", { timeout: 600_000 }, () => {
  for (const row of rows) {
    it(row.cause, async () => {
      const server = await host(row.host, made);
      try {
        const args = [...(row.company ? [row.company] : []), "--origin", PAGE, ...(row.args ?? [])];
        const { code, stdout, stderr } = await run([...args, "--json"], environment(row, server.baseUrl));
        assert.equal(stderr, "");
        const { ok, url, origin, steps, findings } = JSON.parse(stdout);
        assert.deepEqual([url, origin], [server.baseUrl, PAGE]);
        const errors = findings.filter(({ level }) => level === "error");
        const codes = errors.flatMap(codesOf);
        assert.deepEqual(codes, row.terminal, stdout);
        assert.ok(!row.code || [row.code].flat().some((code) => codes.includes(code)), "the true cause is not named");
        assert.equal(ok, row.terminal.length === 0);
        assert.equal(code, row.exit ?? (ok ? 0 : codes.some((code) => CREDENTIALS.test(code)) ? 4 : 1));
        assert.ok(steps.every(({ ms }) => ms < 11_000));
        for (const spelling of SECRETS.flatMap(spellings)) assert.ok(!stdout.includes(spelling), `a secret: ${stdout}`);
        const withSecret = server.requests.filter(({ headers }) => SECRETS.some((secret) => JSON.stringify(headers).includes(secret)));
        assert.ok(withSecret.every(({ method }) => method === "GET") && withSecret.length <= 2, JSON.stringify(server.requests));
        // OPTIONS once, for the page; everything else is a GET.
        const methods = server.requests.map(({ method }) => method);
        assert.ok(methods.filter((method) => method === "OPTIONS").length <= 1);
        assert.ok(methods.every((method) => method === "GET" || method === "OPTIONS"));
        if (row.code) named++;
      } finally {
        server.close();
      }
    });
  }
  it("counts", () => console.log(`named: ${named} of ${rows.length - 1} causes`));
});

describe("the fixes work when pasted", () => {
  const env = (server) => ({ BOOKMORE_URL: server.baseUrl, BOOKMORE_TOKEN: GOOD });

  it("the base URL that the API has moved to", async () => {
    const to = await host({}, made);
    const from = await host({ answers: { kind: "moved", to: to.baseUrl } }, made);
    const { findings } = JSON.parse((await run(["--json"], env(from))).stdout);
    assert.match(findings[0].fix, /^npx bookmore-sdk doctor --url \S+ --json$/);
    assert.equal((await run(findings[0].fix.split(" ").slice(3), env(to))).code, 0);
    from.close();
    to.close();
  });

  it("a self-signed certificate", async () => {
    const server = await host({ tls: "selfSigned" }, made);
    const other = await host({ tls: "good" }, made);
    const trusting = { ...env(server), NODE_EXTRA_CA_CERTS: made.authority };
    const { findings } = JSON.parse((await run(["--json"], trusting)).stdout);
    // The authorities that were trusted before still are.
    const lines = `${findings[0].fix}\nnode_modules/.bin/bookmore-sdk doctor && BOOKMORE_URL=${other.baseUrl} node_modules/.bin/bookmore-sdk doctor`;
    const code = await new Promise((resolve) => {
      execFile("bash", ["-c", lines], { cwd: user.folder, env: { PATH: process.env.PATH, ...trusting } }, (error) => resolve(error?.code ?? 0));
    });
    server.close();
    other.close();
    assert.equal(code, 0, findings[0].fix);
  });

  it("NODE_EXTRA_CA_CERTS without the root, or in another format", async () => {
    const p7b = join(user.folder, "pasted.p7b");
    execFileSync("openssl", ["crl2pkcs7", "-nocrl", "-certfile", made.authority, "-out", p7b]);
    for (const [tls, file] of [["ofMiddle", join(made.folder, "middle.pem")], ["good", p7b]]) {
      const server = await host({ tls }, made);
      const given = { ...env(server), NODE_EXTRA_CA_CERTS: file };
      const [{ fix }] = JSON.parse((await run(["--json"], given)).stdout).findings;
      const lines = `${fix.replace("/path/to/root.pem", made.authority)}\nnode_modules/.bin/bookmore-sdk doctor`;
      const code = await new Promise((resolve) => {
        execFile("bash", ["-c", lines], { cwd: user.folder, env: { PATH: process.env.PATH, ...given } }, (error) => resolve(error?.code ?? 0));
      });
      server.close();
      assert.equal(code, 0, fix);
    }
  });

  it("plain http to a TLS port", async () => {
    const server = await host({ tls: "good", scheme: "http" }, made);
    const { findings } = JSON.parse((await run(["--json"], env(server))).stdout);
    assert.match(findings[0].fix, /^npx bookmore-sdk doctor --url \S+ --json$/);
    assert.equal((await run(findings[0].fix.split(" ").slice(3), { ...env(server), NODE_EXTRA_CA_CERTS: made.authority })).code, 0);
    server.close();
  });

  it("https to a port of this machine that speaks plain http", async () => {
    const server = await host({ scheme: "https" }, made);
    const { findings } = JSON.parse((await run(["--json"], env(server))).stdout);
    assert.match(findings[0].fix, /^npx bookmore-sdk doctor --url \S+ --json$/);
    assert.equal((await run(findings[0].fix.split(" ").slice(3), env(server))).code, 0);
    server.close();
  });

  it("headers that are longer than Node.js accepts", async () => {
    const server = await host({ headers: { "x-long": "x".repeat(20_000) } }, made);
    const { findings } = JSON.parse((await run(["--json"], env(server))).stdout);
    const [, options] = /^export NODE_OPTIONS="\$NODE_OPTIONS (\S+)"$/.exec(findings[0].fix);
    assert.deepEqual(findings.map(({ code }) => code), ["http_refused"]);
    assert.equal((await run([], { ...env(server), NODE_OPTIONS: options })).code, 0);
    server.close();
  });

  it("a company's own authority", async () => {
    const server = await host({ tls: "good" }, made);
    const { findings } = JSON.parse((await run(["--json"], env(server))).stdout);
    const [, name] = /^export (\w+)=\/path\/to\/authority\.pem$/.exec(findings[0].fix);
    assert.equal((await run([], { ...env(server), [name]: made.authority })).code, 0);
    server.close();
  });
});

describe("through a proxy", () => {
  const foundIn = async (server, more) => {
    const { stdout } = await run(["--json"], {
      BOOKMORE_URL: server.baseUrl, BOOKMORE_TOKEN: GOOD, NODE_EXTRA_CA_CERTS: made.authority, NODE_USE_ENV_PROXY: "1",
      HTTPS_PROXY: PROXY, NODE_OPTIONS: `--import=${new URL("diagnose/newer-node.mjs", import.meta.url)}`, ...more,
    });
    server.close();
    return JSON.parse(stdout);
  };
  const found = async (server, more) => {
    const { steps, findings } = await foundIn(server, more);
    return [steps.find(({ name }) => name === "proxy")?.outcome, ...findings.filter(({ level }) => level === "error").map(({ code }) => code)];
  };

  it("does not blame the proxy for the server's failures", async () => {
    assert.deepEqual(await found(await host({ tls: "good" }, made)), ["ok"]);
    for (const [given, code] of [[{ scheme: "https" }, "not_tls"], [{ tls: "forClients" }, "certificate_refused"], [{ tls: "expired" }, "certificate_expired"], [{ raw: "clientCertificate" }, "connection_reset"]]) {
      assert.deepEqual(await found(await host(given, made)), ["ok", code]);
    }
  });

  it("shows the certificate behind it, and why NODE_EXTRA_CA_CERTS does not help", async () => {
    for (const [file, sentence] of [["", /, by Authority of the tests\.$/], ["/nowhere.pem", / NODE_EXTRA_CA_CERTS names \/nowhere\.pem, which cannot be read \(ENOENT\)\.$/]]) {
      const { steps, findings } = await foundIn(await host({ tls: "good" }, made), { NODE_EXTRA_CA_CERTS: file });
      assert.deepEqual(findings.map(({ code }) => code), ["certificate_untrusted"]);
      assert.match(findings[0].message, sentence);
      assert.equal(steps.find(({ name }) => name === "TLS").outcome, "failed");
    }
  });

  it("does not blame the server for the proxy's failures", async () => {
    const { steps, findings } = await foundIn(await host({ tls: "good" }, made), { HTTPS_PROXY: "http://127.0.0.1:9" });
    assert.deepEqual(findings.map(({ code }) => code), ["proxy_refused"]);
    assert.deepEqual(steps.filter(({ outcome }) => outcome === "failed").map(({ name }) => name), ["proxy", "reachability", "call"]);
  });

  it("asks a proxy that closes each connection a few times, and not without end", async () => {
    let asked = 0;
    const closing = createTcpServer((socket) => socket.on("error", () => {}).once("data", () => (asked++, socket.destroy())));
    await new Promise((resolve) => closing.listen(0, "127.0.0.1", resolve));
    const { port } = closing.address();
    for (const [variable, given] of [["HTTP_PROXY", {}], ["HTTPS_PROXY", { tls: "good" }]]) {
      asked = 0;
      const { findings } = await foundIn(await host(given, made), { [variable]: `http://127.0.0.1:${port}` });
      assert.deepEqual([findings[0].code, asked > 1 && asked < 30], ["proxy_refused", true], `${asked}`);
    }
    closing.close();
  });

  it("a proxy that fails prevents nothing where a script has fetch go another way", async () => {
    const { ok, findings } = await foundIn(await host({ tls: "good" }, made), { HTTPS_PROXY: "http://127.0.0.1:9", DIRECT: "1" });
    assert.deepEqual([ok, findings.map(({ code, level }) => `${code} ${level}`)], [true, ["proxy_refused note"]]);
  });

  it("a proxy that hangs is not the server's fault: for one of this machine none is needed", { timeout: 60_000 }, async () => {
    const hanging = createTcpServer((socket) => socket.on("error", () => {}));
    await new Promise((resolve) => hanging.listen(0, "127.0.0.1", resolve));
    const server = await host({}, made);
    const { findings } = await foundIn(server, { HTTP_PROXY: `http://127.0.0.1:${hanging.address().port}` });
    hanging.close();
    assert.deepEqual(findings.map(({ code, fix }) => [code, fix]), [["proxy_refused", 'export NO_PROXY="$NO_PROXY,127.0.0.1"'], ["custom_fetch", `NODE_OPTIONS= npx bookmore-sdk doctor --url ${server.baseUrl} --json`]]);
    assert.match(findings[0].message, /returns no reply from 127\.0\.0\.1:\d+: .* gets no reply from it either, or does not speak http, as HTTP_PROXY says\.$/);
  });

  it("does not blame a proxy that is not used", async () => {
    for (const off of [{ NO_PROXY: ".0.0.1" }, { NO_PROXY: "127.0.0.1" }, { https_proxy: "" }]) {
      assert.deepEqual(await found(await host({ tls: "selfSigned" }, made), { HTTPS_PROXY: "http://127.0.0.1:9", ...off }), [undefined, "certificate_untrusted"]);
    }
  });
});

describe("the output", () => {
  let server;
  before(async () => (server = await host({ cors: "servicestack-default" }, made)));
  after(() => server.close());
  const env = (more) => ({ BOOKMORE_URL: server.baseUrl, BOOKMORE_TOKEN: GOOD, ...more });

  it("has a line for each step, with findings and fixes below", async () => {
    const { code, stdout, stderr } = await run(["--origin", PAGE], env());
    assert.deepEqual([code, stderr], [1, ""]);
    assert.match(stdout, /^✔ options +http:\/\/127\.0\.0\.1:\d+, with authorization \d+ ms\n/);
    assert.match(stdout, /^✔ connection +port \d+: 127\.0\.0\.1 \(v4\) ✔ \d+ ms$/m);
    assert.match(stdout, /^✔ HTTP +HTTP\/1\.1 401, content-type: application\/json; charset=utf-8 \d+ ms$/m);
    assert.match(stdout, /^✘ page +OPTIONS 200, GET 401, allows \* \d+ ms\n +✘ .*authorization.*\(cors_headers\)\n +ServiceStack, in place of another CorsFeature:\n +Plugins\.Add\(new CorsFeature\(allowOriginWhitelist: new\[\] \{ "https:\/\/app\.example" \}/m);
    assert.match(stdout, /^✔ call +a usage \d+ ms$/m);
    // Not a terminal: no colours, no progress line.
    assert.doesNotMatch(stdout, /\u001b|\r/);
    matchesSample("pkg/docs/diagnose.md", "npx bookmore-sdk doctor --url http://127.0.0.1:8787 --origin https://app.example\n", stdout.replaceAll(new URL(server.baseUrl).port, "8787"));
  });

  it("is coloured with FORCE_COLOR", async () => {
    assert.match((await run([], env({ FORCE_COLOR: "1" }))).stdout, /^\u001b\[32m✔\u001b\[39m options/);
    assert.doesNotMatch((await run(["--json"], env({ FORCE_COLOR: "1" }))).stdout, /\u001b/);
  });

  it("sends what a browser would for the page", async () => {
    server.requests.length = 0;
    await run(["--origin", PAGE, "--headers", "x-tenant,Authorization"], env());
    const [asked] = server.requests.filter(({ method }) => method === "OPTIONS");
    const names = ["origin", "access-control-request-method", "access-control-request-headers", "authorization", "x-tenant"];
    assert.deepEqual(names.map((name) => asked.headers[name]), [PAGE, "GET", "authorization,x-tenant", undefined, undefined]);
    // OPTIONS, a GET without credentials, and the call.
    const withOrigin = server.requests.filter(({ headers }) => headers.origin === PAGE);
    assert.deepEqual(withOrigin.map(({ method, headers }) => [method, headers.authorization !== undefined]), [["OPTIONS", false], ["GET", false], ["GET", true]]);
  });

  it("sends only GETs without --origin", async () => {
    server.requests.length = 0;
    const { code } = await run([], env());
    assert.equal(code, 0);
    assert.deepEqual([...new Set(server.requests.map(({ method }) => method))], ["GET"]);
  });

  it("Ctrl+C ends it with 130", async () => {
    const hanging = await host({ answers: { kind: "hang" } }, made);
    const { code } = await run([], env({ BOOKMORE_URL: hanging.baseUrl }), async (child) => {
      while (hanging.requests.length === 0) await sleep(20);
      child.kill("SIGINT");
    });
    assert.equal(code, 130);
    hanging.close();
  });

  // Nothing aborts a lookup, and process.exit waits for it. A shell shows the signal as 130.
  it("Ctrl+C during a name lookup that hangs ends it at once", async () => {
    const PIPE = join(user.folder, "pipe");
    execFileSync("mkfifo", [PIPE]);
    const hanging = { PIPE, UV_THREADPOOL_SIZE: "1", NODE_OPTIONS: `--import=${new URL("diagnose/hanging-lookup.mjs", import.meta.url)}` };
    const { code, stdout } = await run([], env({ BOOKMORE_URL: "https://api.example", ...hanging }), async (child) => {
      child.stderr.once("data", () => child.kill("SIGINT"));
    });
    assert.equal(code, "SIGINT");
    // What was found before is not lost.
    assert.match(stdout, /^✔ options .*\n✔ runtime .*\n$/);
  });

  // The token command may run for 30 s.
  it("Ctrl+C while the token command runs ends both at once", { timeout: 25_000 }, async () => {
    const file = join(user.folder, "pid");
    const command = `echo $$ > ${file}; sleep 300 & wait`;
    const { code, stdout } = await run([], { BOOKMORE_URL: server.baseUrl, BOOKMORE_TOKEN_COMMAND: command }, async (child) => {
      while (!existsSync(file)) await sleep(20);
      child.kill("SIGINT");
    });
    assert.deepEqual([code, stdout], [130, ""]);
    await gone(-Number(readFileSync(file, "utf8")));
  });

  it("a server's text cannot control the terminal", async () => {
    const message = "\u001b[2J\u009b31m\u0007Gone.\n✔ call";
    const hostile = createServer((_, res) => res.writeHead(400, { "content-type": "application/json", server: "a\u009b31mb" }).end(JSON.stringify({ ResponseStatus: { ErrorCode: "X", Message: message } })));
    await new Promise((resolve) => hostile.listen(0, "127.0.0.1", resolve));
    const { stdout } = await run([], env({ BOOKMORE_URL: `http://127.0.0.1:${hostile.address().port}` }));
    hostile.close();
    assert.match(stdout, /Gone\. ✔ call/);
    assert.doesNotMatch(stdout.replaceAll("\n", ""), /[\u0000-\u001f\u007f-\u009f]/);
  });

  it("contains no password of a proxy, a command, a base URL or a redirect", async () => {
    const secret = "p4ssw0rd-of-the-test";
    const to = `https://user:${secret}@id.example/login?token=${secret}#${secret}`;
    const redirecting = createServer((_, res) => res.writeHead(302, { location: to }).end());
    await new Promise((resolve) => redirecting.listen(0, "127.0.0.1", resolve));
    const port = redirecting.address().port;
    const proxy = `http://user:${secret}@127.0.0.1:9`;
    for (const given of [
      { BOOKMORE_URL: `http://127.0.0.1:${port}` },
      { BOOKMORE_URL: `http://user:${secret}@127.0.0.1:${port}` },
      { BOOKMORE_TOKEN: "", BOOKMORE_TOKEN_COMMAND: `echo ${secret}; exit 3` },
      { BOOKMORE_TOKEN: "", BOOKMORE_TOKEN_COMMAND: `exit 3 # ${secret}` },
      ...["", "1"].map((NODE_USE_ENV_PROXY) => ({ HTTP_PROXY: proxy, HTTPS_PROXY: proxy, NODE_USE_ENV_PROXY })),
    ]) {
      for (const args of [[], ["--json"], ["--origin", PAGE]]) {
        const { stdout, stderr } = await run(args, env(given));
        assert.notEqual(stdout + stderr, "");
        for (const spelling of [...spellings(secret), ...spellings(`user:${secret}`)]) assert.ok(!(stdout + stderr).includes(spelling), stdout + stderr);
      }
    }
    redirecting.close();
  });

  it("what mends the credentials is for the terminal, and can be pasted", async () => {
    const refusing = await host({ fake: { bearerToken: GOOD, apiKey: SECRETS[3] } }, made);
    writeFileSync(join(user.folder, "stale"), "stale\n");
    const fixOf = async (args, given) => {
      const { code, stdout } = await run([...args, "--json"], { BOOKMORE_URL: refusing.baseUrl, ...given });
      assert.equal(code, 4);
      return JSON.parse(stdout).findings[0];
    };
    for (const [args, given, where] of [[[], {}, /Set BOOKMORE_TOKEN,/], [[], { BOOKMORE_TOKEN: "stale" }, /The token is from BOOKMORE_TOKEN\.$/], [["--token-file", "stale"], {}, /The token is from --token-file\.$/]]) {
      const { message, fix } = await fixOf(args, given);
      assert.match(message, where);
      // Types what a person would: the fix, the token, and the command again.
      const again = ["node_modules/.bin/bookmore-sdk doctor", ...args].join(" ");
      const code = await new Promise((resolve) => {
        const child = execFile("bash", ["-c", `${fix}\n${again} > /dev/null`], { cwd: user.folder, env: { PATH: process.env.PATH, BOOKMORE_URL: refusing.baseUrl } }, (error) => resolve(error?.code ?? 0));
        child.stdin.end(`${GOOD}\n`);
      });
      assert.equal(code, 0, fix);
    }
    // The command is run at each start, and a terminal should not show what it prints.
    const { message, fix } = await fixOf([], { BOOKMORE_TOKEN_COMMAND: "echo stale" });
    assert.match(message, /The token is from BOOKMORE_TOKEN_COMMAND, which ran once here; a call by usage runs it again after a refusal\.$/);
    assert.equal(fix, undefined);
    assert.match((await fixOf([], { BOOKMORE_API_KEY: OTHER })).message, /The key is from BOOKMORE_API_KEY\.$/);
    refusing.close();
  });

  it("contains no token and no key in any spelling", async () => {
    const [token, expired, , key] = SECRETS;
    for (const given of [{ BOOKMORE_TOKEN: token }, { BOOKMORE_TOKEN: expired, BOOKMORE_API_KEY: key }, { BOOKMORE_API_KEY: key, BOOKMORE_TOKEN: "" }]) {
      for (const args of [[], ["--origin", PAGE]]) {
        const { stdout, stderr } = await run(args, env({ ...given, FORCE_COLOR: "1" }));
        assert.match(stdout, /options/);
        for (const spelling of SECRETS.flatMap(spellings)) assert.ok(!(stdout + stderr).includes(spelling), stdout);
      }
    }
  });

  it("wrong arguments", async () => {
    server.requests.length = 0;
    for (const [args, sentence] of [
      [["a", "b"], /^doctor takes at most one company/],
      [["notaguid"], /^The company id is not a Guid/],
      [[""], /^The company id is empty/],
      [["--origin", "app.example"], /^--origin must be the origin of a page/],
      [["--origin", "tauri://localhost/path"], /^--origin must be the origin of a page/],
      [["--origin", "https://app.example/path"], /^--origin must be the origin of a page/],
      [["--headers", "x"], /^--headers and --credentials go with --origin/],
      [["--origin", PAGE, "--headers", "x-tenant: s3cret"], /^--headers takes header names without values(?!.*s3cret)/],
      [["--origin", "https://user:s3cret@app.example"], /^--origin must be the origin of a page(?!.*s3cret)/],
      [["--origin", PAGE, "--headers", "authorization,Cookie"], /^No page can set cookie: --credentials/],
      [["--origin", PAGE, "--headers", "sec-a: s3cret"], /^--headers takes header names without values(?!.*s3cret)/],
      [["--origin", PAGE, "--headers", "host"], /^No page can set host: browsers/],
      [["--orign", PAGE], /did you mean --origin/],
      [["--token", "x"], /^Tokens and keys are not accepted as arguments/],
    ]) {
      const { code, stdout, stderr } = await run(args, env());
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(stderr, sentence);
    }
    assert.equal(server.requests.length, 0);
    assert.equal((await run([], { BOOKMORE_URL: "ftp://x" })).code, 2);
    const { code, stderr } = await run(["--url", "ftp://x"], { BOOKMORE_URL: server.baseUrl });
    assert.deepEqual([code, /^--url: baseUrl must be/.test(stderr)], [2, true]);
    assert.match((await run(["--help"])).stdout, /^Usage: bookmore-sdk doctor/);
  });

  it("tries everything else if the credentials are unusable", async () => {
    const { code, stdout } = await run([], { BOOKMORE_URL: server.baseUrl, BOOKMORE_TOKEN_COMMAND: "exit 3" });
    assert.equal(code, 4);
    assert.match(stdout, /✘ credentials .*\n +✘ BOOKMORE_TOKEN_COMMAND ended with exit code 3/);
    assert.match(stdout, /✔ reachability +401, readable/);
    writeFileSync(join(user.folder, "token"), `${GOOD}\n`);
    assert.equal((await run(["--token-file", "token"], { BOOKMORE_URL: server.baseUrl })).code, 0);
  });

  it("tries everything else if the credentials must not go over plain http", async () => {
    const { code, stdout } = await run(["--json"], env({ BOOKMORE_URL: "http://no-such-host.invalid" }));
    const findings = JSON.parse(stdout).findings.map(({ code, fix }) => [code, fix]);
    assert.deepEqual([code, findings[0], findings[1][0]], [4, ["insecure_http", "npx bookmore-sdk doctor --url https://no-such-host.invalid --json"], "unknown_host"]);
  });

  it("a limiter that sets in during the preflight", async () => {
    let count = 0;
    const limiter = createServer(({ socket }, response) => (++count > 2 ? socket.destroy() : response.writeHead(401).end()));
    await new Promise((resolve) => limiter.listen(0, "127.0.0.1", resolve));
    try {
      const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${limiter.address().port}` }));
      const errors = JSON.parse(stdout).findings.map(({ code }) => code);
      assert.deepEqual(errors, ["unsteady", "connection_reset"], stdout);
    } finally {
      limiter.close();
    }
  });

  it("names variables that are not read, and placeholders in those that are", async () => {
    const { stdout, stderr } = await run([], { BOOKMORE_BASE_URL: server.baseUrl, BOOKMORE_URL: "https://${API_HOST}" });
    assert.match(stderr, /^Not read: BOOKMORE_BASE_URL\. The variables are BOOKMORE_TOKEN, .*BOOKMORE_URL\.$/m);
    assert.match(stdout, /reads like a variable that was not replaced/);
  });

  it("says what is wrong with a base URL that is none, and quotes nothing of it", async () => {
    const secret = `${"e30".repeat(8)}.s3cret.x`;
    for (const [given, words] of [
      ["localhost:5000", /begin with https:\/\/, or for a server of this machine with http:\/\/\.$/],
      ["htps://api.example", /begin with https/],
      ['"https://api.example"', /quotation marks around it\.$/],
      ["$API_URL", /variable that was not replaced\.$/],
      ["undefined", /variable that was not replaced\.$/],
      [secret, /begin with https/],
      ["https://user:s3$cret@api.example", /without user name, [^$]*\.com\.$/],
    ]) {
      const { code, stderr } = await run([], { BOOKMORE_URL: given });
      assert.deepEqual([code, words.test(stderr.trim()), /s3\$?cret/.test(stderr)], [2, true, false], stderr);
    }
  });

  it("CORS headers of refusals alone", async () => {
    const cors = { "access-control-allow-origin": PAGE, "access-control-allow-headers": "authorization" };
    const gateway = createServer(({ method, headers: { authorization } }, response) => {
      if (method === "OPTIONS") return response.writeHead(204, cors).end();
      return authorization ? response.writeHead(200, { "content-type": "application/json" }).end(USAGE) : response.writeHead(401, cors).end("{}");
    });
    await new Promise((resolve) => gateway.listen(0, "127.0.0.1", resolve));
    const { code, stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${gateway.address().port}` }));
    gateway.close();
    const [found] = JSON.parse(stdout).findings;
    assert.deepEqual([code, found.code, found.level], [1, "cors_missing", "error"], stdout);
    assert.match(found.message, /^The reply with a usage has no CORS headers, /);
  });

  // As a gateway that adds CORS headers in front of a server that refuses the origin, or that adds them to a usage alone.
  for (const [what, status, expected, exit] of [
    ["an origin that is refused, although the reply has CORS headers", 403, ["cors_origin error"], 1],
    ["CORS headers of a usage alone, and only for an Origin", 401, ["cors_error_replies note"], 0],
  ]) {
    it(what, async () => {
      const json = { "content-type": "application/json" };
      const cors = { "access-control-allow-origin": PAGE, "access-control-allow-headers": "authorization", "access-control-expose-headers": "Retry-After, Date, X-Request-Id" };
      const gateway = createServer(({ method, headers: { origin, authorization } }, response) => {
        const isAllowed = origin && (status === 403 || authorization || method === "OPTIONS");
        const headers = isAllowed ? { ...json, ...cors } : json;
        if (method === "OPTIONS") return response.writeHead(204, headers).end();
        if (origin && status === 403) return response.writeHead(403, headers).end("{}");
        return authorization ? response.writeHead(200, headers).end(USAGE) : response.writeHead(401, headers).end("{}");
      });
      await new Promise((resolve) => gateway.listen(0, "127.0.0.1", resolve));
      try {
        const { code, stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${gateway.address().port}` }));
        const found = JSON.parse(stdout).findings.filter(({ code }) => code !== "hidden_headers").map(({ code, level }) => `${code} ${level}`);
        assert.deepEqual([code, found], [exit, expected], stdout);
      } finally {
        gateway.close();
      }
    });
  }

  it("an https page that calls plain http", async () => {
    const { stdout } = await run(["--origin", PAGE, "--json"], { BOOKMORE_URL: "http://no-such-host.invalid" });
    const { steps, findings } = JSON.parse(stdout);
    assert.equal(steps.find(({ name }) => name === "page").outcome, "failed");
    assert.equal(findings.find(({ code }) => code === "mixed_content").fix, 'new BookMoreClient({ baseUrl: "https://no-such-host.invalid" })');
  });

  it("a way that is too slow for fetch, where a connection is possible", async () => {
    const { stdout } = await run(["--json"], env({ NODE_OPTIONS: `--import=${new URL("diagnose/timing-out-fetch.mjs", import.meta.url)}` }));
    const [{ code, message, fix }, ...others] = JSON.parse(stdout).findings;
    assert.deepEqual([code, others.map(({ code, level }) => `${code} ${level}`)], ["connect_timeout", ["custom_fetch note"]], stdout);
    assert.match(message, /^A connection to 127\.0\.0\.1:\d+ is possible, as was seen before, but then there was none: /);
    assert.equal(fix, 'export NODE_OPTIONS="$NODE_OPTIONS --network-family-autoselection-attempt-timeout=2000"');
  });

  it("a server of plain http that says nothing to TLS", { timeout: 60_000 }, async () => {
    const silent = createTcpServer((socket) => socket.on("error", () => {}).once("data", (first) => {
      if (first[0] !== 22) socket.end("HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n");
    }));
    await new Promise((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address();
    const { stdout } = await run(["--json"], env({ BOOKMORE_URL: `https://127.0.0.1:${port}` }));
    silent.close();
    assert.deepEqual(JSON.parse(stdout).findings.map(({ code, fix }) => [code, fix]), [["not_tls", `npx bookmore-sdk doctor --url http://127.0.0.1:${port} --json`]]);
  });

  it("a server that accepts connections and does not answer TLS", { timeout: 90_000 }, async () => {
    const silent = createTcpServer((socket) => socket.on("error", () => {}));
    await new Promise((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { stdout } = await run(["--json"], env({ BOOKMORE_URL: `https://127.0.0.1:${silent.address().port}` }));
    silent.close();
    assert.deepEqual(JSON.parse(stdout).findings.map(({ code, message }) => [code, /the TLS handshake is not answered/.test(message)]), [["timeout", true]]);
  });

  it("runs the token command once, even if it is slow", { timeout: 60_000 }, async () => {
    const refusing = await host({ fake: { bearerToken: GOOD } }, made);
    const file = join(user.folder, "asked");
    // A command that takes longer than a step, and prints a token only once.
    const { code, stdout } = await run(["--json"], { BOOKMORE_URL: refusing.baseUrl, BOOKMORE_TOKEN_COMMAND: `test ! -e ${file} && touch ${file} && sleep 11 && echo stale` });
    refusing.close();
    assert.equal(code, 4);
    assert.deepEqual(JSON.parse(stdout).findings.map(({ code }) => code), ["token_refused"]);
  });

  it("without WebAssembly finds only that, but still tries the way to the server", async () => {
    const args = ["--jitless", "node_modules/bookmore-sdk/dist/cli/main.js", "doctor", "--origin", PAGE, "--json"];
    const { code, stdout } = await new Promise((resolve) => {
      execFile(process.execPath, args, { cwd: user.folder, env: { PATH: process.env.PATH, ...env() } }, (error, stdout) => resolve({ code: error?.code ?? 0, stdout }));
    });
    const { steps, findings } = JSON.parse(stdout);
    assert.deepEqual([code, findings.map(({ code }) => code)], [1, ["wasm_missing"]]);
    assert.equal(steps.find(({ name }) => name === "HTTP").outcome, "ok");
    assert.deepEqual(steps.slice(-2).map(({ name, outcome }) => [name, outcome]), [["reachability", "skipped"], ["page", "skipped"]]);
  });

  it("a server that does not answer what a browser sends fails for the page", async () => {
    const silent = createServer((req, res) => (req.method === "OPTIONS" ? req.socket.destroy() : res.writeHead(401).end()));
    await new Promise((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { code, stdout } = await run(["--origin", PAGE, "--json"], { BOOKMORE_URL: `http://127.0.0.1:${silent.address().port}` });
    silent.close();
    const { ok, steps, findings } = JSON.parse(stdout);
    assert.deepEqual([ok, code, steps.find(({ name }) => name === "page").detail], [false, 4, "no reply"]);
    assert.deepEqual(findings.map(({ code }) => code), ["cors_preflight", "credentials_missing"]);
  });

  it("a gate that redirects whatever has no token: the preflight is judged, and what a page gets is not", async () => {
    const CORS = { "access-control-allow-origin": PAGE, "access-control-allow-headers": "authorization" };
    // By what OPTIONS is answered with: nothing, a redirect, an error, no header allowed, all allowed.
    for (const [preflight, outcome, codes] of [
      [undefined, "failed", ["cors_preflight"]],
      [[302, { location: "/login?to=usage" }], "failed", ["cors_preflight"]],
      [[405, CORS], "failed", ["cors_preflight"]],
      [[204, {}], "failed", ["cors_preflight"]],
      [[204, { "access-control-allow-origin": PAGE }], "failed", ["cors_headers"]],
      [[204, CORS], "skipped", []],
    ]) {
      const gate = createServer((req, res) => {
        if (req.method === "OPTIONS") return preflight ? res.writeHead(...preflight).end() : req.socket.destroy();
        if (!req.headers.authorization) return res.writeHead(302, { location: "/login" }).end();
        res.writeHead(200, { "content-type": "application/json", ...CORS }).end(USAGE);
      });
      await new Promise((resolve) => gate.listen(0, "127.0.0.1", resolve));
      const { code, stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${gate.address().port}` }));
      gate.close();
      const { url, steps, findings } = JSON.parse(stdout);
      assert.deepEqual([steps.find(({ name }) => name === "page").outcome, findings.map(({ code }) => code), code], [outcome, codes, codes.length], stdout);
      if (preflight?.[0] !== 302) continue;
      // The API's own settings would mend nothing.
      const [{ message, fix, elsewhere }] = findings;
      assert.ok(message.startsWith(`The server redirects OPTIONS to ${url}/login, `) && message.includes(" has to let OPTIONS through"), message);
      assert.deepEqual([fix, elsewhere], [undefined, undefined]);
    }
  });

  it("a refusal without CORS headers prevents no call where the usage has them", async () => {
    const PREFLIGHT = { "access-control-allow-origin": PAGE, "access-control-allow-headers": "authorization", "access-control-allow-credentials": "true" };
    for (const [headers, args, level, sentence] of [
      [{ "access-control-allow-origin": "*" }, [], "note", /^The reply with a usage has CORS headers, and the refusal/],
      [{ "access-control-allow-origin": "*" }, ["--credentials"], "error", /^The preflight has CORS headers, and the 401 .*: either .*, or only the preflight has them/],
      [{}, [], "error", /^The preflight has CORS headers, and the 401 .*: either .*, or only the preflight has them/],
    ]) {
      const other = createServer((req, res) => {
        if (req.method === "OPTIONS") return res.writeHead(204, PREFLIGHT).end();
        if (!req.headers.authorization) return res.writeHead(401).end();
        res.writeHead(200, { "content-type": "application/json", ...headers }).end(USAGE);
      });
      await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
      const { code, stdout } = await run(["--origin", PAGE, ...args, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${other.address().port}` }));
      other.close();
      const [found, ...others] = JSON.parse(stdout).findings;
      assert.deepEqual([found.code, found.level, others, code], ["cors_error_replies", level, [], level === "note" ? 0 : 1], stdout);
      assert.match(found.message, sentence);
    }
  });

  it("a server that answers this origin otherwise than none refuses it", async () => {
    const refusing = createServer((req, res) => res.writeHead(req.headers.origin ? 500 : 401).end());
    await new Promise((resolve) => refusing.listen(0, "127.0.0.1", resolve));
    const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${refusing.address().port}` }));
    refusing.close();
    const [{ code, message }] = JSON.parse(stdout).findings;
    assert.equal(code, "cors_origin");
    assert.match(message, /^A GET without an Origin is answered with 401, one from a page of https:\/\/app\.example with 500, /);
  });

  it("OPTIONS that is refused, where GET has CORS headers, may be for a header", async () => {
    const OPEN = { "access-control-allow-origin": "*", "access-control-expose-headers": "*" };
    for (const [preflight, expected] of [
      [[204, {}], ["cors_preflight", "cors_headers", "cors_preflight"]],
      [[403, {}], ["cors_preflight", "cors_headers", "cors_preflight"]],
      // As Starlette does.
      [[400, OPEN], ["cors_preflight", "cors_headers", "cors_preflight"]],
      [[405, {}], ["cors_preflight"]],
    ]) {
      const other = createServer((req, res) => (req.method === "OPTIONS" ? res.writeHead(...preflight).end() : res.writeHead(401, OPEN).end()));
      await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
      const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${other.address().port}` }));
      other.close();
      assert.deepEqual(codesOf(JSON.parse(stdout).findings[0]), expected);
    }
  });

  it("a 403 to everybody, as of another service at this port, is no matter of CORS settings", async () => {
    const other = createServer((_, res) => res.writeHead(403, { server: "AirTunes/775.3.1" }).end());
    await new Promise((resolve) => other.listen(0, "127.0.0.1", resolve));
    const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${other.address().port}` }));
    other.close();
    const [page, call] = JSON.parse(stdout).findings;
    assert.deepEqual([page.code, page.fix, call.code, call.candidates], ["cors_missing", undefined, "base_url", undefined]);
    assert.match(page.message, / Find out first why a GET without credentials is answered with 403\.$/);
    assert.match(call.message, /AirPlay/);
  });

  it("what refuses Node.js says nothing of pages", async () => {
    const wall = createServer((req, res) => res.writeHead(/^Mozilla/.test(req.headers["user-agent"]) ? 401 : 403).end());
    await new Promise((resolve) => wall.listen(0, "127.0.0.1", resolve));
    const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${wall.address().port}` }));
    wall.close();
    const { steps, findings } = JSON.parse(stdout);
    assert.equal(steps.find(({ name }) => name === "page").outcome, "ok");
    assert.deepEqual(findings.map(({ code, level }) => [code, level]), [["blocked_reply", "note"], ["permission_denied", "error"]]);
  });

  it("a gate in front: the words, and where the token is from", async () => {
    const gate = await host({ gate: true }, made);
    const { code, stdout } = await run(["--json"], env({ BOOKMORE_URL: gate.baseUrl }));
    gate.close();
    const [{ message, candidates }] = JSON.parse(stdout).findings;
    assert.equal(code, 4);
    assert.match(message, / The token is from BOOKMORE_TOKEN\.$/);
    assert.match(candidates[0].message, / is answered with a 401 that asks for Basic, and the client's Authorization header leaves no room for such a sign-in\. /);
  });

  it("a 407 is the answer of a proxy on the way", async () => {
    const refusing = createServer((_, res) => res.writeHead(407).end());
    await new Promise((resolve) => refusing.listen(0, "127.0.0.1", resolve));
    const { stdout } = await run(["--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${refusing.address().port}` }));
    refusing.close();
    assert.deepEqual(JSON.parse(stdout).findings.map(({ code, message }) => [code, /answers with 407/.test(message)]), [["proxy_refused", true]]);
  });

  it("a name below localhost, which only browsers know", async () => {
    const { stdout } = await run(["--json"], env({ BOOKMORE_URL: server.baseUrl.replace("127.0.0.1", "api.localhost") }));
    const [found] = JSON.parse(stdout).findings;
    // Some systems resolve such a name.
    if (found) assert.deepEqual([found.code, found.fix], ["unknown_host", `npx bookmore-sdk doctor --url ${server.baseUrl.replace("127.0.0.1", "localhost")} --json`]);
  });

  it("names what a page does not know because of a hidden header", async () => {
    for (const [exposed, sentence] of [
      ["retry-after,x-request-id", /^A page cannot read date, and so does not know how far its clock is from the server's\.$/],
      ["date", /^A page cannot read retry-after, x-request-id, and so does not know how long to wait after a 429, nor the request id of an error\.$/],
    ]) {
      const other = await host({ headers: { "access-control-allow-origin": "*", "access-control-allow-headers": "authorization", "access-control-expose-headers": exposed } }, made);
      const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: other.baseUrl }));
      other.close();
      assert.match(JSON.parse(stdout).findings.find(({ code }) => code === "hidden_headers").message, sentence);
    }
  });

  it("a certificate that is self-signed and for another name has both faults", async () => {
    const other = await host({ tls: "selfSigned" }, made);
    const { stdout } = await run(["--json"], env({ BOOKMORE_URL: other.baseUrl.replace("127.0.0.1", "other.localhost") }));
    other.close();
    const [{ code, fix }, second] = JSON.parse(stdout).findings;
    // Not every system resolves such a name.
    if (code !== "unknown_host") {
      // To trust it mends nothing.
      assert.deepEqual([code, second.code, second.fix], ["certificate_name", "certificate_untrusted", undefined]);
      assert.match(fix, /^npx bookmore-sdk doctor --url https:\/\/localhost:\d+ --json$/);
    }
  });

  it("HTTP that Node.js refuses is told from another service", async () => {
    const odd = createTcpServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"));
    await new Promise((resolve) => odd.listen(0, "127.0.0.1", resolve));
    const { stdout } = await run(["--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${odd.address().port}` }));
    odd.close();
    assert.deepEqual(JSON.parse(stdout).findings.map(({ code }) => code), ["http_refused"]);
  });

  it("HTTP that only a step refuses is a note if the call returns a usage", async () => {
    const body = '{"tokensUsed":1,"tokenLimit":10,"tokensRemaining":9,"isWithinBudget":true,"windowDays":30}';
    const odd = createTcpServer((socket) => socket.on("error", () => {}).once("data", (asked) => {
      // By its headers, the request of that step.
      const isOdd = !asked.toString().toLowerCase().includes("user-agent");
      socket.end(`HTTP/1.1 200 OK\r\n${isOdd ? "a b: c\r\n" : ""}content-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`);
    }));
    await new Promise((resolve) => odd.listen(0, "127.0.0.1", resolve));
    const { code, stdout } = await run(["--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${odd.address().port}` }));
    odd.close();
    assert.deepEqual([code, JSON.parse(stdout).findings.map(({ code, level }) => `${code} ${level}`)], [0, ["http_refused note"]]);
  });

  it("a TLS server that knows no such host says so; after other alerts it may be that, too", async () => {
    for (const [alert, sentence] of [
      [112, /^The server at 127\.0\.0\.1, port \d+, knows no host of this name; check the host of the base URL\.$/],
      [42, /^The TLS handshake with 127\.0\.0\.1:\d+ failed: the server refuses the certificate that this process shows, or the lack of one: /],
      [80, /^The TLS handshake with 127\.0\.0\.1:\d+ failed: the server knows no host of this name, .*, or has a fault\.$/],
    ]) {
      const refusing = createTcpServer((socket) => socket.on("error", () => {}).once("data", () => socket.end(Buffer.from([21, 3, 3, 0, 2, 2, alert]))));
      await new Promise((resolve) => refusing.listen(0, "127.0.0.1", resolve));
      const { stdout } = await run(["--json"], env({ BOOKMORE_URL: `https://127.0.0.1:${refusing.address().port}` }));
      refusing.close();
      const [{ code, message }, ...others] = JSON.parse(stdout).findings;
      assert.deepEqual([code, others], ["tls_refused", []]);
      assert.match(message, sentence);
    }
  });

  it("asks for no header that every page may send", async () => {
    const asked = () => server.requests.filter(({ method }) => method === "OPTIONS").map(({ headers }) => headers["access-control-request-headers"]);
    for (const [names, expected] of [["Accept,x-tenant,accept-language", ["x-tenant"]], ["accept,content-language", []]]) {
      server.requests.length = 0;
      const { stdout } = await run(["--origin", PAGE, "--headers", names, "--json"], env());
      assert.deepEqual(asked(), expected);
      const found = JSON.parse(stdout).findings.filter(({ level }) => level === "error");
      assert.deepEqual(found.map(({ message }) => /send (.+?);/.exec(message)[1]), expected);
    }
  });

  it("for a page of the server's own origin CORS does not apply", async () => {
    const other = await host({ cors: "none" }, made);
    const { code, stdout } = await run(["--origin", other.baseUrl], env({ BOOKMORE_URL: other.baseUrl }));
    other.close();
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^– page +the server's own origin: CORS does not apply$/m);
    assert.deepEqual([...new Set(other.requests.map(({ method }) => method))], ["GET"]);
  });

  it("distinguishes a list of origins, a header sent twice, and an empty one", async () => {
    for (const [origin, code, sentence] of [
      [`${PAGE}, https://b.example`, "cors_duplicate", /has several values, https:\/\/app\.example, https:\/\/b\.example,/],
      [[PAGE, PAGE], "cors_duplicate", /^Access-Control-Allow-Origin is sent twice, and browsers accept it only once: /],
      [["*", PAGE], "cors_duplicate", /^Access-Control-Allow-Origin is sent twice, and browsers accept it only once: /],
      ["", "cors_origin", /allow no origin, because Access-Control-Allow-Origin is empty, not https:\/\/app\.example\.$/],
    ]) {
      const other = await host({ headers: { "access-control-allow-origin": origin, "access-control-allow-headers": "authorization" } }, made);
      const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: other.baseUrl }));
      other.close();
      const [found] = JSON.parse(stdout).findings;
      assert.equal(found.code, code);
      assert.match(found.message, sentence);
    }
  });

  it("says what cookies need, and what the asterisk includes", async () => {
    for (const [headers, args, sentence] of [
      [{ "access-control-allow-origin": PAGE, "access-control-allow-headers": "authorization" }, ["--credentials"], /they need Access-Control-Allow-Credentials: true\.$/],
      [{ "access-control-allow-origin": "*", "access-control-allow-headers": "authorization", "access-control-allow-credentials": "true" }, ["--credentials"], /they need Access-Control-Allow-Origin: https:\/\/app\.example, not \*\.$/],
      [{ "access-control-allow-origin": PAGE, "access-control-allow-headers": "*", "access-control-allow-credentials": "true" }, ["--credentials"], /they allow \*\. An asterisk counts for nothing when cookies are sent\.$/],
    ]) {
      const other = await host({ headers }, made);
      const { stdout } = await run(["--origin", PAGE, ...args, "--json"], env({ BOOKMORE_URL: other.baseUrl }));
      other.close();
      assert.match(JSON.parse(stdout).findings.find(({ level }) => level === "error").message, sentence);
    }
  });

  it("a list that cannot be parsed, as browsers would; white space around a value is no part of it", async () => {
    const open = { "access-control-allow-origin": "* ", "access-control-allow-headers": "authorization\t", "access-control-expose-headers": "*" };
    for (const [headers, sentence] of [
      [{ "access-control-allow-methods": "GET POST" }, /^Access-Control-Allow-Methods in the reply to OPTIONS is no list of names with commas between them, .*: "get post"\.$/],
      [{ "access-control-allow-headers": "authorization, X Tenant" }, /^Access-Control-Allow-Headers .*: "x tenant"\.$/],
      [{ "access-control-allow-methods": "GET,POST," }],
    ]) {
      const other = await host({ headers: { ...open, ...headers } }, made);
      const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: other.baseUrl }));
      other.close();
      const { ok, findings } = JSON.parse(stdout);
      assert.equal(ok, sentence === undefined, stdout);
      if (sentence) assert.match(findings[0].message, sentence);
    }
  });

  it("a client certificate that is asked for by a reply", async () => {
    const { key, cert } = made.good;
    const asking = createSecureServer({ key, cert }, (_, reply) => reply.writeHead(400, { "content-type": "text/html" }).end("<html><head><title>400 No required SSL certificate was sent</title></head></html>"));
    await new Promise((resolve) => asking.listen(0, "127.0.0.1", resolve));
    const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `https://127.0.0.1:${asking.address().port}`, NODE_EXTRA_CA_CERTS: made.authority }));
    asking.close();
    const [found, ...others] = JSON.parse(stdout).findings;
    assert.deepEqual([codesOf(found), others], [["client_certificate", "client_certificate", "blocked_reply"], []]);
  });

  it("a line that runs the command again keeps its options, and those of Node.js that load no script", async () => {
    const folder = join(user.folder, "a folder");
    mkdirSync(folder);
    writeFileSync(join(folder, "none.cjs"), "");
    const script = `--import=${new URL("diagnose/fetch-elsewhere.mjs", import.meta.url)} --require "${folder}/none.cjs"`;
    const { stdout } = await run(["--origin", PAGE, `--url=${server.baseUrl}`, "--json"], env({ NODE_OPTIONS: `--max-old-space-size=512 ${script} --no-deprecation` }));
    const { fix } = JSON.parse(stdout).findings.find(({ code }) => code === "custom_fetch");
    assert.equal(fix, `NODE_OPTIONS='--max-old-space-size=512 --no-deprecation' npx bookmore-sdk doctor --url ${server.baseUrl} --origin ${PAGE} --json`);
  });

  it("a fetch that goes elsewhere is no fault of the server", async () => {
    const { stdout } = await run(["--json"], env({ NODE_OPTIONS: `--import=${new URL("diagnose/fetch-elsewhere.mjs", import.meta.url)}` }));
    const [{ code, message }] = JSON.parse(stdout).findings;
    assert.equal(code, "custom_fetch", stdout);
    assert.match(message, /^A connection to 127\.0\.0\.1:\d+ was possible, and fetch got none \(/);
  });

  it("browsers let an asterisk stand for Authorization, against the standard: a note", async () => {
    const other = await host({ headers: { "access-control-allow-origin": "*", "access-control-allow-headers": "*", "access-control-expose-headers": "*" } }, made);
    const { code, stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: other.baseUrl }));
    other.close();
    assert.deepEqual([code, JSON.parse(stdout).findings.map(({ code, level }) => `${code} ${level}`)], [0, ["cors_headers note"]]);
  });

  it("a page that sends cookies alone asks for no header", async () => {
    for (const [args, more] of [[["--credentials"], { BOOKMORE_TOKEN: "" }], [["--credentials", "--headers", "none"], {}]]) {
      server.requests.length = 0;
      const { stdout } = await run(["--origin", PAGE, ...args, "--json"], env(more));
      assert.ok(server.requests.every(({ method }) => method === "GET"));
      assert.ok(JSON.parse(stdout).findings.some(({ code }) => code === "cors_credentials"), stdout);
    }
  });

  it("a server that tells a page nothing has no CORS settings, or none for this origin", async () => {
    const other = await host({ cors: "none" }, made);
    const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: other.baseUrl }));
    other.close();
    assert.match(JSON.parse(stdout).findings[0].message, /to a page of https:\/\/app\.example, and OPTIONS is answered with 404: it has no CORS settings, they do not allow this origin, or something in front of them answers, such as authentication or a proxy\.$/);
  });

  it("a server that tells a page nothing may be another one: the 404 comes first", async () => {
    const other = await host({ cors: "none", path: "/wrong" }, made);
    const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: other.baseUrl }));
    other.close();
    assert.match(JSON.parse(stdout).findings[0].message, /a proxy\. Find out first why a GET without credentials is answered with 404\.$/);
  });

  it("a TLS port that answers plain http with a 400: CORS is no matter", async () => {
    // Its certificate does not matter, either: the 400 is enough to try TLS.
    const port = createTcpServer((socket) => socket.once("data", (first) => {
      if (first[0] !== 22) return socket.end("HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      const behind = connect(Number(new URL(tls.baseUrl).port), "127.0.0.1", () => { behind.write(first); socket.pipe(behind).pipe(socket); });
    }).on("error", () => {}));
    const tls = await host({ tls: "good" }, made);
    await new Promise((resolve) => port.listen(0, "127.0.0.1", resolve));
    const { stdout } = await run(["--origin", PAGE, "--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${port.address().port}` }));
    port.close();
    tls.close();
    assert.deepEqual(JSON.parse(stdout).findings.map(({ code }) => code), ["needs_https"]);
  });

  it("a redirect to an app", async () => {
    const redirecting = createServer((_, res) => res.writeHead(302, { location: "app:callback?token=s3cret" }).end());
    await new Promise((resolve) => redirecting.listen(0, "127.0.0.1", resolve));
    const { code, stdout } = await run(["--json"], env({ BOOKMORE_URL: `http://127.0.0.1:${redirecting.address().port}` }));
    redirecting.close();
    assert.equal(code, 1);
    assert.deepEqual(JSON.parse(stdout).findings.flatMap(codesOf), ["redirected", "sign_in_redirect", "token_refused", "base_url"]);
    assert.doesNotMatch(stdout, /s3cret/);
  });

  it("the origins of files, extensions and apps", async () => {
    for (const page of ["null", "chrome-extension://abcdefghijklmnop", "capacitor://localhost", "tauri://localhost:1420"]) {
      server.requests.length = 0;
      const { code, stdout } = await run(["--origin", page, "--json"], env());
      assert.equal(code, 1, stdout);
      assert.equal(server.requests.find(({ method }) => method === "OPTIONS").headers.origin, page);
      const [{ fix }] = JSON.parse(stdout).findings;
      // No settings allow only "null".
      if (page === "null") assert.equal(fix, undefined);
      else assert.ok(fix.includes(`"${page}"`));
    }
  });

  it("an unused proxy is a note if the server answers, whatever the credentials are", async () => {
    const { code, stdout } = await run(["--json"], { BOOKMORE_URL: server.baseUrl, BOOKMORE_TOKEN_COMMAND: "exit 3", HTTP_PROXY: "http://127.0.0.1:9" });
    assert.equal(code, 4);
    const levels = JSON.parse(stdout).findings.map(({ code, level }) => `${code} ${level}`);
    assert.deepEqual(levels.sort(), ["proxy_unused note", "token_provider_error error"]);
    const { outcome, detail } = JSON.parse(stdout).steps.find(({ name }) => name === "proxy");
    assert.deepEqual([outcome, detail], ["skipped", "127.0.0.1, port 9: not used by this fetch"]);
  });

  it("a proxy that does not run", async () => {
    const { findings } = JSON.parse((await run(["--json"], env({ HTTP_PROXY: "http://127.0.0.1:9", NODE_USE_ENV_PROXY: "1" }))).stdout);
    const refused = findings.find(({ code }) => code === "proxy_refused");
    // An older Node.js cannot be told to use one. A server of this machine needs none.
    if (refused) assert.equal(refused.fix, 'export NO_PROXY="$NO_PROXY,127.0.0.1"');
    else assert.ok(findings.some(({ code }) => code === "proxy_unused"));
  });

  it("blames a certificate only for its own faults", async () => {
    for (const [tls, sentence] of [
      ["expired", /^The certificate of 127\.0\.0\.1:\d+ has expired, and whoever .*; or the clock of this machine is ahead\. It is /],
      ["otherName", /^The certificate of 127\.0\.0\.1:\d+ is for other names: if one of them is the server's, .*; if none is, the server has a wrong certificate, or something in between answers, /],
      ["early", /^The certificate of 127\.0\.0\.1:\d+ is not valid yet,/],
      ["ofExpired", /^The certificate of 127\.0\.0\.1:\d+ has not expired, but by the clock of this machine that of an authority above it has \(Expired authority, from/],
      ["ofEarly", /^The certificate of an authority above that of 127\.0\.0\.1:\d+ \(Early authority, from .*is not valid yet,/],
      ["forClients", /^Node\.js refuses the certificate of 127\.0\.0\.1:\d+: unsuitable certificate purpose \(INVALID_PURPOSE\)\. Its keyUsage or .* is not for servers\. It is for .*, by Authority of the tests\.$/],
      ["critical", /^Node\.js refuses the certificate of 127\.0\.0\.1:\d+: unhandled critical extension \(\w+\)\. It is for /],
      ["weak", /^Node\.js refuses the certificate of 127\.0\.0\.1:\d+: CA signature digest algorithm too weak \(\w+\)\. .* newer signatures, such as RSA 2048 and SHA-256\. It is for /],
      ["addressAsName", /^The certificate of 127\.0\.0\.1:\d+ names the address only as a DNS name, .* writes subjectAltName=IP:127\.0\.0\.1\. It is for DNS:127\.0\.0\.1,/],
    ]) {
      const server = await host({ tls }, made);
      const { stdout } = await run(["--json"], env({ BOOKMORE_URL: server.baseUrl, NODE_EXTRA_CA_CERTS: made.authority }));
      server.close();
      assert.match(JSON.parse(stdout).findings[0].message, sentence);
    }
  });

  it("says why NODE_EXTRA_CA_CERTS does not help", async () => {
    const pem = readFileSync(made.authority, "utf8");
    const written = (name, content) => (writeFileSync(join(user.folder, name), content), join(user.folder, name));
    const der = written("authority.der", Buffer.from(pem.replace(/-----.*-----|\s/g, ""), "base64"));
    const other = written("other.pem", made.selfSigned.cert);
    const p7b = join(user.folder, "authority.p7b");
    execFileSync("openssl", ["crl2pkcs7", "-nocrl", "-certfile", made.authority, "-out", p7b]);
    for (const [tls, file, sentence, fix = /^/] of [
      ["good", der, / The file in NODE_EXTRA_CA_CERTS is DER, and Node\.js reads PEM, which has -----BEGIN CERTIFICATE-----: openssl converts it\.$/, /^openssl x509 -inform der .*\nexport NODE_EXTRA_CA_CERTS=/],
      ["good", p7b, / The file in NODE_EXTRA_CA_CERTS is PKCS #7, and Node\.js reads PEM, /, /^openssl pkcs7 -print_certs -in /],
      ["good", written("empty.pem", ""), / The file in NODE_EXTRA_CA_CERTS is empty\.$/],
      ["good", written("key.pem", made.good.key), / The file in NODE_EXTRA_CA_CERTS has a [A-Z ]*PRIVATE KEY, and no certificate\.$/],
      ["good", written("cut.pem", pem.slice(0, -100)), / its file has a certificate that cannot be read, perhaps because it is cut off\.$/],
      ["ofMiddle", join(made.folder, "middle.pem"), /: its chain leads to middle, and Node\.js does not know Authority of the tests, which issued that\. NODE_EXTRA_CA_CERTS needs the certificate of the root, too, /, /^\{ cat "\$NODE_EXTRA_CA_CERTS"; /],
      ["selfSigned", made.authority, / NODE_EXTRA_CA_CERTS is set, but this certificate is not in its file\.$/],
      ["good", other, / NODE_EXTRA_CA_CERTS is set, but no certificate in its file issued this one\. If an intermediate authority did, /, / -showcerts <\/dev\/null$/],
      ["selfSigned", "/nowhere.pem", / NODE_EXTRA_CA_CERTS names \/nowhere\.pem, which cannot be read \(ENOENT\)\.$/],
    ]) {
      const server = await host({ tls }, made);
      const { stdout } = await run(["--json"], env({ BOOKMORE_URL: server.baseUrl, NODE_EXTRA_CA_CERTS: file }));
      server.close();
      assert.match(JSON.parse(stdout).findings[0].message, sentence);
      assert.match(JSON.parse(stdout).findings[0].fix, fix);
    }
  });

  it("a certificate with only a common name, which browsers refuse", async () => {
    const server = await host({ tls: "commonName" }, made);
    const given = env({ BOOKMORE_URL: server.baseUrl.replace("127.0.0.1", "localhost"), NODE_EXTRA_CA_CERTS: made.authority });
    const { code, stdout } = await run([], given);
    const asPage = await run(["--origin", PAGE, "--json"], given);
    server.close();
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^✔ TLS .*, for the common name localhost, from/m);
    const { steps, findings } = JSON.parse(asPage.stdout);
    assert.deepEqual([asPage.code, steps.find(({ name }) => name === "page").outcome], [1, "failed"]);
    assert.equal(findings[0].code, "certificate_name");
    assert.match(findings[0].message, /^Browsers refuse the certificate of localhost:\d+: it has no subjectAltName, .* subjectAltName=DNS:localhost\.$/);
  });

  it("a certificate that expires soon is a note", async () => {
    const tls = await host({ tls: "ending" }, made);
    const { code, stdout } = await run([], { BOOKMORE_URL: tls.baseUrl, BOOKMORE_TOKEN: GOOD, NODE_EXTRA_CA_CERTS: made.authority });
    tls.close();
    assert.equal(code, 0, stdout);
    assert.match(stdout, /^✔ TLS +TLSv1\.\d, .*\n +• The certificate of 127\.0\.0\.1 expires on/m);
  });
});
