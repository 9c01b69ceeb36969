/**
 * Registers `<ai-chat-usage-meter>`, unless an element of this name is registered
 * already, such as that of another copy of this package. Without custom elements,
 * as on a server, it does nothing.
 *
 * @packageDocumentation
 */
import { AiChatUsageMeter, type MeterEvents } from "bookmore-sdk/meter";

declare global {
  interface HTMLElementTagNameMap {
    "ai-chat-usage-meter": AiChatUsageMeter;
  }
  interface GlobalEventHandlersEventMap extends MeterEvents {}
}

const NAME = "ai-chat-usage-meter";
const { customElements } = globalThis as Partial<typeof globalThis>;
if (customElements && !customElements.get(NAME)) customElements.define(NAME, AiChatUsageMeter);
