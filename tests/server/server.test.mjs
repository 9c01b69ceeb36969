// The stand-in server's recordings and pages, over node:http, because fetch would follow redirects, hide duplicate headers
// and normalise paths.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { bodyBytes, loadExchanges } from "./exchanges.mjs";
import { createFinder } from "./match.mjs";
import { startServer } from "./server.mjs";

const USAGE = "/assistant/ai-chat/usage";
const GOOD = { Authorization: "Bearer good-token" };
const JSON_GOOD = { ...GOOD, Accept: "application/json" };
const exchanges = loadExchanges();

let root;
let server;
before(async () => {
  root = mkdtempSync(join(tmpdir(), "stand-in-"));
  for (const folder of ["examples/usage-meter", "pkg/dist"]) mkdirSync(join(root, folder), { recursive: true });
  const files = ["examples/usage-meter/index.html", "pkg/dist/a.wasm", "pkg/.npmrc", "secret.txt"];
  for (const file of files) writeFileSync(join(root, file), file);
  symlinkSync(join(root, "secret.txt"), join(root, "pkg/link.txt"));
  symlinkSync(join(root, "pkg"), join(root, "examples/sdk"));
  server = await startServer({ root, replay: true });
});
after(async () => {
  await server.close();
  rmSync(root, { recursive: true });
});

// Sends the request unchanged, and resolves with the unchanged reply.
function send(path, { method = "GET", headers = {}, port = server.port } = {}) {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, headers, agent: false };
    httpRequest(options, async (res) => {
      const chunks = [];
      for await (const chunk of res) chunks.push(chunk);
      const raw = res.rawHeaders;
      resolve({
        status: res.statusCode,
        reason: res.statusMessage,
        headers: raw.flatMap((name, i) => (i % 2 ? [] : [[name, raw[i + 1]]])),
        header: res.headers,
        body: Buffer.concat(chunks),
      });
    })
      .on("error", reject)
      .end();
  });
}

const FRAMING = ["connection", "content-length", "transfer-encoding"];
const unframed = (headers) => headers.filter(([name]) => !FRAMING.includes(name.toLowerCase()));
const named = (headers, name) => headers.find(([n]) => n.toLowerCase() === name)?.[1];
const get = (id) => exchanges.find((exchange) => exchange.id === id);

function assertReplays(reply, exchange, message = exchange.id) {
  const { status, reason, headers } = exchange.response;
  assert.equal(reply.status, status, message);
  assert.equal(reply.reason, reason, message);
  assert.deepEqual(unframed(reply.headers), unframed(headers), message);
  assert.ok(reply.body.equals(bodyBytes(exchange)), `${message}: body`);
  assert.equal(reply.header["transfer-encoding"], named(headers, "transfer-encoding"), message);
  const length = named(headers, "content-length");
  if (length !== undefined) assert.equal(reply.header["content-length"], length, message);
}

