//! Many companies, over a server that fails and has outages.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bookmore_sdk::{
    Client, Transport,
    client::{ManyOutcome, TokenSource},
    testing::{Reply, Sent, VirtualTransport},
};
use futures_util::{StreamExt, future::join};

use super::{COMPANY, ms, ok, seconds, status};

fn id(number: usize) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn ids(count: usize) -> Vec<String> {
    (1..=count).map(id).collect()
}

/// The number of the requested company.
fn number_of(sent: &Sent) -> usize {
    let (_, number) = sent.request.url.rsplit_once('-').unwrap();
    number.parse().unwrap()
}

/// Gives a usage after 20 ms, unless `fails` gives a failure.
fn server(fails: impl Fn(&Sent) -> Option<Reply> + Send + Sync + 'static) -> VirtualTransport {
    VirtualTransport::new().respond_with(move |sent| fails(sent).unwrap_or_else(ok).after(ms(20)))
}

fn ask(
    transport: &VirtualTransport,
    ids: Vec<String>,
    concurrency: usize,
    rounds: u32,
) -> Vec<ManyOutcome> {
    let client = Client::builder().build(transport.clone()).unwrap();
    let many = client.get_many(ids).concurrency(concurrency).rounds(rounds);
    transport.run(many.collect())
}

fn lost(outcomes: &[ManyOutcome]) -> usize {
    outcomes.iter().filter(|of| of.result.is_err()).count()
}

#[test]
fn each_id_has_its_outcome() {
    let transport = server(|sent| (number_of(sent) == 3).then(|| status(403)));
    let mut given = ids(5);
    given.extend([id(2), "nobody".to_owned(), id(3), id(2).replace('-', "")]);
    let outcomes = ask(&transport, given.clone(), 2, 1);
    assert_eq!(outcomes.len(), 9);
    assert_eq!(transport.requests().len(), 5);
    for given in &given {
        let own = outcomes.iter().find(|of| of.company_id == *given).unwrap();
        let code = own.result.as_ref().err().map(|error| error.code());
        let expected = match given {
            of if *of == id(3) => Some("permission_denied"),
            of if of == "nobody" => Some("config_error"),
            _ => None,
        };
        assert_eq!(code, expected, "{given}");
    }
}

#[test]
fn nothing_is_sent_before_it_is_polled_or_after_it_is_dropped() {
    let transport = server(|sent| (number_of(sent) > 1).then(Reply::never));
    let client = Client::builder().build(transport.clone()).unwrap();
    let mut many = client.get_many(ids(20)).concurrency(4);
    assert_eq!(transport.requests().len(), 0);
    assert_eq!(many.progress().total, Some(20));
    assert!(transport.run(many.next()).is_some());
    let progress = many.progress();
    assert!((1..=4).contains(&progress.done), "{progress:?}");
    drop(many);
    let sent = transport.requests();
    assert!(sent.len() <= 8);
    let given_up = sent.iter().filter(|sent| sent.cancelled_at.is_some());
    assert_eq!((progress.done, given_up.count()), (1, sent.len() - 1));
    transport.advance(seconds(10));
    assert_eq!(transport.requests().len(), sent.len());
}

#[test]
fn ids_are_taken_as_they_are_needed() {
    let transport = server(|_| None);
    let client = Client::builder().build(transport.clone()).unwrap();
    let taken = Arc::new(AtomicUsize::new(0));
    let counted = {
        let taken = Arc::clone(&taken);
        (1..).map(move |number| {
            taken.fetch_add(1, Ordering::Relaxed);
            id(number)
        })
    };
    let mut many = client.get_many(counted).concurrency(3);
    for read in 1..=10 {
        assert!(transport.run(many.next()).is_some());
        let ahead = taken.load(Ordering::Relaxed) - read;
        // Those in flight, and as many ahead.
        assert!(ahead <= 3 + 3 + 3, "{ahead} ahead");
    }
    // One id without an end.
    let mut many = client.get_many(std::iter::repeat(COMPANY)).concurrency(3);
    for _ in 0..100 {
        assert!(transport.run(many.next()).is_some());
    }
}

#[test]
fn a_429_pauses_all_calls_and_halves_the_concurrency() {
    let is_first = Mutex::new(true);
    let transport = server(move |sent| {
        let is_first = number_of(sent) == 20 && std::mem::take(&mut *is_first.lock().unwrap());
        is_first.then(|| status(429).header("Retry-After", "2"))
    });
    let outcomes = ask(&transport, ids(100), 8, 1);
    assert_eq!(lost(&outcomes), 0);
    let times: Vec<_> = transport.requests().iter().map(|sent| sent.at).collect();
    let pauses: Vec<_> = times
        .windows(2)
        .filter(|pair| pair[1] - pair[0] >= ms(1_900))
        .collect();
    assert_eq!(pauses.len(), 1);
    let after = pauses[0][1];
    let at_once = |from: Duration| {
        let until = from + ms(20);
        times.iter().filter(|at| (from..until).contains(at)).count()
    };
    // Half of 8, and the one that was refused.
    assert!(at_once(after) <= 5, "{} at once", at_once(after));
    let last = *times.last().unwrap();
    assert!(at_once(last - ms(20)) > 5, "it grows back");
}

