// What `bookmore-sdk doctor` finds out about a proxy that Node.js uses. Node.js 20 cannot use one, so the code that
// decides is loaded here, pretending to run in a newer Node.js.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { createServer as createTcpServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { loadSource } from "./bundle.mjs";

const SECRET = "p4ssw0rd";
const API = "https://127.0.0.1:4433";
const FAR = "https://api.example";
const { signal } = new AbortController();
const versions = Object.getOwnPropertyDescriptor(process, "versions");
const environment = { ...process.env };

let proxyFor, proxyForOld, proxied, unusedProxy, isHeeded, unreachable, systemCause;
before(async () => {
  const loaded = (node) => {
    Object.defineProperty(process, "versions", { ...versions, value: { ...process.versions, node } });
    // Another text, so that it is another module.
    return loadSource(`export * from "./cli/doctor/proxy.js"; export * from "./cli/doctor/proxy-settings.js"; export * from "./cli/doctor/system.js"; export const node = "${node}";`, "node");
  };
  ({ proxyFor: proxyForOld } = await loaded("22.21.0"));
  ({ proxyFor, proxied, unusedProxy, isHeeded, unreachable, systemCause } = await loaded("24.21.0"));
});
after(() => {
  Object.defineProperty(process, "versions", versions);
  surroundedBy({});
  Object.assign(process.env, environment);
});

function surroundedBy(env) {
  for (const name of Object.keys(process.env)) if (/_proxy$/i.test(name)) delete process.env[name];
  Object.assign(process.env, env);
}

const P = "http://proxy.example:3128";
const Q = "http://other.example:3128";
const NAMES = [
  // [environment, URL, the variable that counts]
  [{}, API, undefined],
  [{ HTTPS_PROXY: P }, API, "HTTPS_PROXY"],
  [{ https_proxy: P, HTTPS_PROXY: Q }, API, "https_proxy"],
  [{ https_proxy: P }, "http://127.0.0.1:8080", undefined],
  [{ HTTP_PROXY: P }, API, "HTTP_PROXY"],
  [{ HTTP_PROXY: Q, https_proxy: P }, API, "https_proxy"],
  // An empty lower-case variable takes precedence.
  [{ https_proxy: "", HTTPS_PROXY: P }, API, undefined],
  [{ https_proxy: "", HTTPS_PROXY: P, HTTP_PROXY: Q }, API, "HTTP_PROXY"],
  [{ http_proxy: "", HTTP_PROXY: P }, API, undefined],
  [{ HTTPS_PROXY: "proxy.example:3128" }, API, "HTTPS_PROXY"],
  [{ HTTPS_PROXY: "http://[nothing" }, API, undefined],
  [{ HTTPS_PROXY: P, NO_PROXY: "*" }, API, undefined],
  [{ HTTPS_PROXY: P, NO_PROXY: "localhost, 127.0.0.1" }, API, undefined],
  [{ HTTPS_PROXY: P, no_proxy: "127.0.0.1:4433" }, API, undefined],
  [{ HTTPS_PROXY: P, no_proxy: "127.0.0.1:443" }, API, "HTTPS_PROXY"],
  [{ HTTPS_PROXY: P, no_proxy: "api.example:443" }, "https://api.example", undefined],
  [{ HTTPS_PROXY: P, NO_PROXY: "[::1]" }, "https://[::1]:4433", undefined],
  [{ HTTPS_PROXY: P, NO_PROXY: ".example" }, "https://api.example", undefined],
  [{ HTTPS_PROXY: P, NO_PROXY: "*.example" }, "https://api.example", undefined],
  [{ HTTPS_PROXY: P, NO_PROXY: "Api.Example" }, "https://api.example", undefined],
  [{ HTTPS_PROXY: P, NO_PROXY: "other.example *" }, API, "HTTPS_PROXY"],
];
const SUFFIXES = [
  // [NO_PROXY, host, whether Node.js 24 uses the proxy, whether Node.js 22 does]
  ["example", "api.example", false, true],
  ["example", "example", false, false],
  [".example", "example", false, true],
  [".example", "api.example", false, false],
  ["*.example", "example", false, true],
  ["*.example", "api.example", false, false],
  ["*ample", "api.example", true, false],
  ["ample", "api.example", true, true],
];

describe("which variable counts", () => {
  for (const [env, url, expected] of NAMES) {
    it(`${JSON.stringify(env)} for ${url}`, () => {
      surroundedBy(env);
      assert.equal(proxyFor(url)?.variable, expected);
    });
  }
});

