/** `<ai-chat-usage-meter>` in the JSX of React 19: `import type {} from "bookmore-sdk/meter/react"`. */
import type { AiChatUsageMeter, MeterEvents, MeterProperties } from "bookmore-sdk/meter";
import type { DetailedHTMLProps, HTMLAttributes } from "react";

type Listeners = { [Name in keyof MeterEvents as `on${Name}`]?: (event: MeterEvents[Name]) => void };

declare module "react" {
  namespace JSX {
    interface IntrinsicElements {
      "ai-chat-usage-meter": DetailedHTMLProps<HTMLAttributes<AiChatUsageMeter>, AiChatUsageMeter> & MeterProperties & Listeners;
    }
  }
}
