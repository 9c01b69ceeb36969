//! When a token provider is called, and how its answer is used.

use std::{
    error::Error as _,
    future::pending,
    sync::{Arc, Mutex},
    time::Duration,
};

use bookmore_sdk::{
    Client, ClientBuilder, Error, GetAiChatUsage,
    client::BearerToken,
    error::{Phase, Scope, TokenProviderError},
    testing::VirtualTransport,
};
use futures_util::future::join_all;

use super::{ask, ok, replying, seconds, status, times, tokens, usage, yield_now};

/// The arguments of each call of a provider.
type Told = Arc<Mutex<Vec<bool>>>;

/// A provider that returns `tokens` one after the other.
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
    let rest = Mutex::new(rest);
    let seen = Arc::clone(&told);
    let builder = Client::builder().token_provider(move |request| {
        seen.lock().unwrap().push(request.force_refresh);
        let token = rest.lock().unwrap().pop();
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
    assert_eq!(*told.lock().unwrap(), [false, true]);
    // At once, and not counted as a retry.
    assert_eq!(times(&transport), [0.0; 2]);
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
fn a_renewal_that_returns_the_same_token_ends_with_the_401_and_is_not_repeated_at_once() {
    let (builder, told) = provided(&[("old", None); 20]);
    let transport = VirtualTransport::new().respond_with(|_| status(401));
    let client = builder.build(transport.clone()).unwrap();
    for forced in [1, 1, 1] {
        assert_eq!(usage(&client).unwrap_err().status(), Some(401));
        let told = told.lock().unwrap();
        assert_eq!(told.iter().filter(|told| **told).count(), forced);
    }
    assert_eq!(tokens(&transport), ["old"; 3]);
    transport.advance(seconds(5));
    usage(&client).unwrap_err();
    assert_eq!(told.lock().unwrap().iter().filter(|told| **told).count(), 2);
}

#[test]
fn a_renewal_does_not_count_as_a_retry() {
    let (builder, _) = provided(&[("old", None), ("new", None)]);
    let transport = replying([status(401), status(503), status(503), ok()]);
    ask(builder, &transport).unwrap();
    assert_eq!(tokens(&transport), ["old", "new", "new", "new"]);
}

#[test]
fn a_token_is_used_until_shortly_before_it_expires() {
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
        // Two minutes left: renewed in the background.
        (80, 2, "first"),
        (81, 2, "second"),
        // 20 s left: no longer sent.
        (80 + 180, 3, "third"),
    ] {
        transport.advance(seconds(at) - transport.elapsed());
        usage(&client).unwrap();
        assert_eq!(
            (
                told.lock().unwrap().len(),
                tokens(&transport).last().unwrap().as_str()
            ),
            (asked, token),
            "{at}"
        );
    }
    assert!(told.lock().unwrap().iter().all(|forced| !forced));
}

#[test]
fn an_expiry_can_be_given_by_the_wall_clock() {
    let asked = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&asked);
    let builder = Client::builder().token_provider(move |_| {
        *counted.lock().unwrap() += 1;
        // The transport's clock starts at 1 000 000 000 s.
        let end = seconds(1_000_000_000 + 200);
        async move { BearerToken::new("t0ken").expires_at(end) }
    });
    let transport = replying([]);
    let client = builder.build(transport.clone()).unwrap();
    for (at, count) in [(0, 1), (79, 1), (171, 2)] {
        transport.advance(seconds(at) - transport.elapsed());
        usage(&client).unwrap();
        assert_eq!(*asked.lock().unwrap(), count, "{at}");
    }
    let in_1970 = Client::builder().token_provider(|_| async {
        BearerToken::new("t0ken").expires_at(Duration::from_millis(1_900_000_000))
    });
    let error = ask(in_1970, &transport).unwrap_err();
    assert_eq!(error.code(), "token_provider_error");
    assert!(error.to_string().contains("only be seconds"), "{error}");
    let in_milliseconds = Client::builder().token_provider(|_| async {
        BearerToken::new("t0ken").expires_at(Duration::from_secs(1_900_000_000_000))
    });
    let error = ask(in_milliseconds, &transport).unwrap_err();
    assert!(error.to_string().contains("finer unit"), "{error}");
    let for_ever = Client::builder()
        .token_provider(|_| async { BearerToken::new("t0ken").expires_in(Duration::MAX) });
    ask(for_ever, &transport).unwrap();
}

#[test]
fn a_background_renewal_that_fails_is_repeated_after_five_seconds() {
    let (builder, told) = provided(&[("first", Some(100))]);
    let transport = replying([]);
    let client = builder.build(transport.clone()).unwrap();
    for (at, asked) in [(0, 1), (1_000, 2), (5_999, 2), (6_001, 3)] {
        transport.advance(Duration::from_millis(at) - transport.elapsed());
        usage(&client).unwrap();
        assert_eq!(told.lock().unwrap().len(), asked, "{at}");
    }
    transport.advance(seconds(75) - transport.elapsed());
    let error = usage(&client).unwrap_err();
    assert_eq!(
        (error.code(), &*error.to_string()),
        ("token_provider_error", "No more tokens.")
    );
}

#[test]
fn a_provider_that_hangs_is_cancelled_and_called_again() {
    let asked = Arc::new(Mutex::new(0));
    let counted = Arc::clone(&asked);
    let builder = Client::builder().token_provider(move |_| {
        *counted.lock().unwrap() += 1;
        let hangs = *counted.lock().unwrap() == 1;
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
        "The token provider gave no token within 30000 ms. Try again, or allow more time."
    );
    usage(&client).unwrap();
    assert_eq!(*asked.lock().unwrap(), 2);
}

#[test]
fn after_a_401_a_renewal_that_hangs_is_waited_for_until_the_timeout() {
    let asked = Mutex::new(0);
    let builder = Client::builder().token_provider(move |_| {
        *asked.lock().unwrap() += 1;
        let hangs = *asked.lock().unwrap() > 1;
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
fn an_invalid_token_is_a_token_provider_error() {
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
fn the_error_of_a_provider_is_the_source_of_the_token_provider_error() {
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
    let Error::TokenProvider(inner) = &error else {
        panic!("{error:?}")
    };
    assert!(inner.source().unwrap().is::<std::io::Error>());

    let from_words =
        Client::builder().token_provider(|_| async { Err::<String, _>("Signed out!") });
    let error = ask(from_words, &replying([])).unwrap_err();
    assert_eq!(error.to_string(), "The token provider failed: Signed out!");

    // Even if it is an error of the SDK, such as one from a call for a token.
    let inner = ask(
        Client::builder(),
        &replying([status(503), status(503), status(503)]),
    );
    let inner = Mutex::new(Some(inner.unwrap_err()));
    let from_own = Client::builder().token_provider(move |_| {
        let error = inner.lock().unwrap().take().unwrap();
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
fn concurrent_calls_share_one_call_of_the_provider() {
    let told = Told::default();
    let seen = Arc::clone(&told);
    let builder = Client::builder()
        .coalesce(false)
        .token_provider(move |request| {
            let token = if request.force_refresh { "new" } else { "old" };
            seen.lock().unwrap().push(request.force_refresh);
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
    assert_eq!(*told.lock().unwrap(), [false, true]);
    let is_new = |token: &&String| *token == "new";
    assert_eq!(tokens(&transport).iter().filter(is_new).count(), 50);
}
