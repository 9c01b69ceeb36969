// In a page: runs the scenarios and the cases with the module of `wasm-pack build`, and shows how many passed, and the
// failures of the others.
import { byName } from "./by-name.mjs";
import { CASES } from "./call-cases.mjs";
import { mismatch } from "./virtual-world.mjs";

export async function play(module) {
  const sdk = byName({ ...module });
  const { companies, scenarios } = await (await fetch("/pkg/scenarios.json")).json();
  const played = { scenarios: 0, cases: 0, failures: [] };
  for (const scenario of scenarios) {
    const words = await mismatch(sdk, companies, scenario).catch(String);
    if (words === undefined) played.scenarios++;
    else played.failures.push(`${scenario.name}: ${words}`);
  }
  for (const [name, run] of Object.entries(CASES)) {
    try {
      await run({ sdk, url: location.origin });
      played.cases++;
    } catch (error) {
      played.failures.push(`${name}: ${error?.message ?? error}`);
    }
  }
  document.querySelector("output").textContent = JSON.stringify(played);
}
