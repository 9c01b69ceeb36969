//! Which bearer token goes with a request, and when the provider is asked.
#![cfg(not(target_arch = "wasm32"))]

use std::{cell::RefCell, error::Error as _, future::pending, rc::Rc, task::Poll, time::Duration};

use bookmore_sdk::{
    Client, ClientBuilder, Error, GetAiChatUsage,
    client::{BearerToken, CallOptions, TokenSource, WithResponse},
    error::{Phase, Scope, TokenProviderError},
    testing::{Reply, VirtualTransport},
};
use futures_util::future::{join, join_all};

const USAGE: &str =
    r#"{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;

fn ok() -> Reply {
    Reply::json(USAGE)
}

fn status(status: u16) -> Reply {
    Reply::status(status)
}

/// These replies, and then usages.
fn replying(replies: impl IntoIterator<Item = Reply>) -> VirtualTransport {
    replies.into_iter().fold(
        VirtualTransport::new().respond_with(|_| ok()),
        VirtualTransport::reply,
    )
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn usage(client: &Client<VirtualTransport>) -> Result<(), Error> {
    let request = GetAiChatUsage::default();
    let call = client.get_ai_chat_usage(&request);
    client.transport().run(call).map(drop)
}

fn ask(builder: ClientBuilder, transport: &VirtualTransport) -> Result<WithResponse, Error> {
    let client = builder.build(transport.clone()).unwrap();
    let options = CallOptions::default();
    transport.run(client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options))
}

/// When each request was sent.
fn times(transport: &VirtualTransport) -> Vec<Duration> {
    transport.requests().iter().map(|sent| sent.at).collect()
}

/// The bearer token of each request.
fn tokens(transport: &VirtualTransport) -> Vec<String> {
    let sent = transport.requests();
    let token = sent
        .iter()
        .map(|sent| match sent.request.header("authorization") {
            None => "none".to_owned(),
            Some(value) => value.strip_prefix("Bearer ").unwrap().to_owned(),
        });
    token.collect()
}

/// What a provider was told.
type Told = Rc<RefCell<Vec<bool>>>;

