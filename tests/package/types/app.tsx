// A React component as a new user writes it: no cast. Compiled, never run.
import { BookMoreClient, isBookMoreError, type AiChatUsageResponse, type AnyBookMoreError } from "bookmore-sdk";
import { useEffect, useState } from "react";

const client = new BookMoreClient({ bearerToken: async () => sessionStorage.getItem("token") });

function sentence(error: AnyBookMoreError): string {
  switch (error.code) {
    case "rate_limited":
      return error.retryAt ? `Busy until ${error.retryAt.toLocaleTimeString()}.` : "Busy.";
    case "timeout":
      return `No answer within ${error.timeoutMs / 1000} s.`;
    case "permission_denied":
    case "authentication_error":
      return `Please log in (${error.status}).`;
    case "company_mismatch":
      return `Logged in for ${error.receivedCompanyId.slice(0, 8)}.`;
    default:
      return error.message;
  }
}

export function Meter({ companyId }: { companyId?: string }) {
  const [usage, setUsage] = useState<AiChatUsageResponse>();
  const [error, setError] = useState<AnyBookMoreError>();
  useEffect(() => {
    const controller = new AbortController();
    client
      .getAiChatUsage({ companyId }, { signal: controller.signal })
      .then(setUsage)
      .catch((thrown: unknown) => {
        if (isBookMoreError(thrown)) setError(thrown);
      });
    return () => controller.abort();
  }, [companyId]);
  if (error) return <p role="alert">{sentence(error)}</p>;
  return usage ? <meter max={usage.tokenLimit} value={usage.tokensUsed} /> : null;
}
