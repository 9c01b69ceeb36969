// What `bookmore-sdk doctor` finds out about a proxy that Node.js uses. Node.js 20 cannot use one, so the code that
// decides is loaded here, pretending to run in a newer Node.js.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { channel } from "node:diagnostics_channel";
import { createServer } from "node:http";
import { createServer as createSecureServer } from "node:https";
import { createServer as createTcpServer } from "node:net";
import { after, before, describe, it } from "node:test";
import { loadSource } from "./bundle.mjs";
import { certificates } from "./diagnose/certificates.mjs";

const SECRET = "p4ssw0rd";
const API = "https://127.0.0.1:4433";
const FAR = "https://api.example";
const { signal } = new AbortController();
const versions = Object.getOwnPropertyDescriptor(process, "versions");
const environment = { ...process.env };

let proxyFor, proxyForOld, ignoredProxy, excludedProxy, unreadableProxy, proxied, unusedProxy, isHeeded, unreachable, systemCause, codeIn;
before(async () => {
  const loaded = (node) => {
    Object.defineProperty(process, "versions", { ...versions, value: { ...process.versions, node } });
    // Another text, so that it is another module.
    return loadSource(`export * from "./cli/doctor/proxy.js"; export * from "./cli/doctor/proxy-settings.js"; export * from "./cli/doctor/system.js"; export const node = "${node}";`, "node");
  };
  ({ proxyFor: proxyForOld } = await loaded("22.21.0"));
  ({ proxyFor, ignoredProxy, excludedProxy, unreadableProxy, proxied, unusedProxy, isHeeded, unreachable, systemCause, codeIn } = await loaded("24.21.0"));
});
after(() => {
  Object.defineProperty(process, "versions", versions);
  surroundedBy({});
  Object.assign(process.env, environment);
});

