// The public types of "bookmore-sdk/testing". Compiled, never run.
import * as sdk from "bookmore-sdk";
import * as testing from "bookmore-sdk/testing";
import type {
  Answers, CorsPolicy, ExpiredFailure, Failure, FakeBookMore, FakeOptions, FakeRequest, HangFailure, Host, LoginPageFailure,
  LoginRedirectFailure, MovedFailure, NetworkFailure, NoCompanyFailure, OtherCompanyFailure, QuotaFailure, SlowReply, StatusFailure, TruncatedFailure, UsageMembers,
} from "bookmore-sdk/testing";

same<keyof typeof testing, "createFakeBookMore" | "usage" | "RequestMismatchError">();
same<typeof testing.createFakeBookMore, (options?: FakeOptions) => FakeBookMore>();
same<typeof testing.usage, (members?: UsageMembers) => sdk.AiChatUsageResponse>();
same<keyof FakeBookMore, "fetch" | "baseUrl" | "companyId" | "cors" | "client" | "requests" | "set" | "record" | "advance" | "reset">();
same<FakeBookMore["fetch"], typeof fetch>();
same<ReturnType<FakeBookMore["client"]>, sdk.BookMoreClient>();
same<FakeBookMore["requests"], readonly FakeRequest[]>();
same<keyof FakeOptions, "baseUrl" | "companyId" | "bearerToken" | "apiKey" | "host" | "cors">();
same<Host, "classic" | "camelCase" | "endpoints">();
same<CorsPolicy, "servicestack-default" | "open" | "allow-list" | "none" | "wildcard-with-credentials" | "preflight-405">();
same<
  Failure,
  | StatusFailure | QuotaFailure | LoginPageFailure | LoginRedirectFailure | MovedFailure | ExpiredFailure | OtherCompanyFailure | NoCompanyFailure | NetworkFailure
  | HangFailure | TruncatedFailure | SlowReply
>();
same<Answers, UsageMembers | Failure | readonly (UsageMembers | Failure)[]>();

export function used(fake: FakeBookMore, usage: sdk.AiChatUsageResponse, many: bigint): Error {
  new sdk.BookMoreClient({ fetch: fake.fetch });
  fake.set(undefined, usage);
  fake.set("9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c", testing.usage({ share: 0.83 }));
  fake.set(undefined, { tokensUsed: many, windowDays: 7 });
  fake.set(undefined, [{ status: 503, times: 2 }, { kind: "hang", phase: "body" }, { share: 1.2 }]);
  fake.set(undefined, { status: 429, retryAfter: new Date(), body: { text: "" }, errors: null });
  // @ts-expect-error: no such kind
  fake.set(undefined, { kind: "netwrk" });
  // @ts-expect-error: no such member
  fake.set(undefined, { status: 429, retryafter: 2 });
  // @ts-expect-error: of another kind
  fake.set(undefined, { kind: "network", phase: "body" });
  // @ts-expect-error: the log is read-only
  fake.requests.push();
  return new testing.RequestMismatchError("");
}
