// Classes 4, 5 and 6: what is no Response is refused at once; error bodies are read for what they have; what a status
// or a redirect means stands in the sentence.
import { USAGE, client, each, failure, holds, reply, same, scripted } from "./rows.mjs";

const NEEDED = "; return an unread Response, as fetch does, or an object like one with status, headers and a body.";

const streamOf = (chunk) => new ReadableStream({ start: (stream) => (stream.enqueue(chunk), stream.close()) });

const UNUSABLE = [
  ["nothing, as a bare jest.fn()", () => undefined, "undefined"],
  ["null", () => null, "null"],
  ["a number", () => 200, "number"],
  ["words", () => USAGE, "string"],
  ["a function", () => () => {}, "function"],
  ["the usage itself", () => JSON.parse(USAGE), "without a status"],
  ["a list", () => [], "without a status"],
  ["a Request", () => new Request("https://api.example/"), "without a status"],
  ["json() alone", () => ({ ok: true, status: 200, json: async () => JSON.parse(USAGE) }), "neither body nor arrayBuffer() nor text()"],
  ["json() with headers", () => ({ ok: true, status: 200, headers: new Headers(), json: async () => JSON.parse(USAGE) }), "neither body nor arrayBuffer() nor text()"],
  ["a body that is text", () => ({ status: 200, body: USAGE }), "a stream as its body"],
  ["a body that is an object", () => ({ status: 200, body: JSON.parse(USAGE), json: () => ({}) }), "a stream as its body"],
  ["text that is not a function", () => ({ status: 200, text: USAGE }), "neither body nor"],
  ["a status that is text", () => ({ status: "200", text: async () => USAGE }), "without a status"],
  ["a status of no whole number", () => ({ status: 200.5, text: async () => USAGE }), "without a status"],
  ["a status that throws", () => ({ get status() { throw new Error("x"); }, text: async () => USAGE }), "without a status"],
  ["Response.error()", () => Response.error(), "Response.error()"],
  ["an opaque Response", () => ({ status: 0, type: "opaque", body: null }), "no-cors"],
  ["a body that a log has read", async () => { const read = reply(); await read.text(); return read; }, "read already"], // supertokens/supertokens-node#977
  ["an error body that a log has read", async () => { const read = reply("{}", 500); await read.json(); return read; }, "read already"], // better-auth/better-fetch#74
  // Bun says that it has been read.
  ["a body that is being read", () => { const read = reply(); read.body.getReader(); return read; }, " read"],
  ["a stream of strings", () => ({ status: 200, body: streamOf(USAGE) }), "not made of bytes"], // jefflau/jest-fetch-mock#113
  ["a stream of nothing", () => ({ status: 200, body: streamOf(null) }), "not made of bytes"],
  ["a stream of numbers", () => ({ status: 200, body: streamOf(123) }), "not made of bytes"],
  ["a Response of a stream of objects", () => new Response(streamOf({})), "not made of bytes"],
  ["arrayBuffer() that returns the usage itself", () => ({ status: 200, arrayBuffer: async () => JSON.parse(USAGE) }), "not made of bytes"],
  ["arrayBuffer() that returns something with a byteLength", () => ({ status: 200, arrayBuffer: async () => ({ byteLength: 5 }) }), "not made of bytes"],
  ["arrayBuffer() that returns nothing", () => ({ status: 200, arrayBuffer() {} }), "not made of bytes"],
  ["text() that returns the usage itself", () => ({ status: 200, text: async () => JSON.parse(USAGE) }), "not made of bytes"],
  ["an error body that is not bytes", () => ({ status: 503, body: streamOf(5) }), "not made of bytes"],
  ["a reader that returns nothing", () => ({ status: 200, body: { getReader: () => ({ read() {} }) } }), "not made of bytes"],
  ["a reader that cannot read", () => ({ status: 200, body: { getReader() {} } }), "cannot be read"],
  ["getReader() that throws", () => ({ status: 200, body: { getReader() { throw new TypeError("not implemented"); } } }), "cannot be read"],
  ["a mock that says it was read", () => ({ status: 200, bodyUsed: true, text: async () => USAGE }), "read already"],
];

