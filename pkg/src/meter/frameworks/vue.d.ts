/** `<ai-chat-usage-meter>` in the templates of Vue: `import type {} from "bookmore-sdk/meter/vue"`. */
import type { MeterEvents, MeterProperties } from "bookmore-sdk/meter";
import type { DefineComponent, HTMLAttributes } from "vue";

type Listeners = { [Name in keyof MeterEvents]: (event: MeterEvents[Name]) => void };

declare module "vue" {
  interface GlobalComponents {
    "ai-chat-usage-meter": DefineComponent<Omit<MeterProperties, "companyId"> & HTMLAttributes, {}, {}, {}, {}, {}, {}, Listeners>;
  }
}
