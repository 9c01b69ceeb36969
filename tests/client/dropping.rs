//! A call that is dropped or not polled does not affect other calls.

use std::{task::Poll, time::Duration};

use bookmore_sdk::{
    Client, GetAiChatUsage,
    client::CallOptions,
    testing::{Reply, VirtualTransport},
};
use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{COMPANY, OTHER, client, ms, ok, seconds, slow, task::Task};

#[test]
fn dropping_a_call_cancels_its_request() {
    let client = client();
    let first = Task::started(&client, COMPANY);
    let mut second = Task::started(&client, OTHER);
    drop(first);
    let cancelled = |client: &Client<VirtualTransport>| -> Vec<_> {
        let sent = client.transport().requests();
        sent.iter()
            .map(|sent| sent.cancelled_at.is_some())
            .collect()
    };
    assert_eq!(cancelled(&client), [true, false]);
    client.transport().advance(seconds(1));
    assert!(second.poll_if_woken().is_ready());
    drop(second);
    assert_eq!(cancelled(&client), [true, false]);
}

#[test]
fn a_call_that_was_never_polled_sends_nothing() {
    let client = client();
    drop(Task::of(&client, COMPANY, CallOptions::new()));
    assert!(client.transport().requests().is_empty());
}

#[test]
fn an_equal_call_continues_when_the_first_one_is_dropped() {
    let client = client();
    let first = Task::started(&client, COMPANY);
    let mut second = Task::started(&client, "{9F2C7B1A-4D3E-4F5A-8B6C-7D8E9F0A1B2C}");
    drop(first);
    client.transport().advance(seconds(1));
    let Poll::Ready(reply) = second.poll_if_woken() else {
        panic!("no reply")
    };
    reply.unwrap();
    assert_eq!(client.transport().requests().len(), 1);
}

#[test]
fn another_call_does_the_work_for_which_a_dropped_call_was_woken() {
    for drops_the_woken in [true, false] {
        let client = client();
        let mut calls = [
            Some(Task::started(&client, COMPANY)),
            Some(Task::started(&client, COMPANY)),
        ];
        client.transport().advance(seconds(1));
        let woken = usize::from(!calls[0].as_ref().unwrap().is_woken());
        let dropped = if drops_the_woken { woken } else { 1 - woken };
        calls[dropped] = None;
        let left = calls[1 - dropped].as_mut().unwrap();
        assert!(left.poll_if_woken().is_ready(), "{drops_the_woken}");
    }
}

#[test]
fn another_call_takes_over_the_timer_of_a_dropped_call() {
    let transport = VirtualTransport::new().respond_with(|_| Reply::never());
    let client = Client::builder()
        .attempt_timeout(None)
        .build(transport)
        .unwrap();
    let first = Task::started(&client, COMPANY);
    let mut second = Task::started(&client, OTHER);
    drop(first);
    client.transport().advance(seconds(30));
    let Poll::Ready(reply) = second.poll_if_woken() else {
        panic!("no limit")
    };
    assert_eq!(reply.unwrap_err().code(), "timeout");
}

#[test]
fn each_of_equal_calls_keeps_its_own_timeout() {
    let client = client();
    let short = CallOptions::new().total_timeout(Duration::from_millis(300));
    let mut hurried = Task::of(&client, COMPANY, short);
    assert!(hurried.poll().is_pending());
    let mut patient = Task::started(&client, COMPANY);
    client.transport().advance(Duration::from_millis(300));
    let Poll::Ready(reply) = hurried.poll_if_woken() else {
        panic!("no limit")
    };
    assert_eq!(reply.unwrap_err().code(), "timeout");
    client.transport().advance(Duration::from_millis(700));
    let Poll::Ready(reply) = patient.poll_if_woken() else {
        panic!("no reply")
    };
    reply.unwrap();
    let sent = client.transport().requests();
    assert_eq!((sent.len(), sent[0].cancelled_at.is_some()), (1, false));
}

#[test]
fn a_call_that_is_not_polled_does_not_block_others() {
    let client = client();
    let stalled = Task::started(&client, COMPANY);
    let mut other = Task::started(&client, OTHER);
    client.transport().advance(seconds(1));
    let Poll::Ready(reply) = other.poll_if_woken() else {
        panic!("no reply")
    };
    reply.unwrap();
    drop(stalled);
}

/// Any call can drive the timer and the retries, whichever call started them.
#[test]
fn other_calls_take_over_when_the_driving_call_is_no_longer_polled() {
    for is_dropped in [false, true] {
        let transport = slow().reply(Reply::status(503)).reply(Reply::status(503));
        let client = Client::builder().build(transport).unwrap();
        let mut other = Task::started(&client, OTHER);
        // Both have failed before it starts, so it starts the timer.
        let mut first = Some(Task::started(&client, COMPANY));
        let mut begun = 1;
        if is_dropped {
            begun = 0;
            first = None;
        }
        client.transport().advance(Duration::from_millis(250));
        assert!(other.poll_if_woken().is_pending(), "{is_dropped}");
        assert_eq!(client.transport().requests().len(), 3 + begun);
        client.transport().advance(seconds(1));
        let Poll::Ready(reply) = other.poll_if_woken() else {
            panic!("no reply")
        };
        reply.unwrap();
        drop(first);
    }
}

#[test]
fn five_hundred_calls_in_tasks_of_their_own_are_each_answered_once() {
    let client = Client::builder().coalesce(false).build(slow()).unwrap();
    let request = GetAiChatUsage::default();
    let calls: FuturesUnordered<_> = (0..500)
        .map(|_| client.get_ai_chat_usage(&request))
        .collect();
    let replies = client.transport().run(calls.collect::<Vec<_>>());
    assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), 500);
    assert_eq!(client.transport().elapsed(), seconds(1));
}

#[test]
fn calls_run_on_any_executor() {
    let transport = VirtualTransport::new().respond_with(|_| ok());
    let client = Client::builder().build(transport).unwrap();
    pollster::block_on(client.get_ai_chat_usage(&GetAiChatUsage::default())).unwrap();
}

#[test]
fn a_reply_wakes_only_the_calls_that_wait_for_it() {
    let client = client();
    let mut first = Task::started(&client, COMPANY);
    client.transport().advance(ms(500));
    let mut equal = Task::started(&client, COMPANY);
    let mut other = Task::started(&client, OTHER);
    client.transport().advance(ms(500));
    assert!(first.is_woken() && equal.is_woken() && !other.is_woken());
    assert!(equal.poll_if_woken().is_ready() && first.poll_if_woken().is_ready());
    assert!(!other.is_woken());
    client.transport().advance(ms(500));
    assert!(other.poll_if_woken().is_ready());
}

#[test]
fn a_fresh_call_behind_a_request_is_woken_by_its_reply() {
    let client = client();
    let fresh = || {
        let mut task = Task::of(&client, COMPANY, CallOptions::new().fresh(true));
        assert!(task.poll().is_pending());
        task
    };
    let first = fresh();
    let mut behind = fresh();
    client.transport().advance(seconds(1));
    // The first is not polled.
    assert!(first.is_woken() && behind.poll_if_woken().is_pending());
    client.transport().advance(seconds(1));
    assert!(behind.poll_if_woken().is_ready());
}