/// A provider that gives `tokens` one after the other.
fn provided(tokens: &[(&str, Option<u64>)]) -> (ClientBuilder, Told) {
    let told = Told::default();
    let mut rest: Vec<_> = tokens
        .iter()
        .map(|&(token, lives_for)| {
            let token = BearerToken::new(token);
            match lives_for {
                Some(lives_for) => token.expires_in(seconds(lives_for)),
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
        async { token.ok_or_else(|| TokenProviderError::new("No more tokens.")) }
    });
    (builder, told)
}

#[test]
fn a_refused_token_is_renewed_once() {
    let (builder, told) = provided(&[("old", None), ("new", None)]);
    let transport = replying([status(401), ok()]);
    let reply = ask(builder, &transport).unwrap();
    assert_eq!(tokens(&transport), ["old", "new"]);
    assert_eq!(*told.borrow(), [false, true]);
    // Outside the count of retries, and at once.
    assert_eq!(times(&transport), [Duration::ZERO; 2]);
    assert_eq!(reply.attempts[0].error, Some("authentication_error"));

    let (builder, _) = provided(&[("old", None), ("new", None)]);
    let transport = replying([status(401), status(401), ok()]);
    assert_eq!(
        ask(builder, &transport).unwrap_err().code(),
        "authentication_error"
    );
    assert_eq!(times(&transport).len(), 2);

    let transport = replying([status(401), ok()]);
    ask(Client::builder().bearer_token("fixed"), &transport).unwrap_err();
    assert_eq!(times(&transport).len(), 1);
}

#[test]
fn a_renewal_that_changes_nothing_ends_with_the_401_and_is_not_made_again_at_once() {
    let (builder, told) = provided(&[("old", None); 20]);
    let transport = VirtualTransport::new().respond_with(|_| status(401));
    let client = builder.build(transport.clone()).unwrap();
    for forced in [1, 1, 1] {
        assert_eq!(usage(&client).unwrap_err().status(), Some(401));
        let told = told.borrow();
        assert_eq!(told.iter().filter(|told| **told).count(), forced);
    }
    assert_eq!(tokens(&transport), ["old"; 3]);
    transport.advance(seconds(5));
    usage(&client).unwrap_err();
    assert_eq!(told.borrow().iter().filter(|told| **told).count(), 2);
}

#[test]
fn a_renewal_leaves_the_retries_alone() {
    let (builder, _) = provided(&[("old", None), ("new", None)]);
    let transport = replying([status(401), status(503), status(503), ok()]);
    ask(builder, &transport).unwrap();
    assert_eq!(tokens(&transport), ["old", "new", "new", "new"]);
}

#[test]
fn a_token_is_used_until_its_end_is_near() {
    let (builder, told) = provided(&[
        ("first", Some(200)),
        ("second", Some(200)),
        ("third", Some(200)),
    ]);
    let transport = replying([]);
    let client = builder.build(transport.clone()).unwrap();
    for (at, asked, token) in [
        (0, 1, "first"),
        (79, 1, "first"),
        // Two minutes left: renewed behind the call.
        (80, 2, "first"),
        (81, 2, "second"),
        // 20 s left: not sent any more.
        (80 + 180, 3, "third"),
    ] {
        transport.advance(seconds(at) - transport.elapsed());
        usage(&client).unwrap();
        assert_eq!(
            (
                told.borrow().len(),
                tokens(&transport).last().unwrap().as_str()
            ),
            (asked, token),
            "{at}"
        );
    }
    assert!(told.borrow().iter().all(|forced| !forced));
}

#[test]
fn an_end_can_be_given_by_the_wall_clock() {
    let asked = Rc::new(RefCell::new(0));
    let counted = Rc::clone(&asked);
    let builder = Client::builder().token_provider(move |_| {
        *counted.borrow_mut() += 1;
        // The transport's clock starts at 1 000 000 000 s.
        let end = seconds(1_000_000_000 + 200);
        async move { BearerToken::new("t0ken").expires_at(end) }
    });
    let transport = replying([]);
    let client = builder.build(transport.clone()).unwrap();
    for (at, count) in [(0, 1), (79, 1), (171, 2)] {
        transport.advance(seconds(at) - transport.elapsed());
        usage(&client).unwrap();
        assert_eq!(*asked.borrow(), count, "{at}");
    }
    let in_1970 = Client::builder().token_provider(|_| async {
        BearerToken::new("t0ken").expires_at(Duration::from_millis(1_900_000_000))
    });
    let error = ask(in_1970, &transport).unwrap_err();
    assert_eq!(error.code(), "token_provider_error");
    assert!(error.to_string().contains("from_secs(exp)"), "{error}");
}

#[test]
fn a_renewal_that_fails_behind_a_call_is_tried_again_after_five_seconds() {
    let (builder, told) = provided(&[("first", Some(100))]);
    let transport = replying([]);
    let client = builder.build(transport.clone()).unwrap();
    for (at, asked) in [(0, 1), (1_000, 2), (5_999, 2), (6_001, 3)] {
        transport.advance(Duration::from_millis(at) - transport.elapsed());
        usage(&client).unwrap();
        assert_eq!(told.borrow().len(), asked, "{at}");
    }
    transport.advance(seconds(75) - transport.elapsed());
    let error = usage(&client).unwrap_err();
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
                pending::<()>().await;
            }
            "t0ken"
        }
    });
    let client = builder.build(replying([])).unwrap();
    let error = usage(&client).unwrap_err();
    let Error::Timeout(timeout) = &error else {
        panic!("{error:?}")
    };
    assert_eq!(
        (timeout.phase, timeout.scope, timeout.timeout()),
        (Phase::Token, Scope::Total, seconds(30))
    );
    assert_eq!(
        error.to_string(),
        "The bearerToken function gave no token within 30000 ms. Try again, or allow more time."
    );
    usage(&client).unwrap();
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
                pending::<()>().await;
            }
            BearerToken::new("old").expires_in(seconds(100))
        }
    });
    let client = builder.build(replying([ok(), status(401)])).unwrap();
    usage(&client).unwrap();
    let Error::Timeout(timeout) = usage(&client).unwrap_err() else {
        panic!("no timeout")
    };
    assert_eq!((timeout.phase, timeout.scope), (Phase::Token, Scope::Total));
    assert_eq!(client.transport().elapsed(), seconds(30));
}

