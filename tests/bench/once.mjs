// One sample in Node: node once.mjs CLIENT BASE_URL, in a folder where the client's package is installed.
import { readFile } from "node:fs/promises";

const [client, baseUrl] = process.argv.slice(2);
const readWasm = () => readFile(new URL(import.meta.resolve("bookmore-sdk/sdk.wasm")));

const started = performance.now();
const { client: make } = await import(`./clients/${client}.mjs`);
const imported = performance.now();
const value = await make(baseUrl, readWasm)();
const answered = performance.now();
console.log(JSON.stringify({ importMs: imported - started, callMs: answered - imported, value }));
