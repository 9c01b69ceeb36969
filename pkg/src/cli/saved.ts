import { isUtf8 } from "node:buffer";
import { brotliDecompressSync, gunzipSync, inflateSync } from "node:zlib";
import { isHeaderName } from "../header-name.js";
import { badArguments } from "./exit.js";

/** A reply as saved by `curl -i`. */
export interface SavedReply {
  status: number;
  reason: string;
  /** The names are in lower case. */
  headers: Record<string, string>;
  body: Buffer;
  /** Whether the body is shorter than its Content-Length. */
  isShort: boolean;
}

const STATUS_LINE = /^HTTP\/\d(?:\.\d)? ([1-9]\d{2})(?: (.*))?$/;
const DECODERS: Record<string, (body: Buffer) => Buffer> = { gzip: gunzipSync, "x-gzip": gunzipSync, br: brotliDecompressSync, deflate: inflateSync };

/** Parses the status line, headers and body. Of several replies, such as after a redirect, it takes the last. */
export function saved(bytes: Buffer): SavedReply {
  let rest = bytes[0] === 0xef ? bytes.subarray(3) : bytes;
  for (;;) {
    const { lines, body } = head(rest);
    const [, status, reason = ""] = STATUS_LINE.exec(lines[0] ?? "") ?? [];
    if (status === undefined) {
      throw badArguments("The first line must be a status line, such as HTTP/1.1 200 OK. Save the reply with its headers: curl -i.");
    }
    if (STATUS_LINE.test(head(body).lines[0]!)) {
      rest = body;
      continue;
    }
    const headers = headersOf(lines.slice(1));
    return { status: Number(status), reason, headers, ...whole(body, headers) };
  }
}

/** Cuts and decodes the body by Content-Length and Content-Encoding. */
function whole(body: Buffer, headers: Record<string, string>): Pick<SavedReply, "body" | "isShort"> {
  const told = headers["content-length"] ?? "";
  const length = /^\d+$/.test(told) ? Number(told) : body.length;
  const sent = { body: body.subarray(0, length), isShort: body.length < length };
  const decode = DECODERS[headers["content-encoding"]?.trim().toLowerCase() ?? ""];
  if (!decode) return sent;
  try {
    return { ...sent, body: decode(sent.body) };
  } catch {
    // Programs may have decoded it already, and then Content-Length does not apply.
    return body.length > 0 && isUtf8(body) ? { body, isShort: false } : sent;
  }
}

/** Splits the bytes at the first empty line. */
function head(bytes: Buffer): { lines: string[]; body: Buffer } {
  const text = bytes.toString("latin1");
  const end = /\r?\n\r?\n|\r?\n?$/.exec(text)!;
  return { lines: text.slice(0, end.index).split(/\r?\n/), body: bytes.subarray(end.index + end[0].length) };
}

function headersOf(lines: string[]): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const [, name = "", value] = /^([^:]+):[ \t]*([^\0\r]*?)[ \t]*$/.exec(line) ?? [];
    if (!isHeaderName(name)) throw badArguments(`${JSON.stringify(line.slice(0, 80))} is not a header. The body begins after an empty line.`);
    const key = name.toLowerCase();
    headers[key] = Object.hasOwn(headers, key) ? `${headers[key]}, ${value}` : value!;
  }
  return headers;
}
