// One sample in a browser: bundled with one of the clients, the page's only script.
import { client } from "client";

const value = await client(location.origin, () => fetch("sdk.wasm"))();
const answered = performance.now();
const bytes = performance
  .getEntriesByType("resource")
  .filter(({ name }) => /\.(js|wasm)$/.test(name))
  .reduce((sum, { encodedBodySize }) => sum + encodedBodySize, 0);
navigator.sendBeacon("/sample", JSON.stringify({ valueMs: answered - window.started, bytes, value }));
