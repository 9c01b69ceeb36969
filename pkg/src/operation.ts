/** Where the API is, unless a client is told otherwise. */
export const DEFAULT_BASE_URL = "https://api.bookmore.com";

/** The path of the one operation, below the base URL. */
export const PATH = "/assistant/ai-chat/usage";
