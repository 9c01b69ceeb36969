import { fixBy } from "./fixes.js";
import type { Cause, Finding, FindingCode } from "./types.js";

/** What the finding's own code means, where there are other candidates. */
export const OWN: Partial<Record<FindingCode, string>> = {
  credentials_missing: "The API wants a token or an API key.",
  credentials_refused: "The API does not accept the credentials.",
  token_refused: "The API does not accept the token.",
  key_refused: "The API does not accept the key.",
  token_expired: "The API does not accept the token, which has expired.",
  token_not_yet_valid: "The API does not accept the token, which is not valid yet.",
  clock_skew: "The API does not accept the token, because the clocks differ.",
  permission_denied: "The credentials give no access to what was asked for.",
  company_mismatch: "The credentials are those of another company, and give no access to this one.",
  base_url: "What answers is not the API: the scheme, host, port or path of the base URL is wrong.",
  redirected: "The redirect has another reason.",
};

/** The same for all other codes. */
export const OWN_REPLY = "It is what the message says: something about the request, or a fault of the server.";

/** The candidates; where there are none, what the reply says. */
export const meanings = ({ candidates, code, fix, elsewhere }: Finding): Cause[] => candidates ?? [{ code, message: OWN[code] ?? OWN_REPLY, ...fixBy(fix), ...(elsewhere && { elsewhere }) }];

/** Without what an earlier one says, or explains if it is only the general meaning of its code. */
const distinct = (causes: Cause[]): Cause[] => causes.filter(({ code, message }, at) => !causes.slice(0, at).some((cause) => cause.code === code && (cause.message === message || message === OWN[code])));

/** The finding with these candidates before its own. Its fix is that of a candidate, too, and no longer that of the first. */
export function withFirst(causes: Cause[], given: Finding): Finding {
  if (causes.length === 0) return given;
  const { fix, elsewhere, ...finding } = given;
  return { ...finding, candidates: distinct([...causes, ...meanings(given)]) };
}

/** The finding with these candidates after its own. */
export const withLast = (causes: Cause[], finding: Finding): Finding => (causes.length > 0 ? { ...finding, candidates: distinct([...meanings(finding).filter((own) => !causes.includes(own)), ...causes]) } : finding);