#[test]
fn an_unusable_token_is_the_providers_failure() {
    for token in ["", "Bearer x", "a\nb"] {
        let (builder, _) = provided(&[(token, None)]);
        let error = ask(builder, &replying([])).unwrap_err();
        assert_eq!(error.code(), "token_provider_error", "{token:?}");
    }
    for builder in [
        Client::builder().token_provider(|_| async { BearerToken::none() }),
        Client::builder().token_provider(|_| async { None::<String> }),
        Client::builder().token_provider(|_| async { Ok::<Option<&str>, String>(None) }),
    ] {
        let transport = replying([]);
        ask(builder, &transport).unwrap();
        assert_eq!(tokens(&transport), ["none"]);
    }
}

#[test]
fn whatever_a_provider_fails_with_is_the_source_of_its_error() {
    let from_io = Client::builder().token_provider(|_| async {
        Err::<BearerToken, _>(std::io::Error::other("the keychain is locked"))
    });
    let error = ask(from_io, &replying([])).unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        (
            "token_provider_error",
            "The token provider failed: the keychain is locked."
        )
    );
    assert!(error.source().unwrap().is::<std::io::Error>());

    let from_words =
        Client::builder().token_provider(|_| async { Err::<String, _>("Signed out!") });
    let error = ask(from_words, &replying([])).unwrap_err();
    assert_eq!(error.to_string(), "The token provider failed: Signed out!");

    // Also where it is an error of the SDK's, such as that of a call for a token.
    let inner = ask(
        Client::builder(),
        &replying([status(503), status(503), status(503)]),
    );
    let inner = RefCell::new(Some(inner.unwrap_err()));
    let from_own = Client::builder().token_provider(move |_| {
        let error = inner.take().unwrap();
        async { Err::<String, _>(error) }
    });
    let transport = replying([]);
    let error = ask(from_own, &transport).unwrap_err();
    assert_eq!(error.code(), "token_provider_error");
    let source = error.source().unwrap().downcast_ref::<Error>().unwrap();
    assert_eq!(source.status(), Some(503));
    assert!(transport.requests().is_empty());
}

#[test]
fn calls_at_the_same_time_share_one_question() {
    let told = Told::default();
    let seen = Rc::clone(&told);
    let builder = Client::builder()
        .coalesce(false)
        .token_provider(move |request| {
            let token = if request.force_refresh { "new" } else { "old" };
            seen.borrow_mut().push(request.force_refresh);
            async move {
                yield_now().await;
                BearerToken::new(token).expires_in(seconds(3600))
            }
        });
    let transport =
        VirtualTransport::new().respond_with(|sent| match sent.request.header("authorization") {
            Some("Bearer old") => status(401),
            _ => ok(),
        });
    let client = builder.build(transport.clone()).unwrap();
    let request = GetAiChatUsage::default();
    let calls = (0..50).map(|_| client.get_ai_chat_usage(&request));
    for reply in transport.run(join_all(calls)) {
        reply.unwrap();
    }
    assert_eq!(*told.borrow(), [false, true]);
    let is_new = |token: &&String| *token == "new";
    assert_eq!(tokens(&transport).iter().filter(is_new).count(), 50);
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

// ---- Another token ----

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
fn a_token_that_cannot_be_sent_is_not_set() {
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
fn a_call_that_waits_for_the_old_provider_goes_with_the_new_token() {
    let given_up = Rc::new(());
    let held = Rc::downgrade(&given_up);
    let keep = RefCell::new(Some(given_up));
    let builder = Client::builder().token_provider(move |_| {
        let held = keep.take();
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
        // What the old provider did is given up at once.
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
