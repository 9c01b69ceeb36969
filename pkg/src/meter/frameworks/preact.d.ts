/** `<ai-chat-usage-meter>` in the JSX of Preact: `import type {} from "bookmore-sdk/meter/preact"`. */
import type { AiChatUsageMeter, MeterEvents, MeterProperties } from "bookmore-sdk/meter";
import type { HTMLAttributes } from "preact";

type Listeners = { [Name in keyof MeterEvents as `on${Name}`]?: (event: MeterEvents[Name]) => void };

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "ai-chat-usage-meter": Omit<HTMLAttributes<AiChatUsageMeter>, keyof MeterProperties> & Omit<MeterProperties, "companyId"> & Listeners;
    }
  }
}
