//! Replacing the token of a client.

use std::{
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use bookmore_sdk::{Client, GetAiChatUsage, client::TokenSource};
use futures_util::future::join;

use super::{ok, replying, seconds, tokens, usage, yield_now};

#[test]
fn a_token_that_is_set_is_sent_from_then_on() {
    let client = Client::builder()
        .bearer_token("first")
        .build(replying([]))
        .unwrap();
    usage(&client).unwrap();
    client.set_bearer_token("second").unwrap();
    usage(&client).unwrap();
    client
        .set_bearer_token(TokenSource::provider(|_| async { "third" }))
        .unwrap();
    usage(&client).unwrap();
    client.set_bearer_token(TokenSource::none()).unwrap();
    usage(&client).unwrap();
    assert_eq!(
        tokens(client.transport()),
        ["first", "second", "third", "none"]
    );
}

#[test]
fn an_invalid_token_is_not_set() {
    let client = Client::builder()
        .bearer_token("first")
        .build(replying([]))
        .unwrap();
    let refused = client.set_bearer_token("Bearer second").unwrap_err();
    assert_eq!(refused.code(), "config_error");
    usage(&client).unwrap();
    assert_eq!(tokens(client.transport()), ["first"]);

    let plain = Client::builder()
        .base_url("http://api.example")
        .build(replying([]))
        .unwrap();
    for source in [
        TokenSource::from("t0ken"),
        TokenSource::provider(|_| async { "t0ken" }),
    ] {
        let refused = plain.set_bearer_token(source).unwrap_err();
        assert!(refused.to_string().contains("plain http"), "{refused}");
    }
    plain.set_bearer_token(TokenSource::none()).unwrap();
}

#[test]
fn a_call_that_waits_for_the_old_provider_is_sent_with_the_new_token() {
    let given_up = Arc::new(());
    let held = Arc::downgrade(&given_up);
    let keep = Mutex::new(Some(given_up));
    let builder = Client::builder().token_provider(move |_| {
        let held = keep.lock().unwrap().take();
        async move {
            pending::<()>().await;
            drop(held);
            "old"
        }
    });
    let transport = replying([]);
    let client = builder.build(transport.clone()).unwrap();
    let request = GetAiChatUsage::default();
    let sign_in = async {
        yield_now().await;
        assert!(held.upgrade().is_some());
        client.set_bearer_token("new").unwrap();
        // The old provider is dropped at once.
        assert!(held.upgrade().is_none());
    };
    let (reply, ()) = transport.run(join(client.get_ai_chat_usage(&request), sign_in));
    reply.unwrap();
    assert_eq!(tokens(&transport), ["new"]);
    assert_eq!(transport.elapsed(), Duration::ZERO);
}

#[test]
fn a_reply_to_the_old_identity_is_not_shared_with_the_new_one() {
    for (source, requests) in [
        (TokenSource::from("second"), vec!["first", "second"]),
        (TokenSource::from("second").same_identity(), vec!["first"]),
    ] {
        let slow = ok().after(seconds(1));
        let transport = replying([slow.clone(), slow]);
        let client = Client::builder()
            .bearer_token("first")
            .build(transport.clone())
            .unwrap();
        let request = GetAiChatUsage::default();
        let other = async {
            yield_now().await;
            client.set_bearer_token(source.clone()).unwrap();
            client.get_ai_chat_usage(&request).await
        };
        let (first, second) = transport.run(join(client.get_ai_chat_usage(&request), other));
        first.unwrap();
        second.unwrap();
        assert_eq!(tokens(&transport), requests);
    }
}
