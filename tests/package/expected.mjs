// Compares the outcome of a call of the npm package with a row of tests/fixtures/outcomes.json.
import assert from "node:assert/strict";

// The class of each code.
const NAMES = {
  api_error: "ApiError",
  authentication_error: "AuthenticationError",
  permission_denied: "PermissionDeniedError",
  rate_limited: "RateLimitError",
  server_error: "ServerError",
  unexpected_response: "UnexpectedResponseError",
  company_mismatch: "UnexpectedResponseError",
  decode_error: "DecodeError",
};

/**
 * Throws an AssertionError if `outcome` is not what `row` says.
 * `outcome` is `{ usage }` or `{ error: { name, code, status, errorCode, path, message } }`.
 * `inBrowser`: browsers hide the status of a redirect, which is then 0.
 */
export function checkOutcome(row, outcome, { inBrowser = false } = {}) {
  const { id } = row;
  // A row with both has a usage that JavaScript numbers cannot represent.
  const expectsError = row.error !== undefined && (!row.usage || row.error.inJavaScript === true);
  if (expectsError) {
    assert.ok(outcome.error, `${id}: expected ${row.error.code}, got ${JSON.stringify(outcome.usage)}`);
    checkError(row, outcome.error, inBrowser);
  } else {
    assert.ok(outcome.usage, `${id}: expected a usage, got ${outcome.error?.code}: ${outcome.error?.message}`);
    checkUsage(row, outcome.usage);
  }
}

function checkError({ id, error: expected }, actual, inBrowser) {
  const isRedirect = expected.status >= 300 && expected.status < 400;
  // JSON turns undefined members into absent ones.
  assert.deepEqual(
    [actual.code, actual.name, actual.status, actual.errorCode ?? undefined, actual.path ?? undefined],
    [
      expected.code,
      NAMES[expected.code],
      isRedirect && inBrowser ? 0 : expected.status,
      expected.errorCode,
      expected.path,
    ],
    `${id}: [code, name, status, errorCode, path]: ${actual.message}`,
  );
  assert.ok(
    actual.message.includes(expected.message ?? ""),
    `${id}: the message should have "${expected.message}": ${actual.message}`,
  );
  assert.match(actual.message, /^[A-Z].*\.$/s, `${id}: the message should be a sentence`);
}

function checkUsage({ id, usage: expected }, actual) {
  // The rows have 64-bit integers as strings.
  const tokensUsed = Number(expected.tokensUsed);
  const tokensRemaining = Number(expected.tokensRemaining);
  assert.deepEqual(actual, { ...expected, tokensUsed, tokensRemaining }, id);
}
