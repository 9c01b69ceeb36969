// Certificates for servers of the tests, made by openssl: an authority of one's own, and what goes wrong with certificates.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const DAY = 86_400_000;

/** `{ authority, good, selfSigned, expired, early, otherName, remove() }`: each `{ key, cert }`, `authority` a file. */
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
  const signed = (name, subjectAltName, from, until) => {
    key(name);
    openssl("req", "-new", "-key", `${name}.key`, "-out", `${name}.csr`, "-subj", `/CN=${name}`);
    writeFileSync(at("names.cnf"), `subjectAltName=${subjectAltName}\n`);
    openssl("ca", "-batch", "-notext", "-config", "ca.cnf", "-in", `${name}.csr`, "-out", `${name}.pem`, "-startdate", time(from), "-enddate", time(until), "-extfile", "names.cnf");
    return read(name);
  };
  const HERE = "IP:127.0.0.1,DNS:localhost";
  const now = Date.now();
  key("selfSigned");
  openssl("req", "-x509", "-new", "-key", "selfSigned.key", "-out", "selfSigned.pem", "-days", "30", "-subj", "/CN=localhost", "-addext", `subjectAltName=${HERE}`);
  return {
    authority: at("authority.pem"),
    selfSigned: read("selfSigned"),
    good: signed("good", HERE, now - DAY, now + 30 * DAY),
    ending: signed("ending", HERE, now - DAY, now + 3 * DAY),
    expired: signed("expired", HERE, now - 9 * DAY, now - 2 * DAY),
    early: signed("early", HERE, now + 2 * DAY, now + 9 * DAY),
    otherName: signed("otherName", "DNS:other.example", now - DAY, now + 30 * DAY),
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
