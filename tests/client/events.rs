//! The events and attempts of calls.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use bookmore_sdk::{
    Client, GetAiChatUsage,
    client::{CallOptions, Event},
    testing::{Reply, VirtualTransport},
};
use futures_util::future::join;

use super::{COMPANY, ok, slow, task::Task};

#[test]
fn events_and_attempts_tell_what_happened() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    let builder = Client::builder()
        .base_url("https://api.example")
        .max_retries(1)
        .on_event(move |event| {
            heard.lock().unwrap().push(match event {
                Event::Attempt {
                    call, attempt, url, ..
                } => (*call, format!("attempt {attempt} {url}")),
                Event::Response {
                    call,
                    attempt,
                    status,
                    ..
                } => (*call, format!("response {attempt} {status}")),
                Event::Retry {
                    call,
                    attempt,
                    wait,
                    error,
                    ..
                } => (*call, format!("retry {attempt} {wait:?} {}", error.code())),
                Event::Success {
                    call,
                    attempts,
                    elapsed,
                    ..
                } => (*call, format!("success {attempts} {elapsed:?}")),
                Event::Error {
                    call,
                    attempts,
                    elapsed,
                    error,
                    ..
                } => (
                    *call,
                    format!("error {attempts} {elapsed:?} {}", error.code()),
                ),
                _ => unreachable!(),
            });
        });
    let transport = VirtualTransport::new()
        .reply(Reply::status(503).after(Duration::from_millis(7)))
        .reply(ok())
        .reply(Reply::lost())
        .reply(Reply::status(404));
    let client = builder.build(transport.clone()).unwrap();
    let request = GetAiChatUsage::for_company(COMPANY);
    let options = CallOptions::default();
    let reply = transport
        .run(client.get_ai_chat_usage_with(&request, &options))
        .unwrap();
    let attempts: Vec<_> = reply
        .attempts
        .iter()
        .map(|attempt| {
            (
                attempt.status,
                attempt.error,
                attempt.elapsed,
                attempt.waited,
            )
        })
        .collect();
    let ms = Duration::from_millis;
    assert_eq!(
        attempts,
        [
            (Some(503), Some("server_error"), ms(7), ms(0)),
            (Some(200), None, ms(0), ms(250))
        ]
    );
    assert_eq!(reply.elapsed, ms(257));
    let failed = transport
        .run(client.get_ai_chat_usage_with(&request, &options))
        .unwrap_err();
    let codes: Vec<_> = failed.attempts.iter().map(|one| one.error).collect();
    assert_eq!(codes, [Some("network_error"), Some("api_error")]);
    assert_eq!(failed.elapsed, ms(250));
    let url = "https://api.example/assistant/ai-chat/usage";
    let seen = seen.lock().unwrap();
    let words: Vec<_> = seen.iter().map(|(_, words)| words.as_str()).collect();
    assert_eq!(
        words,
        [
            &*format!("attempt 1 {url}"),
            "response 1 503",
            "retry 1 250ms server_error",
            &*format!("attempt 2 {url}"),
            "response 2 200",
            "success 2 257ms",
            &*format!("attempt 1 {url}"),
            "retry 1 250ms network_error",
            &*format!("attempt 2 {url}"),
            "response 2 404",
            "error 2 250ms api_error",
        ]
    );
    let (first, second) = (seen[0].0, seen[6].0);
    assert_ne!(first, second);
    assert!(seen[..6].iter().all(|(call, _)| *call == first));
    assert!(seen[6..].iter().all(|(call, _)| *call == second));
}

#[test]
fn each_of_equal_calls_has_its_own_final_event() {
    let ends = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&ends);
    let client = Client::builder()
        .on_event(move |event| {
            if let Event::Success { .. } = event {
                counted.fetch_add(1, Ordering::Relaxed);
            }
        })
        .build(slow())
        .unwrap();
    let request = GetAiChatUsage::default();
    let call = || client.get_ai_chat_usage(&request);
    let (first, second) = client.transport().run(join(call(), call()));
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(
        (
            ends.load(Ordering::Relaxed),
            client.transport().requests().len()
        ),
        (2, 1)
    );
}

#[test]
fn a_call_without_attempts_has_a_final_event_and_a_dropped_call_has_none() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&seen);
    let client = Client::builder()
        .on_event(move |event| {
            heard.lock().unwrap().push(match event {
                Event::Attempt { call, .. } => (*call, "attempt"),
                Event::Error { call, attempts, .. } => {
                    assert_eq!(*attempts, 0);
                    (*call, "error")
                }
                other => panic!("{other:?}"),
            });
        })
        .build(slow())
        .unwrap();
    let request = GetAiChatUsage::for_company("nonsense");
    let refused = client.transport().run(client.get_ai_chat_usage(&request));
    assert_eq!(refused.unwrap_err().code(), "config_error");
    drop(Task::started(&client, COMPANY));
    let seen = seen.lock().unwrap();
    assert_eq!(
        seen.iter().map(|(_, what)| *what).collect::<Vec<_>>(),
        ["error", "attempt"]
    );
    assert!(seen[0].0 < seen[1].0);
}
