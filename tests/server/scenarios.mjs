// What the recorded host did for the companies of the recordings, as arguments of the fake's `set(companyId, answers)`.
// The host chose by the company id, 5ca1ab1e-0000-4000-8000- and twelve digits.

/** The credentials that the recorded host accepts. */
export const CREDENTIALS = { bearerToken: "good-token", apiKey: "0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c" };

const of = (digits) => `5ca1ab1e-0000-4000-8000-${String(digits).padStart(12, "0")}`;
const CLOSED = { errorCode: "BudgetClosed", message: "The budget of this company is closed" };
const INVALID = "'Company Id' must not be 'Ängsgatan 🏢'.";

/** `[name, companyId, ...answers]`: the answers are set one after the other. Without an id: the logged-in user's company. */
export const SCENARIOS = [
  ["own", undefined, { tokensUsed: 1234 }],
  ["company", "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c", { tokensUsed: 1234 }],
  ["zero-used", of(1), { tokensUsed: 0 }],
  ["over-limit", of(2), { tokensUsed: 2_500_000_000, tokenLimit: 1_000_000 }],
  ["past-2-53", of(3), { tokensUsed: 9007199254740993n, tokenLimit: 2147483647 }],
  ["int64-max", of(4), { tokensUsed: 9223372036854775807n, tokenLimit: 0 }],
  ["at-limit", of(5), { isWithinBudget: false }],
  ["other-company", of(6), { tokensUsed: 77 }, { kind: "other-company" }],
  ["empty-guid-in-reply", of(7), { tokensUsed: 77 }, { kind: "no-company" }],
  ["ok-with-message", of(200), { tokensUsed: 5, tokenLimit: 10, responseStatus: { message: "Usage is recalculated hourly" } }],
  ["ok-with-meta", of(201), { tokensUsed: 5, tokenLimit: 10, responseStatus: { meta: { Region: "eu-north", lowerKey: "Ä" } } }],
  ["ok-status-with-error-code", of(202), { tokensUsed: 0, tokenLimit: 0, responseStatus: CLOSED }],
  ["null-result", of(204), { status: 204 }],
  ["task-canceled", of(206), { status: 500, errorCode: "TaskCanceledException", message: "A task was canceled." }],
  ["redirect-login", of(302), { status: 302, headers: { Location: "/login" } }],
  ["argument-exception", of(400), {
    status: 400,
    message: "A company without assistant (Parameter 'CompanyId')",
    errors: [{ errorCode: "ArgumentException", fieldName: "CompanyId", message: "A company without assistant" }],
  }],
  ["unauthorized-by-service", of(401), { status: 401, message: "Your session has ended", body: "zero-filled" }],
  ["payment-required", of(402), { status: 402 }],
  ["forbidden-unicode", of(403), { status: 403, message: 'You do not have access to company "Åre & Söner"\n(line two)' }],
  ["unauthorized-access-exception", of(4030), { status: 403, errorCode: "UnauthorizedAccessException", message: "No admin role" }],
  ["not-found", of(404), { status: 404 }],
  ["conflict", of(409), { status: 409 }],
  ["validation", of(422), {
    status: 500,
    errorCode: "ValidationException",
    message: `Validation failed: \n -- CompanyId: ${INVALID}\n -- : The request is not valid.`,
    errors: [
      { errorCode: "NotEqual", fieldName: "CompanyId", message: INVALID, meta: { hint: "x" } },
      { errorCode: "Predicate", fieldName: "", message: "The request is not valid.", meta: {} },
    ],
  }],
  ["locked-dto", of(423), { status: 423, errorCode: "Locked", message: "Locked by another user", errors: null }],
  ["too-many-retry-after", of(429), { status: 429, retryAfter: 7 }],
  ["quota", of(4290), { kind: "quota" }],
  ["server-error", of(500), { status: 500 }],
  ["not-implemented", of(501), {
    status: 405,
    errorCode: "NotImplementedException",
    message: "The method or operation is not implemented.",
  }],
  ["unavailable-http-date", of(503), {
    status: 503,
    message: "Maintenance",
    retryAfter: new Date("2026-11-22T23:59:59Z"),
  }],
  ["html-503", of(5030), { status: 503, body: "html" }],
  ["plain-string", of(600), { status: 200, body: { text: "plain words" } }],
  ["extra-headers", of(601), { tokensUsed: 9, tokenLimit: 10 }],
];

export function setScenarios(fake) {
  for (const [, companyId, ...answers] of SCENARIOS) for (const each of answers) fake.set(companyId, each);
}