describe("recorded exchanges", () => {
  test("each one is replayed by its id", async () => {
    for (const exchange of exchanges) {
      const { method } = exchange.request;
      assertReplays(await send(`/replay/${exchange.id}${USAGE}?CompanyId=any`, { method }), exchange);
    }
    console.log(`replayed by id: ${exchanges.length} exchanges`);
    assert.equal(exchanges.length, 254);
  });

  test("each one answers its own request, and only its own", async () => {
    const find = createFinder(exchanges);
    const ambiguous = exchanges.filter(({ file, request, id }) => find(file, request).id !== id);
    console.log(`ambiguous by construction: ${ambiguous.map(({ id }) => id).join(", ") || "none"}`);
    assert.deepEqual(ambiguous, []);

    for (const exchange of exchanges) {
      const { method, path, headers } = exchange.request;
      assertReplays(await send(`/${exchange.file}${path}`, { method, headers }), exchange);
      if (exchange.file === "pascal") assertReplays(await send(path, { method, headers }), exchange);
    }
    console.log(`replayed by request: ${exchanges.length} exchanges`);
  });

  test("a compressed body keeps its bytes", async () => {
    const reply = await send("/replay/gzip/encoded-gzip");
    assert.equal(reply.header["content-encoding"], "gzip");
    assert.equal(String(gunzipSync(reply.body)), get("gzip/ok-jsonl").response.body);
  });

  test("replay ignores method and headers, and knows no other ids", async () => {
    assertReplays(await send("/replay/pascal/noauth-json", { method: "POST", headers: GOOD }), get("pascal/noauth-json"));
    const head = await send(`/replay/pascal/ok-json${USAGE}`, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(head.body.length, 0);
    for (const path of ["/replay/pascal/nope/x", "/replay/pascal", "/replay", "/replay?x"]) {
      const reply = await send(path);
      assert.equal(reply.status, 404, path);
      assert.match(String(reply.body), /^No exchange has the id /, path);
    }
  });
});

describe("matching by request", () => {
  const company = (n) => `?CompanyId=5ca1ab1e-0000-4000-8000-000000000${n}`;
  const cases = [
    // [what differs, path, headers, the exchange that answers]
    ["id in another form", `${USAGE}?companyid=%7B5CA1AB1E000040008000000000000403%7D`, JSON_GOOD, "pascal/forbidden-unicode-json"],
    ["suffix for Accept", `${USAGE}.jsonl${company(404)}`, GOOD, "pascal/not-found-jsonl"],
    ["?format= for Accept", `${USAGE}${company(404)}&format=jsonl`, JSON_GOOD, "pascal/not-found-jsonl"],
    ["api key for token", USAGE + company(404), { Accept: "application/json", "X-Api-Key": "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c" }, "pascal/not-found-json"],
    ["further Accept-Encoding", `/gzip${USAGE}`, { ...GOOD, Accept: "text/jsonl", "Accept-Encoding": "gzip, deflate, br" }, "gzip/encoded-gzip"],
    ["no credentials, any company", USAGE + company(404), { Accept: "application/json" }, "pascal/noauth-json"],
    ["a bad token, any format", USAGE, { Accept: "*/*", Authorization: "Bearer old" }, "pascal/noauth-any"],
    ["a key that is not a Guid", USAGE, { Accept: "application/json", "x-api-key": "abc" }, "pascal/api-key-malformed"],
    ["not recorded there", `/camel${USAGE}${company("003")}`, JSON_GOOD, "pascal/past-2-53-json"],
    ["limiter, any company", `/limiter${USAGE}${company(404)}`, JSON_GOOD, "limiter/ok-json"],
    ["cookie host, any company", `/cookie${USAGE}${company(404)}`, JSON_GOOD, "cookie/ok-json"],
    ["bearer in front, any format", `/endpoints${USAGE}${company(404)}`, { Accept: "text/jsonl" }, "endpoints/noauth-json"],
  ];
  for (const [what, path, headers, id] of cases) {
    test(what, async () => assertReplays(await send(path, { headers }), get(id), id));
  }

  test("what was not recorded is a 404 that says so", async () => {
    for (const [method, path] of [["POST", USAGE], ["GET", `${USAGE}?CompanyId=unheard-of`], ["GET", "/camel/x"]]) {
      const reply = await send(path, { method, headers: JSON_GOOD });
      assert.equal(reply.status, 404);
      assert.equal(
        String(reply.body),
        `No exchange was recorded for ${method} ${path}; see tests/fixtures/exchanges/README.md\n`,
      );
    }
  });

  test("requests are recorded as sent, pages are not", async () => {
    const before = server.requests.length;
    await send(`/camel${USAGE}`, { headers: JSON_GOOD });
    await send("/health");
    await send("/examples/usage-meter/");
    const noted = server.requests.slice(before);
    assert.deepEqual(noted.map(({ method, url }) => [method, url]), [["GET", `/camel${USAGE}`]]);
    assert.equal(noted[0].headers.authorization, "Bearer good-token");
  });
});

describe("CORS", () => {
  const allowed = (reply) => reply.header["access-control-allow-headers"];
  const OPEN = "Content-Type,Authorization,x-api-key,x-language";
  const CLOSED = "Content-Type";
  const preflight = { "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization,x-api-key" };

  for (const [origin, prefix, expected] of [
    ["http://localhost:5173", "", OPEN],
    ["http://127.0.0.1:8080", "", OPEN],
    ["http://[::1]", "", OPEN],
    ["https://app.example", "", CLOSED],
    ["http://localhost.example", "", CLOSED],
    ["http://localhost:5173", "/pascal", CLOSED],
    ["http://localhost:5173", "/cors-open", OPEN],
  ]) {
    test(`${origin} at ${prefix || "/"} may send ${expected}`, async () => {
      const Origin = origin;
      const reply = await send(prefix + USAGE, { headers: { ...JSON_GOOD, Origin } });
      assert.equal(reply.status, 200);
      assert.equal(allowed(reply), expected);
      const asked = `${prefix + USAGE}?CompanyId=5ca1ab1e-0000-4000-8000-000000000403`;
      assert.equal(allowed(await send(asked, { method: "OPTIONS", headers: { ...preflight, Origin } })), expected);
    });
  }

  test("the rest of a reply stays as recorded", async () => {
    const { response } = get("pascal/ok-json");
    const reply = await send(USAGE, { headers: { ...JSON_GOOD, Origin: "http://localhost:1" } });
    const others = unframed(response.headers).filter(([name]) => name !== "Access-Control-Allow-Headers");
    assert.deepEqual(reply.headers.filter(([name]) => others.some(([n]) => n === name)), others);
    assert.equal(String(reply.body), response.body);
  });
});

describe("pages", () => {
  test("home, health, files and folders", async () => {
    assert.equal((await send("/")).header.location, "/examples/usage-meter/");
    assert.equal(String((await send("/health")).body).trim(), "ok");
    const page = await send("/examples/usage-meter/?x=1");
    assert.equal(String(page.body), "examples/usage-meter/index.html");
    assert.equal(page.header["content-type"], "text/html; charset=utf-8");
    assert.equal(page.header["cache-control"], "no-store");
    assert.equal((await send("/examples/react-chat/")).header.location, "/examples/react-chat/dist/");
    assert.equal((await send("/examples/usage-meter")).header.location, "/examples/usage-meter/");
    for (const path of ["/pkg/dist/a.wasm", "/examples/sdk/dist/a.wasm"])
      assert.equal((await send(path)).header["content-type"], "application/wasm", path);
    assert.equal((await send("/pkg/dist/a.wasm", { method: "POST" })).status, 405);
  });

  test("serves nothing outside the two folders", async () => {
    for (const path of [
      "/secret.txt", "/pkg/../secret.txt", "/pkg/%2e%2e/secret.txt", "/pkg/..%2fsecret.txt",
      "/pkg/dist/../../secret.txt", "/pkg/..%5csecret.txt", "/pkg/link.txt", "/pkg/.npmrc",
      "/examples/../pkg/dist/a.wasm", "/pkg/%zz", "/pkg/%00", "//secret.txt", "/pkg/dist/", "/pkg/nope.js",
    ]) {
      const reply = await send(path);
      assert.equal(reply.status, 404, path);
      assert.match(String(reply.body), /^(There is no file|No exchange was recorded)/, path);
    }
  });
});

describe("life cycle", () => {
  test("close() ends idle and half-sent connections", { timeout: 5000 }, async (t) => {
    const own = await startServer({ root });
    const sockets = [connect(own.port, "127.0.0.1"), connect(own.port, "127.0.0.1")];
    t.after(() => sockets.forEach((socket) => socket.destroy())); // fail rather than hang
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    sockets[1].write("GET / HTTP/1.1\r\nHost:");
    const ended = sockets.map((socket) => once(socket.on("error", () => {}).resume(), "close"));
    await send("/health", { port: own.port }); // now the server has both connections
    await own.close();
    await Promise.all(ended);
    await assert.rejects(send("/health", { port: own.port }), { code: "ECONNREFUSED" });
  });

  const SCRIPT = fileURLToPath(new URL("server.mjs", import.meta.url));
  async function run(args, onOutput = () => {}) {
    const child = spawn(process.execPath, [SCRIPT, ...args]);
    const result = { out: "", err: "" };
    child.stdout.on("data", (data) => onOutput(child, (result.out += data)));
    child.stderr.on("data", (data) => (result.err += data));
    const [code, signal] = await once(child, "close");
    return { ...result, code, signal };
  }

  test("--help and bad arguments", async () => {
    const help = await run(["--help"]);
    assert.equal(help.code, 0);
    assert.match(help.out, /^Usage: /);
    for (const args of [["--port", "x"], ["--port", "65536"], ["--port"], ["--nope"], ["--replay=x"], ["nope"]]) {
      const bad = await run(args);
      assert.equal(bad.code, 2, args.join(" "));
      assert.match(bad.err, /^[^\n]+\.\n$/, args.join(" "));
      assert.equal(bad.out, "");
    }
  });

  test("a port in use", async () => {
    const taken = await run(["--port", String(server.port)]);
    assert.equal(taken.code, 1);
    assert.equal(taken.err, `Port ${server.port} is already in use; choose another one with --port N.\n`);
  });

  const skip = process.platform === "win32" && "there, a signal from outside just ends a process";
  for (const signal of ["SIGINT", "SIGTERM"]) {
    test(`${signal} stops it cleanly`, { timeout: 10000, skip }, async () => {
      const stopped = await run(["--port", "0"], (child, out) => /Ctrl\+C/.test(out) && child.kill(signal));
      assert.deepEqual([stopped.code, stopped.signal, stopped.err], [0, null, ""]);
      assert.match(stopped.out, /5ca1ab1e-0000-4000-8000-000000000403 {2}forbidden-unicode/);
    });
  }
});
