// Another copy of the package in the same page.
import "bookmore-sdk/meter/define";
import "bookmore-sdk/meter/locales/sv";
export { AiChatUsageMeter } from "bookmore-sdk/meter";
