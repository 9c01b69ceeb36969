import type { AnyBookMoreError } from "bookmore-sdk";
import { useState } from "react";
import { number, time, useUsage } from "./usage";

/** What a person can make of it. `error.message` is for whoever looks after the app. */
function words({ code, retryAt }: AnyBookMoreError): string {
  if (code === "authentication_error") return "Your login has expired.";
  if (code === "permission_denied") return "You may not see how many tokens are left. An administrator can change that.";
  const what = code === "network_error" ? "The connection is lost" : "The usage cannot be looked up right now";
  return retryAt ? `${what}. The next try is at ${time(retryAt)}.` : `${what}. It will be tried again.`;
}

/** @param why Finds out what keeps calls from succeeding. */
export function Notice({ logIn, why }: { logIn(): Promise<void>; why(): Promise<string> }) {
  const { usage, level, error, refresh } = useUsage();
  const [reason, setReason] = useState("");
  const renew = async () => {
    await logIn();
    refresh();
  };
  const isNear = level === "warning" || level === "critical";
  return (
    <div role="status" className="notice" data-level={error ? "error" : level}>
      {error && <p>{words(error)}</p>}
      {error?.code === "authentication_error" && <button onClick={renew}>Log in again</button>}
      {error?.code === "network_error" && <button onClick={async () => setReason(await why())}>Why?</button>}
      {error?.code === "network_error" && reason && <pre>{reason}</pre>}
      {!error && isNear && <p>Only {number(usage!.tokensRemaining)} tokens are left.</p>}
    </div>
  );
}
