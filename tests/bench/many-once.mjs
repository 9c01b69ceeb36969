// One sample: node many-once.mjs POOL BASE_URL COUNT CONCURRENCY. Prints the milliseconds, including the start of the
// module, the peak memory of the process, and how many companies got their usage.
import { POOLS, companies } from "./pools.mjs";

const [name, baseUrl, count, concurrency] = process.argv.slice(2);
const run = await POOLS[name](baseUrl, companies(Number(count)), Number(concurrency));
const started = performance.now();
const right = await run();
const ms = performance.now() - started;
console.log(JSON.stringify({ ms, kilobytes: process.resourceUsage().maxRSS, right }));
process.exit();
