// Valid and invalid certificates for test servers, made by openssl with an authority of their own.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DAY = 86_400_000;

/** Each is `{ key, cert }`; `authority` is the path of a file. */
export function certificates() {
  const folder = mkdtempSync(join(tmpdir(), "bookmore-sdk-certificates-"));
  const at = (name) => join(folder, name);
  const openssl = (...args) => execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "ignore", "pipe"] });
  const read = (name) => ({ key: readFileSync(at(`${name}.key`)), cert: readFileSync(at(`${name}.pem`)) });
  const key = (name) => openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", `${name}.key`);

  key("authority");
  openssl("req", "-x509", "-new", "-key", "authority.key", "-out", "authority.pem", "-days", "30", "-subj", "/CN=Authority of the tests");
  writeFileSync(at("ca.cnf"), CA);
  writeFileSync(at("index.txt"), "");
  const signed = (name, extensions, from, until, by = "authority", more = []) => {
    key(name);
    openssl("req", "-new", "-key", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    writeFileSync(at("names.cnf"), `${extensions}\n`);
    openssl("ca", "-cert", `${by}.pem`, "-keyfile", `${by}.key`, "-batch", "-notext", "-config", "ca.cnf", "-in", `${name}.csr`, "-out", `${name}.pem`, "-startdate", time(from), "-enddate", time(until), "-extfile", "names.cnf", ...more);
    return read(name);
  };
  const HERE = "subjectAltName=IP:127.0.0.1,DNS:localhost";
  /** Signed by an intermediate authority with these dates, whose certificate the server sends as well. */
  const signedBetween = (name, between, from, until) => {
    const { cert } = signed(between, "basicConstraints=critical,CA:TRUE", from, until);
    const own = signed(name, HERE, now - DAY, now + 30 * DAY, between);
    return { ...own, cert: Buffer.concat([own.cert, cert]) };
  };
  const now = Date.now();
  key("selfSigned");
  openssl("req", "-x509", "-new", "-key", "selfSigned.key", "-out", "selfSigned.pem", "-days", "30", "-subj", "/CN=localhost", "-addext", HERE);
  return {
    folder,
    authority: at("authority.pem"),
    selfSigned: read("selfSigned"),
    good: signed("good", HERE, now - DAY, now + 30 * DAY),
    ending: signed("ending", HERE, now - DAY, now + 3 * DAY),
    expired: signed("expired", HERE, now - 9 * DAY, now - 2 * DAY),
    early: signed("early", HERE, now + 2 * DAY, now + 9 * DAY),
    otherName: signed("otherName", "subjectAltName=DNS:other.example", now - DAY, now + 30 * DAY),
    ofExpired: signedBetween("ofExpired", "Expired authority", now - 9 * DAY, now - 2 * DAY),
    ofEarly: signedBetween("ofEarly", "Early authority", now + 2 * DAY, now + 9 * DAY),
    // The file of its issuer is in `folder`: middle.pem.
    ofMiddle: signedBetween("ofMiddle", "middle", now - DAY, now + 30 * DAY),
    forClients: signed("forClients", `${HERE}\nextendedKeyUsage=clientAuth`, now - DAY, now + 30 * DAY),
    critical: signed("critical", `${HERE}\n1.2.3.4=critical,ASN1:NULL`, now - DAY, now + 30 * DAY),
    // Which openssl would not let a server use by default, either.
    weak: { ...signed("weak", HERE, now - DAY, now + 30 * DAY, "authority", ["-md", "sha1"]), ciphers: "DEFAULT:@SECLEVEL=0" },
    addressAsName: signed("addressAsName", "subjectAltName=DNS:127.0.0.1", now - DAY, now + 30 * DAY),
    commonName: signed("localhost", "basicConstraints=CA:FALSE", now - DAY, now + 30 * DAY),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const time = (ms) => new Date(ms).toISOString().replaceAll(/[-T:]|\.\d+/g, "");

const CA = `[ca]
default_ca = own
[own]
database = index.txt
new_certs_dir = .
certificate = authority.pem
private_key = authority.key
rand_serial = yes
default_md = sha256
policy = any
[any]
commonName = supplied
`;
