import { useState, type FormEvent } from "react";
import { useUsage } from "./usage";

type Message = { by: "you" | "assistant" | "app"; text: string };

const GREETING: Message = { by: "assistant", text: "Hello! What can I look up for you?" };
const scrollTo = (message: HTMLElement | null) => message?.scrollIntoView({ block: "nearest" });

export function Chat({ send }: { send(text: string): Promise<string> }) {
  const { usage, level, refresh } = useUsage();
  const [messages, setMessages] = useState([GREETING]);
  const [isSending, setSending] = useState(false);
  const add = (message: Message) => setMessages((before) => [...before, message]);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = event.currentTarget;
    const text = String(new FormData(form).get("text")).trim();
    if (!text || isSending) return;
    form.reset();
    add({ by: "you", text });
    setSending(true);
    try {
      add({ by: "assistant", text: await send(text) });
    } catch {
      add({ by: "app", text: "This message was not answered. Please send it again." });
    }
    setSending(false);
    refresh(); // if it fails, the notice says so
  }

  return (
    <section className="chat" aria-label="Chat">
      <ol role="log" aria-label="Messages" tabIndex={0}>
        {messages.map(({ by, text }, at) => (
          <li key={at} ref={scrollTo} data-by={by}>
            <span className="by">{by === "you" ? "You" : by === "assistant" ? "Assistant" : "Not sent"}:</span> {text}
          </li>
        ))}
      </ol>
      <p className="closed" role="status">
        {level === "over" && `No tokens are left. The chat opens again as older messages drop out of the last ${usage!.windowDays} days.`}
      </p>
      <form onSubmit={submit}>
        <fieldset disabled={level === "over"}>
          <input name="text" aria-label="Message" placeholder="Ask the assistant" autoComplete="off" />
          <button aria-disabled={isSending}>{isSending ? "Sending…" : "Send"}</button>
        </fieldset>
      </form>
    </section>
  );
}
