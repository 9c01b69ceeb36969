// The cost of one call when fetch costs nothing: node calls.mjs ROUNDS CLIENT..., in a folder where the clients'
// packages are installed. Prints for each client the microseconds of a call in each round: of sequential calls and of
// concurrent ones. They are processor time, which does not depend on the machine's other load.
const [rounds, ...names] = process.argv.slice(2);

/** Sequential calls in a round. */
const CALLS = 200;
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
    return { file: name, call: client("http://127.0.0.1:9") };
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

const inTurn = async (call) => {
  const values = [];
  for (let n = 0; n < CALLS; n++) values.push(await call());
  return values;
};

const atOnce = (call, count) => Promise.all(Array.from({ length: count }, call));

/** Clients take turns, so that the machine's other load affects all of them. The first rounds warm up. */
async function sample(way) {
  const samples = clients.map(() => []);
  for (let round = -WARM; round < Number(rounds); round++) {
    for (const [at, { call }] of clients.entries()) {
      const us = await measure(() => way(call));
      if (round >= 0) samples[at].push(us);
    }
  }
  return samples;
}

const WARM = 10;
const turn = await sample(inTurn);
const together = [];
for (const count of AT_ONCE) together.push(await sample((call) => atOnce(call, count)));
console.log(JSON.stringify(clients.map(({ file }, at) => ({ file, inTurn: turn[at], atOnce: together.map((of) => of[at]) }))));
