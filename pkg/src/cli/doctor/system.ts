import { shellWord } from "../../diagnose/fixes.js";
import { connectionRefused, portOf, unknownHost } from "../../diagnose/network.js";
import type { Cause, FindingCode } from "../../diagnose/types.js";

/** How the systems behind Node.js and Bun call what keeps a reply from coming. */
const CODES: [FindingCode, RegExp][] = [
  ["connection_refused", /^(ECONNREFUSED|ConnectionRefused)$/],
  ["unknown_host", /^(ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL)$/],
  ["certificate_expired", /^CERT_HAS_EXPIRED$/],
  ["certificate_not_yet_valid", /^CERT_NOT_YET_VALID$/],
  ["certificate_name", /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/],
  ["certificate_untrusted", /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_\w+|CERT_UNTRUSTED)$/],
  ["not_tls", /^(EPROTO|ERR_SSL_\w+)$/],
  ["connect_timeout", /^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|EHOSTUNREACH|ENETUNREACH|Timeout)$/],
  ["connection_reset", /^(ECONNRESET|UND_ERR_SOCKET|EPIPE|ConnectionReset|ConnectionClosed)$/],
];

/** What a code of the system stands for. */
export function systemCause(code: string): FindingCode | undefined {
  return CODES.find(([, pattern]) => pattern.test(code))?.[0];
}

/** What keeps a reply of `baseUrl` from coming. `words`: what a certificate says of itself, as a sentence. */
export function unreachable(code: FindingCode, baseUrl: string, words = ""): Cause {
  const url = new URL(baseUrl);
  const { host, hostname } = url;
  const port = portOf(url);
  const told = words && ` ${words}`;
  const certificate = `openssl s_client -connect ${shellWord(`${hostname}:${port}`)} -servername ${shellWord(hostname)} </dev/null | openssl x509 -noout -subject -issuer -dates -ext subjectAltName`;
  const verbose = `curl -v --max-time 10 ${shellWord(baseUrl)}`;
  switch (code) {
    case "connection_refused":
      return connectionRefused(url);
    case "unknown_host":
      return unknownHost(url);
    case "certificate_expired":
      return { code, message: `The certificate of ${host} has expired; whoever runs the server has to renew it.${told}`, fix: certificate };
    case "certificate_not_yet_valid":
      return { code, message: `The certificate of ${host} is not valid yet, or the clock of this machine is behind.${told}`, fix: "date -u" };
    case "certificate_name":
      return { code, message: `The certificate of ${host} is for other names; the base URL has to have one of them.${told}`, fix: certificate };
    case "certificate_untrusted":
      return {
        code,
        message: `Nobody whom Node.js trusts vouches for the certificate of ${host}: it is signed by itself or by a company's own authority, or the server leaves out a part of the chain.${told}`,
        fix: "export NODE_EXTRA_CA_CERTS=/path/to/authority.pem",
      };
    case "not_tls":
      return { code, message: `No TLS connection to ${hostname}, port ${port}, came about: what listens there speaks plain http, or another version of TLS.`, fix: verbose };
    case "connect_timeout":
      return { code, message: `No connection to ${host} came about: a firewall drops it, there is no route, or the host is away.`, fix: verbose };
    case "connection_reset":
      return { code, message: `The connection to ${host} was closed before a reply came, by the server or by something on the way.`, fix: verbose };
    default:
      return { code, message: `No reply came from ${host}.`, fix: verbose };
  }
}

/** As sockets take it: without the brackets of an IPv6 address. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");
