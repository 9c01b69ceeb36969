// Drives the stand-in server of `make serve`, and stands in for the app's assistant.
import { session } from "./session";

const ANSWERS = [
  "There are 14 open orders. The oldest has waited for three days.",
  "The autumn list sold 1,284 copies, a third of them in the first week.",
  "Two invoices are overdue. Shall I draft a reminder?",
  "The returns went down by four points since August.",
];
let count = 0;

/** Calls `/fake/<method>`; null is the logged-in user's own company. */
export async function drive(method: "set" | "record", what: unknown): Promise<void> {
  const reply = await fetch(`/fake/${method}`, { method: "POST", body: JSON.stringify([null, what]) });
  if (!reply.ok) throw new Error(await reply.text());
}

export const start = () => drive("set", { share: 0.62, tokenLimit: 100_000 });

/** A message and its answer use some thousand tokens. */
export async function send(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 600));
  if (!session.isOpen) throw new Error("401");
  await drive("record", 6_000 + 1_500 * (count % 3));
  return ANSWERS[count++ % ANSWERS.length]!;
}
