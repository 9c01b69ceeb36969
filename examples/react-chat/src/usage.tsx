import { useAiChatUsage } from "bookmore-sdk/react";

/** All components share one request every 30 seconds, while the page is visible. */
export const useUsage = () => useAiChatUsage({}, { intervalMs: 30_000, idleIntervalMs: 30_000 });

export const number = (value: number) => value.toLocaleString("en");
export const time = (at: number | Date) => new Date(at).toLocaleTimeString("en", { timeStyle: "short" });

export function UsageMeter() {
  const { status, usage, share = 1, level, updatedAt } = useUsage();
  if (!usage) return <p className="quiet">{status === "pending" ? "Loading the usage…" : "The usage is unknown."}</p>;
  const percent = usage.tokenLimit > 0 ? Math.floor((100 * usage.tokensUsed) / usage.tokenLimit) : 100;
  return (
    <section className="usage" data-level={level} aria-label="Usage">
      <p>
        <strong>{percent} %</strong> of {number(usage.tokenLimit)} tokens used in {usage.windowDays} days
      </p>
      <div className="bar">
        <div style={{ inlineSize: `${Math.min(share, 1) * 100}%` }} />
      </div>
      <p className="quiet">
        {number(usage.tokensRemaining)} left{status !== "ok" && updatedAt && ` at ${time(updatedAt)}`}
      </p>
    </section>
  );
}
