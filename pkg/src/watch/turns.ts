/** The polls of a client that are in flight, and those that wait until it is their turn. */
export interface Turns {
  taken: number;
  readonly waiting: (() => void)[];
}

/** As many connections as a browser opens to a server by HTTP/1.1. The wait for a connection would count towards the timeout. */
const MOST = 6;

/** Runs `poll`, which never rejects, as soon as fewer than six others are running. */
export async function inTurn(turns: Turns, poll: () => Promise<void>): Promise<void> {
  if (turns.taken < MOST) turns.taken++;
  else await new Promise<void>((resolve) => turns.waiting.push(resolve));
  await poll();
  const next = turns.waiting.shift();
  if (next) next();
  else turns.taken--;
}
