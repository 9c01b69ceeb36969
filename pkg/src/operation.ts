/** The API's base URL, unless a client has its own. */
export const DEFAULT_BASE_URL = "https://api.bookmore.com";

/** The path of the one operation, below the base URL. */
export const PATH = "/assistant/ai-chat/usage";
