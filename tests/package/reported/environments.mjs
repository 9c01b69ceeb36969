// Missing parts of the platform are named, and the module is accepted in every form that people have.
import { client, each, failure, holds, otherRealm, replaced, reply, same, scripted } from "./rows.mjs";

const partThatThrows = () =>
  class URL {
    constructor(text) {
      this.href = text;
    }
    get origin() {
      throw new Error("URL.origin is not implemented");
    }
    get hostname() {
      throw new Error("URL.hostname is not implemented");
    }
  };

const copy = (bytes) => Uint8Array.from(bytes);
const compiled = (bytes) => WebAssembly.compile(bytes);
const response = (bytes, init) => new Response(bytes, { headers: { "content-type": "application/wasm" }, ...init });
const init = (bytes) => async (imports) => (await WebAssembly.instantiate(bytes, imports)).instance;

/** [what, a function that makes it from the bytes] */
const MODULES = [
  ["a module", compiled],
  ["a promise of a module", async (bytes) => Promise.resolve(compiled(bytes))],
  ["a Uint8Array", copy],
  ["an ArrayBuffer", (bytes) => copy(bytes).buffer],
  ["a DataView", (bytes) => new DataView(copy(bytes).buffer)],
  ["a view into a larger buffer", (bytes) => {
    const larger = new Uint8Array(bytes.length + 10);
    larger.set(bytes, 5);
    return larger.subarray(5, 5 + bytes.length);
  }],
  ["another realm's Uint8Array", async (bytes) => (await otherRealm()).Uint8Array.from(bytes)],
  ["another realm's ArrayBuffer", async (bytes) => (await otherRealm()).Uint8Array.from(bytes).buffer],
  ["a Response", (bytes) => response(bytes)],
  ["a promise of a Response", async (bytes) => response(bytes)],
  ["a Response without a content type", (bytes) => new Response(bytes)],
  ["another realm's Response", async (bytes) => new ((await otherRealm()).Response ?? Response)(bytes)],
  ["a Blob", (bytes) => new Blob([bytes])],
  ["a URL", () => "https://cdn.example/sdk.wasm"],
  ["a URL object", () => new URL("https://cdn.example/sdk.wasm")],
  ["another realm's URL object", async () => new ((await otherRealm()).URL ?? URL)("https://cdn.example/sdk.wasm")],
  ["a namespace of a module", async (bytes) => ({ default: await compiled(bytes) })],
  ["a promise of a namespace", async (bytes) => ({ __proto__: null, default: await compiled(bytes) })],
  ["a namespace of Vite's ?url", () => ({ default: "https://cdn.example/sdk.wasm" })],
  ["a namespace inside a namespace", async (bytes) => ({ default: { default: await compiled(bytes) } })],
  ["Vite's ?init", init],
  ["a namespace of Vite's ?init", (bytes) => ({ default: init(bytes) })],
  ["a function that returns an instance and its module", (bytes) => (imports) => WebAssembly.instantiate(bytes, imports)],
];

const EMPTY_MODULE = [0, 0x61, 0x73, 0x6d, 1, 0, 0, 0];