const bytes = (text) => Uint8Array.from(text, (character) => character.charCodeAt(0));
const STATUS = (message) => `{"ResponseStatus":{"ErrorCode":"NotFound","Message":"${message}","Errors":[{"ErrorCode":"Bad","FieldName":"CompanyId","Message":"wrong"}]}}`;

/** [what, the content type, the body in windows-1252, the expected message] */
const ERROR_BODIES = [
  ["windows-1252 with its charset", "application/json; charset=windows-1252", bytes(STATUS("Soci\xe9t\xe9 inconnue")), /^Soci.t. inconnue$/u],
  ["windows-1252 without", "application/json", bytes(STATUS("Soci\xe9t\xe9 inconnue")), /^Soci.t. inconnue$/u],
  ["a byte that is not UTF-8", "application/json", bytes(STATUS("a\xffb")), /^a.b$/u],
  ["the first byte of two", "application/json", bytes(STATUS("a\xc3")), /^a.$/u],
  ["a byte in the middle of a letter", "application/json", bytes(STATUS("\x80euro")), /^.euro$/u],
  ["a byte order mark", "application/json", bytes(`\xef\xbb\xbf${STATUS("fine")}`), /^fine$/],
  ["a line break in a text", "application/json", bytes(STATUS("a\nb")), /^a\nb$/],
  ["a tab in a text", "application/json", bytes(STATUS("a\tb")), /^a\tb$/],
  ["an invalid escape", "application/json", bytes(STATUS("it\\'s")), /^it'?s$/],
  ["half of a surrogate pair", "application/json", bytes(STATUS("a\\ud800b")), /^a.b$/u],
  ["a letter before it", "application/json", bytes(`a${STATUS("fine")}`), /^fine$/], // octokit/octokit.rb#1777
  ["a guard before it", "application/json", bytes(`)]}',\n${STATUS("fine")}`), /^fine$/],
  ["trailing commas", "application/json", bytes(STATUS("fine").replaceAll("}", ",}").replaceAll("]", ",]")), /^fine$/], // ServiceStack/ServiceStack#233
  ["members that are null", "application/json", bytes(STATUS("fine").replace("[{", '[{"Meta":null,').replace("Status\":{", 'Status":{"StackTrace":null,"Meta":null,')), /^fine$/], // ServiceStack/Issues#470
  ["more after the object", "application/json", bytes(`${STATUS("fine")}\0\0`), /^fine$/],
  ["no content type", "", bytes(STATUS("fine")), /^fine$/],
];

const SENTENCES = [
  [304, {}, /answered with 304; only a 200 carries a usage/, "unexpected_response"],
  [407, {}, /A proxy on the way wants credentials/, "api_error"],
  [421, {}, /leads to another host; check the base URL/, "api_error"],
  [426, {}, /wants another protocol/, "api_error"],
  [451, {}, /withheld for legal reasons/, "api_error"],
  [511, {}, /The network wants a login/, "server_error"],
  [301, { location: "https://www.example/v2/assistant/ai-chat/usage" }, /Set the base URL to https:\/\/www\.example\/v2\.$/, "unexpected_response"],
  [307, { location: "https://api.example/base/assistant/ai-chat/usage?CompanyId=x" }, /Set the base URL to https:\/\/api\.example\/base\.$/, "unexpected_response"],
  [308, { location: "/v2/assistant/ai-chat/usage" }, /Set the path of the base URL to \/v2\.$/, "unexpected_response"],
  [302, { location: "https://www.example/login?next=/assistant/ai-chat/usage" }, /perhaps to a login page/, "unexpected_response"],
];

export const REPLIES = {
  ...each("is refused at once", UNUSABLE, async ({ sdk }, [, make, words]) => {
    for (const give of [async () => make(), (...given) => make(...given)]) {
      const fetch = scripted(give);
      const error = await failure(client(sdk, fetch).getAiChatUsage());
      same([error.code, fetch.inits.length], ["config_error", 1]);
      holds(error.message.startsWith("The fetch function returned ") && error.message.endsWith(NEEDED) && error.message.includes(words), error.message);
    }
  }),
  ...each(
    "is like a Response, and is read",
    [
      ["text()", () => ({ status: 200, text: () => USAGE })],
      ["arrayBuffer()", () => ({ status: 200, headers: {}, arrayBuffer: async () => bytes(USAGE).buffer })],
      ["a stream", () => ({ status: 200, body: new Response(USAGE).body })],
      ["a body as node-fetch has it", () => ({ status: 200, body: { pipe() {} }, text: async () => USAGE })],
      ["getters that throw", () => ({ status: 200, get headers() { throw 5; }, get body() { throw 5; }, get redirected() { throw 5; }, text: async () => USAGE })],
    ],
    async ({ sdk }, [, make]) => same((await client(sdk, async () => make()).getAiChatUsage()).tokensUsed, 5),
  ),
  ...each("an error body is read as far as possible:", ERROR_BODIES, async ({ sdk }, [, contentType, body, message]) => {
    const headers = contentType ? { "content-type": contentType } : {};
    const error = await failure(client(sdk, async () => new Response(body, { status: 404, headers })).getAiChatUsage());
    same([error.code, error.errorCode, error.fieldErrors.length], ["api_error", "NotFound", 1]);
    same([error.fieldErrors[0].fieldName, error.fieldErrors[0].errorCode], ["CompanyId", "Bad"]);
    holds(message.test(error.serverMessage), error.serverMessage);
  }),
  ...each(
    "reads headers",
    [
      ["with forEach alone", (list) => ({ forEach: (run) => list.forEach(([name, value]) => run(value, name)) })], // apollographql/apollo-link-rest#93
      ["of a plain object", (list) => Object.fromEntries(list)],
      ["of a list", (list) => list],
      ["of a Map", (list) => new Map(list)],
      ["of an object of methods, too", (list) => ({ ...Object.fromEntries(list), get: () => null })],
    ],
    async ({ sdk }, [, make]) => {
      const headers = make([["Content-Type", "text/html"], ["Retry-After", "7"], ["X-Request-Id", "r1"]]);
      const give = (status) => async () => ({ status, headers, text: async () => "<p>" });
      const limited = await failure(client(sdk, give(429), { maxRetries: 0 }).getAiChatUsage());
      same([limited.retryAfterMs, limited.requestId], [7000, "r1"]);
      const own = client(sdk, async () => ({ status: 200, headers: make([["Content-Type", "application/json"]]), text: async () => USAGE }));
      same((await own.getAiChatUsageWithResponse()).response.headers, { "content-type": "application/json" });
      same((await failure(client(sdk, give(200)).getAiChatUsage())).contentType, "text/html");
    },
  ),
  "an error body that breaks off is read up to there": async ({ sdk }) => {
    const body = new ReadableStream({
      start: (stream) => stream.enqueue(bytes(STATUS("fine").slice(0, -12))),
      pull: (stream) => stream.error(new Error("cut")),
    });
    const error = await failure(client(sdk, async () => new Response(body, { status: 404 })).getAiChatUsage());
    same([error.errorCode, error.serverMessage], ["NotFound", "fine"]);
  },
  "a usage is read strictly": async ({ sdk }) => {
    for (const text of [USAGE.replace("5", "5,\"note\":\"\xe9\""), USAGE.replace("5", '5,"note":"a\nb"'), `${USAGE}\0`, USAGE.replace("5", "05")]) {
      const error = await failure(client(sdk, async () => new Response(bytes(text), { headers: { "content-type": "application/json" } })).getAiChatUsage());
      same(error.code, "decode_error", text);
    }
  },
  ...each("says what it means", SENTENCES.map((row) => [`${row[0]} ${row[1].location ?? ""}`, ...row]), async ({ sdk }, [, status, headers, words, code]) => {
    // A platform's Response cannot have these.
    const response = { status, headers: new Headers(headers), body: null };
    const error = await failure(client(sdk, async () => response, { maxRetries: 0 }).getAiChatUsage());
    holds(words.test(error.message) && error.code === code, `${error.code}: ${error.message}`);
  }),
};
