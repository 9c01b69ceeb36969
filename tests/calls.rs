//! Hours of trouble in milliseconds: what a call makes of replies and of time.

#![cfg(not(target_arch = "wasm32"))]

#[path = "common/virtual_time.rs"]
mod virtual_time;

use std::{cell::RefCell, rc::Rc, task::Poll, time::Duration};

use bookmore_sdk::{
    Client, ClientBuilder, Error, GetAiChatUsage,
    client::{BearerToken, CallOptions, Event, WithResponse},
    error::{Phase, Scope, TokenProviderError},
};
use pollster::block_on;
use virtual_time::{Answer, VirtualTime, World, ok, status, told};

fn ask(builder: ClientBuilder, world: &VirtualTime) -> Result<WithResponse, Error> {
    let client = builder.build(world.clone()).unwrap();
    let options = CallOptions::default();
    block_on(client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options))
}

fn ms(milliseconds: u64) -> Option<Duration> {
    Some(Duration::from_millis(milliseconds))
}

// ---- Retries ----

#[test]
fn what_may_go_better_is_tried_again() {
    let mut retried = vec![
        Answer::Lost,
        Answer::Stall(Phase::Headers),
        Answer::Stall(Phase::Body),
        Answer::Broken(200, r#"{"tokensUsed":5,"#),
        Answer::Reply(200, Vec::new(), r#"{"tokensUsed":5,"tok"#.to_owned()),
    ];
    retried.extend([408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524].map(status));
    for answer in retried {
        let world = World::with([answer, ok()]);
        let builder = Client::builder().attempt_timeout(ms(100));
        let reply = ask(builder, &world).unwrap();
        assert_eq!(reply.data.tokens_used, 5);
        assert_eq!(reply.attempts.len(), 2);
        assert_eq!(
            reply.attempts[0].error.is_some(),
            reply.attempts[1].status == Some(200)
        );
    }
}

#[test]
fn what_will_not_go_better_is_told_at_once() {
    let with_code = |status: u16, code: &str| {
        let body = format!(r#"{{"ResponseStatus":{{"ErrorCode":"{code}","Message":"No."}}}}"#);
        Answer::Reply(status, Vec::new(), body)
    };
    let problem =
        r#"{"type":"https://errors.example/quota-exceeded","title":"No more","status":429}"#;
    let mut final_ones = vec![
        with_code(200, "ServerBusy"),
        with_code(429, "insufficient_quota"),
        with_code(429, "QuotaExceeded"),
        with_code(429, "monthly_token_limit_exceeded"),
        Answer::Reply(429, Vec::new(), problem.to_owned()),
        Answer::Reply(200, Vec::new(), r#"{"tokensUsed":"a lot"}"#.to_owned()),
        Answer::Reply(
            200,
            vec![("content-type", "text/html".to_owned())],
            "<p>".to_owned(),
        ),
    ];
    final_ones.extend(
        [
            204, 206, 302, 400, 401, 402, 403, 404, 405, 409, 410, 422, 501, 505,
        ]
        .map(status),
    );
    for answer in final_ones {
        let world = World::with([answer, ok()]);
        ask(Client::builder(), &world).unwrap_err();
        assert_eq!(world.times().len(), 1);
    }
}

#[test]
fn there_are_two_retries_unless_told_otherwise() {
    for (retries, builder) in [
        (2, Client::builder()),
        (0, Client::builder().max_retries(0)),
        (10, Client::builder().max_retries(10).total_timeout(None)),
    ] {
        let world = World::with(vec![status(503); 12]);
        let error = ask(builder, &world).unwrap_err();
        assert_eq!(error.code(), "server_error");
        assert_eq!(world.times().len(), retries + 1);
    }
    let refused = Client::builder().max_retries(11).build(World::with([]));
    assert_eq!(
        refused.err().unwrap().to_string(),
        "There can be 0 to 10 retries."
    );
}

#[test]
fn waits_double_up_to_eight_seconds_and_chance_halves_them_at_most() {
    for (chance, factor) in [(0.0, 0.5), (0.999_999, 0.999_999_5)] {
        let world = World::with(vec![status(503); 11]);
        world.0.chance.set(chance);
        let builder = Client::builder().max_retries(8).total_timeout(None);
        ask(builder, &world).unwrap_err();
        let times = world.times();
        let waits: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let whole = [
            500.0, 1000.0, 2000.0, 4000.0, 8000.0, 8000.0, 8000.0, 8000.0,
        ];
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
            let world = World::with([told(503, name, value), ok()]);
            world.0.chance.set(chance);
            ask(Client::builder(), &world).unwrap();
            let waited = world.times()[1];
            assert!(
                (asked..=asked.max(500.0) + most).contains(&waited),
                "{name}: {value}: {waited}"
            );
        }
    }
}

#[test]
fn a_date_counts_by_the_clock_of_the_server() {
    let reply = Answer::Reply(
        503,
        vec![
            ("date", "Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            ("retry-after", "Sun, 06 Nov 1994 08:49:39 GMT".to_owned()),
        ],
        String::new(),
    );
    let world = World::with([reply, ok()]);
    ask(Client::builder(), &world).unwrap();
    assert_eq!(world.times()[1], 2000.0);
}

#[test]
fn who_would_wait_too_long_is_told_when_to_come_back() {
    for (value, builder) in [
        ("61", Client::builder().total_timeout(None)),
        ("3600", Client::builder()),
        ("30", Client::builder()),
        ("2", Client::builder().total_timeout(ms(2000))),
    ] {
        let world = World::with([told(429, "retry-after", value), ok()]);
        let error = ask(builder, &world).unwrap_err();
        assert_eq!(world.times(), [0.0]);
        let asked = value.parse::<f64>().unwrap() * 1000.0;
        assert_eq!(error.retry_after_ms(), Some(asked));
        let Error::Api(error) = error else {
            panic!("{error:?}")
        };
        assert_eq!(error.retry_at, Some(1_000_000_000_000.0 + asked));
    }
    let world = World::with([told(503, "retry-after", "60"), ok()]);
    world.0.chance.set(0.999_999);
    ask(Client::builder().total_timeout(None), &world).unwrap();
    assert!(world.times()[1] >= 60_000.0);
}

// ---- Deadlines ----

#[test]
fn an_attempt_that_takes_too_long_is_followed_by_another() {
    let world = World::with([
        Answer::Stall(Phase::Headers),
        Answer::Stall(Phase::Body),
        Answer::Stall(Phase::Body),
    ]);
    let error = ask(Client::builder().attempt_timeout(ms(1000)), &world).unwrap_err();
    let Error::Timeout(timeout) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (timeout.phase, timeout.scope),
        (Phase::Body, Scope::Attempt)
    );
    assert_eq!(timeout.timeout_ms, 1000.0);
    assert_eq!(
        error.to_string(),
        "The reply was not complete within 1000 ms. Try again, or allow more time."
    );
    assert_eq!(world.times(), [0.0, 1250.0, 2750.0]);
}

#[test]
fn the_total_limit_cuts_an_attempt_short_and_is_final() {
    let world = World::with(vec![Answer::Stall(Phase::Headers); 3]);
    let builder = Client::builder()
        .attempt_timeout(ms(1000))
        .total_timeout(ms(1500));
    let error = ask(builder, &world).unwrap_err();
    let Error::Timeout(timeout) = error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (timeout.phase, timeout.scope),
        (Phase::Headers, Scope::Total)
    );
    assert_eq!(timeout.timeout_ms, 1500.0);
    assert_eq!(world.0.now.get(), 1500.0);
    assert_eq!(world.times().len(), 2);
}

#[test]
fn no_time_for_the_wait_is_told_with_the_failure() {
    let world = World::with([status(503), ok()]);
    let error = ask(Client::builder().total_timeout(ms(200)), &world).unwrap_err();
    let Error::Timeout(timeout) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (timeout.phase, timeout.scope),
        (Phase::Backoff, Scope::Total)
    );
    assert_eq!(timeout.last.as_ref().unwrap().status(), Some(503));
    assert_eq!(world.times(), [0.0]);
    assert!(error.to_string().starts_with("The time limit of 200 ms leaves none for another attempt. The last one: The server refused the request (503)"));
}

#[test]
fn limits_can_be_switched_off_and_must_fit_a_timer() {
    let world = World::with([Answer::After(3_600_000.0, Box::new(ok()))]);
    let builder = Client::builder().attempt_timeout(None).total_timeout(None);
    assert_eq!(ask(builder, &world).unwrap().elapsed_ms, 3_600_000.0);
    for limit in [ms(0), ms(1 << 31), Some(Duration::from_micros(999))] {
        for builder in [
            Client::builder().attempt_timeout(limit),
            Client::builder().total_timeout(limit),
        ] {
            assert_eq!(
                builder.build(World::with([])).err().unwrap().to_string(),
                "A time limit must be from 1 to 2147483647 milliseconds."
            );
        }
    }
    let client = Client::builder().build(World::with([])).unwrap();
    let options = CallOptions {
        total_timeout: Some(ms(0)),
        ..CallOptions::default()
    };
    let refused = block_on(client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options));
    assert_eq!(refused.unwrap_err().code(), "config_error");
}

