/** `<ai-chat-usage-meter>` in the JSX of Solid: `import type {} from "bookmore-sdk/meter/solid"`. */
import type { AiChatUsageMeter, MeterEvents, MeterProperties } from "bookmore-sdk/meter";
import type { JSX } from "solid-js";

type Properties = { [Name in keyof MeterProperties as `prop:${Name}`]?: MeterProperties[Name] };
type Listeners = { [Name in keyof MeterEvents as `on:${Name}`]?: (event: MeterEvents[Name]) => void };

declare module "solid-js" {
  namespace JSX {
    interface IntrinsicElements {
      "ai-chat-usage-meter": JSX.HTMLAttributes<AiChatUsageMeter> & MeterProperties & Properties & Listeners;
    }
  }
}
