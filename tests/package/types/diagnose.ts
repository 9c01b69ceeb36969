// The public types of "bookmore-sdk/diagnose". Compiled, never run.
import type { BookMoreClient, BookMoreClientLike, GetAiChatUsage } from "bookmore-sdk";
import * as module from "bookmore-sdk/diagnose";
import { diagnose } from "bookmore-sdk/diagnose";
import type { Cause, DiagnoseOptions, Diagnosis, DiagnosisStep, Finding, FindingCode } from "bookmore-sdk/diagnose";

same<keyof typeof module, "diagnose">();
same<typeof diagnose, (client: BookMoreClientLike, request?: GetAiChatUsage, options?: DiagnoseOptions) => Promise<Diagnosis>>();
same<keyof Diagnosis, "ok" | "findings" | "steps" | "toString">();
same<keyof Cause, "code" | "message" | "fix" | "elsewhere">();
same<keyof Finding, keyof Cause | "level" | "candidates" | "doctor">();
same<Finding["code"], FindingCode>();
same<keyof DiagnosisStep, "name" | "outcome" | "detail" | "ms">();

export async function used(client: BookMoreClient, signal: AbortSignal): Promise<string> {
  await diagnose(client);
  const { ok, findings } = await diagnose(client, { companyId: "x" }, { signal, onStep: ({ name, ms }) => `${name}: ${ms}` });
  // @ts-expect-error: the option has another name
  await diagnose(client, {}, { onstep: () => {} });
  return ok ? "" : findings.map(({ code, fix }) => `${code} ${fix ?? ""}`).join();
}
