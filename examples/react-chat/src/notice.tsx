import type { AnyBookMoreError } from "bookmore-sdk";
import { useState } from "react";
import { number, time, useUsage } from "./usage";

/** What a user needs to know. `error.message` is for the app's developers. */
function words({ code, retryAt }: AnyBookMoreError, willRetry: boolean): string {
  if (code === "authentication_error") return "Your login has expired.";
  if (code === "permission_denied") return "You are not allowed to see how many tokens are left. Ask an administrator.";
  const what = code === "network_error" ? "The connection is lost" : "The usage is not available right now";
  if (!willRetry) return `${what}.`;
  return retryAt ? `${what}. The next attempt is at ${time(retryAt)}.` : `${what}. The app will try again.`;
}

/** The cause of this outage; the next one may have another cause. */
function Why({ why }: { why(): Promise<string> }) {
  const [reason, setReason] = useState("");
  return (
    <>
      <button onClick={async () => setReason(await why().catch(String))}>Why?</button>
      {reason && <pre>{reason}</pre>}
    </>
  );
}

/** @param why Finds out why calls fail. */
export function Notice({ logIn, why }: { logIn(): Promise<void>; why(): Promise<string> }) {
  const { status, usage, level, error, refresh } = useUsage();
  const isNear = level === "warning" || level === "critical";
  return (
    <div role="status" className="notice" data-level={error ? "error" : level}>
      {error && <p>{words(error, status === "error")}</p>}
      {error?.code === "authentication_error" && <button onClick={() => logIn().then(() => void refresh())}>Log in again</button>}
      {error?.code === "network_error" && <Why why={why} />}
      {!error && isNear && <p>Only {number(usage!.tokensRemaining)} tokens are left.</p>}
    </div>
  );
}