// ---- The retry budget ----

#[test]
fn a_client_whose_calls_fail_stops_retrying_and_says_so() {
    let world = World::with([]);
    world.0.at_last.replace(Some(status(503)));
    let client = Client::builder().build(world.clone()).unwrap();
    let call = || block_on(client.get_ai_chat_usage(&GetAiChatUsage::default()));
    for _ in 0..5 {
        let sentence = call().unwrap_err().to_string();
        assert!(!sentence.contains("not tried again"), "{sentence}");
    }
    assert_eq!(world.times().len(), 15);
    let sentence = call().unwrap_err().to_string();
    assert!(
        sentence.ends_with("It was not tried again, because too many attempts failed lately."),
        "{sentence}"
    );
    assert_eq!(world.times().len(), 16);
    // Five successes earn a retry.
    world.0.at_last.replace(Some(ok()));
    for _ in 0..5 {
        call().unwrap();
    }
    world.0.answers.borrow_mut().push_back(status(503));
    call().unwrap();
    assert_eq!(world.times().len(), 23);
}

#[test]
fn a_retry_after_a_timeout_costs_twice() {
    let world = World::with([]);
    world.0.at_last.replace(Some(Answer::Stall(Phase::Headers)));
    let builder = Client::builder().attempt_timeout(ms(100)).max_retries(10);
    ask(builder, &world).unwrap_err();
    assert_eq!(world.times().len(), 6);
}

