// The public types of "bookmore-sdk/meter", "…/define" and "…/locales/sv". Compiled, never run.
import "bookmore-sdk/meter/define";
import type { AiChatUsageResponse, BookMoreClientLike } from "bookmore-sdk";
import * as meter from "bookmore-sdk/meter";
import { sv } from "bookmore-sdk/meter/locales/sv";
import type { MeterEvents, MeterProperties, MeterStrings, MeterVariant } from "bookmore-sdk/meter";
import type { UsageState, UsageStore } from "bookmore-sdk/watch";

same<keyof typeof meter, "AiChatUsageMeter" | "addMeterStrings">();
same<MeterVariant, "bar" | "ring" | "compact">();
document.addEventListener("bookmore-usage-change", ({ detail }) => detail.status);
window.addEventListener("bookmore-usage-change", ({ detail }) => detail.status);
same<MeterEvents, { "bookmore-usage-change": CustomEvent<UsageState>; "bookmore-login": Event }>();
same<keyof MeterProperties, "client" | "store" | "usage" | "strings" | "companyId" | "company-id" | "label" | "variant" | "locale">();
same<typeof sv, MeterStrings>();
same<HTMLElementTagNameMap["ai-chat-usage-meter"], meter.AiChatUsageMeter>();

export async function used(client: BookMoreClientLike, store: UsageStore, usage: AiChatUsageResponse): Promise<void> {
  const element = document.createElement("ai-chat-usage-meter");
  Object.assign(element, { client });
  element.client = client;
  element.client = null;
  element.store = store;
  element.usage = usage;
  element.companyId = null;
  element.variant = "ring";
  element.strings = { label: "Ours", left: (tokens) => `${tokens} to go` };
  same<typeof element.state, UsageState>();
  same<Awaited<ReturnType<typeof element.refresh>>, AiChatUsageResponse>();
  element.addEventListener("bookmore-usage-change", ({ detail }) => detail.level === "over");
  meter.addMeterStrings("fi", { label: "Käyttö" });
  // @ts-expect-error: no such variant
  element.variant = "pie";
  // @ts-expect-error: the state is read-only
  element.state = store.getSnapshot();
  // @ts-expect-error: no such word
  element.strings = { title: "Ours" };
  class Own extends meter.AiChatUsageMeter {}
  customElements.define("our-meter", Own);
  await element.refresh();
}
