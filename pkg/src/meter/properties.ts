import type { AiChatUsageResponse, BookMoreClientLike } from "bookmore-sdk";
import type { UsageState, UsageStore } from "bookmore-sdk/watch";
import type { MeterStrings } from "./strings.js";
import type { MeterVariant } from "./variant.js";

/** The properties and attributes of a meter, as templates set them. */
export interface MeterProperties {
  client?: BookMoreClientLike | null | undefined;
  store?: UsageStore | null | undefined;
  usage?: AiChatUsageResponse | null | undefined;
  strings?: Partial<MeterStrings> | null | undefined;
  companyId?: string | null | undefined;
  "company-id"?: string | null | undefined;
  label?: string | null | undefined;
  variant?: MeterVariant | null | undefined;
  locale?: string | null | undefined;
}

/** The events of a meter. */
export interface MeterEvents {
  /** Dispatched when what it shows has changed, apart from the time of "as of". */
  "bookmore-usage-change": CustomEvent<UsageState>;
  /** Dispatched when the user wants to log in, after a 401. */
  "bookmore-login": Event;
}
