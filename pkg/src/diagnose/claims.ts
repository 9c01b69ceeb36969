import type { Claims } from "./facts.js";

/** The year 5138 in seconds. A larger time, up to that year in milliseconds, is in milliseconds. */
const LATEST = 1e11;

/** The claims of the JWT in an `Authorization` header, without verifying them; undefined if it is not a JWT. */
export function claimsOf(authorization: string | undefined): Claims | undefined {
  const [, payload] = /^Bearer [\w-]+\.([\w-]+)\.[\w-]*$/.exec(authorization ?? "") ?? [];
  if (payload === undefined) return undefined;
  let given: Record<string, unknown>;
  try {
    const bytes = Uint8Array.from(atob(payload.replaceAll("-", "+").replaceAll("_", "/")), (character) => character.charCodeAt(0));
    given = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof given !== "object" || given === null) return undefined;
  const claims: Claims = {};
  const isInMilliseconds = (name: string) => Number(given[name]) > LATEST && Number(given[name]) < LATEST * 1000;
  const inMilliseconds = ["exp", "nbf", "iat"].filter(isInMilliseconds);
  if (inMilliseconds.length > 0) claims.inMilliseconds = inMilliseconds;
  // Some servers write 0 for a token that does not expire.
  for (const name of ["exp", "nbf", "iat"] as const) if (typeof given[name] === "number" && given[name] > 0 && !isInMilliseconds(name)) claims[name] = given[name] * 1000;
  for (const name of ["iss", "aud"] as const) {
    const text = [given[name]].flat().filter((each) => typeof each === "string").join(", ");
    if (text && text.length <= 200) claims[name] = text;
  }
  // OpenID Connect's ID tokens have at_hash; Keycloak and Cognito name the type of their tokens.
  if (given["typ"] === "ID" || given["token_use"] === "id" || given["at_hash"] !== undefined) claims.kind = "an ID token";
  if (given["typ"] === "Refresh" || given["typ"] === "Offline") claims.kind = "a refresh token";
  return claims;
}

/** Signs that a text was never meant as a token or a key; none of them quotes it. */
const FLAWS: [RegExp, string][] = [
  [/^bearer/i, "begins with the word Bearer, which is no part of it"],
  [/^["'`]/, "begins with a quotation mark"],
  [/^([$%<]|\{\{)/, "begins like a variable or a placeholder that was not replaced"],
  [/^[{[]/, "begins with a bracket, as JSON does"],
  [/^(your|my|insert|replace|enter)[-_ ]|^(process\.env|import\.meta)\b|^(change[-_ ]?me|placeholder|todo|x{3,})$/i, "reads like a placeholder that was not replaced"],
  [/^(undefined|null|none|nil|nan|true|false)$/i, "is a word such as undefined or null"],
];

/** The same for a key alone. */
const OF_KEY: [RegExp, string] = [/^eyJ.+\..+\./, "is a JWT, which is a token, not a key"];

/** Follows "it"; undefined if nothing shows. */
export function flawOf(secret: string, isKey: boolean): string | undefined {
  return [...FLAWS, ...(isKey ? [OF_KEY] : [])].find(([pattern]) => pattern.test(secret))?.[1];
}
