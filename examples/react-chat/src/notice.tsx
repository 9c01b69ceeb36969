import type { AnyBookMoreError } from "bookmore-sdk";
import { number, time, useUsage } from "./usage";

/** What a person can make of it. `error.message` is for whoever looks after the app. */
function words({ code, retryAt }: AnyBookMoreError): string {
  if (code === "authentication_error") return "Your login has expired.";
  if (code === "permission_denied") return "You may not see how many tokens are left. An administrator can change that.";
  const what = code === "network_error" ? "The connection is lost" : "The usage cannot be looked up right now";
  return retryAt ? `${what}. The next try is at ${time(retryAt)}.` : `${what}. It will be tried again.`;
}

export function Notice({ logIn }: { logIn(): Promise<void> }) {
  const { usage, level, error, refresh } = useUsage();
  const renew = async () => {
    await logIn();
    refresh();
  };
  const isNear = level === "warning" || level === "critical";
  return (
    <div role="status" className="notice" data-level={error ? "error" : level}>
      {error && <p>{words(error)}</p>}
      {error?.code === "authentication_error" && <button onClick={renew}>Log in again</button>}
      {!error && isNear && <p>Only {number(usage!.tokensRemaining)} tokens are left.</p>}
    </div>
  );
}
