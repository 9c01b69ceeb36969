import { existsSync } from "node:fs";
import { isIP } from "node:net";
import { httpOf, httpsOf } from "../../diagnose/fixes.js";
import { connectionRefused, curlLine, mistakeIn, placeOf, portOf, unknownHost } from "../../diagnose/network.js";
import { shellWord } from "../../diagnose/shell.js";
import type { Cause, FindingCode } from "../../diagnose/types.js";
import { isLoopback } from "../../loopback.js";
import { again } from "./again.js";
import { usedProxy } from "./proxy-settings.js";

/** The error codes of Node.js and Bun for each cause. */
const CODES: [FindingCode, RegExp][] = [
  ["connection_refused", /^(ECONNREFUSED|ConnectionRefused)$/],
  ["offline", /^EAI_AGAIN$/],
  ["unknown_host", /^(ENOTFOUND|EAI_\w+|ENODATA|ESERVFAIL)$/],
  ["certificate_expired", /^CERT_HAS_EXPIRED$/],
  ["certificate_not_yet_valid", /^CERT_NOT_YET_VALID$/],
  ["certificate_name", /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/],
  ["certificate_untrusted", /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE))$/],
  ["certificate_refused", /^((CERT|CRL|UNABLE_TO|ERROR_IN)_\w+|INVALID_(CA|PURPOSE)|PATH_LENGTH_EXCEEDED|UNSPECIFIED)$/],
  ["not_tls", /^ERR_SSL_(WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|UNEXPECTED_MESSAGE)$/],
  ["http_version", /^ERR_SSL_.*NO_APPLICATION_PROTOCOL$/],
  ["tls_version", /^ERR_SSL_(UNSUPPORTED_PROTOCOL|NO_PROTOCOLS_AVAILABLE|.*PROTOCOL_VERSION)$/],
  ["client_certificate", /^ERR_SSL_.*CERTIFICATE_REQUIRED$/],
  ["tls_refused", /^ERR_SSL_/],
  ["not_http", /^HPE_INVALID_(CONSTANT|VERSION|METHOD)$/],
  ["http_refused", /^(HPE_|UND_ERR_HEADERS_OVERFLOW)/],
  ["connect_timeout", /^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|EHOSTUNREACH|ENETUNREACH|Timeout)$/],
  ["connection_forbidden", /^(EACCES|EPERM)$/],
  ["connection_reset", /^(ECONNRESET|UND_ERR_SOCKET|EPIPE|ConnectionReset|ConnectionClosed)$/],
];

const CLIENT_REFUSED = "the server refuses the certificate that this process shows, or the lack of one: it requires a client certificate.";

/** What some of OpenSSL's codes for a failed handshake have in them, and mean. */
const TLS_FAULTS: [string, string][] = [
  ["UNSAFE_LEGACY_RENEGOTIATION", "the server, or a gateway in front of it, is too old for a protection that OpenSSL 3 requires and browsers do not (RFC 5746). Its operator has to update it."],
  ["DH_KEY_TOO_SMALL", "the server's Diffie-Hellman key is too short for OpenSSL. Its operator has to use one of 2048 bits, or ECDHE."],
  ["ALERT_BAD_CERTIFICATE", CLIENT_REFUSED],
  ["ALERT_UNKNOWN_CA", CLIENT_REFUSED],
];

/** The cause that an error code of the system stands for. */
export function systemCause(code: string): FindingCode | undefined {
  return CODES.find(([, pattern]) => pattern.test(code))?.[0];
}

/** For a reply that breaks HTTP, the fetch of Node.js 24 has no code, only these words. */
export const codeIn = (message = ""): string => (message.includes("does not match the HTTP/1.1 protocol") ? "HPE_UNKNOWN" : "");

