import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { ConfigError } from "bookmore-sdk";
import { BookMoreProvider } from "bookmore-sdk/react";
import { diagnose } from "bookmore-sdk/diagnose";
import { createFakeBookMore } from "bookmore-sdk/testing";
import { StrictMode } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { App } from "./app";

afterEach(cleanup);

/** The app with the fake API, where each message uses 10,000 of 100,000 tokens. */
function open(answers: Parameters<ReturnType<typeof createFakeBookMore>["set"]>[1]) {
  const fake = createFakeBookMore({ bearerToken: "valid" });
  fake.set(undefined, answers);
  let token = "valid";
  const client = fake.client({ bearerToken: () => token, maxRetries: 0 });
  const send = vi.fn(async (text: string) => (fake.record(undefined, 10_000), `You said: ${text}`));
  const logIn = vi.fn(async () => void (token = "valid"));
  const why = vi.fn(async () => String(await diagnose(client)));
  render(
    <StrictMode>
      <BookMoreProvider client={client}>
        <App send={send} logIn={logIn} why={why} />
      </BookMoreProvider>
    </StrictMode>,
  );
  const say = (text: string) => {
    fireEvent.change(field(), { target: { value: text } });
    fireEvent.submit(field().form!);
  };
  return { fake, client, send, logIn, why, say, expire: () => (token = "old") };
}
const field = () => screen.getByRole<HTMLInputElement>("textbox", { name: "Message" });
const shows = (text: string | RegExp) => screen.findByText(text);

test("shows the usage, with one request for all components", async () => {
  const { fake } = open({ share: 0.62 });
  await shows("38,000 left");
  expect(screen.getByText("62 %")).toBeTruthy();
  expect(fake.requests.length).toBe(1);
});

test("shows whole percent, rounded down", async () => {
  open({ share: 0.29 });
  await shows("29 %"); // 0.29 * 100 is a little less than 29
});

test("refreshes after a message, warns at 80 %, and closes the chat box when the limit is reached", async () => {
  const { say, send, fake } = open({ share: 0.75 });
  await shows("25,000 left");
  say("Hello");
  await shows("You said: Hello");
  await shows("Only 15,000 tokens are left.");
  expect(fake.requests.length).toBe(2);
  say("More");
  await shows("Only 5,000 tokens are left.");
  say("More");
  await shows(/^No tokens are left\. The chat opens again/);
  expect(field().closest("fieldset")!.disabled).toBe(true);
  expect(send).toHaveBeenCalledTimes(3);
});

test("sends no empty message, and says if one was not answered", async () => {
  const { say, send } = open({ share: 0.1 });
  await shows("90,000 left");
  say("   ");
  expect(send).not.toHaveBeenCalled();
  send.mockRejectedValueOnce(new Error("502"));
  say("Hello");
  await shows("This message was not answered. Please send it again.");
});

test("asks for a new login when the old one has expired, and continues after it", async () => {
  const { expire, logIn, say } = open({ share: 0.5 });
  await shows("50,000 left");
  expire();
  say("Hello");
  await shows("Your login has expired.");
  await shows(/^50,000 left at/); // the last usage stays
  fireEvent.click(screen.getByRole("button", { name: "Log in again" }));
  await shows("40,000 left");
  expect(logIn).toHaveBeenCalledOnce();
  expect(screen.queryByText("Your login has expired.")).toBeNull();
});

test.each([
  [{ status: 403 }, "You are not allowed to see how many tokens are left. Ask an administrator."],
  [{ status: 503 }, "The usage is not available right now. The app will try again."],
  [{ kind: "network" }, "The connection is lost. The app will try again."],
  [{ status: 429, retryAfter: 90 }, /^The usage is not available right now\. The next attempt is at \d+:\d\d/],
] as const)("shows what went wrong: %o", async (failure, words) => {
  const { fake } = open({ ...failure });
  await shows(words);
  await waitFor(() => expect(screen.getByText("The usage is unknown.")).toBeTruthy());
  expect(fake.requests.length).toBe(1);
});

test("announces no further attempt if there is none", async () => {
  const { client } = open({ share: 0.5 });
  vi.spyOn(client, "getAiChatUsage").mockRejectedValue(new ConfigError({ message: "There is no such company." }));
  await shows("The usage is not available right now.");
});

test("shows why the connection is lost when asked, only during this outage", async () => {
  const { fake, say, send } = open({ kind: "network" });
  send.mockResolvedValue("Yes.");
  await shows("The connection is lost. The app will try again.");
  fireEvent.click(screen.getByRole("button", { name: "Why?" }));
  await shows(/\(no_reply\)/);
  fake.set(undefined, { share: 0.5 });
  say("Is it back?");
  await shows("50,000 left");
  fake.set(undefined, { kind: "network" });
  say("And now?");
  await shows("The connection is lost. The app will try again.");
  expect(screen.queryByText(/\(no_reply\)/)).toBeNull();
});

test("shows why the diagnosis failed", async () => {
  const { why } = open({ kind: "network" });
  why.mockRejectedValue(new Error("given up"));
  fireEvent.click(await screen.findByRole("button", { name: "Why?" }));
  await shows("Error: given up");
});
