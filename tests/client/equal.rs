//! Which calls share a request.

use std::task::Poll;

use bookmore_sdk::client::CallOptions;

use super::{COMPANY, client, seconds, task::Task};

#[test]
fn equal_calls_share_a_request_unless_told_otherwise() {
    let sent = |options: [CallOptions; 2]| {
        let client = client();
        let mut calls = options.map(|options| Task::of(&client, COMPANY, options));
        for call in &mut calls {
            assert!(call.poll().is_pending());
        }
        client.transport().requests().len()
    };
    let usual = CallOptions::new;
    assert_eq!(sent([usual(), usual().total_timeout(seconds(5))]), 1);
    assert_eq!(sent([usual(), usual().max_retries(2)]), 1);
    assert_eq!(sent([usual(), usual().max_retries(3)]), 2);
    assert_eq!(sent([usual(), usual().header("x-language", "sv")]), 2);
    assert_eq!(sent([usual(), usual().coalesce(false)]), 2);
    assert_eq!(sent([usual(), usual().fresh(true)]), 2);
    // The second of two fresh ones waits until the first is over.
    assert_eq!(sent([usual().fresh(true), usual().fresh(true)]), 1);
}

#[test]
fn fresh_calls_share_the_request_after_the_one_in_flight() {
    let client = client();
    let fresh = || Task::of(&client, COMPANY, CallOptions::new().fresh(true));
    let mut calls = [fresh(), fresh(), fresh()];
    for call in &mut calls {
        assert!(call.poll().is_pending());
    }
    client.transport().advance(seconds(1));
    assert!(calls[0].poll_if_woken().is_ready());
    client.transport().advance(seconds(1));
    // The last one was woken, and wakes the other.
    for call in calls[1..].iter_mut().rev() {
        let Poll::Ready(reply) = call.poll_if_woken() else {
            panic!("no reply")
        };
        reply.unwrap();
    }
    assert_eq!(client.transport().requests().len(), 2);
}
