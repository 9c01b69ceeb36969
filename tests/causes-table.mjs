// The table of causes in pkg/docs/diagnose.md, from the tests: why calls fail, and what is found.
import { CAUSES } from "./package/diagnose/causes.mjs";

const GROUPS = [
  "no_reply", "cors_blocked", "preflight_refused", "cors_headers", "cors_credentials", "html_reply", "redirected", "truncated",
  "empty_reply", "decode_error", "api_error", "permission_denied", "company_mismatch", "sign_in_redirect", "credentials_refused",
  "credentials_missing", "token_refused", "key_refused", "rate_limited", "base_url",
];

/** The rows in Markdown. */
export function causesTable() {
  const rows = CAUSES.filter(({ code }) => code).map((row) => `| ${row.cause} | ${found(row, row.page)} | ${found(row, row.terminal)} |`);
  return ["| cause | `diagnose` in a page | `doctor` in a terminal |", "|---|---|---|", ...rows].join("\n");
}

/** The code of the finding, or of the group that has the cause among its candidates. */
function found({ code }, codes) {
  if (!codes) return "";
  const own = [code].flat().find((each) => codes.includes(each));
  // A group is followed by its candidates; other findings stand alone.
  const at = codes.findIndex((each) => GROUPS.includes(each));
  const candidates = at < 0 ? [] : codes.slice(at + 1);
  const isCandidate = candidates.includes(own) && !(codes[at] === "no_reply" && own === "token_expired");
  return isCandidate ? `\`${own}\`, one of ${candidates.length} in \`${codes[at]}\`` : `\`${own}\``;
}
