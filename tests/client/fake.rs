//! The API in memory, as an app's test uses it.

use std::time::Duration;

use bookmore_sdk::{
    AiChatUsageResponse, Client, Error, Format, GetAiChatUsage, ResponseStatus,
    client::{CallOptions, TokenSource},
    testing::{
        Answer, Answers, Failure, FailureBody, FakeBookMore, FakeOptions, Host, UsageMembers, usage,
    },
};

use super::{COMPANY, OTHER, ms, seconds, task::Task};

type Usage = Result<AiChatUsageResponse, Error>;

fn ask(client: &Client<FakeBookMore>) -> Usage {
    let fake = client.transport();
    fake.run(client.get_ai_chat_usage(&GetAiChatUsage::default()))
}

fn share(share: f64) -> UsageMembers {
    UsageMembers::new().share(share)
}

/// The code of the error of a call without retries.
fn code(fake: &FakeBookMore, answers: impl Into<Answers>) -> &'static str {
    fake.set(Some(COMPANY), answers);
    let client = fake.client_builder().max_retries(0);
    let client = client.build(fake.clone()).unwrap();
    let request = GetAiChatUsage::for_company(COMPANY);
    fake.run(client.get_ai_chat_usage(&request))
        .unwrap_err()
        .code()
}

#[test]
fn usage_grows_and_drops_out_of_the_window() {
    let fake = FakeBookMore::new();
    let client = fake.client();
    assert_eq!(ask(&client).unwrap().tokens_remaining, 100_000);
    fake.set(None, share(0.83));
    fake.advance(seconds(24 * 60 * 60));
    fake.record(None, 20_000);
    let over = ask(&client).unwrap();
    assert_eq!(
        (
            over.tokens_used,
            over.tokens_remaining,
            over.is_within_budget
        ),
        (103_000, 0, false)
    );
    fake.advance(seconds(29 * 24 * 60 * 60));
    assert_eq!(ask(&client).unwrap().tokens_used, 20_000);
    fake.set(None, UsageMembers::new().token_limit(50_000));
    let usage = ask(&client).unwrap();
    assert_eq!((usage.tokens_used, usage.token_limit), (20_000, 50_000));
    // Other companies are not affected.
    let other = fake.run(client.get_ai_chat_usage(&GetAiChatUsage::for_company(COMPANY)));
    let other = other.unwrap();
    assert_eq!(
        (other.tokens_used, other.company_id.as_deref()),
        (0, Some(COMPANY))
    );
    fake.reset();
    assert_eq!(ask(&client).unwrap().tokens_used, 0);
    assert_eq!(fake.requests().len(), 1);
}

#[test]
fn each_failure_causes_its_error() {
    let status = Failure::status;
    let expected: [(Answer, &str); 24] = [
        (status(400).into(), "api_error"),
        (status(401).into(), "authentication_error"),
        (
            status(401).body(FailureBody::Empty).into(),
            "authentication_error",
        ),
        (status(403).into(), "permission_denied"),
        (status(404).into(), "api_error"),
        (status(429).retry_after(2).into(), "rate_limited"),
        (Failure::quota().into(), "rate_limited"),
        (status(500).into(), "server_error"),
        (status(503).body(FailureBody::Html).into(), "server_error"),
        (
            status(503).body(FailureBody::StatusOnly).into(),
            "server_error",
        ),
        (status(204).into(), "unexpected_response"),
        (
            status(302).header("location", "/login").into(),
            "unexpected_response",
        ),
        (Failure::login_page().into(), "unexpected_response"),
        (Failure::login_redirect().into(), "unexpected_response"),
        (Failure::moved(None).into(), "unexpected_response"),
        (Failure::expired().into(), "authentication_error"),
        (Failure::other_company(None).into(), "company_mismatch"),
        (
            Failure::other_company(Some(OTHER)).into(),
            "company_mismatch",
        ),
        (Failure::network().into(), "network_error"),
        (Failure::hang().into(), "timeout"),
        (Failure::hang_in_body().into(), "timeout"),
        (Failure::truncated().into(), "network_error"),
        (Failure::truncated_cleanly(None).into(), "decode_error"),
        (Failure::slow(seconds(9), ms(10)).into(), "timeout"),
    ];
    for host in [Host::Classic, Host::CamelCase, Host::Endpoints] {
        let fake = FakeBookMore::with(FakeOptions::new().host(host));
        for (answer, expected) in expected.clone() {
            let shown = format!("{host:?} {answer:?}");
            assert_eq!(code(&fake, answer), expected, "{shown}");
        }
        let error = code(
            &fake,
            share(0.5).response_status(ResponseStatus {
                error_code: Some("Closed".to_owned()),
                ..ResponseStatus::default()
            }),
        );
        assert_eq!(error, "api_error");
        fake.reset();
        fake.set(Some(COMPANY), Failure::no_company());
        let usage = fake.run(
            fake.client()
                .get_ai_chat_usage(&GetAiChatUsage::for_company(COMPANY)),
        );
        assert_eq!(usage.unwrap().company_id, None);
    }
}

