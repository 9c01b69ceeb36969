// Preloaded into a Node.js that cannot use a proxy: makes it look like one that can, with a fetch that does; not with DIRECT.
import { createRequire } from "node:module";

const { Agent, EnvHttpProxyAgent, fetch } = createRequire(import.meta.url)("undici");
const versions = Object.getOwnPropertyDescriptor(process, "versions");
Object.defineProperty(process, "versions", { ...versions, value: { ...process.versions, node: "24.21.0" } });
const dispatcher = process.env.DIRECT ? new Agent() : new EnvHttpProxyAgent();
globalThis.fetch = (url, init) => fetch(url, { ...init, dispatcher });