function surroundedBy(env) {
  for (const name of Object.keys(process.env)) if (/_proxy$|^NODE_EXTRA_CA_CERTS$/i.test(name)) delete process.env[name];
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
async function proxy(status, talk, { signIns = [], tls } = {}) {
  const asked = [];
  const server = talk ? createTcpServer(talk) : tls ? createSecureServer(tls).on("tlsClientError", () => {}) : createServer();
  server.on("connect", (req, socket) => {
    asked.push([req.url, req.headers["proxy-authorization"]]);
    socket.on("error", () => {}).end(`HTTP/1.1 ${status} Told\r\n${signIns.map((each) => `Proxy-Authenticate: ${each}\r\n`).join("")}\r\n`);
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

  for (const [signIns, user, sentence] of [
    [['Basic realm="a"'], `user:${SECRET}@`, /refuses the user name and password in HTTPS_PROXY \(407\)\.$/],
    [["Negotiate", "NTLM"], "", /requires a sign-in by Negotiate or NTLM \(407\), and Node\.js has only Basic: /],
    [["Negotiate", 'Basic realm="a"'], "", /requires a sign-in \(407\): for Basic, HTTPS_PROXY can contain /],
  ]) {
    it(`a 407 that asks for ${signIns}`, async () => {
      const { port, close } = await proxy(407, undefined, { signIns });
      const { findings } = await found({ HTTPS_PROXY: `http://${user}127.0.0.1:${port}` });
      close();
      assert.match(findings[0].message, sentence);
    });
  }

  it("the wrong scheme, or a certificate that Node.js does not trust", async () => {
    const made = certificates();
    const tls = await proxy(200, undefined, { tls: made.good });
    const plain = await proxy(200);
    try {
      for (const [given, sentence, fix] of [
        [plain.at.replace("http:", "https:"), /speaks plain http, not TLS: HTTPS_PROXY has to begin with http:\/\/\.$/, 'export HTTPS_PROXY="http://${HTTPS_PROXY#*://}"'],
        [tls.at, /speaks TLS: HTTPS_PROXY has to begin with https:\/\/\.$/, 'export HTTPS_PROXY="https://${HTTPS_PROXY#*://}"'],
        [tls.at.replace("http:", "https:"), /has a certificate that Node\.js refuses \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\)\.$/, "export NODE_EXTRA_CA_CERTS=/path/to/authority.pem"],
      ]) {
        const { findings: [{ message, fix: shown }] } = await found({ HTTPS_PROXY: given }, FAR);
        assert.match(message, sentence);
        assert.equal(shown, fix);
      }
      // To find it out, no password goes by plain http.
      assert.deepEqual(plain.asked, [["api.example:443", undefined]]);
    } finally {
      tls.close();
      plain.close();
      made.remove();
    }
  });

  it("a SOCKS proxy gets no CONNECT", async () => {
    const { port, asked, close } = await proxy(200);
    const { outcome, findings } = await found({ HTTPS_PROXY: `socks5://127.0.0.1:${port}` });
    close();
    assert.deepEqual([outcome, findings, asked], ["skipped", undefined, []]);
  });

  it("a URL in NO_PROXY", async () => {
    const { at, close } = await proxy(403);
    const { findings } = await found({ HTTPS_PROXY: at, NO_PROXY: FAR }, FAR);
    close();
    assert.match(findings[0].message, / \(403\)\. NO_PROXY takes host names, and a URL in it counts for nothing: write api\.example\.$/);
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
      assert.match(findings[0].message, /does not answer like an HTTP proxy \((HPE_INVALID_CONSTANT|ECONNRESET)\): it may be another service, a SOCKS proxy, or /);
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

it("a limit of TLS versions in NODE_OPTIONS", () => {
  const options = process.env.NODE_OPTIONS;
  process.env.NODE_OPTIONS = "--no-warnings --tls-max-v1.2";
  const { message } = unreachable("tls_version", FAR);
  if (options === undefined) delete process.env.NODE_OPTIONS;
  else process.env.NODE_OPTIONS = options;
  assert.match(message, /^api\.example supports no version of TLS that Node\.js does with --tls-max-v1\.2, /);
});

it("a reply that breaks HTTP has no code in Node.js 24", () => {
  const code = codeIn("No reply came from http://a: fetch failed: Response does not match the HTTP/1.1 protocol (Invalid header value char). Check");
  assert.equal(systemCause(code), "http_refused");
  assert.equal(codeIn(), "");
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
    const { level, message, fix } = await unusedProxy(proxyFor(API), API, isReached, signal);
    return [level, /by default(.*)$/.exec(message)[1], fix];
  };
  const fix = "export NODE_USE_ENV_PROXY=1";
  assert.deepEqual(await found(true), ["note", "; the server answers without it.", undefined]);
  assert.deepEqual(await found(false), ["error", ".", fix]);
  close();
  assert.deepEqual(await found(false), ["note", "; the proxy cannot be reached, either (ECONNREFUSED).", undefined]);
});

describe("a variable whose value Node.js cannot use", () => {
  for (const [given, sentence, fixed] of [
    ["AT", /^HTTPS_PROXY names a proxy, .* by default\. HTTPS_PROXY has no http:\/\/ at its beginning, which Node\.js requires\.$/, "http://AT"],
    ['"http://AT"', / HTTPS_PROXY has quotes in its value, which do not belong there\.$/, "http://AT"],
    ["'AT'", / HTTPS_PROXY has quotes in its value, which do not belong there\.$/, "http://AT"],
    ["http://AT/proxy.pac", /^HTTPS_PROXY names a PAC file, which Node\.js does not read: set it to the proxy that the file returns, /],
    ["file:///etc/proxy.pac", /^HTTPS_PROXY names a PAC file, /],
    ["CORP\\user:s3cret@AT", /^HTTPS_PROXY is not the address of a proxy, .* percent-encoded\.$/],
  ]) {
    it(given, async () => {
      const { port, close } = await proxy(200);
      const at = (text) => text.replace("AT", `127.0.0.1:${port}`);
      surroundedBy({ HTTPS_PROXY: at(given) });
      const { message, fix, level } = await unusedProxy(proxyFor(API), API, false, signal);
      close();
      assert.equal(level, "error");
      assert.match(message, sentence);
      assert.doesNotMatch(message, /s3cret/);
      if (fixed === undefined) return assert.equal(fix, undefined);
      const pasted = execFileSync("bash", ["-c", `${fix}\nprintf %s "$HTTPS_PROXY $NODE_USE_ENV_PROXY"`], { encoding: "utf8" });
      assert.equal(pasted, `${at(fixed)} 1`);
    });
  }
});

it("a proxy that only ALL_PROXY names", async () => {
  const { port, close } = await proxy(200);
  for (const [scheme, words, expected] of [
    ["http", /\.$/, 'export HTTPS_PROXY="$ALL_PROXY"\nexport NODE_USE_ENV_PROXY=1'],
    ["socks5h", / It is a SOCKS proxy, .*, and only as socks5:\/\/\.$/, 'HTTPS_PROXY="socks5://${ALL_PROXY#*://}" NODE_USE_ENV_PROXY=1 npx bookmore-sdk doctor --url https://api.example'],
  ]) {
    surroundedBy({ ALL_PROXY: `${scheme}://127.0.0.1:${port}` });
    const { message, fix } = await unusedProxy(ignoredProxy(FAR), FAR, false, signal);
    assert.match(message, /^ALL_PROXY names a proxy, but Node\.js reads only HTTPS_PROXY and HTTP_PROXY\./);
    assert.match(message, words);
    assert.equal(fix, expected);
  }
  close();
  surroundedBy({ ALL_PROXY: P, NO_PROXY: "*" });
  assert.equal(ignoredProxy(FAR), undefined);
});

it("a proxy that NO_PROXY excludes, and one whose value is no URL", () => {
  surroundedBy({ HTTPS_PROXY: P, NO_PROXY: ".example", NODE_USE_ENV_PROXY: "1" });
  assert.equal(excludedProxy(FAR)?.variable, "HTTPS_PROXY");
  assert.equal(excludedProxy("https://api.test"), undefined);
  delete process.env.NODE_USE_ENV_PROXY;
  assert.equal(excludedProxy(FAR), undefined, "a proxy that fetch does not use");
  for (const [password, expected] of [["pass#1", "HTTPS_PROXY"], ["pass/1", "HTTPS_PROXY"], ["pass%231", undefined]]) {
    surroundedBy({ HTTPS_PROXY: `http://bob:${password}@proxy.example:3128` });
    assert.equal(unreadableProxy(FAR), expected, password);
  }
  surroundedBy({ HTTPS_PROXY: "http://bob:pass#1@proxy.example:3128", NO_PROXY: "*" });
  assert.equal(unreadableProxy(FAR), undefined);
});

it("a fetch whose connections are all closed is ended, unless replies come in between", async () => {
  const { fetch } = globalThis;
  const { endReconnecting } = await loadSource('export * from "./cli/reconnecting.js";', "node");
  // One that is never answered.
  globalThis.fetch = (input, { signal }) => new Promise((resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
  try {
    endReconnecting(2);
    const failed = globalThis.fetch(API).then(() => undefined, (error) => error);
    const publish = (name, times) => Array.from({ length: times }, () => channel(name).publish({}));
    publish("undici:client:connected", 19);
    publish("undici:request:headers", 1);
    publish("undici:client:connectError", 19);
    assert.equal(await Promise.race([failed, Promise.resolve("pending")]), "pending");
    publish("undici:client:connected", 1);
    const error = await failed;
    assert.deepEqual([error.name, error.message, error.cause.code], ["TypeError", "fetch failed", "UND_ERR_SOCKET"]);
    const own = new AbortController();
    const aborted = globalThis.fetch(API, { signal: own.signal }).catch((reason) => reason);
    own.abort("enough");
    assert.equal(await aborted, "enough");
  } finally {
    globalThis.fetch = fetch;
  }
});
