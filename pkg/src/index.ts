/**
 * Typed client for one operation of the BookMore API:
 * `GET /assistant/ai-chat/usage`, a company's AI-assistant token usage.
 *
 * @packageDocumentation
 */
export { BookMoreClient } from "./client.js";
export * from "./errors.js";
export type * from "./types.js";
