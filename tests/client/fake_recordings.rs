//! Compares the API in memory with the recordings: for the same request, it
//! sends the same body as the recorded host.

use std::{collections::BTreeMap, time::Duration};

use bookmore_sdk::{
    Error, HttpRequest, ResponseError, ResponseStatus, StringMap, Transport,
    testing::{Failure, FailureBody, FakeBookMore, FakeOptions, Host, UsageMembers},
    transport::Body,
};

use super::common::{Exchange, exchanges};

const OWN: Option<&str> = None;

/// What the recorded host did for the companies of the recordings. It chose by
/// the company id, which ends in `company`. tests/server/scenarios.mjs has the
/// same for the npm package's kit.
fn set(fake: &FakeBookMore) {
    let id = |company: u32| format!("5ca1ab1e-0000-4000-8000-{company:012}");
    let used = |tokens: i64| UsageMembers::new().tokens_used(tokens);
    let usage = |company: u32, members: UsageMembers| fake.set(Some(&id(company)), members);
    let fails = |company: u32, failure: Failure| fake.set(Some(&id(company)), failure);
    let error = |company: u32, status: u16, code: &str, message: &str| {
        let failure = Failure::status(status).error_code(code).message(message);
        fails(company, failure.into());
    };
    let text = |text: &str| Some(text.to_owned());
    let of_five = || used(5).token_limit(10);
    let status = ResponseStatus::default;

    fake.set(OWN, used(1234));
    fake.set(Some("9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"), used(1234));
    usage(1, used(0));
    usage(2, used(2_500_000_000).token_limit(1_000_000));
    usage(3, used(9_007_199_254_740_993).token_limit(i32::MAX));
    usage(4, used(i64::MAX).token_limit(0));
    usage(5, UsageMembers::new().is_within_budget(false));
    usage(6, used(77));
    fails(6, Failure::other_company(None));
    usage(7, used(77));
    fails(7, Failure::no_company());
    usage(
        200,
        of_five().response_status(ResponseStatus {
            message: text("Usage is recalculated hourly"),
            ..status()
        }),
    );
    let meta = [("Region", "eu-north"), ("lowerKey", "Ä")];
    let meta = meta.map(|(key, value)| (key.to_owned(), value.to_owned()));
    usage(
        201,
        of_five().response_status(ResponseStatus {
            meta: Some(StringMap(meta.into())),
            ..status()
        }),
    );
    usage(
        202,
        used(0).token_limit(0).response_status(ResponseStatus {
            error_code: text("BudgetClosed"),
            message: text("The budget of this company is closed"),
            ..status()
        }),
    );
    fails(204, Failure::status(204).into());
    error(206, 500, "TaskCanceledException", "A task was canceled.");
    fails(
        302,
        Failure::status(302).header("Location", "/login").into(),
    );
    let argument = ResponseError {
        error_code: text("ArgumentException"),
        field_name: text("CompanyId"),
        message: text("A company without assistant"),
        meta: None,
    };
    let failure = Failure::status(400).errors(vec![argument]);
    let message = "A company without assistant (Parameter 'CompanyId')";
    fails(400, failure.message(message).into());
    let ended = Failure::status(401).message("Your session has ended");
    fails(401, ended.body(FailureBody::ZeroFilled).into());
    fails(402, Failure::status(402).into());
    let message = "You do not have access to company \"Åre & Söner\"\n(line two)";
    fails(403, Failure::status(403).message(message).into());
    error(4030, 403, "UnauthorizedAccessException", "No admin role");
    fails(404, Failure::status(404).into());
    fails(409, Failure::status(409).into());
    let invalid = "'Company Id' must not be 'Ängsgatan 🏢'.";
    let hint = StringMap(vec![("hint".to_owned(), "x".to_owned())]);
    let errors = vec![
        ResponseError {
            error_code: text("NotEqual"),
            field_name: text("CompanyId"),
            message: text(invalid),
            meta: Some(hint),
        },
        ResponseError {
            error_code: text("Predicate"),
            field_name: text(""),
            message: text("The request is not valid."),
            meta: Some(StringMap::default()),
        },
    ];
    let message =
        format!("Validation failed: \n -- CompanyId: {invalid}\n -- : The request is not valid.");
    let failure = Failure::status(500).error_code("ValidationException");
    fails(422, failure.message(message).errors(errors).into());
    let failure = Failure::status(423).error_code("Locked").errors(None);
    fails(423, failure.message("Locked by another user").into());
    fails(429, Failure::status(429).retry_after(7).into());
    fails(4290, Failure::quota());
    fails(500, Failure::status(500).into());
    let message = "The method or operation is not implemented.";
    error(501, 405, "NotImplementedException", message);
    // 2026-11-22T23:59:59Z
    let failure = Failure::status(503).retry_after_at(Duration::from_secs(1_795_391_999));
    fails(503, failure.message("Maintenance").into());
    fails(5030, Failure::status(503).body(FailureBody::Html).into());
    let words = FailureBody::Text("plain words".to_owned());
    fails(600, Failure::status(200).body(words).into());
    usage(601, used(9).token_limit(10));
}

