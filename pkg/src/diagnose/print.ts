import { printable } from "../printable.js";
import type { Cause, Diagnosis, Finding } from "./types.js";

/** The diagnosis as text for people. */
export function printed({ ok, findings }: Pick<Diagnosis, "ok" | "findings">): string {
  const lines = findings.flatMap((finding) => findingLines(finding));
  return [...(ok ? ["✔ The call returned a usage."] : []), ...lines].join("\n");
}

/** A finding, with its fix below. A fix that several causes share is shown once. */
export function findingLines(finding: Finding): string[] {
  const { level, candidates = [], doctor } = finding;
  const shown = new Set<string>();
  const lines = [
    ...causeLines(finding, level === "error" ? "✘" : "•", "  ", shown),
    ...candidates.flatMap((cause, at) => causeLines(cause, `  ${at + 1}.`, "     ", shown)),
    ...(doctor === undefined ? [] : [candidates.length > 0 ? "  To tell them apart:" : "  To see more:", `    ${doctor}`]),
  ];
  // A message may contain text from the server.
  return lines.map(printable);
}

function causeLines({ code, message, fix, elsewhere }: Cause, mark: string, indent: string, shown: Set<string>): string[] {
  const lines = [`${mark} ${message} (${code})`];
  if (fix === undefined || shown.has(fix)) return lines;
  shown.add(fix);
  if (!elsewhere) return [...lines, ...indented(fix, `${indent}  `)];
  for (const [where, text] of Object.entries({ "ServiceStack, in place of another CorsFeature": fix, ...elsewhere })) lines.push(`${indent}${where}:`, ...indented(text, `${indent}  `));
  return lines;
}

const indented = (text: string, indent: string): string[] => text.split("\n").map((line) => indent + line);
