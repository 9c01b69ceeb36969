/**
 * `<ai-chat-usage-meter>`, the meter of a company's usage, as a class.
 * `bookmore-sdk/meter/define` registers it.
 *
 * @packageDocumentation
 */
export { AiChatUsageMeter } from "./element.js";
export type { MeterEvents, MeterProperties } from "./properties.js";
export { addMeterStrings, type MeterStrings } from "./strings.js";
export type { MeterVariant } from "./variant.js";