/// 10 000 clients ask every two seconds; the server is away from the 30th to
/// the 90th second. Prints how many requests it gets a second, as a multiple of
/// the steady rate.
#[test]
fn ten_thousand_clients_do_not_keep_a_server_down() {
    const CLIENTS: usize = 10_000;
    const EVERY_MS: f64 = 2000.0;
    const OUTAGE: std::ops::Range<f64> = 30_000.0..90_000.0;
    const SECONDS: usize = 150;
    // Numerical Recipes' generator: the same numbers in each run.
    let seed = RefCell::new(1_u32);
    let chance = || {
        let mut seed = seed.borrow_mut();
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        f64::from(*seed) / 4_294_967_296.0
    };
    let mut arrived = vec![0_usize; SECONDS + 60];
    for _ in 0..CLIENTS {
        let world = World::with([]);
        let client = Client::builder().build(world.clone()).unwrap();
        let mut due = chance() * EVERY_MS;
        while due < SECONDS as f64 * 1000.0 {
            world.0.now.set(world.0.now.get().max(due));
            world.0.chance.set(chance());
            world.0.at_last.replace(Some(Answer::ByTime(OUTAGE)));
            let _ = block_on(client.get_ai_chat_usage(&GetAiChatUsage::default()));
            due += EVERY_MS;
        }
        for at in world.times() {
            arrived[(at / 1000.0) as usize] += 1;
        }
    }
    let steady = CLIENTS as f64 * 1000.0 / EVERY_MS;
    let rate = |seconds: std::ops::Range<usize>| {
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
    assert!(during < 3.1 && after < 1.1 && recovered < 95);
    // Most of the outage is met with the budget empty: one request a call.
    assert!(rate(50..90) < 1.05);
}

// ---- Tokens ----

/// A provider that gives `tokens` one after the other, and what it was told.
type Told = Rc<RefCell<Vec<bool>>>;

fn provided(tokens: &[(&str, Option<u64>)]) -> (ClientBuilder, Told) {
    let told = Told::default();
    let mut rest: Vec<_> = tokens
        .iter()
        .map(|&(token, seconds)| {
            let token = BearerToken::new(token);
            match seconds {
                Some(seconds) => token.expires_in(Duration::from_secs(seconds)),
                None => token,
            }
        })
        .collect();
    rest.reverse();
    let rest = RefCell::new(rest);
    let seen = Rc::clone(&told);
    let builder = Client::builder().token_provider(move |request| {
        seen.borrow_mut().push(request.force_refresh);
        let token = rest.borrow_mut().pop();
        async { token.ok_or_else(|| TokenProviderError::new("No more tokens.").into()) }
    });
    (builder, told)
}

fn sent(world: &VirtualTime) -> Vec<String> {
    world.tokens().into_iter().map(Option::unwrap).collect()
}

#[test]
fn a_refused_token_is_renewed_once() {
    let (builder, told) = provided(&[("old", None), ("new", None)]);
    let world = World::with([status(401), ok()]);
    let reply = ask(builder, &world).unwrap();
    assert_eq!(sent(&world), ["old", "new"]);
    assert_eq!(*told.borrow(), [false, true]);
    // Outside the count of retries, and at once.
    assert_eq!(world.times(), [0.0, 0.0]);
    assert_eq!(reply.attempts[0].error, Some("authentication_error"));

    let (builder, _) = provided(&[("old", None), ("new", None)]);
    let world = World::with([status(401), status(401), ok()]);
    assert_eq!(
        ask(builder, &world).unwrap_err().code(),
        "authentication_error"
    );
    assert_eq!(world.times().len(), 2);

    let world = World::with([status(401), ok()]);
    ask(Client::builder().bearer_token("fixed"), &world).unwrap_err();
    assert_eq!(world.times().len(), 1);
}

#[test]
fn a_renewal_leaves_the_retries_alone() {
    let (builder, _) = provided(&[("old", None), ("new", None)]);
    let world = World::with([status(401), status(503), status(503), ok()]);
    ask(builder, &world).unwrap();
    assert_eq!(sent(&world), ["old", "new", "new", "new"]);
}

#[test]
fn a_token_is_used_until_its_end_is_near() {
    let (builder, told) = provided(&[
        ("first", Some(200)),
        ("second", Some(200)),
        ("third", Some(200)),
    ]);
    let world = World::with([]);
    world.0.at_last.replace(Some(ok()));
    let client = builder.build(world.clone()).unwrap();
    for (at, asked, token) in [
        (0.0, 1, "first"),
        (79_000.0, 1, "first"),
        // Two minutes left: renewed behind the call.
        (80_000.0, 2, "first"),
        (81_000.0, 2, "second"),
        // 20 s left: not sent any more.
        (80_000.0 + 180_000.0, 3, "third"),
    ] {
        world.0.now.set(at);
        block_on(client.get_ai_chat_usage(&GetAiChatUsage::default())).unwrap();
        assert_eq!(
            (told.borrow().len(), sent(&world).last().unwrap().as_str()),
            (asked, token),
            "{at}"
        );
    }
    assert!(told.borrow().iter().all(|forced| !forced));
}

#[test]
fn a_renewal_that_fails_behind_a_call_is_tried_again_after_five_seconds() {
    let (builder, told) = provided(&[("first", Some(100))]);
    let world = World::with([]);
    world.0.at_last.replace(Some(ok()));
    let client = builder.build(world.clone()).unwrap();
    for (at, asked) in [(0.0, 1), (1_000.0, 2), (5_999.0, 2), (6_001.0, 3)] {
        world.0.now.set(at);
        block_on(client.get_ai_chat_usage(&GetAiChatUsage::default())).unwrap();
        assert_eq!(told.borrow().len(), asked, "{at}");
    }
    world.0.now.set(75_000.0);
    let error = block_on(client.get_ai_chat_usage(&GetAiChatUsage::default())).unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        ("token_provider_error", "No more tokens.")
    );
}

