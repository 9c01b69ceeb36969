import { BookMoreClient } from "bookmore-sdk";

export const usage = (baseUrl) => new BookMoreClient({ baseUrl, bearerToken: "good-token" }).getAiChatUsage();