#[test]
fn answers_come_one_after_the_other_and_the_last_stays() {
    let fake = FakeBookMore::new();
    let client = fake.client();
    fake.set(
        None,
        [Failure::status(503).times(2).into(), share(0.5).into()],
    );
    assert_eq!(ask(&client).unwrap().tokens_used, 50_000);
    let statuses: Vec<_> = fake
        .requests()
        .iter()
        .map(|request| request.status)
        .collect();
    assert_eq!(statuses, [Some(503), Some(503), Some(200)]);
    assert_eq!(ask(&client).unwrap().tokens_used, 50_000);
    // The failure is used up, and the usage has not changed.
    fake.set(None, Failure::status(403).times(1));
    assert_eq!(ask(&client).unwrap_err().code(), "permission_denied");
    assert_eq!(ask(&client).unwrap().tokens_used, 50_000);
}

#[test]
fn a_retry_waits_for_as_long_as_the_server_asks() {
    let status = || Failure::status(429);
    let fake = FakeBookMore::new();
    let in_nine_seconds = Duration::from_secs(1_000_000_000 + 9);
    for (failure, waited) in [
        (status().retry_after(7), seconds(7)),
        (status().retry_after_ms(700), ms(700)),
        (status().retry_after_at(in_nine_seconds), seconds(9)),
        (status().header("retry-after", "soon"), ms(250)),
    ] {
        let fake = FakeBookMore::new();
        fake.set(None, [failure.into(), share(0.5).into()]);
        ask(&fake.client()).unwrap();
        assert_eq!(fake.elapsed(), waited);
    }
    fake.set(None, Failure::slow(seconds(1), ms(10)));
    let usage = ask(&fake.client()).unwrap();
    assert_eq!(usage.token_limit, 100_000);
    assert!(fake.elapsed() > seconds(2), "{:?}", fake.elapsed());
}

#[test]
fn only_the_right_credentials_are_accepted() {
    let options = FakeOptions::new()
        .bearer_token("new")
        .api_key("0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c");
    let fake = FakeBookMore::with(options);
    assert!(ask(&fake.client()).is_ok());
    let with = |source: TokenSource| {
        let client = fake.client();
        client.set_bearer_token(source).unwrap();
        ask(&client)
    };
    assert_eq!(with("old".into()).unwrap_err().status(), Some(401));
    assert_eq!(with(TokenSource::none()).unwrap_err().status(), Some(401));
    // A token can expire and be renewed.
    let renewed =
        TokenSource::provider(
            |asked| async move { if asked.force_refresh { "new" } else { "old" } },
        );
    assert!(with(renewed).is_ok());
    let key = |key: &str| {
        let builder = Client::builder().base_url(fake.base_url()).api_key(key);
        ask(&builder.build(fake.clone()).unwrap())
    };
    assert!(key("0B6F2F2E-6A7C-4D5E-9C56-2F1F3F0A1B2C").is_ok());
    let other = "11111111-6a7c-4d5e-9c56-2f1f3f0a1b2c";
    assert_eq!(key(other).unwrap_err().status(), Some(401));
    assert_eq!(key("no-guid").unwrap_err().status(), Some(403));
    for request in fake.requests() {
        let shown = format!("{request:?}");
        assert!(
            !["old", "new", "no-guid"].iter().any(|word| {
                shown.contains(&format!("{word}\"")) || shown.contains(&format!("{word} "))
            }),
            "{shown}"
        );
    }
}

