// Replays the recorded replies to clients and counts how often they give the right result.
import { readFileSync } from "node:fs";
import { loadExchanges } from "../server/exchanges.mjs";
import { isSameUsage } from "./usage.mjs";

const OUTCOMES = new URL("../fixtures/outcomes.json", import.meta.url);

/**
 * `{ name, right, wrong, takenForData, ids }` for each client. `takenForData` counts those of the wrong
 * results that are a failure returned as a usage; `ids` are the exchanges that the client got wrong.
 */
export async function replay(clients, url, session) {
  const recorded = new Set(loadExchanges().filter(({ request }) => request.method === "GET").map(({ id }) => id));
  const rows = JSON.parse(readFileSync(OUTCOMES, "utf8")).filter(({ id }) => recorded.has(id));
  const counts = [];
  for (const { name, call } of clients) {
    const count = { name, right: 0, wrong: 0, takenForData: 0, ids: [] };
    for (const row of rows) {
      const verdict = await judge(row, () =>
        call({ url: `${url}/replay/${row.id}`, session: session(), companyId: row.companyId }),
      );
      if (verdict === "right") count.right++;
      else {
        count.wrong++;
        count.ids.push(row.id);
        if (verdict === "taken for data") count.takenForData++;
      }
    }
    counts.push(count);
  }
  return { total: rows.length, counts };
}

async function judge({ usage, error }, call) {
  // A row with both has a number that JavaScript cannot represent: an error is right, and so is a
  // value with all digits. Only the numbers are compared, not the company.
  const mayFail = error !== undefined;
  let value;
  try {
    value = await call();
  } catch {
    return mayFail ? "right" : "wrong";
  }
  if (usage !== undefined && isSameUsage(value, usage)) return "right";
  return mayFail ? "taken for data" : "wrong";
}
