//! Which calls share a request.

use std::task::Poll;

use bookmore_sdk::{Client, client::CallOptions};

use super::{COMPANY, client, seconds, slow, task::Task};

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
    // The second of two fresh calls waits for the first request to end.
    assert_eq!(sent([usual().fresh(true), usual().fresh(true)]), 1);
}

#[test]
fn calls_with_the_same_headers_are_equal_wherever_these_are_set_and_in_any_order() {
    let client = Client::builder().header("x-b", "2").build(slow()).unwrap();
    let usual = CallOptions::new;
    let calls = [
        usual().header("x-a", "1"),
        usual().header("x-a", "1").header("x-b", "2"),
        usual().header("X-B", "2").header("X-A", "1"),
    ];
    let mut calls = calls.map(|options| Task::of(&client, COMPANY, options));
    for call in &mut calls {
        assert!(call.poll().is_pending());
    }
    let [sent] = &client.transport().requests()[..] else {
        panic!("more than one")
    };
    assert_eq!(sent.request.header("x-a"), Some("1"));
}

#[test]
fn a_header_that_is_given_twice_is_sent_once_with_both_values() {
    let client = client();
    let options = CallOptions::new().header("X-A", "1").header("x-a", "2");
    let mut call = Task::of(&client, COMPANY, options);
    assert!(call.poll().is_pending());
    let sent = &client.transport().requests()[0];
    assert_eq!(sent.request.header("x-a"), Some("1, 2"));
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
    // The last one was woken and wakes the other.
    for call in calls[1..].iter_mut().rev() {
        let Poll::Ready(reply) = call.poll_if_woken() else {
            panic!("no reply")
        };
        reply.unwrap();
    }
    assert_eq!(client.transport().requests().len(), 2);
}
