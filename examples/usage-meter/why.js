// The button "Why?" below a network error.
import { diagnose } from "bookmore-sdk/diagnose";

/** Shows in `element` why the call fails: the steps as they run, and then the findings. */
export async function showWhy(element, client, request, signal) {
  const lines = [];
  const show = (...more) => (element.textContent = lines.concat(more).join("\n"));
  element.hidden = false;
  show("Looking for the cause…");
  const onStep = ({ outcome, name, detail, ms }) => {
    lines.push(`${{ ok: "✔", failed: "✘", skipped: "–" }[outcome]} ${name}: ${detail} (${ms} ms)`);
    show("…");
  };
  const diagnosis = await diagnose(client, request, { signal, onStep });
  show("", String(diagnosis));
}
