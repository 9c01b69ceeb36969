// What one call costs where fetch costs nothing: node calls.mjs ROUNDS CLIENT..., in a folder where the clients'
// packages are installed. Prints for each client the milliseconds of a call in each round, one call after the other
// and, for bookmore-sdk, so many at once.
const [rounds, ...names] = process.argv.slice(2);

/** Calls in a round, one after the other. */
const CALLS = 300;
const AT_ONCE = [100, 2000];
const BODY = '{"TokensUsed":1234,"TokenLimit":100000,"TokensRemaining":98766,"IsWithinBudget":true,"WindowDays":30}';
const HEADERS = {
  "content-type": "application/json; charset=utf-8",
  vary: "Accept,Origin",
  server: "Kestrel",
  date: "Thu, 01 Jan 2026 00:00:00 GMT",
  "transfer-encoding": "chunked",
};
globalThis.fetch = async () => new Response(BODY, { headers: HEADERS });

const clients = await Promise.all(
  names.map(async (name) => {
    const { client } = await import(`./clients/${name}.mjs`);
    return { name, call: client("http://127.0.0.1:9"), ms: [], atOnce: AT_ONCE.map(() => []) };
  }),
);

const usedBy = (value) => Number(value.tokensUsed ?? value.TokensUsed);

async function timed(call, calls) {
  const started = performance.now();
  const values = await calls(call);
  const ms = (performance.now() - started) / values.length;
  if (values.some((value) => usedBy(value) !== 1234)) throw new Error(`a wrong value: ${JSON.stringify(values)}`);
  return ms;
}

async function inTurn(call) {
  const values = [];
  for (let n = 0; n < CALLS; n++) values.push(await call());
  return values;
}

// Clients take turns, so that what else the machine does meets all of them. The first rounds warm up.
const WARM = 5;
for (let round = -WARM; round < Number(rounds); round++) {
  for (const { call, ms } of clients) {
    const measured = await timed(call, inTurn);
    if (round >= 0) ms.push(measured);
  }
  for (const { call, atOnce } of clients.filter(({ name }) => name === "bookmore-sdk")) {
    for (const [at, count] of AT_ONCE.entries()) {
      const all = () => Promise.all(Array.from({ length: count }, call));
      const measured = await timed(call, all);
      if (round >= 0) atOnce[at].push(measured);
    }
  }
}
console.log(JSON.stringify(clients.map(({ name, ms, atOnce }) => ({ file: name, ms, atOnce }))));
