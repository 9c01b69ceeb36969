// The recorded exchanges of tests/fixtures/exchanges: real request/response pairs.
// Their README says how they were recorded, and from which host each file is.
import { readdirSync, readFileSync } from "node:fs";

const FOLDER = new URL("../fixtures/exchanges/", import.meta.url);

/** All exchanges in the order of the files, each with its `file` ("pascal", "cors-open"...). */
export function loadExchanges() {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".json")).sort();
  return names.flatMap((name) => {
    const file = name.slice(0, -".json".length);
    const exchanges = JSON.parse(readFileSync(new URL(name, FOLDER), "utf8"));
    return exchanges.map((exchange) => ({ file, ...exchange }));
  });
}

/** The body of the exchange's response, byte for byte. */
export function bodyBytes({ response }) {
  return response.bodyBase64 === undefined
    ? Buffer.from(response.body ?? "", "utf8")
    : Buffer.from(response.bodyBase64, "base64");
}
