import type { AiChatUsageResponse } from "bookmore-sdk";
import { guidDigits, NO_GUID } from "../guid.js";
import { refuse } from "../refuse.js";

/** Checks a company id that no client checks: it must be a Guid, and that of the usage. */
export function checkCompany(companyId: string | null | undefined, usage: AiChatUsageResponse | undefined): void {
  if (companyId === undefined || companyId === null) return;
  const company = guidDigits(companyId) ?? refuse(NO_GUID);
  if (company !== (guidDigits(usage?.companyId) ?? company)) refuse("The usage is of another company than companyId.");
}