const NO_MODULES = [
  ["an object", () => ({}), /not a WebAssembly module/],
  ["a namespace without a default", () => ({ memory: 1 }), /not a WebAssembly module/],
  ["a list", () => [1, 2], /not a WebAssembly module/],
  ["a number", () => Promise.resolve(5), /not a WebAssembly module/],
  ["bytes of a page", () => new TextEncoder().encode("<!doctype html>"), /not a WebAssembly module/],
  ["no bytes", () => new Uint8Array(), /not a WebAssembly module/],
  ["half of the bytes", (bytes) => copy(bytes).subarray(0, bytes.length >> 1), /not a WebAssembly module/],
  ["a detached ArrayBuffer", (bytes) => { const { buffer } = copy(bytes); structuredClone(buffer, { transfer: [buffer] }); return buffer; }, /not a WebAssembly module/],
  ["a Response of a page", () => response("<!doctype html>"), /not a WebAssembly module/],
  ["a Response of a failure", () => response("", { status: 404 }), /answered with 404/],
  ["a Response that has been read", async (bytes) => { const read = response(bytes); await read.arrayBuffer(); return read; }, /read already/],
  ["an instance", async (bytes) => WebAssembly.instantiate(await compiled(Uint8Array.from(EMPTY_MODULE))), /not a WebAssembly module/],
  ["another module", () => compiled(Uint8Array.from(EMPTY_MODULE)), /not bookmore-sdk's/],
  ["a function that returns nothing", () => () => {}, /made no instance/],
  ["a function that returns bytes", (bytes) => () => bytes, /made no instance/],
  ["a function that instantiates another module", () => async () => WebAssembly.instantiate(await compiled(Uint8Array.from(EMPTY_MODULE))), /made no instance/],
  ["a function that throws", () => () => { throw new Error("404"); }, /failed: 404/],
  ["a namespace of a namespace of itself", () => { const own = {}; own.default = own; return own; }, /not a WebAssembly module/],
];

const WORKERS = { userAgent: "Cloudflare-Workers" };

const slimClient = (slim, wasm) => new slim.BookMoreClient({ wasm, baseUrl: "https://api.example", fetch: async () => reply() });
const unusable = () => { throw new Error("nothing may be sent"); };

export const ENVIRONMENTS = {
  ...each(
    "names a missing part before anything is sent",
    [["AbortController"], ["TextDecoder"], ["TextEncoder"], ["performance"]],
    ({ sdk, slim, bytes }, [name]) =>
      replaced(globalThis, { [name]: undefined }, async () => {
        const fetch = scripted(unusable);
        const fresh = new slim.BookMoreClient({ wasm: bytes, baseUrl: "https://api.example", fetch });
        const calls = [client(sdk, fetch).getAiChatUsage(), fresh.getAiChatUsage(), fresh.ready()];
        for (const error of await Promise.all(calls.map(failure))) {
          holds(error instanceof sdk.RuntimeUnsupportedError || error instanceof slim.RuntimeUnsupportedError, String(error));
          holds(error.message.startsWith(`This runtime has no ${name}.`), error.message);
        }
        same(fetch.inits.length, 0);
      }),
  ),
  ...each(
    "names a missing or incomplete URL, which the default base URL does not need",
    [["missing", undefined], ["with parts that throw", partThatThrows()], ["with parts that are missing", class { href = ""; }], ["that throws", class { constructor() { throw new Error("not implemented"); } }]],
    ({ sdk }, [, URL]) =>
      replaced(globalThis, { URL }, async () => {
        const error = await failure((async () => client(sdk, unusable))());
        holds(error instanceof sdk.RuntimeUnsupportedError && /no URL/.test(error.message), String(error));
        same((await new sdk.BookMoreClient({ fetch: async () => reply() }).getAiChatUsage()).tokensUsed, 5);
      }),
  ),
  "names a missing fetch": ({ sdk }) =>
    replaced(globalThis, { fetch: undefined }, async () => {
      const error = await failure(new sdk.BookMoreClient().getAiChatUsage());
      holds(error.code === "runtime_unsupported" && /no fetch/.test(error.message), String(error));
    }),
  "names a missing WebAssembly": ({ slim, bytes }) =>
    replaced(globalThis, { WebAssembly: undefined }, async () => {
      for (const wasm of [bytes, async () => {}, {}]) {
        const error = await failure(slimClient(slim, wasm).ready());
        if (typeof wasm === "function") continue;
        holds(error.code === "runtime_unsupported" && /no WebAssembly/.test(error.message), String(error));
      }
    }),
  ...each(
    "bytes that are refused",
    [
      ["on a page", [globalThis, {}], /add 'wasm-unsafe-eval' to its script-src, or import bookmore-sdk\/no-wasm instead\.$/],
      ["in Workers", globalThis.navigator ? [navigator, WORKERS] : [globalThis, { navigator: WORKERS }], /condition workerd.*bookmore-sdk\/slim.*serverExternalPackages/],
      ["in edge runtimes", [globalThis, { EdgeRuntime: "vercel" }], /condition workerd.*bookmore-sdk\/slim.*serverExternalPackages/],
    ],
    ({ slim, bytes }, [, globals, words]) =>
      replaced(...globals, () =>
        replaced(WebAssembly, { compile: async () => { throw new WebAssembly.CompileError("Wasm code generation disallowed by embedder"); } }, async () => {
          const error = await failure(slimClient(slim, bytes).getAiChatUsage());
          holds(error instanceof slim.RuntimeUnsupportedError && words.test(error.message), String(error));
        }),
      ),
  ),
  "a platform that compiles and refuses to instantiate": ({ slim, bytes }) =>
    replaced(WebAssembly, { instantiate: async () => { throw new EvalError("Refused to create a WebAssembly object"); } }, async () => {
      const error = await failure(slimClient(slim, bytes).getAiChatUsage());
      holds(error.code === "runtime_unsupported" && /wasm-unsafe-eval/.test(error.message), String(error));
    }),

  ...each("the module as", MODULES, ({ slim, bytes }, [, make]) =>
    replaced(globalThis, { fetch: async () => response(bytes) }, async () => {
      const own = slimClient(slim, await make(bytes));
      await own.ready();
      same((await own.getAiChatUsage()).tokensUsed, 5);
    }),
  ),
  "two clients share one Response": async ({ slim, bytes }) => {
    for (const wasm of [response(bytes), Promise.resolve(response(bytes))]) {
      const clients = [slimClient(slim, wasm), slimClient(slim, wasm)];
      for (const { tokensUsed } of await Promise.all(clients.map((own) => own.getAiChatUsage()))) same(tokensUsed, 5);
      same((await slimClient(slim, wasm).getAiChatUsage()).tokensUsed, 5);
    }
  },
  ...each("is a ConfigError, not being a module:", NO_MODULES, async ({ slim, bytes }, [, make, words]) => {
    const made = make(bytes);
    for (const error of [await failure(slimClient(slim, made).getAiChatUsage()), await failure(slimClient(slim, made).ready())]) {
      holds(error instanceof slim.ConfigError && words.test(error.message), String(error));
    }
  }),
  ...each("is refused at once", [["nothing", undefined], ["null", null], ["an empty string", ""], ["a number", 5], ["true", true], ["a symbol", Symbol("s")]], async ({ slim }, [, wasm]) => {
    const error = await failure((async () => slimClient(slim, wasm))());
    holds(error instanceof slim.ConfigError && /^wasm is/.test(error.message), String(error));
  }),
  ...each(
    "a module that cannot be fetched",
    [
      ["because the network is down", "https://cdn.example/sdk.wasm", "network_error", true],
      ["because fetch does not support its scheme", "file:///srv/sdk.wasm", "config_error", false],
    ],
    ({ slim }, [, wasm, code, isRetryable]) =>
      replaced(globalThis, { fetch: async () => { throw new TypeError("fetch failed", { cause: new Error("not implemented... yet...") }); } }, async () => {
        const error = await failure(slimClient(slim, wasm).getAiChatUsage());
        same([error.code, error.isRetryable], [code, isRetryable]);
        holds(/could not be fetched: fetch failed: not implemented/.test(error.message), error.message);
      }),
  ),
};