/// A server with outages at these times, in milliseconds. For a fifth of the
/// companies the first request fails; for another fifth all do, or none.
fn away(outages: Vec<(u64, u64)>, for_ever: bool) -> VirtualTransport {
    let asked = Mutex::new(HashSet::new());
    server(move |sent| {
        let at = sent.at.as_millis() as u64;
        let is_first = asked.lock().unwrap().insert(number_of(sent));
        if outages.iter().any(|(from, to)| (*from..*to).contains(&at)) {
            return Some(Reply::lost());
        }
        match number_of(sent) % 5 {
            0 if for_ever => Some(status(500)),
            1 if is_first => Some(status(503)),
            _ => None,
        }
    })
}

#[test]
fn an_outage_loses_no_company() {
    let restarts = || {
        (0..4)
            .map(|n| (1_500 + n * 4_500, 4_500 + n * 4_500))
            .collect()
    };
    for concurrency in [6, 50] {
        let length = if concurrency == 6 { 2_000 } else { 8_000 };
        for (name, outages, count) in [
            ("four restarts of 3 s", restarts(), length),
            (
                "an outage of 60 s in the middle",
                vec![(2_000, 62_000)],
                length,
            ),
            // It starts while companies are left, and lasts for 3 s.
            ("one of 10 s at the end", vec![(2_500, 12_500)], length / 2),
        ] {
            for for_ever in [false, true] {
                let transport = away(outages.clone(), for_ever);
                let outcomes = ask(&transport, ids(count), concurrency, 1);
                let expected = if for_ever { count / 5 } else { 0 };
                let of = format!("{name}, {concurrency} at once");
                assert_eq!(lost(&outcomes), expected, "{of}");
            }
        }
    }
}

#[test]
fn failed_companies_are_asked_again_after_all_others_once_a_round() {
    let transport = away(vec![], true);
    assert_eq!(lost(&ask(&transport, ids(10), 3, 3)), 2);
    let of_the_tenth: Vec<_> = transport
        .requests()
        .iter()
        .filter(|sent| number_of(sent) == 10)
        .map(|sent| sent.at)
        .collect();
    // Three attempts, then one in each round: 2, 4 and 8 s later.
    assert_eq!(of_the_tenth.len(), 6);
    for (pair, wait) in of_the_tenth[2..].windows(2).zip([2, 4, 8]) {
        let waited = pair[1] - pair[0];
        assert!(
            waited >= seconds(wait) && waited < seconds(wait) + ms(200),
            "{waited:?}"
        );
    }
}

/// A rate limiter that accepts a number of requests in each window, and says how
/// long the rest of it lasts.
fn limited(most: usize, window_ms: u64) -> VirtualTransport {
    let seen: Mutex<(u64, usize)> = Mutex::default();
    server(move |sent| {
        let at = sent.at.as_millis() as u64;
        let mut seen = seen.lock().unwrap();
        if seen.0 != at / window_ms {
            *seen = (at / window_ms, 0);
        }
        seen.1 += 1;
        let left = (window_ms - at % window_ms).div_ceil(1_000);
        (seen.1 > most).then(|| status(429).header("Retry-After", left.to_string()))
    })
}

#[test]
fn a_rate_limit_loses_no_company() {
    for (most, window_ms) in [(100, 60_000), (20, 10_000), (5, 1_000)] {
        for concurrency in [1, 6, 50] {
            let transport = limited(most, window_ms);
            let outcomes = ask(&transport, ids(500), concurrency, 1);
            let of = format!("{most} in {window_ms} ms, {concurrency} at once");
            assert_eq!(lost(&outcomes), 0, "{of}");
        }
    }
}

#[test]
fn a_server_that_answers_only_429_is_given_up_within_minutes() {
    for retry_after in [None, Some("2"), Some("45"), Some("3600")] {
        let transport = server(move |_| {
            let limit = status(429);
            Some(match retry_after {
                Some(seconds) => limit.header("Retry-After", seconds),
                None => limit,
            })
        });
        let outcomes = ask(&transport, ids(1_000), 6, 1);
        let codes: HashSet<_> = outcomes
            .iter()
            .map(|of| of.result.as_ref().unwrap_err().code())
            .collect();
        assert_eq!(
            (outcomes.len(), codes),
            (1_000, HashSet::from(["rate_limited"]))
        );
        let sent = transport.requests();
        assert!(sent.len() < 60, "{} sent, {retry_after:?}", sent.len());
        let minutes = sent.last().unwrap().at.as_secs_f64() / 60.0;
        assert!(
            (4.0..10.0).contains(&minutes),
            "{minutes} min, {retry_after:?}"
        );
    }
}

