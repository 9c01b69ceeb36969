/** The path of the one operation, below the base URL. */
export const PATH = "/assistant/ai-chat/usage";