/// Requests that the fake does not answer: why, and how many recordings have
/// one. Those that it refuses are mistakes of the caller.
fn exception(exchange: &Exchange) -> Option<(&'static str, bool)> {
    let path = exchange.path.to_ascii_lowercase();
    let (_, query) = path.split_once('?').unwrap_or_default();
    let has = |name: &str| query.split('&').any(|pair| pair.starts_with(name));
    let is_empty = |pair: &str| pair == "companyid" || pair == "companyid=";
    Some(if path.contains("/usage-list") {
        ("a list, which the API does not have", true)
    } else if !path.starts_with("/assistant/") {
        (
            "another route of the operation (/api/…, /json/reply/…)",
            true,
        )
    } else if has("callback=") || has("jsconfig=") {
        ("a JSONP or jsconfig parameter", true)
    } else if has("nope=") {
        ("a parameter that the API does not have", true)
    } else if query.split('&').any(is_empty) {
        ("an empty CompanyId", true)
    } else if exchange.id.contains("remaining-past") {
        ("TokensRemaining that the other members contradict", false)
    } else if exchange.response.body_is("plain words") {
        (
            "a body of bare words, which the test gives word for word",
            false,
        )
    } else if exchange.is_compressed {
        ("a compressed body", false)
    } else {
        return None;
    })
}

trait BodyIs {
    fn body_is(&self, text: &str) -> bool;
}

impl BodyIs for bookmore_sdk::HttpResponse {
    fn body_is(&self, text: &str) -> bool {
        matches!(&self.body, Body::Whole(bytes) if bytes == text.as_bytes())
    }
}

fn ask(exchange: &Exchange) -> Result<bookmore_sdk::HttpResponse, Error> {
    let host = match exchange.host {
        "camel" | "cors-open" | "gzip" => Host::CamelCase,
        "endpoints" => Host::Endpoints,
        _ => Host::Classic,
    };
    let options = FakeOptions::new()
        .host(host)
        .bearer_token("good-token")
        .api_key("0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c");
    let fake = FakeBookMore::with(options);
    set(&fake);
    let mut request = HttpRequest::new(format!("{}{}", fake.base_url(), exchange.path));
    request.headers.clone_from(&exchange.headers);
    fake.run(fake.send(request, |_| ()))
}

#[test]
fn the_recordings_are_answered_with_the_same_bytes() {
    let (mut asked, mut same, mut counts) = (0, 0, BTreeMap::new());
    for exchange in exchanges() {
        let recorded = &exchange.response;
        let content_type = recorded.header("content-type").unwrap_or_default();
        let is_json = ["application/json", "text/jsonl"]
            .iter()
            .any(|kind| content_type.starts_with(kind));
        if exchange.method != "GET" || !is_json || recorded.body_is("") {
            continue;
        }
        asked += 1;
        let id = &exchange.id;
        let came = ask(&exchange);
        if let Some((reason, is_refused)) = exception(&exchange) {
            *counts.entry(reason).or_insert(0) += 1;
            assert_eq!(came.is_err(), is_refused, "{id}");
            continue;
        }
        let came = came.unwrap_or_else(|error| panic!("{id}: {error}"));
        let (Body::Whole(own), Body::Whole(theirs)) = (&came.body, &recorded.body) else {
            panic!("{id} is whole")
        };
        assert_eq!(
            String::from_utf8_lossy(own),
            String::from_utf8_lossy(theirs),
            "{id}"
        );
        assert_eq!(own, theirs, "{id}");
        assert_eq!(came.status, recorded.status, "{id}");
        for name in ["content-type", "retry-after"] {
            assert_eq!(came.header(name), recorded.header(name), "{id}: {name}");
        }
        same += 1;
    }
    println!("{asked} recorded GETs in JSON or JSONL: {same} the same, byte for byte");
    for (reason, count) in &counts {
        println!("{count} not: {reason}");
    }
    assert_eq!((same, counts.values().sum::<i32>()), (162, 29));
}
