//! The retries of many calls do not flood a server that is down.

use std::{ops::Range, sync::Mutex, time::Duration};

use bookmore_sdk::{
    Client, GetAiChatUsage, Transport,
    client::{CallError, CallOptions, WithResponse},
    testing::VirtualTransport,
};
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};

use super::{ms, ok, status, times};

/// A server that answers 503 between these times, in milliseconds.
fn down(outage: Range<f64>) -> VirtualTransport {
    VirtualTransport::new().respond_with(move |sent| {
        let is_down = outage.contains(&(sent.at.as_secs_f64() * 1e3));
        if is_down { status(503) } else { ok() }
    })
}

/// `count` concurrent calls that share only the client.
fn at_once(
    client: &Client<VirtualTransport>,
    count: usize,
    options: &CallOptions,
) -> Vec<Result<WithResponse, CallError>> {
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
    // Ten are served at once, and half a ticket in a quarter of a second; their
    // 503 serves none.
    let retries = &times(&transport)[16..];
    assert_eq!(retries[..10], [250.0; 10]);
    assert_eq!(retries[10], 500.0);

    // Each success serves one, so all waiting calls continue at once.
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
fn a_call_whose_turn_comes_too_late_fails_with_retry_at() {
    let transport = down(0.0..f64::INFINITY);
    let client = Client::builder()
        .coalesce(false)
        .max_retries(1)
        .build(transport.clone())
        .unwrap();
    let options = CallOptions::new().total_timeout(ms(2000));
    let calls = at_once(&client, 20, &options);
    let errors: Vec<_> = calls
        .into_iter()
        .map(|call| call.unwrap_err().error)
        .collect();
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
fn a_busy_client_does_not_flood_a_server_that_is_down() {
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

/// 4000 clients call every two seconds; the server is down from the 30th to the
/// 90th second. Prints the requests a second as a multiple of the steady rate.
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
    // Waiting retries arrive in addition to new calls.
    assert!(during < 3.1 && after < 2.3 && recovered < 95);
}