#[test]
fn requests_are_recorded() {
    let fake = FakeBookMore::new();
    let client = fake.client();
    fake.set(Some(COMPANY), Failure::hang());
    let mut call = Task::of(&client, COMPANY, CallOptions::new().format(Format::Jsonl));
    assert!(call.poll().is_pending());
    fake.advance(seconds(1));
    drop(call);
    let requests = fake.requests();
    let [request] = requests.as_slice() else {
        panic!("{requests:?}")
    };
    assert_eq!(request.company_id.as_deref(), Some(COMPANY));
    assert_eq!(request.format, Some(Format::Jsonl));
    assert_eq!(request.cancelled_at, Some(seconds(1)));
    assert_eq!((request.status, &request.mismatch), (None, &None));
    let authorization = request
        .headers
        .iter()
        .find(|(name, _)| name == "Authorization");
    assert_eq!(authorization.unwrap().1, "Bearer [secret]");
}

#[test]
fn a_request_to_another_address_is_refused_with_the_difference() {
    let fake = FakeBookMore::new();
    let client = Client::builder()
        .base_url("https://other.example/v2")
        .build(fake.clone())
        .unwrap();
    let error = ask(&client).unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        (
            "config_error",
            "The fake BookMore API cannot answer GET https://other.example/v2/assistant/ai-chat/usage: it goes to https://other.example/v2/assistant/ai-chat/usage, not https://api.bookmore.com; the path is /v2/assistant/ai-chat/usage, not /assistant/ai-chat/usage."
        )
    );
    assert_eq!(fake.requests()[0].mismatch, Some(error.to_string()));
    assert!(ask(&fake.client()).is_ok());
}

#[test]
fn a_usage_is_made_of_a_few_members() {
    let made = |members: UsageMembers| {
        let usage = usage(members);
        (
            usage.tokens_used,
            usage.token_limit,
            usage.tokens_remaining,
            usage.is_within_budget,
        )
    };
    let members = UsageMembers::new;
    assert_eq!(made(members()), (0, 100_000, 100_000, true));
    assert_eq!(made(share(0.83)), (83_000, 100_000, 17_000, true));
    assert_eq!(made(share(0.9999).token_limit(3)), (2, 3, 1, true));
    assert_eq!(made(share(1.5)), (150_000, 100_000, 0, false));
    assert_eq!(
        made(members().is_within_budget(false)),
        (100_000, 100_000, 0, false)
    );
    assert_eq!(
        made(members().tokens_used(5).tokens_remaining(7)),
        (5, 12, 7, true)
    );
    assert_eq!(
        made(members().tokens_remaining(1)),
        (99_999, 100_000, 1, true)
    );
}

#[test]
fn impossible_values_panic_with_a_sentence() {
    let sentence = |run: fn()| {
        let panic = std::panic::catch_unwind(run).unwrap_err();
        *panic.downcast::<String>().unwrap()
    };
    for (run, words) in [
        (
            (|| {
                drop(usage(
                    UsageMembers::new().tokens_used(5).is_within_budget(false),
                ))
            }) as fn(),
            "A usage of 5 of 100000 tokens cannot have is_within_budget false: it is true. Leave it out, or change the others.",
        ),
        (
            || drop(usage(UsageMembers::new().tokens_used(-1))),
            "tokens_used must be at least 0, not -1.",
        ),
        (
            || drop(usage(UsageMembers::new().share(f64::NAN))),
            "share must be a number of at least 0, such as 0.83, not NaN.",
        ),
        (
            || FakeBookMore::new().set(Some("abc"), Failure::quota()),
            "A company id must be a Guid, such as 9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c, not \"abc\".",
        ),
        (
            || FakeBookMore::new().set(None, Failure::quota().times(0)),
            "times must be at least 1, not 0.",
        ),
        (
            || drop(Failure::status(99)),
            "A status must be from 200 to 599, not 99.",
        ),
    ] {
        assert_eq!(sentence(run), words);
    }
}
