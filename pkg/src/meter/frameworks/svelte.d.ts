/** `<ai-chat-usage-meter>` in the templates of Svelte 5: `import type {} from "bookmore-sdk/meter/svelte"`. */
import type { AiChatUsageMeter, MeterEvents, MeterProperties } from "bookmore-sdk/meter";
import type { HTMLAttributes } from "svelte/elements";

type Listeners = { [Name in keyof MeterEvents as `on${Name}`]?: (event: MeterEvents[Name]) => void };

declare module "svelte/elements" {
  interface SvelteHTMLElements {
    "ai-chat-usage-meter": HTMLAttributes<AiChatUsageMeter> & MeterProperties & Listeners;
  }
}
