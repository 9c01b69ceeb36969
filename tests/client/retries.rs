//! What is retried, and when.

use std::time::Duration;

use bookmore_sdk::{Client, Error, testing::Reply};

use super::{ask, ms, ok, status, times, written};

#[test]
fn temporary_failures_are_retried() {
    let mut retried = vec![
        Reply::lost(),
        Reply::never(),
        status(200).without_body(),
        Reply::json(r#"{"tokensUsed":5,"#).breaks_off(),
        Reply::json(r#"{"tokensUsed":5,"tok"#),
    ];
    retried.extend([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524].map(status));
    for reply in retried {
        let transport = written([reply, ok()]);
        let builder = Client::builder().attempt_timeout(ms(100));
        let reply = ask(builder, &transport).unwrap();
        assert_eq!(reply.data.tokens_used, 5);
        assert_eq!(reply.attempts.len(), 2);
        assert!(reply.attempts[0].error.is_some());
        assert_eq!(
            (reply.attempts[1].status, reply.attempts[1].error),
            (Some(200), None)
        );
    }
}

#[test]
fn permanent_failures_are_not_retried() {
    let with_code = |code: u16, error: &str| {
        status(code).body(format!(
            r#"{{"ResponseStatus":{{"ErrorCode":"{error}","Message":"No."}}}}"#
        ))
    };
    let problem =
        r#"{"type":"https://errors.example/quota-exceeded","title":"No more","status":429}"#;
    let mut final_ones = vec![
        with_code(200, "ServerBusy"),
        with_code(429, "insufficient_quota"),
        with_code(429, "QuotaExceeded"),
        with_code(429, "monthly_token_limit_exceeded"),
        status(429).body(problem),
        Reply::json(r#"{"tokensUsed":"a lot"}"#),
        status(200).header("content-type", "text/html").body("<p>"),
    ];
    final_ones.extend(
        [
            204, 206, 302, 400, 401, 402, 403, 404, 405, 409, 410, 422, 501, 505,
        ]
        .map(status),
    );
    for reply in final_ones {
        let transport = written([reply, ok()]);
        ask(Client::builder(), &transport).unwrap_err();
        assert_eq!(times(&transport).len(), 1);
    }
}

#[test]
fn there_are_two_retries_by_default() {
    for (retries, builder) in [
        (2, Client::builder()),
        (0, Client::builder().max_retries(0)),
        (10, Client::builder().max_retries(10).total_timeout(None)),
    ] {
        let transport = written(vec![status(503); 12]);
        let error = ask(builder, &transport).unwrap_err();
        assert_eq!(error.code(), "server_error");
        assert_eq!(times(&transport).len(), retries + 1);
    }
    let refused = Client::builder().max_retries(11).build(written([]));
    assert_eq!(
        refused.err().unwrap().to_string(),
        "There can be 0 to 10 retries."
    );
}

#[test]
fn waits_double_up_to_eight_seconds_with_jitter_of_up_to_half() {
    for (chance, factor) in [(0.0, 0.5), (0.999_999, 0.999_999_5)] {
        let transport = written(vec![status(503); 11]);
        transport.set_random(chance);
        let builder = Client::builder().max_retries(8).total_timeout(None);
        ask(builder, &transport).unwrap_err();
        let times = times(&transport);
        let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let whole = [
            500.0, 1000.0, 2000.0, 4000.0, 8000.0, 8000.0, 8000.0, 8000.0,
        ];
        assert_eq!(waits.len(), whole.len());
        for (wait, whole) in waits.iter().zip(whole) {
            assert!((wait - whole * factor).abs() < 0.01, "{waits:?}");
        }
    }
}

#[test]
fn no_retry_is_earlier_than_the_server_asked() {
    for (name, value, asked) in [
        ("retry-after-ms", "700", 700.0_f64),
        ("retry-after", "1", 1000.0),
        ("retry-after", "20", 20_000.0),
        ("ratelimit", r#""default";r=0;t=3"#, 3000.0),
        // Never less than the client's own wait.
        ("retry-after", "0", 250.0),
        ("retry-after", "soon", 250.0),
        ("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT", 250.0),
    ] {
        for (chance, most) in [
            (0.0, 0.0),
            (0.999_999, (asked.max(500.0_f64) / 10.0).min(1000.0)),
        ] {
            let transport = written([status(503).header(name, value), ok()]);
            transport.set_random(chance);
            ask(Client::builder(), &transport).unwrap();
            let waited = times(&transport)[1];
            assert!(
                (asked..=asked.max(500.0) + most).contains(&waited),
                "{name}: {value}: {waited}"
            );
        }
    }
}

#[test]
fn a_retry_after_date_is_read_by_the_servers_clock() {
    let reply = status(503)
        .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("retry-after", "Sun, 06 Nov 1994 08:49:39 GMT");
    let transport = written([reply, ok()]);
    ask(Client::builder(), &transport).unwrap();
    assert_eq!(times(&transport)[1], 2000.0);
}

#[test]
fn a_wait_that_is_too_long_fails_at_once_with_retry_at() {
    for (value, builder) in [
        ("61", Client::builder().total_timeout(None)),
        ("3600", Client::builder()),
        ("30", Client::builder()),
        ("2", Client::builder().total_timeout(ms(2000))),
    ] {
        let transport = written([status(429).header("retry-after", value), ok()]);
        let error = ask(builder, &transport).unwrap_err();
        assert_eq!(times(&transport), [0.0]);
        let asked = value.parse::<u64>().unwrap();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(asked)));
        let Error::Api(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!(
            error.retry_at,
            Some(1_000_000_000_000.0 + asked as f64 * 1e3)
        );
    }
    let transport = written([status(503).header("retry-after", "60"), ok()]);
    transport.set_random(0.999_999);
    ask(Client::builder().total_timeout(None), &transport).unwrap();
    assert!(times(&transport)[1] >= 60_000.0);
}
