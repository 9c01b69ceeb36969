// Compares the fake (pkg/src/testing) with the recordings: for the same request, it sends the same body.
import assert from "node:assert/strict";
import { before, describe, it, mock } from "node:test";
import { createFakeBookMore, RequestMismatchError } from "../../pkg/dist/testing/index.js";
import { bodyBytes, loadExchanges } from "./exchanges.mjs";
import { CREDENTIALS, setScenarios } from "./scenarios.mjs";

/** The recordings' files whose hosts the fake simulates, with the fake's name for their settings. */
const HOSTS = { "pascal": "classic", "camel": "camelCase", "cors-open": "camelCase", "gzip": "camelCase", "endpoints": "endpoints" };

// Requests that the fake does not answer like the host, and how many recordings have them. It refuses the first five kinds,
// so that an app's test finds the mistake.
const EXCEPTIONS = [
  { reason: "a list, which the API does not have", count: 5, refused: true, is: ({ path }) => /usage-list/.test(path) },
  { reason: "another route of the operation (/api/…, /json/reply/…)", count: 6, refused: true, is: ({ path }) => !/^\/assistant\//i.test(path) },
  { reason: "a JSONP or jsconfig parameter", count: 8, refused: true, is: ({ path }) => /\b(callback|jsconfig)=/.test(path) },
  { reason: "a parameter that the API does not have", count: 2, refused: true, is: ({ path }) => /\bNope=/.test(path) },
  { reason: "an empty CompanyId", count: 2, refused: true, is: ({ path }) => /CompanyId=?(&|$)/.test(path) },
  { reason: "TokensRemaining that the other members contradict", count: 2, is: ({ id }) => /remaining-past/.test(id) },
  { reason: "a body of plain text, which the fake sends as the test gives it", count: 3, is: ({ body }) => body === "plain words" },
  { reason: "a compressed body", count: 1, is: ({ body }) => body === undefined },
];

describe("the recordings", () => {
  before(() => mock.method(console, "error", () => {})); // the fake prints why it refuses a request

  const inJson = loadExchanges().filter(
    ({ request, response }) =>
      request.method === "GET" &&
      response.headers.some(([name, value]) => /^content-type$/i.test(name) && /^(application\/json|text\/jsonl)/.test(value)) &&
      bodyBytes({ response }).length > 0,
  );

  it("are answered with the same bytes, status, type and Retry-After", async () => {
    const counts = new Map(EXCEPTIONS.map(({ reason }) => [reason, 0]));
    let same = 0;
    for (const exchange of inJson) {
      const { id, file, request, response } = exchange;
      const exception = EXCEPTIONS.find(({ is }) => is({ id, path: request.path, body: response.body }));
      const fake = createFakeBookMore({ host: HOSTS[file], ...CREDENTIALS });
      setScenarios(fake);
      const ask = () => fake.fetch(`https://api.bookmore.com${request.path}`, { headers: request.headers });
      if (exception) {
        counts.set(exception.reason, counts.get(exception.reason) + 1);
        if (exception.refused) await assert.rejects(ask, RequestMismatchError, id);
        continue;
      }
      const reply = await ask();
      const body = Buffer.from(await reply.arrayBuffer());
      assert.equal(String(body), response.body, id);
      assert.ok(body.equals(bodyBytes(exchange)), id);
      assert.equal(reply.status, response.status, id);
      assert.equal(reply.statusText, response.reason, id);
      for (const name of ["content-type", "retry-after"]) {
        const recorded = response.headers.find(([other]) => other.toLowerCase() === name)?.[1] ?? null;
        assert.equal(reply.headers.get(name), recorded, `${id}: ${name}`);
      }
      same++;
    }
    console.log(`${inJson.length} recorded GETs in JSON or JSONL: ${same} the same, byte for byte`);
    for (const [reason, count] of counts) console.log(`${count} not: ${reason}`);
    assert.deepEqual(Object.fromEntries(counts), Object.fromEntries(EXCEPTIONS.map(({ reason, count }) => [reason, count])));
    assert.equal(same, 162);
  });
});
