import { isIP } from "node:net";
import { checkServerIdentity, type DetailedPeerCertificate, type PeerCertificate } from "node:tls";
import type { Cause, FindingCode } from "../../diagnose/types.js";
import { isLoopback } from "../../loopback.js";
import { again } from "./again.js";
import { extraAuthorities, WITH_ROOT } from "./extra-authorities.js";
import { handshakeLine, hostOf, selfSigned, systemCause, unreachable } from "./system.js";

/** Why Node.js refuses a certificate. `problem`: Node.js's code, which names one fault where there may be two. `reason`: OpenSSL's words for it. */
export function certificateCauses(problem: string, reason: string, certificate: DetailedPeerCertificate, baseUrl: string): Cause[] {
  const cause = certificateCause(problem, reason, certificate, baseUrl);
  const isForOthers = cause.code !== "certificate_name" && checkServerIdentity(hostOf(new URL(baseUrl)), certificate) !== undefined;
  if (!isForOthers) return [cause];
  const name = unreachable("certificate_name", baseUrl);
  if (cause.code !== "certificate_untrusted") return [cause, name];
  // Trusting a certificate that is for other names mends nothing.
  const { fix, ...untrusted } = cause;
  return [{ ...name, ...forThisMachine(certificate, baseUrl), message: `${name.message}${ofIngress(certificate)} It is ${described(certificate)}.` }, untrusted];
}

/** What an ingress controller sends for a host of which it has no certificate. */
const ofIngress = ({ subject }: PeerCertificate): string => (/ingress controller fake|traefik default/i.test(nameOf(subject)) ? " This one is the default of an ingress controller, which has none for this host." : "");

/** A development certificate is for localhost, by that name. */
function forThisMachine({ subjectaltname = "" }: PeerCertificate, baseUrl: string): Pick<Cause, "fix"> {
  const { hostname } = new URL(baseUrl);
  return isLoopback(hostname) && subjectaltname.split(", ").includes("DNS:localhost") ? { fix: again(baseUrl.replace(hostname, "localhost")) } : {};
}

/** `problem` does not say which certificate of the chain has the wrong dates. */
function certificateCause(problem: string, reason: string, certificate: DetailedPeerCertificate, baseUrl: string): Cause {
  const code = systemCause(problem) ?? "certificate_refused";
  const general = unreachable(code, baseUrl);
  const url = new URL(baseUrl);
  const { host } = url;
  const own = described(certificate);
  if (problem === "DEPTH_ZERO_SELF_SIGNED_CERT") return selfSigned(baseUrl, `It is ${own}.${extraAuthorities(url, "this certificate is not in its file.").words}`);
  // Some certificate of the chain is trusted, but is not a root.
  const last = problem === "UNABLE_TO_GET_ISSUER_CERT" ? authoritiesOf(certificate).at(-1) : undefined;
  if (last) {
    const [name, root] = [last.subject, last.issuer].map(nameOf);
    return { code, message: `Node.js does not trust the certificate of ${host}: its chain leads to ${name}, and Node.js does not know ${root}, which issued that. NODE_EXTRA_CA_CERTS needs the certificate of the root, too, not only one below it. The server's own is ${own}.`, fix: WITH_ROOT };
  }
  if (code === "certificate_untrusted") {
    const { words, fix = general.fix } = extraAuthorities(url);
    return { ...general, message: `${general.message} It is ${own}.${words}`, ...(fix && { fix }) };
  }
  if (code === "certificate_refused") return { ...general, message: `Node.js refuses the certificate of ${host}: ${reason ? `${reason} (${problem})` : problem}.${whatIsMeant(problem, reason)} It is ${own}.` };
  if (code === "certificate_name" && isNamedAsHost(certificate, url)) return { ...general, message: `The certificate of ${host} names the address only as a DNS name, where an address has to be an IP address: whoever makes the certificate writes subjectAltName=IP:${hostOf(url)}. It is ${own}.` };
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

/** What OpenSSL's words ask for. */
function whatIsMeant(problem: string, reason: string): string {
  if (/too weak/.test(reason)) return " That is so of the server's certificate or of its authority's, and whoever makes them has to use longer keys or newer signatures, such as RSA 2048 and SHA-256.";
  if (problem === "INVALID_PURPOSE") return " Its keyUsage or extendedKeyUsage, or that of an authority above it, is not for servers.";
  return "";
}

/** Whether an IP address stands among the DNS names, where it counts for nothing. */
function isNamedAsHost({ subjectaltname = "" }: PeerCertificate, url: URL): boolean {
  return isIP(hostOf(url)) > 0 && subjectaltname.split(", ").includes(`DNS:${hostOf(url)}`);
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
