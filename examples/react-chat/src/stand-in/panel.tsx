// Buttons that change the server's answers and the login. Not part of the app.
import { useState, type ReactNode } from "react";
import { number, useUsage } from "../usage";
import { useRequests } from "./requests";
import { drive } from "./server";
import { session } from "./session";

const SHARES = [0, 0.5, 0.79, 0.85, 0.96, 1, 1.2];
const LIMITS = [10_000, 100_000, 1_000_000];
const ANSWERS: [string, object][] = [
  ["Usage", {}],
  ["403, not allowed", { status: 403 }],
  ["429, come back in 90 s", { status: 429, retryAfter: 90 }],
  ["503, unavailable", { status: 503 }],
  ["Connection lost", { kind: "network" }],
  ["A login page", { kind: "login-page" }],
];

export function Panel() {
  const { refresh } = useUsage();
  const [answer, setAnswer] = useState(0);
  const requests = useRequests();
  const change = async (change: () => void | Promise<void>) => {
    await change();
    await refresh().catch(() => {});
  };
  const set = (usage: object) => change(() => (setAnswer(0), drive("set", usage)));

  return (
    <aside className="panel" aria-label="Stand-in">
      <h2>Stand-in</h2>
      <p className="quiet">Play the server. None of this is part of the app.</p>
      <Group name="Used">
        {SHARES.map((share) => (
          <button key={share} onClick={() => set({ share })}>{Math.round(share * 100)} %</button>
        ))}
      </Group>
      <Group name="Limit">
        {LIMITS.map((tokenLimit) => (
          <button key={tokenLimit} onClick={() => set({ tokenLimit })}>{number(tokenLimit)}</button>
        ))}
      </Group>
      <Group name="The server answers">
        {ANSWERS.map(([name, what], at) => (
          <button key={name} aria-pressed={at === answer} onClick={() => change(() => (setAnswer(at), drive("set", what)))}>{name}</button>
        ))}
      </Group>
      <Group name="The login">
        <button onClick={() => change(session.expire)}>Token expires</button>
        <button onClick={() => change(session.end)}>Session ends</button>
      </Group>
      <h3>Requests</h3>
      <ol className="requests" reversed>
        {requests.map(({ number, at, result }) => (
          <li key={number} value={number}>{at.toLocaleTimeString("en", { hour12: false })} <b>{result}</b></li>
        ))}
      </ol>
    </aside>
  );
}

function Group({ name, children }: { name: string; children: ReactNode }) {
  return (
    <fieldset>
      <legend>{name}</legend>
      {children}
    </fieldset>
  );
}
