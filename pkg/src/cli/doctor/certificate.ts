import { readFileSync } from "node:fs";
import type { DetailedPeerCertificate, PeerCertificate } from "node:tls";
import type { Cause, FindingCode } from "../../diagnose/types.js";
import { selfSigned, systemCause, unreachable } from "./system.js";

/** Why Node.js refuses a certificate. `problem`: its error code, which for wrong dates does not say which certificate of the chain has them. */
export function certificateCause(problem: string, certificate: DetailedPeerCertificate, baseUrl: string): Cause {
  const code = systemCause(problem) ?? "certificate_refused";
  const words = `It is ${described(certificate)}.`;
  if (problem === "DEPTH_ZERO_SELF_SIGNED_CERT") return selfSigned(baseUrl, `${words}${extraAuthorities()}`);
  if (code === "certificate_untrusted") return unreachable(code, baseUrl, `${words}${extraAuthorities()}`);
  if (code === "certificate_refused") return unreachable(code, baseUrl, `${problem}. ${words}`);
  const isOff = OFF[code];
  if (!isOff || isOff(certificate)) return unreachable(code, baseUrl, words);
  const authority = chainOf(certificate).find(isOff);
  const which = authority ? `${nameOf(authority.subject)}, from ${day(authority.valid_from)} to ${day(authority.valid_to)}` : "Node.js does not say which";
  return unreachable(code, baseUrl, `The server's own certificate is ${described(certificate)}.`, which);
}

/** By this machine's clock. */
const OFF: Partial<Record<FindingCode, (certificate: PeerCertificate) => boolean>> = {
  certificate_expired: ({ valid_to }) => Date.parse(valid_to) < Date.now(),
  certificate_not_yet_valid: ({ valid_from }) => Date.parse(valid_from) > Date.now(),
};

/** The authorities above a certificate, as far as they are known. The last may be its own issuer. */
function chainOf(certificate: DetailedPeerCertificate): PeerCertificate[] {
  const chain = new Set<DetailedPeerCertificate>();
  for (let of = certificate.issuerCertificate; of && !chain.has(of); of = of.issuerCertificate) chain.add(of);
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

/** Why NODE_EXTRA_CA_CERTS did not help. If Node.js cannot read the file, it only prints a warning at its start. */
function extraAuthorities(): string {
  const file = process.env["NODE_EXTRA_CA_CERTS"];
  if (!file) return "";
  try {
    readFileSync(file);
    return " NODE_EXTRA_CA_CERTS is set, but its file has no authority of this certificate.";
  } catch (error) {
    return ` NODE_EXTRA_CA_CERTS names ${file}, which cannot be read (${(error as NodeJS.ErrnoException).code}).`;
  }
}