#[test]
fn a_provider_that_hangs_is_given_up_and_asked_anew() {
    let asked = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&asked);
    let builder = Client::builder().token_provider(move |_| {
        *counted.borrow_mut() += 1;
        let hangs = *counted.borrow() == 1;
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok(BearerToken::new("t0ken"))
        }
    });
    let world = World::with([ok()]);
    let client = builder.build(world.clone()).unwrap();
    let error = block_on(client.get_ai_chat_usage(&GetAiChatUsage::default())).unwrap_err();
    let Error::Timeout(timeout) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (timeout.phase, timeout.scope, timeout.timeout_ms),
        (Phase::Token, Scope::Total, 30_000.0)
    );
    assert_eq!(
        error.to_string(),
        "The bearerToken function gave no token within 30000 ms. Try again, or allow more time."
    );
    block_on(client.get_ai_chat_usage(&GetAiChatUsage::default())).unwrap();
    assert_eq!(*asked.borrow(), 2);
}

#[test]
fn a_renewal_that_hangs_behind_a_call_does_not_hold_up_the_refused_one() {
    let asked = RefCell::new(0);
    let builder = Client::builder().token_provider(move |_| {
        *asked.borrow_mut() += 1;
        let hangs = *asked.borrow() > 1;
        async move {
            if hangs {
                std::future::pending::<()>().await;
            }
            Ok(BearerToken::new("old").expires_in(Duration::from_secs(100)))
        }
    });
    let world = World::with([ok(), status(401)]);
    let client = builder.build(world.clone()).unwrap();
    let call = || block_on(client.get_ai_chat_usage(&GetAiChatUsage::default()));
    call().unwrap();
    let Error::Timeout(timeout) = call().unwrap_err() else {
        panic!("no timeout")
    };
    assert_eq!((timeout.phase, timeout.scope), (Phase::Token, Scope::Total));
    assert_eq!(world.0.now.get(), 30_000.0);
}

