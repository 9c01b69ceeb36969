// Preloaded by a Node.js that cannot be told to use a proxy: it takes itself for one that can, with the fetch of that one.
import { createRequire } from "node:module";

const { EnvHttpProxyAgent, fetch } = createRequire(import.meta.url)("undici");
const versions = Object.getOwnPropertyDescriptor(process, "versions");
Object.defineProperty(process, "versions", { ...versions, value: { ...process.versions, node: "24.21.0" } });
const dispatcher = new EnvHttpProxyAgent();
globalThis.fetch = (url, init) => fetch(url, { ...init, dispatcher });