/** What keeps a reply of `baseUrl` from coming, where only this is known. `problem`: the system's error code, if there is one. */
export function unreachable(code: FindingCode, baseUrl: string, problem = ""): Cause {
  const url = new URL(baseUrl);
  const { host } = url;
  const place = placeOf(url);
  const through = usedProxy(baseUrl);
  const certificate = `${handshakeLine(url)} | openssl x509 -noout -subject -issuer -dates -ext subjectAltName`;
  const verbose = curlLine(baseUrl, 10);
  const limit = /--tls-m(ax|in)-v[\d.]+/.exec(process.env["NODE_OPTIONS"] ?? "")?.[0];
  const cause = (message: string, fix: string): Cause => ({ code, message, fix });
  const isDocker = url.hostname === "host.docker.internal" && (code === "unknown_host" || code === "offline");
  if (isDocker) return { code, message: `The name ${url.hostname} exists only in containers: on Linux, only in one that was started with --add-host=host.docker.internal:host-gateway. Outside of containers, use localhost.` };
  switch (code) {
    case "connection_refused":
      return connectionRefused(url);
    case "unknown_host":
      if (isLoopback(url.hostname)) return cause(`The name ${url.hostname} does not resolve: browsers take it for this machine by themselves, and Node.js asks the system, which does not know it.`, again(baseUrl.replace(url.hostname, "localhost")));
      return unknownHost(url);
    case "offline": {
      const mistake = mistakeIn(url.hostname);
      return cause(mistake ? `The name ${url.hostname} cannot be looked up: it ${mistake}.` : `The name ${url.hostname} cannot be looked up. Perhaps it is misspelt, or known only in another network or to containers that are running. Or this machine is offline, or its name server does not answer.`, `nslookup ${shellWord(url.hostname)}`);
    }
    case "certificate_expired":
      return cause(`The certificate of ${host}, or that of an authority above it, has expired, and whoever runs the server has to renew it; or the clock of this machine is ahead.`, certificate);
    case "certificate_not_yet_valid":
      return cause(`The certificate of ${host}, or that of an authority above it, is not valid yet, or the clock of this machine is behind.`, "date -u");
    case "certificate_name":
      return cause(`The certificate of ${host} is for other names: if one of them is the server's, use it in the base URL; if none is, the server has a wrong certificate, or something in between answers, such as a hotel's sign-in page or a filter.`, certificate);
    case "certificate_untrusted":
      return cause(
        `Node.js does not trust the certificate of ${host}: it is self-signed, or of an authority that Node.js does not know, such as a company's own${through ? " or that of a proxy which puts its own certificate in place of the server's" : ""}, or the server does not send the whole chain.`,
        EXTRA_AUTHORITY,
      );
    case "certificate_refused":
      return cause(`Node.js refuses the certificate of ${host}.`, handshakeLine(url));
    case "not_tls":
      return cause(
        through
          ? `What the proxy at ${placeOf(through.url)}, connects to for ${place}, does not speak TLS, but perhaps plain http, or the proxy itself answers.`
          : `What answers at ${place}, does not speak TLS, but perhaps plain http.`,
        isLoopback(url.hostname) ? again(httpOf(baseUrl)) : verbose,
      );
    case "needs_https":
      return cause(`The server at ${place}, speaks TLS, but the base URL is plain http.`, again(httpsOf(baseUrl)));
    case "tls_version":
      if (limit) return cause(`${host} supports no version of TLS that Node.js does with ${limit}, which is in NODE_OPTIONS.`, handshakeLine(url));
      return cause(`${host} supports no version of TLS that Node.js does, perhaps only 1.0 or 1.1; its operator must enable 1.2.`, handshakeLine(url));
    case "tls_refused":
      if (problem.includes("UNRECOGNIZED_NAME")) return cause(`The server at ${place}, knows no host of this name; check the host of the base URL.`, handshakeLine(url));
      for (const [part, words] of TLS_FAULTS) if (problem.includes(part)) return cause(`The TLS handshake with ${host} failed: ${words}`, handshakeLine(url));
      return cause(
        `The TLS handshake with ${host} failed: the server knows no host of this name, requires a client certificate, offers only encryption that is too weak for Node.js, or has a fault.`,
        handshakeLine(url),
      );
    case "client_certificate":
      return cause(
        `${host} requires a client certificate. Set one for Node.js's fetch.`,
        dispatcherLines('new Agent({ connect: { cert: readFileSync("client.pem"), key: readFileSync("client.key") } })', 'import { readFileSync } from "node:fs";'),
      );
    case "http_version":
      return cause(`${host} does not offer HTTP/1.1, which Node.js's fetch speaks by default, but perhaps HTTP/2.`, dispatcherLines("new Agent({ allowH2: true })"));
    case "not_http":
      return cause(`What listens at ${place} does not answer in HTTP/1.1: perhaps it is another service, or speaks only HTTP/2 or TLS.`, verbose);
    case "http_refused":
      if (/HEADERS?_OVERFLOW$/.test(problem)) return cause(`The headers of the reply from ${host} are longer than Node.js accepts by default.`, 'export NODE_OPTIONS="$NODE_OPTIONS --max-http-header-size=65536"');
      return cause(`${host} answers with HTTP that breaks the standard. Node.js refuses that; browsers and curl may not. Whoever runs the server, or a proxy in front of it, has to correct it.`, verbose);
    case "connect_timeout":
      return cause(`There is no connection to ${host}: a firewall drops it, there is no route, the address is wrong, or the host is down.`, verbose);
    case "connection_forbidden":
      return cause(`The system does not let this process connect to ${host} (${problem}): a firewall, an endpoint protection or another policy of this machine forbids it.`, verbose);
    case "connection_reset":
      return cause(`The connection to ${host} was closed before there was a reply, by the server or by something in between.${isLoopback(url.hostname) ? " If that is the port of a container, the app in it perhaps listens only on the container's own 127.0.0.1, and has to listen on 0.0.0.0." : ""}`, verbose);
    default:
      return cause(`No reply came from ${host}.`, verbose);
  }
}

