import { Chat } from "./chat";
import { Notice } from "./notice";
import { UsageMeter } from "./usage";

/** @param send Sends a message to the assistant; gives its answer. */
export function App({ send, logIn }: { send(text: string): Promise<string>; logIn(): Promise<void> }) {
  return (
    <main className="app card">
      <header>
        <h1>BookMore assistant</h1>
        <UsageMeter />
      </header>
      <Notice logIn={logIn} />
      <Chat send={send} />
    </main>
  );
}
