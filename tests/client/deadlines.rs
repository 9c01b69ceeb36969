//! The timeouts of attempts and calls.

use std::time::Duration;

use bookmore_sdk::{
    Client, Error, GetAiChatUsage,
    client::CallOptions,
    error::{Phase, Scope},
    testing::Reply,
};

use super::{ask, ms, ok, status, times, written};

#[test]
fn an_attempt_that_takes_too_long_is_followed_by_another() {
    let transport = written([
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
    let transport = written(vec![Reply::never(); 3]);
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
fn a_wait_beyond_the_timeout_fails_at_once_with_the_failure() {
    let transport = written([status(503), ok()]);
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
fn timeouts_can_be_switched_off_and_must_fit_a_timer() {
    let transport = written([ok().after(Duration::from_secs(3600))]);
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
                builder.build(written([])).err().unwrap().to_string(),
                "A time limit must be from 1 to 2147483647 milliseconds."
            );
        }
    }
    let transport = written([]);
    let client = Client::builder().build(transport.clone()).unwrap();
    let options = CallOptions::new().total_timeout(ms(0));
    let refused =
        transport.run(client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options));
    assert_eq!(refused.unwrap_err().error.code(), "config_error");
}

#[test]
fn every_call_ends_even_with_mocked_random_numbers() {
    for number in [f64::NAN, 1.0, -1.0, f64::INFINITY] {
        let transport = written([status(503), ok()]);
        transport.set_random(number);
        ask(Client::builder(), &transport).unwrap();
        assert_eq!(times(&transport), [0.0, 375.0], "{number}");
    }
}
