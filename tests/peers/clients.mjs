// The clients that are compared, each as its documentation shows it: with its own defaults, a timeout
// of 2 s for each attempt if it has that option, and its documented way to a fresh token.
import { readFileSync } from "node:fs";
import { JsonServiceClient } from "@servicestack/client";
import axios from "axios";
import ky from "ky";
import { ofetch } from "ofetch";
import OpenAI from "openai";

const PATH = "/assistant/ai-chat/usage";
/** The timeout of one attempt, if a client has one. */
export const ATTEMPT_MS = 2000;

const readJson = (path) => JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
const { devDependencies: versions } = readJson("package.json");

/**
 * All clients. `call({ url, session, companyId })` returns what the client takes for the usage.
 * `session` is `{ token, apiKey, refresh() }`; `refresh` returns a token that the server accepts.
 *
 * @param {object} [sdk] the exports of this SDK's package
 */
export function clients(sdk) {
  return [
    { name: "bookmore-sdk", version: readJson("../../pkg/package.json").version, call: bookmore(sdk) },
    ...[
      { name: "@servicestack/client", call: serviceStack },
      { name: "openai", call: openai },
      { name: "ky", call: kyClient },
      { name: "ofetch", call: ofetchClient },
      { name: "axios", call: axiosClient },
    ].map((client) => ({ ...client, version: versions[client.name] })),
  ];
}

/** Like `clients`, but with `maxRetries: 0` for this SDK, because a recorded reply never changes. */
export function replayClients(sdk) {
  return [
    { name: "bookmore-sdk", call: bookmore(sdk, { maxRetries: 0 }) },
    { name: "@servicestack/client", call: serviceStack },
    { name: "fetch", call: fiveLines },
  ];
}

function bookmore(sdk, options) {
  return ({ url, session, companyId }) =>
    new sdk.BookMoreClient({
      baseUrl: url,
      bearerToken: ({ forceRefresh } = {}) => (forceRefresh ? session.refresh() : session.token),
      apiKey: session.apiKey,
      attemptTimeoutMs: ATTEMPT_MS,
      ...options,
    }).getAiChatUsage({ companyId });
}

// As ServiceStack's code generator writes the operation.
class AiChatUsageResponse {
  constructor(init) {
    Object.assign(this, init);
  }
}
class GetAiChatUsage {
  constructor(init) {
    Object.assign(this, init);
  }
  getTypeName() {
    return "GetAiChatUsage";
  }
  getMethod() {
    return "GET";
  }
  createResponse() {
    return new AiChatUsageResponse();
  }
}

// It has no timeout option.
function serviceStack({ url, session, companyId }) {
  const client = new JsonServiceClient(url);
  client.bearerToken = session.token;
  client.headers.set("x-api-key", session.apiKey);
  client.onAuthenticationRequired = async () => {
    client.bearerToken = await session.refresh();
  };
  return client.get(new GetAiChatUsage({ companyId }));
}

// The function for the key is called for each attempt, but does not learn that the last key was refused.
function openai({ url, session, companyId }) {
  const client = new OpenAI({
    baseURL: url,
    apiKey: async () => session.token,
    defaultHeaders: { "x-api-key": session.apiKey },
    timeout: ATTEMPT_MS,
  });
  return client.get(PATH, { query: { CompanyId: companyId } });
}

function kyClient({ url, session }) {
  const freshToken = async ({ request, response, retryCount }) => {
    if (response.status !== 401 || retryCount > 0) return;
    const headers = new Headers(request.headers);
    headers.set("Authorization", `Bearer ${await session.refresh()}`);
    return ky.retry({ request: new Request(request, { headers }), code: "TOKEN_REFRESHED" });
  };
  return ky.get(url + PATH, { timeout: ATTEMPT_MS, headers: headersOf(session), hooks: { afterResponse: [freshToken] } }).json();
}

function ofetchClient({ url, session }) {
  return ofetch(url + PATH, {
    timeout: ATTEMPT_MS,
    headers: headersOf(session),
    onRequest: ({ options }) => options.headers.set("Authorization", `Bearer ${session.token}`),
    onResponseError: async ({ response }) => {
      if (response.status === 401) await session.refresh();
    },
    retryStatusCodes: [401, 408, 409, 425, 429, 500, 502, 503, 504], // its defaults and 401
  });
}

async function axiosClient({ url, session }) {
  const client = axios.create({ timeout: ATTEMPT_MS, headers: headersOf(session) });
  client.interceptors.response.use(undefined, async (error) => {
    if (error.response?.status !== 401 || error.config.sentAgain) throw error;
    const headers = { ...error.config.headers, Authorization: `Bearer ${await session.refresh()}` };
    return client({ ...error.config, headers, sentAgain: true });
  });
  return (await client.get(url + PATH)).data;
}

async function fiveLines({ url, session }) {
  const response = await fetch(url + PATH, { headers: headersOf(session) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  return response.json();
}

function headersOf({ token, apiKey }) {
  return { Accept: "application/json", Authorization: `Bearer ${token}`, "x-api-key": apiKey };
}
