// The meter in the JSX of react. Compiled, never run.
import type { BookMoreClient } from "bookmore-sdk";
import type {} from "bookmore-sdk/meter/react";

export const Meter = ({ client }: { client: BookMoreClient }) => (
  <ai-chat-usage-meter client={client} company-id="x" variant="ring" className="big" onbookmore-usage-change={({ detail }) => detail.level === "over"} onbookmore-login={(event) => event.type} />
);
// @ts-expect-error: no such variant
export const Wrong = () => <ai-chat-usage-meter variant="pie" />;
// @ts-expect-error: no client
export const NoClient = () => <ai-chat-usage-meter client={5} />;
// @ts-expect-error: the login has no details
export const NoDetail = () => <ai-chat-usage-meter onbookmore-login={({ detail }) => detail} />;
