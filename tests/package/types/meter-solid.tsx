// The meter in the JSX of Solid. Compiled, never run.
import type { BookMoreClient } from "bookmore-sdk";
import type {} from "bookmore-sdk/meter/solid";

export const Meter = (props: { client: BookMoreClient }) => (
  <ai-chat-usage-meter prop:client={props.client} company-id="x" variant="ring" class="big" on:bookmore-usage-change={({ detail }) => detail.level === "over"} on:bookmore-login={(event) => event.type} />
);
// @ts-expect-error: no such variant
export const Wrong = () => <ai-chat-usage-meter variant="pie" />;
// @ts-expect-error: no client
export const NoClient = () => <ai-chat-usage-meter prop:client={5} />;
// @ts-expect-error: the login has no details
export const NoDetail = () => <ai-chat-usage-meter on:bookmore-login={({ detail }) => detail} />;