/** A proxy that answers CONNECT with this, or behaves as `talk` does. `asked`: what it received. */
async function proxy(status, talk) {
  const asked = [];
  const server = talk ? createTcpServer(talk) : createServer();
  server.on("connect", (req, socket) => {
    asked.push([req.url, req.headers["proxy-authorization"]]);
    socket.on("error", () => {}).end(`HTTP/1.1 ${status} Told\r\n\r\n`);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  return { port, asked, at: `http://user:${SECRET}@127.0.0.1:${port}`, close: () => server.close() };
}

describe("NO_PROXY", () => {
  for (const [NO_PROXY, name, ...expected] of SUFFIXES) {
    it(`${NO_PROXY} and ${name}`, () => {
      surroundedBy({ HTTPS_PROXY: P, NO_PROXY });
      assert.deepEqual([proxyFor, proxyForOld].map((variableOf) => variableOf(`https://${name}`) !== undefined), expected);
    });
  }
});

describe("what the proxy says", () => {
  const found = async (env, url = API) => {
    surroundedBy({ NODE_USE_ENV_PROXY: "1", ...env });
    assert.ok(isHeeded());
    const came = await proxied(proxyFor(url), url, signal);
    assert.ok(!JSON.stringify(came).includes(SECRET), JSON.stringify(came));
    return came;
  };

  for (const [status, sentence] of [
    [407, /refuses the user name and password in HTTPS_PROXY, or wants a sign-in other than Basic \(407\)\.$/],
    [403, /forbids 127\.0\.0\.1:4433 \(403\)\.$/],
    [502, /cannot or will not connect to 127\.0\.0\.1:4433 \(502\)\.$/],
  ]) {
    it(`${status}`, async () => {
      const { at, asked, close } = await proxy(status);
      const { outcome, detail, findings } = await found({ HTTPS_PROXY: at });
      const far = await found({ HTTPS_PROXY: at }, FAR);
      close();
      assert.equal(outcome, "failed");
      assert.match(detail, new RegExp(`CONNECT ${status}$`));
      assert.equal(findings[0].code, "proxy_refused");
      assert.match(findings[0].message, sentence);
      // A server of this machine needs no proxy.
      assert.equal(findings[0].fix, 'export NO_PROXY="$NO_PROXY,127.0.0.1"');
      assert.match(far.findings[0].fix, /^curl -sS --max-time 30 .* --proxy "\$HTTPS_PROXY" https:\/\/api\.example$/);
      const authorization = `Basic ${Buffer.from(`user:${SECRET}`).toString("base64")}`;
      assert.deepEqual(asked, [["127.0.0.1:4433", authorization], ["api.example:443", authorization]]);
    });
  }

  it("a 407 although no user name was set", async () => {
    const { port, asked, close } = await proxy(407);
    const { findings } = await found({ https_proxy: `http://127.0.0.1:${port}` });
    close();
    assert.match(findings[0].message, /requires a sign-in \(407\): for Basic, https_proxy can contain a user name and a password\.$/);
    assert.deepEqual(asked, [["127.0.0.1:4433", undefined]]);
  });

  it("a user name that is not percent-encoded", async () => {
    const { port, asked, close } = await proxy(200);
    const { outcome, findings } = await found({ HTTPS_PROXY: `http://us%er:${SECRET}@127.0.0.1:${port}` });
    close();
    assert.equal(outcome, "failed");
    assert.match(findings[0].message, /has a % that is not percent-encoded \(%25\)\.$/);
    assert.deepEqual(asked, []);
  });

  it("200", async () => {
    const { at, close } = await proxy(200);
    const { outcome, detail, findings } = await found({ HTTPS_PROXY: at });
    close();
    assert.deepEqual([outcome, findings], ["ok", undefined]);
    assert.match(detail, /connects to 127\.0\.0\.1:4433$/);
  });

  it("an answer that is not HTTP, and a connection closed without one", async () => {
    for (const talk of [(socket) => socket.on("error", () => {}).end("SSH-2.0-OpenSSH_9.2\r\n"), (socket) => socket.destroy()]) {
      const { at, close } = await proxy(0, talk);
      const { findings } = await found({ HTTPS_PROXY: at });
      close();
      assert.match(findings[0].message, /does not answer like a proxy \((HPE_INVALID_CONSTANT|ECONNRESET)\)\.$/);
    }
  });

  it("nothing listens at the proxy's port", async () => {
    const { port, close } = await proxy(200);
    close();
    const { findings } = await found({ HTTPS_PROXY: `http://127.0.0.1:${port}` });
    assert.match(findings[0].message, /cannot be reached \(ECONNREFUSED\)\.$/);
  });
});

it("the lines to paste and the words for TLS go by way of the proxy that is used", () => {
  const given = (env) => {
    surroundedBy(env);
    return [unreachable("certificate_name", FAR).fix, unreachable("not_tls", FAR).message];
  };
  const [direct, plain] = given({});
  assert.match(direct, /^openssl s_client -connect api\.example:443 -servername api\.example </);
  assert.match(plain, /^What answers at api\.example, port 443, does not speak TLS, but perhaps plain http\.$/);
  const [line, words] = given({ HTTPS_PROXY: `http://user:${SECRET}@127.0.0.1:3128`, NODE_USE_ENV_PROXY: "1" });
  assert.match(line, /^openssl s_client -connect api\.example:443 -proxy 127\.0\.0\.1:3128 -servername /);
  assert.match(words, /^What the proxy at 127\.0\.0\.1, port 3128, connects to for api\.example, port 443, .*, or the proxy itself answers\.$/);
});

it("a connection that this machine forbids", () => {
  for (const problem of ["EACCES", "EPERM"]) {
    assert.equal(systemCause(problem), "connection_forbidden");
    assert.match(unreachable("connection_forbidden", FAR, problem).message, new RegExp(`^The system does not let this process connect to api\\.example \\(${problem}\\): .*\\.$`));
  }
});

it("a proxy that is not used is why calls fail only if it can be reached", async () => {
  const { port, close } = await proxy(200);
  surroundedBy({ HTTPS_PROXY: `http://127.0.0.1:${port}` });
  const found = async (isReached) => {
    const { level, message, fix } = await unusedProxy(proxyFor(API), isReached, signal);
    return [level, /by default(.*)$/.exec(message)[1], fix];
  };
  const fix = "export NODE_USE_ENV_PROXY=1";
  assert.deepEqual(await found(true), ["note", "; the server answers without it.", fix]);
  assert.deepEqual(await found(false), ["error", ".", fix]);
  close();
  assert.deepEqual(await found(false), ["note", "; the proxy cannot be reached, either (ECONNREFUSED).", undefined]);
});
