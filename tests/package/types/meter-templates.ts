// The meter in the templates of Vue and Svelte, as their compilers look it up. Compiled, never run.
import type { BookMoreClientLike } from "bookmore-sdk";
import type { MeterVariant } from "bookmore-sdk/meter";
import type {} from "bookmore-sdk/meter/svelte";
import type {} from "bookmore-sdk/meter/vue";
import type { SvelteHTMLElements } from "svelte/elements";
import type { GlobalComponents } from "vue";

type InVue = InstanceType<GlobalComponents["ai-chat-usage-meter"]>["$props"];
type InSvelte = SvelteHTMLElements["ai-chat-usage-meter"];

same<InVue["variant"], MeterVariant | null | undefined>();
same<InVue["client"], BookMoreClientLike | null | undefined>();
same<InVue["company-id"], string | null | undefined>();
same<Parameters<NonNullable<InVue["onBookmore-usage-change"]>>[0]["detail"]["status"], "pending" | "ok" | "error" | "stopped">();
same<Parameters<NonNullable<InVue["onBookmore-login"]>>[0], Event>();
same<InSvelte["client"], BookMoreClientLike | null | undefined>();
same<InSvelte["variant"], MeterVariant | null | undefined>();
same<Parameters<NonNullable<InSvelte["onbookmore-login"]>>[0], Event>();
same<Parameters<NonNullable<InSvelte["onbookmore-usage-change"]>>[0]["detail"]["status"], "pending" | "ok" | "error" | "stopped">();
