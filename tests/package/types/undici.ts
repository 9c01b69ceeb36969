// undici's own fetch, used for proxies. Compiled, never run.
import { BookMoreClient } from "bookmore-sdk";
import { fetch, ProxyAgent } from "undici";

const dispatcher = new ProxyAgent("http://127.0.0.1:3128");
export const clients = [
  new BookMoreClient({ fetch }),
  new BookMoreClient({ fetch: (url, init) => fetch(url, { ...init, dispatcher }) }),
];
