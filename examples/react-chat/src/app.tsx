import { Chat } from "./chat";
import { Notice } from "./notice";
import { UsageMeter } from "./usage";

/** @param send Sends a message to the assistant, and returns its answer. */
export function App({ send, ...notice }: { send(text: string): Promise<string>; logIn(): Promise<void>; why(): Promise<string> }) {
  return (
    <main className="app card">
      <header>
        <h1>BookMore assistant</h1>
        <UsageMeter />
      </header>
      <Notice {...notice} />
      <Chat send={send} />
    </main>
  );
}
