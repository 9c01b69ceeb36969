// A sheet of meters: each state in each of the variants that the URL names.
import "bookmore-sdk/meter/define";
import { STATES, storeOf } from "./states.js";

const asked = new URLSearchParams(location.search);
const variants = asked.get("variants").split(",");
const states = asked.getAll("state").length > 0 ? asked.getAll("state") : Object.keys(STATES);
document.documentElement.dir = asked.get("dir") ?? "ltr";
const main = document.querySelector("main");
main.style.setProperty("--columns", asked.get("columns"));
for (const state of states) {
  for (const variant of variants) {
    const meter = document.createElement("ai-chat-usage-meter");
    Object.assign(meter, { variant, store: storeOf(STATES[state]) });
    const cell = document.createElement("div");
    cell.className = "cell";
    cell.append(meter);
    main.append(cell);
  }
}
await document.fonts.ready;
document.title = "ready";
