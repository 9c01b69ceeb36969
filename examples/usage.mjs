// The usage of one company, or of the token's own: node examples/usage.mjs [company id]
// In your project the import is: import { BookMoreClient } from "bookmore-sdk";
import { BookMoreClient, BookMoreError } from "../pkg/dist/index.js";

const { BOOKMORE_URL: baseUrl, BOOKMORE_TOKEN: bearerToken, BOOKMORE_FORMAT: format } = process.env;
const client = new BookMoreClient({ baseUrl, bearerToken, format });
try {
  const usage = await client.getAiChatUsage({ companyId: process.argv[2] });
  console.log(JSON.stringify(usage));
} catch (error) {
  if (!(error instanceof BookMoreError)) throw error;
  console.error(`${error.name} (${error.code}): ${error.message}`);
  process.exitCode = 1;
}
