// The public types of "bookmore-sdk/meter/server", which need none of the DOM. Compiled, never run.
import type { AiChatUsageResponse } from "bookmore-sdk";
import * as server from "bookmore-sdk/meter/server";
import type { RenderOptions } from "bookmore-sdk/meter/server";

same<keyof typeof server, "renderToString">();
same<typeof server.renderToString, (usage: AiChatUsageResponse | null | undefined, options?: RenderOptions) => string>();
same<
  keyof RenderOptions,
  "companyId" | "label" | "variant" | "locale" | "strings" | "updatedAt" | "timeZone" | "nonce" | "stylesheetHref"
>();

export const html: string = server.renderToString(null, { nonce: "x", variant: "compact", strings: { label: "Ours" } });
// @ts-expect-error: no such option
server.renderToString(null, { style: "x" });