/** Makes Node.js trust one more authority. */
export const EXTRA_AUTHORITY = "export NODE_EXTRA_CA_CERTS=/path/to/authority.pem";

/** Shows the certificate, and what is wrong with the handshake. */
export function handshakeLine(url: URL, more = ""): string {
  const name = isIP(hostOf(url)) ? "" : ` -servername ${shellWord(url.hostname)}`;
  const through = usedProxy(url.href);
  const proxy = through ? ` -proxy ${shellWord(`${through.url.hostname}:${portOf(through.url)}`)}` : "";
  return `openssl s_client -connect ${shellWord(`${url.hostname}:${portOf(url)}`)}${proxy}${name}${more} </dev/null`;
}

/** A self-signed certificate. The fix keeps the authorities that are already trusted. */
export function selfSigned(baseUrl: string, words: string): Cause {
  const url = new URL(baseUrl);
  const before = existsSync(process.env["NODE_EXTRA_CA_CERTS"] ?? "") ? ['cat "$NODE_EXTRA_CA_CERTS" >> server.pem'] : [];
  return {
    code: "certificate_untrusted",
    message: `The certificate of ${url.host} is self-signed, so Node.js does not trust it. If you know that it is the server's own, add it to the trusted ones. ${words}`,
    fix: [`${handshakeLine(url)} | openssl x509 > server.pem`, ...before, 'export NODE_EXTRA_CA_CERTS="$PWD/server.pem"'].join("\n"),
  };
}

const ATTEMPT = "--network-family-autoselection-attempt-timeout";

/** There was a connection, and then none: by default Node.js waits only 250 ms for each of several addresses. */
export function slowConnection(baseUrl: string, problem: string): Cause {
  const message = `A connection to ${new URL(baseUrl).host} is possible, as was seen before, but then there was none: the way is slow or loses connections, or one of several addresses does not work. For each of several addresses but the last Node.js waits only 250 ms, and browsers and curl wait longer.`;
  return { code: "connect_timeout", message, ...(problem === "ETIMEDOUT" && process.allowedNodeEnvironmentFlags.has(ATTEMPT) ? { fix: `export NODE_OPTIONS="$NODE_OPTIONS ${ATTEMPT}=2000"` } : {}) };
}

/** A version that runs on each Node.js that this package does. */
export const INSTALL_UNDICI = "// npm install undici@7";

/** Configures Node.js's fetch, through the package undici. */
function dispatcherLines(agent: string, more?: string): string {
  return [INSTALL_UNDICI, ...(more ? [more] : []), 'import { Agent, setGlobalDispatcher } from "undici";', `setGlobalDispatcher(${agent});`].join("\n");
}

/** The host name for sockets: an IPv6 address without brackets. */
export const hostOf = ({ hostname }: URL): string => hostname.replace(/^\[|\]$/g, "");
