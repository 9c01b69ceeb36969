import { lookup } from "node:dns/promises";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import { connect, isIP, type Socket } from "node:net";
import { connect as connectTls, type DetailedPeerCertificate } from "node:tls";
import { curlLine, errorFinding, portOf } from "../../diagnose/network.js";
import { LIMIT_MS, limited } from "../../diagnose/probe.js";
import type { Cause, Finding } from "../../diagnose/types.js";
import { PATH } from "../../operation.js";
import { certificateCauses, day, described } from "./certificate.js";
import type { Checked } from "./checklist.js";
import { hostOf, slowConnection, systemCause, unreachable } from "./system.js";

/** What a step comes to that ran out of time. */
const LATE: Checked = { outcome: "failed", detail: `nothing within ${LIMIT_MS / 1000} s` };
const DAY = 86_400_000;
/** How long before a certificate expires this is worth a note. */
const SOON_MS = 14 * DAY;

interface Address {
  address: string;
  family: number;
}

type Handshake = { error: string; reason: string } | { certificate: DetailedPeerCertificate; versions: string; problem: string | undefined };

/** The error of a handshake for which the proxy opened no tunnel, although it had opened one just before. */
export const NO_TUNNEL = "no tunnel";

/** Opens a connection to the server by way of a proxy. */
export type Open = (signal: AbortSignal) => Promise<Socket | undefined>;

/** The finding for an error code of the system; none for an unknown code, which a later step may explain. */
function failures(code = "", baseUrl: string): Finding[] {
  const cause = systemCause(code);
  return cause ? [errorFinding(unreachable(cause, baseUrl, code))] : [];
}

/** The same after a connection was made. */
function laterFailures(code = "", baseUrl: string): Finding[] {
  return systemCause(code) === "connect_timeout" ? [errorFinding(slowConnection(baseUrl, code))] : failures(code, baseUrl);
}

/** The addresses of a name, of both families. */
export async function resolved(baseUrl: string, signal: AbortSignal): Promise<Checked & { addresses: Address[] }> {
  const host = hostOf(new URL(baseUrl));
  if (isIP(host)) return { outcome: "skipped", detail: `${host} is an IP address`, addresses: [{ address: host, family: isIP(host) }] };
  try {
    const addresses = await limited(signal, () => lookup(host, { all: true, verbatim: true }));
    if (!addresses) return { ...LATE, addresses: [], findings: [errorFinding(unreachable("offline", baseUrl))] };
    return { outcome: "ok", detail: `${host}: ${addresses.map(shown).join(", ")}`, addresses };
  } catch (error) {
    signal.throwIfAborted();
    const { code } = error as NodeJS.ErrnoException;
    return { outcome: "failed", detail: `${host}: ${code}`, addresses: [], findings: failures(code, baseUrl) };
  }
}

/** Whether anything listens, at each address. */
export async function connected(baseUrl: string, addresses: Address[], signal: AbortSignal): Promise<Checked> {
  const port = portOf(new URL(baseUrl));
  const came = await Promise.all(addresses.slice(0, 6).map(async (to) => ({ to, error: await connection(to.address, port, signal) })));
  const detail = came.map(({ to, error }) => `${shown(to)} ${error ?? "✔"}`).join(", ");
  if (came.some(({ error }) => error === undefined)) return { outcome: "ok", detail: `port ${port}: ${detail}` };
  return { outcome: "failed", detail: `port ${port}: ${detail}`, findings: failures(came.find(({ error }) => systemCause(error!))?.error, baseUrl) };
}