#[test]
fn a_company_that_must_wait_more_than_a_minute_is_not_asked_again() {
    let transport =
        server(|sent| (number_of(sent) == 3).then(|| status(503).header("Retry-After", "90")));
    let outcomes = ask(&transport, ids(5), 2, 5);
    let sent = transport.requests();
    assert_eq!((lost(&outcomes), sent.len()), (1, 5));
    let failed = outcomes.iter().find_map(|of| of.result.as_ref().err());
    assert_eq!(failed.unwrap().retry_after(), Some(seconds(90)));
}

#[test]
fn no_company_is_asked_again_before_the_time_that_the_server_named() {
    let asked = Mutex::new(HashSet::new());
    let transport = server(move |sent| {
        let is_first = asked.lock().unwrap().insert(number_of(sent));
        match number_of(sent) {
            // Longer than a call waits.
            1 if is_first => Some(status(503).header("Retry-After", "45")),
            2 if is_first => Some(Reply::lost()),
            _ => None,
        }
    });
    let client = Client::builder().max_retries(0).build(transport.clone());
    let many = client.unwrap().get_many(ids(4));
    assert_eq!(lost(&transport.run(many.collect::<Vec<_>>())), 0);
    let sent = transport.requests();
    let again: Vec<_> = sent[4..]
        .iter()
        .map(|again| (number_of(again), (again.at - sent[0].at).as_secs()))
        .collect();
    assert_eq!(again, [(2, 2), (1, 45)]);
}

/// Refuses the first request, for 50 seconds.
fn busy_at_first() -> VirtualTransport {
    let is_first = Mutex::new(true);
    server(move |_| {
        let is_first = std::mem::take(&mut *is_first.lock().unwrap());
        is_first.then(|| status(429).header("Retry-After", "50"))
    })
}

#[test]
fn nothing_is_sent_during_a_pause() {
    let transport = busy_at_first();
    let client = Client::builder().build(transport.clone()).unwrap();
    assert!(super::usage(&client).is_err());
    let outcomes: Vec<_> = transport.run(client.get_many(ids(20)).rounds(0).collect());
    assert_eq!(lost(&outcomes), 0);
    let second = transport.requests()[1].at;
    assert!(second >= seconds(50) && second < seconds(52), "{second:?}");
}

#[test]
fn another_identity_goes_on_at_once() {
    let transport = busy_at_first();
    let client = Client::builder()
        .max_retries(0)
        .bearer_token("alice")
        .build(transport.clone())
        .unwrap();
    let many = client.get_many(ids(4)).concurrency(1).collect::<Vec<_>>();
    let change = async {
        transport.sleep(5_000.0).await;
        let renewed = TokenSource::from("renewed").same_identity();
        client.set_bearer_token(renewed).unwrap();
        transport.sleep(5_000.0).await;
        client.set_bearer_token("bob").unwrap();
    };
    let (outcomes, ()) = transport.run(join(many, change));
    assert_eq!(lost(&outcomes), 0);
    let asked: Vec<_> = transport
        .requests()
        .iter()
        .map(|sent| (number_of(sent), sent.at.as_millis()))
        .collect();
    let then = [(1, 0), (2, 10_000), (3, 10_020), (4, 10_040), (1, 12_060)];
    assert_eq!(asked, then);
}

/// An iterator that claims the largest possible length.
struct Boastful(std::vec::IntoIter<String>);

impl Iterator for Boastful {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        self.0.next()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (usize::MAX, Some(usize::MAX))
    }
}

#[test]
fn options_are_clamped_and_a_finished_stream_stays_finished() {
    for extreme in [0, usize::MAX] {
        let transport = away(vec![(0, 1_050)], false);
        let client = Client::builder().build(transport.clone()).unwrap();
        let many = client.get_many(Boastful(ids(4).into_iter()));
        let mut many = many.concurrency(extreme).rounds(extreme as u32);
        let mut came = 0;
        while transport.run(many.next()).is_some() {
            came += 1;
            assert!(many.progress().total.is_none_or(|total| total >= came));
        }
        assert_eq!(came, 4);
        for _ in 0..3 {
            assert!(transport.run(many.next()).is_none());
        }
        assert_eq!((many.progress().done, many.progress().again), (4, 0));
    }
}
