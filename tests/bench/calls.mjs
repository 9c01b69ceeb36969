// What one call costs where fetch costs nothing: node calls.mjs ROUNDS CLIENT..., in a folder where the clients'
// packages are installed. Prints for each client the microseconds of a call in each round: one call after the other,
// and so many at once. They are of processor time, which other work of the machine does not lengthen.
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
    return { name, call: client("http://127.0.0.1:9"), inTurn: [], atOnce: AT_ONCE.map(() => []) };
  }),
);

const usedBy = (value) => Number(value.tokensUsed ?? value.TokensUsed);

async function measure(calls) {
  const before = process.cpuUsage();
  const values = await calls();
  const { user, system } = process.cpuUsage(before);
  if (values.some((value) => usedBy(value) !== 1234)) throw new Error(`a wrong value: ${JSON.stringify(values)}`);
  return (user + system) / values.length;
}

async function inTurn(call) {
  const values = [];
  for (let n = 0; n < CALLS; n++) values.push(await call());
  return values;
}

const atOnce = (call, count) => Promise.all(Array.from({ length: count }, call));

// Clients take turns, so that what else the machine does meets all of them. The first rounds warm up.
const WARM = 10;
for (let round = -WARM; round < Number(rounds); round++) {
  for (const client of clients) {
    const measured = [await measure(() => inTurn(client.call))];
    for (const count of AT_ONCE) measured.push(await measure(() => atOnce(client.call, count)));
    if (round < 0) continue;
    client.inTurn.push(measured[0]);
    client.atOnce.forEach((some, at) => some.push(measured[at + 1]));
  }
}
console.log(JSON.stringify(clients.map(({ name, inTurn, atOnce }) => ({ file: name, inTurn, atOnce }))));