/** The system's error code if there is no connection; undefined if there is one. */
export async function connection(host: string, port: number, signal: AbortSignal): Promise<string | undefined> {
  const came = await limited(signal, (limit) => new Promise<{ error?: string }>((resolve) => {
    const socket = connect({ host, port, signal: limit });
    socket.on("connect", () => (socket.destroy(), resolve({})));
    socket.on("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message }));
  }));
  return came ? came.error : "ETIMEDOUT";
}

/** A TLS handshake; undefined if it took too long. Without `rejects` it accepts any certificate, so that it can be shown. */
function handshake(baseUrl: string, signal: AbortSignal, open?: Open, rejects = false): Promise<Handshake | undefined> {
  const url = new URL(baseUrl);
  const host = hostOf(url);
  return limited(signal, async (limit) => {
    const tunnel = await open?.(limit);
    if (open && !tunnel) return { error: NO_TUNNEL, reason: "" };
    return new Promise<Handshake>((resolve) => {
      const to = tunnel ? { socket: tunnel } : { host, port: portOf(url) };
      const socket = connectTls({ ...to, ALPNProtocols: ["h2", "http/1.1"], rejectUnauthorized: rejects, ...(isIP(host) ? {} : { servername: host }) });
      limit.addEventListener("abort", () => socket.destroy());
      socket.on("error", (error: NodeJS.ErrnoException) => resolve({ error: error.code ?? error.message, reason: error.message }));
      socket.on("secureConnect", () => {
        const versions = `${socket.getProtocol()}, ${socket.alpnProtocol === "h2" ? "offers HTTP/2" : "HTTP/1.1"}`;
        resolve({ certificate: socket.getPeerCertificate(true), versions, problem: socket.authorizationError as unknown as string | undefined });
      });
    });
  });
}

/** OpenSSL's words for a refused certificate. Node.js has them only in the error with which it closes a connection. */
async function reasonFor(baseUrl: string, signal: AbortSignal, open?: Open): Promise<string> {
  const came = await handshake(baseUrl, signal, open, true);
  return came && "error" in came && /^[a-z][\w ,()-]{1,80}$/i.test(came.reason) ? came.reason : "";
}

/** Names, dates and the chain of the server's certificate. */
export async function certified(baseUrl: string, signal: AbortSignal, open?: Open): Promise<Checked & { isWithoutNames?: boolean }> {
  const host = hostOf(new URL(baseUrl));
  const came = await handshake(baseUrl, signal, open);
  if (!came) return open ? LATE : { ...LATE, findings: (await speaksHttp(baseUrl, signal)) ? failures("ERR_SSL_WRONG_VERSION_NUMBER", baseUrl) : [silentTls(baseUrl)] };
  if ("error" in came) return { outcome: "failed", detail: came.error, findings: laterFailures(came.error, baseUrl) };
  const { certificate, versions, problem } = came;
  const detail = `${versions}, ${described(certificate)}`;
  const isWithoutNames = certificate.subjectaltname === undefined;
  if (!problem) return { outcome: "ok", detail, findings: endingSoon(certificate, host), isWithoutNames };
  if (process.env["NODE_TLS_REJECT_UNAUTHORIZED"] === "0") {
    const message = `The certificate of ${host} would be refused (${problem}), but NODE_TLS_REJECT_UNAUTHORIZED=0 accepts it: anyone in between can read the credentials.`;
    return { outcome: "ok", detail: `${detail}, not checked`, findings: [{ code: "insecure_tls", level: "note", message, fix: "unset NODE_TLS_REJECT_UNAUTHORIZED" }], isWithoutNames };
  }
  const reason = systemCause(problem) === "certificate_refused" ? await reasonFor(baseUrl, signal, open) : "";
  return { outcome: "failed", detail: `${detail}: ${problem}`, findings: certificateCauses(problem, reason, certificate, baseUrl).map(errorFinding), isWithoutNames };
}

function silentTls(baseUrl: string): Finding {
  const message = `A connection to ${new URL(baseUrl).host} is possible, but the TLS handshake is not answered: the server hangs or is overloaded, a firewall drops what follows the connection, or large packets get lost, as in a VPN or a tunnel with a wrong MTU.`;
  return errorFinding({ code: "timeout", message, fix: curlLine(baseUrl) });
}

/** Sends a GET without credentials: shows the HTTP version, and the headers that identify what answers. */
export async function answered(baseUrl: string, signal: AbortSignal): Promise<Checked & { status?: number | undefined }> {
  const isPlain = baseUrl.startsWith("http:");
  const { get } = isPlain ? http : https;
  const answer = await limited(signal, (limit) => new Promise<{ came: IncomingMessage | NodeJS.ErrnoException; text?: string }>((resolve) => {
    // Offers what fetch does, so that a server that speaks only another version refuses.
    const offered = isPlain ? {} : { ALPNProtocols: ["http/1.1"] };
    get(baseUrl + PATH, { headers: { accept: "application/json" }, agent: false, signal: limit, ...offered }, async (came) => {
      const text = came.statusCode === 400 ? await beginning(came) : "";
      came.resume();
      resolve({ came, text });
    }).on("error", (came) => resolve({ came }));
  }));
  if (!answer) return LATE;
  const { came, text = "" } = answer;
  const isError = came instanceof Error;
  const detail = isError ? (came.code ?? came.message) : headOf(came);
  // A TLS port closes a plain connection, or answers it with a 400.
  if (isPlain && (isError || came.statusCode === 400) && (await speaksTls(baseUrl, signal))) {
    return { outcome: "failed", detail: `${detail}, and speaks TLS`, findings: [errorFinding(unreachable("needs_https", baseUrl))] };
  }
  if (!isError && came.statusCode === 407) {
    const message = `${new URL(baseUrl).host} answers with 407: a proxy on the way requires a user name and a password.`;
    return { outcome: "failed", detail, findings: [errorFinding({ code: "proxy_refused", message })] };
  }
  if (isError) return { outcome: "failed", detail, findings: laterFailures(came.code, baseUrl) };
  // Servers such as nginx end no handshake for want of a certificate, and answer so afterwards.
  if (!isPlain && /SSL certificate/i.test(text)) return { outcome: "failed", detail, findings: [wantsCertificate(baseUrl)] };
  return { outcome: "ok", detail, status: came.statusCode };
}

/** The server itself may require the certificate, or the one behind what answers. */
function wantsCertificate(baseUrl: string): Finding {
  const { host } = new URL(baseUrl);
  const own = unreachable("client_certificate", baseUrl);
  const behind: Cause = { code: "blocked_reply", message: `What answers at ${host}, such as a CDN, is in front of the server, and does not present the certificate that the server requires (Cloudflare: authenticated origin pulls). Whoever runs the server has to set up both sides to match.` };
  return { ...errorFinding({ code: own.code, message: `${host} answers that it got no client certificate, or one that it does not accept.` }), candidates: [own, behind] };
}

/** The first part of a body. */
function beginning(reply: IncomingMessage): Promise<string> {
  return new Promise((resolve) => reply.once("data", (chunk) => resolve(String(chunk))).once("close", () => resolve("")));
}

/** Whether a server that says nothing in TLS answers plain http. */
async function speaksHttp(baseUrl: string, signal: AbortSignal): Promise<boolean> {
  const url = new URL(baseUrl);
  const came = await limited(signal, (limit) => new Promise<boolean>((resolve) => {
    http.get({ host: hostOf(url), port: portOf(url), path: PATH, agent: false, signal: limit }, (reply) => (reply.resume(), resolve(true))).on("error", () => resolve(false));
  }));
  return came ?? false;
}

function headOf({ httpVersion, statusCode, headers }: IncomingMessage): string {
  const shown = ["content-type", "server", "via", "x-powered-by"].flatMap((name) => (headers[name] ? `${name}: ${headers[name]}` : []));
  return [`HTTP/${httpVersion} ${statusCode}`, ...shown].join(", ");
}

/** Whether TLS is spoken at this URL's host and port. */
export async function speaksTls(baseUrl: string, signal: AbortSignal): Promise<boolean> {
  const came = await handshake(baseUrl, signal);
  return came !== undefined && "certificate" in came;
}

function endingSoon({ valid_to }: DetailedPeerCertificate, host: string): Finding[] {
  if (!(Date.parse(valid_to) - Date.now() < SOON_MS)) return [];
  return [{ code: "certificate_ends_soon", level: "note", message: `The certificate of ${host} expires on ${day(valid_to)}.` }];
}

const shown = ({ address, family }: Address): string => `${address} (v${family})`;
