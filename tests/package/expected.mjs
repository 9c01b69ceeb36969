// Compares what a call of the npm package came to with a row of tests/fixtures/outcomes.json.
import assert from "node:assert/strict";

// The class that stands for each code.
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
 * Throws an AssertionError where `outcome` is not what `row` says.
 * `outcome` is `{ usage }` or `{ error: { name, code, status, errorCode, path, message } }`.
 * `inBrowser`: a browser keeps the status of a redirect to itself, so that it is 0.
 */
export function checkOutcome(row, outcome, { inBrowser = false } = {}) {
  const { id } = row;
  // A row with both has a usage that a JavaScript number cannot hold.
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
  // Absent members are expected to be absent; a member that JSON cannot carry is absent as well.
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
  // The rows have what the API calls a long as a string.
  const tokensUsed = Number(expected.tokensUsed);
  const tokensRemaining = Number(expected.tokensRemaining);
  assert.deepEqual(actual, { ...expected, tokensUsed, tokensRemaining }, id);
}
