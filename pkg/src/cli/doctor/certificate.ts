import { readFileSync } from "node:fs";
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from "node:tls";
import type { Cause, FindingCode } from "../../diagnose/types.js";
import { handshakeLine, hostOf, selfSigned, systemCause, unreachable } from "./system.js";

/** Why Node.js refuses a certificate. `problem`: Node.js's code, which names one fault where there may be two. */
export function certificateCauses(problem: string, certificate: DetailedPeerCertificate, baseUrl: string): Cause[] {
  const cause = certificateCause(problem, certificate, baseUrl);
  const isForOthers = cause.code !== "certificate_name" && checkServerIdentity(hostOf(new URL(baseUrl)), certificate) !== undefined;
  return isForOthers ? [cause, unreachable("certificate_name", baseUrl)] : [cause];
}

/** `problem` does not say which certificate of the chain has the wrong dates. */
function certificateCause(problem: string, certificate: DetailedPeerCertificate, baseUrl: string): Cause {
  const code = systemCause(problem) ?? "certificate_refused";
  const general = unreachable(code, baseUrl);
  const url = new URL(baseUrl);
  const { host } = url;
  const own = described(certificate);
  if (problem === "DEPTH_ZERO_SELF_SIGNED_CERT") return selfSigned(baseUrl, `It is ${own}.${extraAuthorities("this certificate is not in its file.", url).words}`);
  if (code === "certificate_untrusted") {
    const { words, fix = general.fix } = extraAuthorities(NO_ISSUER, url);
    return { ...general, message: `${general.message} It is ${own}.${words}`, ...(fix && { fix }) };
  }
  if (code === "certificate_refused") return { ...general, message: `Node.js refuses the certificate of ${host}: ${problem}. It is ${own}.` };
  const isWrong = HAS_WRONG_DATES[code];
  if (!isWrong) return { ...general, message: `${general.message} It is ${own}.` };
  const isExpired = code === "certificate_expired";
  const fault = isExpired ? "has expired, and whoever runs the server has to renew it; or the clock of this machine is ahead" : "is not valid yet, or the clock of this machine is behind";
  if (isWrong(certificate)) return { ...general, message: `The certificate of ${host} ${fault}. It is ${own}.` };
  const authority = authoritiesOf(certificate).find(isWrong);
  const which = authority ? `${nameOf(authority.subject)}, from ${day(authority.valid_from)} to ${day(authority.valid_to)}` : "Node.js does not say which";
  if (!isExpired) return { ...general, message: `The certificate of an authority above that of ${host} (${which}) ${fault}. The server's own is ${own}.` };
  return {
    code,
    message: `The certificate of ${host} has not expired, but by the clock of this machine that of an authority above it has (${which}). Whoever runs the server has to mend its chain, or get a certificate of another authority. The server's own is ${own}.`,
    fix: handshakeLine(url),
  };
}

/** By the clock here. */
const HAS_WRONG_DATES: Partial<Record<FindingCode, (certificate: PeerCertificate) => boolean>> = {
  certificate_expired: ({ valid_to }) => Date.parse(valid_to) < Date.now(),
  certificate_not_yet_valid: ({ valid_from }) => Date.parse(valid_from) > Date.now(),
};

/** Those above a certificate, as far as they are known. The last may be its own issuer. */
function authoritiesOf(certificate: DetailedPeerCertificate): PeerCertificate[] {
  const chain = new Set<DetailedPeerCertificate>();
  for (let authority = certificate.issuerCertificate; authority && !chain.has(authority); authority = authority.issuerCertificate) chain.add(authority);
  return [...chain];
}

/** A certificate's names, dates and issuer. */
export function described({ subject, subjectaltname, valid_from, valid_to, issuer }: PeerCertificate): string {
  // Node.js uses the common name if there are no other names.
  const names = subjectaltname ?? (subject?.CN ? `the common name ${nameOf(subject)}` : "no name");
  return `for ${names}, from ${day(valid_from)} to ${day(valid_to)}, by ${nameOf(issuer) || "nobody"}`;
}

const nameOf = (of: PeerCertificate["subject"] | undefined): string => [of?.O, of?.CN].flat().filter(Boolean).join(" ");

export const day = (date: string): string => (Number.isNaN(Date.parse(date)) ? date : new Date(date).toISOString().slice(0, 10));

const PEM = "-----BEGIN CERTIFICATE-----";

const NO_ISSUER = "no certificate in its file issued this one. If an intermediate authority did, the server has to send that authority's certificate, too.";

/** Why NODE_EXTRA_CA_CERTS did not help; `missing`: what a readable file does not have. If Node.js cannot read the file, it only prints a warning at its start. */
function extraAuthorities(missing: string, url: URL): { words: string; fix?: string } {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  if (!file) return { words: "" };
  try {
    if (readFileSync(file, "latin1").includes(PEM)) return { words: ` NODE_EXTRA_CA_CERTS is set, but ${missing}`, fix: handshakeLine(url, " -showcerts") };
    return {
      words: ` The file in NODE_EXTRA_CA_CERTS is not PEM, which has ${PEM}; perhaps it is DER, which openssl converts.`,
      fix: 'openssl x509 -inform der -in "$NODE_EXTRA_CA_CERTS" -out authority.pem\nexport NODE_EXTRA_CA_CERTS="$PWD/authority.pem"',
    };
  } catch (error) {
    return { words: ` NODE_EXTRA_CA_CERTS names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code}).` };
  }
}
