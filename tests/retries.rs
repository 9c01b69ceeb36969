//! Hours of trouble in milliseconds: what is tried again, when, and for how
//! long.
#![cfg(not(target_arch = "wasm32"))]

use std::{ops::Range, sync::Mutex, time::Duration};

use bookmore_sdk::{
    Client, ClientBuilder, Error, GetAiChatUsage, Transport,
    client::{CallOptions, WithResponse},
    error::{Phase, Scope},
    testing::{Reply, VirtualTransport},
};
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};

const USAGE: &str =
    r#"{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;

fn ok() -> Reply {
    Reply::json(USAGE)
}

fn status(status: u16) -> Reply {
    Reply::status(status)
}

fn replying(replies: impl IntoIterator<Item = Reply>) -> VirtualTransport {
    replies
        .into_iter()
        .fold(VirtualTransport::new(), VirtualTransport::reply)
}

/// A server that answers 503 in this time, in milliseconds.
fn down(outage: Range<f64>) -> VirtualTransport {
    VirtualTransport::new().respond_with(move |sent| {
        let is_down = outage.contains(&(sent.at.as_secs_f64() * 1e3));
        if is_down { status(503) } else { ok() }
    })
}

fn ask(builder: ClientBuilder, transport: &VirtualTransport) -> Result<WithResponse, Error> {
    let client = builder.build(transport.clone()).unwrap();
    let options = CallOptions::default();
    transport.run(client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options))
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// When each request was sent, in milliseconds.
fn times(transport: &VirtualTransport) -> Vec<f64> {
    let sent = transport.requests();
    sent.iter()
        .map(|sent| sent.at.as_secs_f64() * 1e3)
        .collect()
}

// ---- What is tried again ----