#[test]
fn an_unusable_token_is_the_providers_failure() {
    for token in ["", "Bearer x", "a\nb"] {
        let (builder, _) = provided(&[(token, None)]);
        let error = ask(builder, &World::with([])).unwrap_err();
        assert_eq!(error.code(), "token_provider_error", "{token:?}");
    }
    let builder = Client::builder().token_provider(|_| async { Ok(BearerToken::none()) });
    let world = World::with([ok()]);
    ask(builder, &world).unwrap();
    assert_eq!(world.tokens(), [None]);
}

#[test]
fn calls_at_the_same_time_share_one_question() {
    let told = Told::default();
    let seen = Rc::clone(&told);
    let builder = Client::builder().token_provider(move |request| {
        let token = if request.force_refresh { "new" } else { "old" };
        seen.borrow_mut().push(request.force_refresh);
        async move {
            yield_now().await;
            Ok(BearerToken::new(token).expires_in(Duration::from_secs(3600)))
        }
    });
    let world = World::with([]);
    world.0.at_last.replace(Some(Answer::Refusal("old")));
    let client = builder.build(world.clone()).unwrap();
    let request = GetAiChatUsage::default();
    let calls = (0..50).map(|_| client.get_ai_chat_usage(&request));
    for reply in block_on(futures_util::future::join_all(calls)) {
        reply.unwrap();
    }
    assert_eq!(*told.borrow(), [false, true]);
    assert_eq!(
        sent(&world).iter().filter(|token| *token == "new").count(),
        50
    );
}

async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

// ---- Secrets ----

#[test]
fn secrets_do_not_go_over_plain_http() {
    let sentence = "A token or an API key must not go over plain http; use an https base URL, or allow_insecure_http.";
    let plain = || Client::builder().base_url("http://api.example");
    for builder in [
        plain().bearer_token("t0ken"),
        plain().api_key("key"),
        provided(&[]).0.base_url("http://api.example"),
    ] {
        let refused = builder.clone().build(World::with([])).err().unwrap();
        assert_eq!(refused.to_string(), sentence);
        builder
            .allow_insecure_http(true)
            .build(World::with([]))
            .unwrap();
    }
    plain().build(World::with([])).unwrap();
    plain()
        .base_url("http://localhost:8080")
        .api_key("key")
        .build(World::with([]))
        .unwrap();
}

