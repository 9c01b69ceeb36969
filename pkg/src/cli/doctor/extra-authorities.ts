import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import type { Cause } from "../../diagnose/types.js";
import { shellWord } from "../../diagnose/shell.js";
import { handshakeLine } from "./system.js";

/** Why NODE_EXTRA_CA_CERTS did not help, and what does. */
export type Reason = Pick<Cause, "fix"> & { words: string };

const PEM = "-----BEGIN CERTIFICATE-----";
const BLOCK = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

const NO_ISSUER = "no certificate in its file issued this one. If an intermediate authority did, the server has to send that authority's certificate, too.";

/** `missing`: what a readable file does not have. If Node.js cannot read the file, it only prints a warning at its start. */
export function extraAuthorities(url: URL, missing = NO_ISSUER): Reason {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  if (!file) return { words: "" };
  let content: Buffer;
  try {
    content = readFileSync(file);
  } catch (error) {
    return { words: ` NODE_EXTRA_CA_CERTS names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code}).` };
  }
  const text = content.toString("latin1");
  if (!text.includes(PEM)) return unreadable(file, content, text);
  if (text.split(PEM).length - 1 > certificatesIn(text).length) return { words: " NODE_EXTRA_CA_CERTS is set, but its file has a certificate that cannot be read, perhaps because it is cut off." };
  return { words: ` NODE_EXTRA_CA_CERTS is set, but ${missing}`, fix: handshakeLine(url, " -showcerts") };
}

/** Adds a certificate to those in the file, which may be somebody else's. */
export const WITH_ROOT = '{ cat "$NODE_EXTRA_CA_CERTS"; echo; cat /path/to/root.pem; } > authorities.pem\nexport NODE_EXTRA_CA_CERTS="$PWD/authorities.pem"';

function certificatesIn(text: string): X509Certificate[] {
  return (text.match(BLOCK) ?? []).flatMap((block) => certificateOf(block) ?? []);
}

function certificateOf(content: string | Buffer): X509Certificate | undefined {
  try {
    return new X509Certificate(content);
  } catch {
    return undefined;
  }
}

/** Other formats, and the command that converts them. */
function unreadable(file: string, content: Buffer, text: string): Reason {
  const converted = (words: string, command: string): Reason => ({
    words: ` The file in NODE_EXTRA_CA_CERTS ${words}, and Node.js reads PEM, which has ${PEM}: openssl converts it.`,
    fix: `openssl ${command} -in ${shellWord(file)} -out authority.pem\nexport NODE_EXTRA_CA_CERTS="$PWD/authority.pem"`,
  });
  if (text.trim() === "") return { words: " The file in NODE_EXTRA_CA_CERTS is empty." };
  if (text.includes("-----BEGIN PKCS7-----")) return converted("is PKCS #7", "pkcs7 -print_certs");
  if (text.includes("-----BEGIN TRUSTED CERTIFICATE-----")) return converted("has OpenSSL's own TRUSTED CERTIFICATE", "x509");
  const [, kind] = /-----BEGIN ([A-Z ]+)-----/.exec(text) ?? [];
  if (kind !== undefined) return { words: ` The file in NODE_EXTRA_CA_CERTS has a ${kind}, and no certificate.` };
  if (certificateOf(content)) return converted("is DER", "x509 -inform der");
  if (/\.(p12|pfx)$/i.test(file)) return converted("seems to be PKCS #12", "pkcs12 -nokeys");
  if (/\.p7[bc]$/i.test(file)) return converted("seems to be PKCS #7", "pkcs7 -inform der -print_certs");
  return { words: ` The file in NODE_EXTRA_CA_CERTS is not PEM, which has ${PEM}.` };
}
