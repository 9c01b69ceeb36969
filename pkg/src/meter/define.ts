/**
 * Registers `<ai-chat-usage-meter>`, unless there is one already, such as that
 * of another copy of this package. Where there are no elements it does nothing.
 *
 * @packageDocumentation
 */
import { AiChatUsageMeter, type MeterEvents } from "bookmore-sdk/meter";

declare global {
  interface HTMLElementTagNameMap {
    "ai-chat-usage-meter": AiChatUsageMeter;
  }
  interface HTMLElementEventMap extends MeterEvents {}
}

const NAME = "ai-chat-usage-meter";
const { customElements } = globalThis as Partial<typeof globalThis>;
if (customElements && !customElements.get(NAME)) customElements.define(NAME, AiChatUsageMeter);