#[test]
fn what_may_go_better_is_tried_again() {
    let mut retried = vec![
        Reply::lost(),
        Reply::never(),
        status(200).without_body(),
        Reply::json(r#"{"tokensUsed":5,"#).breaks_off(),
        Reply::json(r#"{"tokensUsed":5,"tok"#),
    ];
    retried.extend([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524].map(status));
    for reply in retried {
        let transport = replying([reply, ok()]);
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
fn what_will_not_go_better_is_told_at_once() {
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
        let transport = replying([reply, ok()]);
        ask(Client::builder(), &transport).unwrap_err();
        assert_eq!(times(&transport).len(), 1);
    }
}

#[test]
fn there_are_two_retries_unless_told_otherwise() {
    for (retries, builder) in [
        (2, Client::builder()),
        (0, Client::builder().max_retries(0)),
        (10, Client::builder().max_retries(10).total_timeout(None)),
    ] {
        let transport = replying(vec![status(503); 12]);
        let error = ask(builder, &transport).unwrap_err();
        assert_eq!(error.code(), "server_error");
        assert_eq!(times(&transport).len(), retries + 1);
    }
    let refused = Client::builder().max_retries(11).build(replying([]));
    assert_eq!(
        refused.err().unwrap().to_string(),
        "There can be 0 to 10 retries."
    );
}

#[test]
fn waits_double_up_to_eight_seconds_and_chance_halves_them_at_most() {
    for (chance, factor) in [(0.0, 0.5), (0.999_999, 0.999_999_5)] {
        let transport = replying(vec![status(503); 11]);
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

// ---- What the server asks for ----

#[test]
fn no_retry_comes_earlier_than_asked() {
    for (name, value, asked) in [
        ("retry-after-ms", "700", 700.0_f64),
        ("retry-after", "1", 1000.0),
        ("retry-after", "20", 20_000.0),
        ("ratelimit", r#""default";r=0;t=3"#, 3000.0),
        // No storm: the client's own wait is the least.
        ("retry-after", "0", 250.0),
        ("retry-after", "soon", 250.0),
        ("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT", 250.0),
    ] {
        for (chance, most) in [
            (0.0, 0.0),
            (0.999_999, (asked.max(500.0_f64) / 10.0).min(1000.0)),
        ] {
            let transport = replying([status(503).header(name, value), ok()]);
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
fn a_date_counts_by_the_clock_of_the_server() {
    let reply = status(503)
        .header("date", "Sun, 06 Nov 1994 08:49:37 GMT")
        .header("retry-after", "Sun, 06 Nov 1994 08:49:39 GMT");
    let transport = replying([reply, ok()]);
    ask(Client::builder(), &transport).unwrap();
    assert_eq!(times(&transport)[1], 2000.0);
}

#[test]
fn who_would_wait_too_long_is_told_when_to_come_back() {
    for (value, builder) in [
        ("61", Client::builder().total_timeout(None)),
        ("3600", Client::builder()),
        ("30", Client::builder()),
        ("2", Client::builder().total_timeout(ms(2000))),
    ] {
        let transport = replying([status(429).header("retry-after", value), ok()]);
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
    let transport = replying([status(503).header("retry-after", "60"), ok()]);
    transport.set_random(0.999_999);
    ask(Client::builder().total_timeout(None), &transport).unwrap();
    assert!(times(&transport)[1] >= 60_000.0);
}

// ---- Deadlines ----

#[test]
fn an_attempt_that_takes_too_long_is_followed_by_another() {
    let transport = replying([
        Reply::never(),
        status(200).without_body(),
        status(200).without_body(),
    ]);
    let error = ask(Client::builder().attempt_timeout(ms(1000)), &transport).unwrap_err();
    let Error::Timeout(timeout) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (timeout.phase, timeout.scope),
        (Phase::Body, Scope::Attempt)
    );
    assert_eq!(timeout.timeout(), ms(1000));
    assert_eq!(
        error.to_string(),
        "The reply was not complete within 1000 ms. Try again, or allow more time."
    );
    assert_eq!(times(&transport), [0.0, 1250.0, 2750.0]);
    assert!(
        transport
            .requests()
            .iter()
            .all(|sent| sent.cancelled_at.is_some())
    );
}

#[test]
fn the_total_limit_cuts_an_attempt_short_and_is_final() {
    let transport = replying(vec![Reply::never(); 3]);
    let builder = Client::builder()
        .attempt_timeout(ms(1000))
        .total_timeout(ms(1500));
    let error = ask(builder, &transport).unwrap_err();
    let Error::Timeout(timeout) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (timeout.phase, timeout.scope),
        (Phase::Headers, Scope::Total)
    );
    assert_eq!(timeout.timeout(), ms(1500));
    assert_eq!(transport.elapsed(), ms(1500));
    assert_eq!(times(&transport).len(), 2);
}

#[test]
fn no_time_for_the_wait_is_told_with_the_failure() {
    let transport = replying([status(503), ok()]);
    let error = ask(Client::builder().total_timeout(ms(200)), &transport).unwrap_err();
    let Error::Timeout(timeout) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (timeout.phase, timeout.scope),
        (Phase::Backoff, Scope::Total)
    );
    assert_eq!(timeout.last.as_ref().unwrap().status(), Some(503));
    assert_eq!(times(&transport), [0.0]);
    assert!(error.to_string().starts_with("The time limit of 200 ms leaves none for another attempt. The last one: The server refused the request (503)"));
}

#[test]
fn limits_can_be_switched_off_and_must_fit_a_timer() {
    let transport = replying([ok().after(Duration::from_secs(3600))]);
    let builder = Client::builder().attempt_timeout(None).total_timeout(None);
    assert_eq!(
        ask(builder, &transport).unwrap().elapsed,
        Duration::from_secs(3600)
    );
    for limit in [ms(0), ms(1 << 31), Duration::from_micros(999)] {
        for builder in [
            Client::builder().attempt_timeout(limit),
            Client::builder().total_timeout(limit),
        ] {
            assert_eq!(
                builder.build(replying([])).err().unwrap().to_string(),
                "A time limit must be from 1 to 2147483647 milliseconds."
            );
        }
    }
    let transport = replying([]);
    let client = Client::builder().build(transport.clone()).unwrap();
    let options = CallOptions::new().total_timeout(ms(0));
    let refused =
        transport.run(client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options));
    assert_eq!(refused.unwrap_err().code(), "config_error");
}

#[test]
fn a_mocked_chance_ends_every_call_all_the_same() {
    for number in [f64::NAN, 1.0, -1.0, f64::INFINITY] {
        let transport = replying([status(503), ok()]);
        transport.set_random(number);
        ask(Client::builder(), &transport).unwrap();
        assert_eq!(times(&transport), [0.0, 375.0], "{number}");
    }
}

// ---- The pace of retries ----

/// `count` calls at once that share nothing but the client.
fn at_once(
    client: &Client<VirtualTransport>,
    count: usize,
    options: &CallOptions,
) -> Vec<Result<WithResponse, Error>> {
    let request = GetAiChatUsage::default();
    let calls = (0..count).map(|_| client.get_ai_chat_usage_with(&request, options));
    client.transport().run(join_all(calls))
}

#[test]
fn ten_retries_go_at_once_and_then_two_a_second() {
    let transport = down(0.0..250.1);
    let builder = Client::builder().coalesce(false);
    let client = builder.clone().build(transport.clone()).unwrap();
    let calls = at_once(&client, 16, &CallOptions::new());
    assert!(calls.iter().all(Result::is_ok));
    // Ten are served at once, and half a one in the quarter of a second; what
    // they come to, 503, serves none.
    let retries = &times(&transport)[16..];
    assert_eq!(retries[..10], [250.0; 10]);
    assert_eq!(retries[10], 500.0);

    // A success serves one, so that all who wait go on at once.
    let transport = down(0.0..1.0);
    let client = builder.clone().build(transport.clone()).unwrap();
    at_once(&client, 30, &CallOptions::new());
    assert_eq!(times(&transport)[30..], [250.0; 30]);

    let transport = down(0.0..250.1);
    let client = builder
        .retry_pacing(false)
        .build(transport.clone())
        .unwrap();
    at_once(&client, 30, &CallOptions::new());
    assert_eq!(times(&transport)[30..60], [250.0; 30]);
}

#[test]
fn who_has_no_time_for_its_turn_is_told_when_it_comes() {
    let transport = down(0.0..f64::INFINITY);
    let client = Client::builder()
        .coalesce(false)
        .max_retries(1)
        .build(transport.clone())
        .unwrap();
    let options = CallOptions::new().total_timeout(ms(2000));
    let calls = at_once(&client, 20, &options);
    let errors: Vec<_> = calls.into_iter().map(Result::unwrap_err).collect();
    assert!(errors.iter().all(|error| error.status() == Some(503)));
    let turns = errors.iter().filter(|error| error.retry_at().is_some());
    let turns: Vec<_> = turns.map(|error| error.retry_at().unwrap()).collect();
    // The 14th turn comes after two seconds, which is too late.
    assert_eq!(turns, [1e12 + 2000.0; 7]);
    assert_eq!(times(&transport).len(), 20 + 13);
}

/// 100 calls a second through an outage of a minute: the server gets little
/// more than that, not three times as many.
#[test]
fn a_busy_client_does_not_storm_a_server_that_is_down() {
    const SECONDS: usize = 90;
    let transport = down(15_000.0..75_000.0);
    let client = Client::builder()
        .coalesce(false)
        .build(transport.clone())
        .unwrap();
    let failed = Mutex::new(0);
    let call = async |at: f64| {
        transport.sleep(at).await;
        if client
            .get_ai_chat_usage(&GetAiChatUsage::default())
            .await
            .is_err()
        {
            *failed.lock().unwrap() += 1;
        }
    };
    let calls: FuturesUnordered<_> = (0..SECONDS * 100)
        .map(|number| call(number as f64 * 10.0))
        .collect();
    transport.run(calls.for_each(async |()| {}));
    let mut arrived = [0; SECONDS + 60];
    for at in times(&transport) {
        arrived[(at / 1000.0) as usize] += 1;
    }
    let during: usize = arrived[16..75].iter().sum();
    let after: usize = arrived[75..78].iter().sum();
    println!(
        "{} requests a second during the outage, {} in the first seconds after it; {} of {} calls failed",
        during / 59,
        after / 3,
        failed.lock().unwrap(),
        SECONDS * 100
    );
    assert!(during / 59 <= 103 && after / 3 <= 130);
}

/// 4000 clients ask every two seconds; the server is away from the 30th to
/// the 90th second. Prints how many requests it gets a second, as a multiple of
/// the steady rate.
#[test]
fn four_thousand_clients_do_not_keep_a_server_down() {
    const CLIENTS: usize = 4000;
    const EVERY_MS: f64 = 2000.0;
    const SECONDS: usize = 150;
    // Numerical Recipes' generator: the same numbers in each run.
    let mut seed = 1_u32;
    let mut chance = || {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(seed) / 4_294_967_296.0
    };
    let mut arrived = vec![0_usize; SECONDS + 60];
    for _ in 0..CLIENTS {
        let transport = down(30_000.0..90_000.0);
        let client = Client::builder().build(transport.clone()).unwrap();
        let mut due = chance() * EVERY_MS;
        while due < SECONDS as f64 * 1000.0 {
            let early = Duration::from_secs_f64(due / 1e3).saturating_sub(transport.elapsed());
            transport.advance(early);
            transport.set_random(chance());
            let _ = transport.run(client.get_ai_chat_usage(&GetAiChatUsage::default()));
            due += EVERY_MS;
        }
        for at in times(&transport) {
            arrived[(at / 1000.0) as usize] += 1;
        }
    }
    let steady = CLIENTS as f64 * 1000.0 / EVERY_MS;
    let rate = |seconds: Range<usize>| {
        arrived[seconds]
            .iter()
            .map(|&count| count as f64 / steady)
            .fold(0.0, f64::max)
    };
    let (during, after) = (rate(30..90), rate(90..SECONDS));
    let recovered = (90..SECONDS)
        .find(|&second| (arrived[second] as f64 / steady - 1.0).abs() < 0.05)
        .unwrap();
    println!(
        "requests a second, as a multiple of the steady rate: {during:.2} at the most during the outage, {after:.2} after it; steady again {} s after its end",
        recovered - 89
    );
    // Those who wait for a retry come back beside those who ask anew.
    assert!(during < 3.1 && after < 2.3 && recovered < 95);
}