#[test]
fn what_a_server_quotes_of_a_secret_is_taken_out() {
    let body = r#"{"ResponseStatus":{"ErrorCode":"Bad","Message":"t0ken-s3cret and k3y-s3cret, t0ken-s3cret","StackTrace":"at t0ken-s3cret","Errors":[{"ErrorCode":"k3y-s3cret","FieldName":"t0ken-s3cret","Message":"t0ken-s3cret","Meta":{"a":"k3y-s3cret"}}],"Meta":{"b":"t0ken-s3cret"}}}"#;
    let quote = |name: &'static str| (name, format!("Bearer error=\"t0ken-s3cret\", {name}"));
    let html = vec![("content-type", "text/t0ken-s3cret".to_owned())];
    for answer in [
        Answer::Reply(400, vec![quote("x-request-id")], body.to_owned()),
        Answer::Reply(401, vec![quote("www-authenticate")], String::new()),
        Answer::Reply(
            302,
            vec![("location", "/login/t0ken-s3cret".to_owned())],
            String::new(),
        ),
        Answer::Reply(200, html, String::new()),
    ] {
        let world = World::with([answer]);
        let builder = Client::builder()
            .bearer_token("t0ken-s3cret")
            .api_key("k3y-s3cret");
        let error = ask(builder, &world).unwrap_err();
        let mut shown = format!("{error} {error:?}");
        if let Error::Api(error) = &error {
            let status = error
                .response_status
                .as_deref()
                .cloned()
                .unwrap_or_default();
            shown += &serde_json::to_string(&status).unwrap();
        }
        assert!(!shown.contains("s3cret"), "{shown}");
        assert!(shown.contains("[secret]"), "{shown}");
    }
}

// ---- Seeing inside ----

#[test]
fn events_and_attempts_tell_what_happened() {
    let seen = Rc::new(RefCell::new(Vec::new()));
    let heard = Rc::clone(&seen);
    let builder = Client::builder()
        .base_url("https://api.example")
        .max_retries(1)
        .on_event(move |event| {
            heard.borrow_mut().push(match event {
                Event::Attempt { attempt, url } => format!("attempt {attempt} {url}"),
                Event::Response { attempt, status } => format!("response {attempt} {status}"),
                Event::Retry {
                    attempt,
                    wait_ms,
                    error,
                } => format!("retry {attempt} {wait_ms} {}", error.code()),
                Event::Error { attempts, error } => {
                    format!("error {} {}", attempts.len(), error.code())
                }
                _ => unreachable!(),
            });
        });
    let world = World::with([
        Answer::After(7.0, Box::new(status(503))),
        ok(),
        Answer::Lost,
        status(404),
    ]);
    let client = builder.build(world).unwrap();
    let request = GetAiChatUsage::of("9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c");
    let reply = block_on(client.get_ai_chat_usage_with(&request, &CallOptions::default())).unwrap();
    let attempts: Vec<_> = reply
        .attempts
        .iter()
        .map(|attempt| (attempt.status, attempt.error, attempt.ms, attempt.wait_ms))
        .collect();
    assert_eq!(
        attempts,
        [
            (Some(503), Some("server_error"), 7.0, 0.0),
            (Some(200), None, 0.0, 250.0)
        ]
    );
    assert_eq!(reply.elapsed_ms, 257.0);
    block_on(client.get_ai_chat_usage(&request)).unwrap_err();
    let url = "https://api.example/assistant/ai-chat/usage";
    assert_eq!(
        *seen.borrow(),
        [
            &*format!("attempt 1 {url}"),
            "response 1 503",
            "retry 1 250 server_error",
            &*format!("attempt 2 {url}"),
            "response 2 200",
            &*format!("attempt 1 {url}"),
            "retry 1 250 network_error",
            &*format!("attempt 2 {url}"),
            "response 2 404",
            "error 2 api_error",
        ]
    );
}
