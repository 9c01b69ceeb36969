import type { UsageState } from "bookmore-sdk/watch";
import { h, type Branch } from "./tree.js";
import type { MeterVariant } from "./variant.js";

/** The smallest position of the limit, in percent, so that the part within it stays visible beside any overflow. */
const LEAST = 12;
/** A part of the ring, in percent. */
const STRIPE = 2.5;

const rounded = (value: number) => Math.round(value * 100) / 100;

/** The lengths in percent: the part used within the limit, and the position of the limit if it is exceeded. */
function parts({ share = 0, level, usage }: UsageState): { fill: number; limit?: number } {
  if (usage && usage.tokenLimit <= 0 && level === "over") return { fill: 0, limit: 0 };
  if (share <= 1) return { fill: rounded(Math.max(share * 100, share > 0 ? 1 : 0)) };
  const limit = rounded(Math.max(100 / share, LEAST));
  return { fill: limit, limit };
}

/**
 * The gauge: a bar or a ring. It uses SVG attributes only, which no
 * Content-Security-Policy restricts. Beyond the limit it has a mark and stripes.
 */
export function gauge(state: UsageState, variant: MeterVariant): Branch {
  const { fill, limit } = parts(state);
  const isOver = limit !== undefined;
  const whole = { class: variant === "ring" ? "ring" : "line", part: "gauge", "aria-hidden": "true" };
  const part = (name: string, isHidden = false) => ({ class: name, part: name, hidden: isHidden });
  if (variant === "ring") {
    const arc = (name: string, dashes: string, isHidden = false) =>
      h("circle", { ...part(name, isHidden), cx: 18, cy: 18, r: 15, pathLength: 100, "stroke-dasharray": dashes });
    const from = limit ?? 0;
    const stripes = STRIPE.toString().concat(" ").repeat(Math.ceil((100 - from) / STRIPE / 2) * 2);
    return h(
      "svg",
      { ...whole, viewBox: "0 0 36 36" },
      arc("track", "100 0"),
      arc("fill", `${fill} ${100 - fill}`),
      arc("overflow", `0 ${rounded(from + STRIPE)} ${stripes}0 100`, !isOver),
      arc("mark", `0 ${Math.max(0, from - 0.5)} 1.5 100`, !isOver),
    );
  }
  return h(
    "svg",
    whole,
    h("rect", { ...part("track"), width: "100%", height: "100%" }),
    h("rect", { ...part("fill"), width: `${fill}%`, height: "100%" }),
    h("line", { ...part("overflow", !isOver), x1: `${limit ?? 0}%`, x2: "100%", y1: "50%", y2: "50%" }),
    h("rect", { ...part("mark", !isOver), x: `${limit ?? 0}%`, width: 3, height: "100%" }),
  );
}

const ICONS = {
  ok: "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0Zm4 6-5 5.4L3.6 8 5 6.6l2 2 3.5-4Z",
  warning: "M8 .5 16 15H0ZM7 5.5v5h2v-5ZM7 11.5v2h2v-2Z",
  critical: "M4.7 0h6.6L16 4.7v6.6L11.3 16H4.7L0 11.3V4.7ZM7 3.5V9h2V3.5Zm0 7v2h2v-2Z",
  over: "M8 0l6.5 6.5H10V11H6V6.5H1.5ZM1 13h14v3H1Z",
  error: "M8 0a8 8 0 1 0 0 16A8 8 0 0 0 8 0ZM7 3.5V9h2V3.5Zm0 7v2h2v-2Z",
};

/** The icon of a level, which does not rely on colour. */
export function icon(name: keyof typeof ICONS = "ok"): Branch {
  return h("svg", { class: "icon", part: "icon", viewBox: "0 0 16 16", "aria-hidden": "true" }, h("path", { d: ICONS[name] }));
}
