// An OpenID Connect server with the addresses of a Keycloak, and an API that accepts its tokens for as long as they live.
import { once } from "node:events";
import { createServer } from "node:http";
import { createLocalJWKSet, exportJWK, generateKeyPair, jwtVerify } from "jose";
import Provider from "oidc-provider";

/** In seconds; a call after this needs another token. */
export const TOKEN_LIVES_S = 2;

const REALM = "/realms/bookmore";
const API = "urn:bookmore:api";
const USAGE =
  '{"CompanyId":"3fa85f64-5717-4562-b3fc-2c963f66afa6","TokensUsed":1234,"TokenLimit":100000,"TokensRemaining":98766,"IsWithinBudget":true,"WindowDays":30}';

/** @param {string[]} redirects where the page may be sent back to */
export async function startIdentityServer(redirects) {
  const { privateKey } = await generateKeyPair("RS256", { extractable: true });
  const jwks = { keys: [{ ...(await exportJWK(privateKey)), alg: "RS256", use: "sig", kid: "1" }] };
  let callback;
  const server = createServer((req, res) => {
    // The provider is mounted below the realm, and browsers ask for icons.
    if (!req.url.startsWith(REALM)) return res.writeHead(404).end();
    req.originalUrl = req.url;
    req.url = req.url.slice(REALM.length);
    callback(req, res);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://localhost:${server.address().port}`;
  const provider = new Provider(url + REALM, configuration(jwks, redirects));
  provider.use(asKeycloak);
  callback = provider.callback();
  return { url, issuer: url + REALM, provider, jwks, close: () => server.close().closeAllConnections() };
}

function configuration(jwks, redirects) {
  const grants = ["authorization_code", "refresh_token"];
  return {
    jwks,
    clients: [
      { client_id: "my-app", redirect_uris: redirects, grant_types: grants, token_endpoint_auth_method: "none" },
      { client_id: "my-job", client_secret: "not-so-secret", redirect_uris: redirects, grant_types: grants },
    ],
    routes: { authorization: "/protocol/openid-connect/auth", token: "/protocol/openid-connect/token" },
    ttl: { AccessToken: TOKEN_LIVES_S, IdToken: TOKEN_LIVES_S, RefreshToken: 600, Grant: 600, Session: 600, Interaction: 600 },
    issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
    clientBasedCORS: () => true,
    cookies: { keys: ["any"] },
    findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => API,
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: "usage", audience: API, accessTokenFormat: "jwt", accessTokenTTL: TOKEN_LIVES_S }),
      },
    },
  };
}

/**
 * What keycloak-js expects of a Keycloak: CORS that allows credentials, and refresh tokens that are JWTs. This server's
 * are opaque, so they travel inside one.
 */
async function asKeycloak(ctx, next) {
  if (ctx.method === "POST" && ctx.path.endsWith("/token")) {
    const form = new URLSearchParams(Buffer.concat(await ctx.req.toArray()).toString());
    const wrapped = form.get("refresh_token");
    if (wrapped) form.set("refresh_token", JSON.parse(Buffer.from(wrapped.split(".")[1], "base64url")).jti);
    ctx.request.body = form.toString();
  }
  await next();
  ctx.set("access-control-allow-credentials", "true");
  if (ctx.body?.refresh_token) ctx.body = { ...ctx.body, refresh_token: wrap(ctx.body.refresh_token) };
}

export function wrap(jti) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part({ jti })}.`;
}

/**
 * The API. `tokens` has the token of each request that it answered with a usage; `refused` counts the others. It refuses
 * the next token, although it is good, when told to `refuseOnce`.
 */
export async function startApi(jwks) {
  const keys = createLocalJWKSet({ keys: jwks.keys.map(({ kty, n, e, kid, alg, use }) => ({ kty, n, e, kid, alg, use })) });
  const api = { tokens: [], refused: 0, refuseOnce: false };
  const server = createServer(async (req, res) => {
    res.setHeader("access-control-allow-origin", "*");
    res.setHeader("access-control-allow-headers", "authorization");
    if (req.method === "OPTIONS") return res.writeHead(204).end();
    const token = req.headers.authorization?.replace(/^Bearer /, "");
    const isGood = !api.refuseOnce && (await jwtVerify(token ?? "", keys, { audience: API }).then(() => true, () => false));
    api.refuseOnce = false;
    if (!isGood) return api.refused++, res.writeHead(401).end();
    api.tokens.push(token);
    res.writeHead(200, { "content-type": "application/json" }).end(USAGE);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(api, { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close().closeAllConnections() });
}
