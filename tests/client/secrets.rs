//! Secrets are not sent over plain http, and are not shown.

use std::sync::{Arc, Mutex};

use bookmore_sdk::{
    Client, ClientBuilder, Error, GetAiChatUsage, ResponseStatus,
    client::{BearerToken, CallOptions, TokenSource},
    testing::{Reply, VirtualTransport},
};

use super::USAGE;

fn ask(builder: ClientBuilder, reply: Reply) -> Error {
    let transport = VirtualTransport::new().reply(reply);
    let client = builder.max_retries(0).build(transport.clone()).unwrap();
    transport
        .run(client.get_ai_chat_usage(&GetAiChatUsage::default()))
        .unwrap_err()
}

#[test]
fn secrets_do_not_go_over_plain_http() {
    let sentence = "A token or an API key must not go over plain http; use an https base URL, or allow_insecure_http.";
    let plain = || Client::builder().base_url("http://api.example");
    for builder in [
        plain().bearer_token("t0ken"),
        plain().api_key("key"),
        plain().token_provider(|_| async { "t0ken" }),
    ] {
        let refused = builder.clone().build(VirtualTransport::new());
        assert_eq!(refused.err().unwrap().to_string(), sentence);
        builder
            .allow_insecure_http(true)
            .build(VirtualTransport::new())
            .unwrap();
    }
    plain().build(VirtualTransport::new()).unwrap();
    plain()
        .base_url("http://localhost:8080")
        .api_key("key")
        .build(VirtualTransport::new())
        .unwrap();
}

#[test]
fn secrets_that_a_server_quotes_are_redacted() {
    let body = r#"{"ResponseStatus":{"ErrorCode":"Bad","Message":"t0ken-s3cret and k3y-s3cret, t0ken-s3cret","StackTrace":"at t0ken-s3cret","Errors":[{"ErrorCode":"Bad","FieldName":"t0ken-s3cret","Message":"t0ken-s3cret","Meta":{"a":"k3y-s3cret","k3y-s3cret":"a"}}],"Meta":{"b":"t0ken-s3cret"}}}"#;
    let quote = |name: &str| format!("Bearer error=\"t0ken-s3cret\", {name}");
    let status = Reply::status;
    for reply in [
        status(400)
            .header("x-request-id", quote("x-request-id"))
            .body(body),
        status(401).header("www-authenticate", quote("www-authenticate")),
        status(302).header("location", "/login/t0ken-s3cret"),
        status(200).header("content-type", "text/t0ken-s3cret"),
        status(400)
            .header("content-type", "text/plain")
            .body("Bearer t0ken%2Ds3cret, dDBrZW4tczNjcmV0"),
    ] {
        let builder = Client::builder()
            .bearer_token("t0ken-s3cret")
            .api_key("k3y-s3cret");
        let error = ask(builder, reply);
        let mut shown = format!("{error} {error:?}");
        if let Error::Api(error) = &error {
            let status = error.response_status.as_deref();
            shown += &serde_json::to_string(&status.cloned().unwrap_or_default()).unwrap();
        }
        for secret in ["s3cret", "dDBrZW4tczNjcmV0"] {
            assert!(!shown.contains(secret), "{shown}");
        }
        assert!(shown.contains("[REDACTED]"), "{shown}");
    }
}

#[test]
fn secrets_in_the_headers_of_a_usage_are_redacted() {
    let reply = Reply::json(USAGE)
        .header("x-debug", "authorization: Bearer t0ken-s3cret")
        .header("X-Request-ID", "r1");
    let transport = VirtualTransport::new().reply(reply);
    let client = Client::builder()
        .bearer_token("t0ken-s3cret")
        .build(transport.clone())
        .unwrap();
    let options = CallOptions::new();
    let reply = transport.run(client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options));
    let response = reply.unwrap().response;
    assert_eq!(
        response.header("X-Debug"),
        Some("authorization: Bearer [REDACTED]")
    );
    assert_eq!(response.request_id.as_deref(), Some("r1"));
    assert_eq!((response.status, response.received_at), (200, 1e12));
}

#[test]
fn a_cause_that_contains_a_secret_is_left_out() {
    use std::error::Error as _;
    let failing = |words: &'static str| {
        Client::builder()
            .api_key("k3y-s3cret")
            .token_provider(move |_| async move { Err::<BearerToken, _>(words) })
    };
    let fine = ask(failing("signed out"), Reply::never());
    assert_eq!(fine.source().unwrap().to_string(), "signed out");
    let quoted = ask(failing("POST with k3y-s3cret failed"), Reply::never());
    assert_eq!(
        quoted.to_string(),
        "The token provider failed: POST with [REDACTED] failed."
    );
    assert!(quoted.source().is_none() && !format!("{quoted:?}").contains("s3cret"));
}

#[test]
fn nothing_secret_is_shown() {
    let builder = Client::builder()
        .bearer_token("s3cret")
        .api_key("s3cret")
        .header("X-Session", "s3cret");
    let options = CallOptions::new().header("X-Session", "s3cret");
    let seen = Arc::new(Mutex::new(String::new()));
    let see = Arc::clone(&seen);
    let transport = VirtualTransport::new().respond_with(move |sent| {
        *see.lock().unwrap() = format!("{:?} {sent:?}", sent.request);
        Reply::json(USAGE)
    });
    let client = builder.clone().build(transport.clone()).unwrap();
    transport
        .run(client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options))
        .unwrap();
    let status = ResponseStatus {
        stack_trace: Some("Authorization: s3cret".to_owned()),
        ..ResponseStatus::default()
    };
    for shown in [
        format!("{builder:?}"),
        format!("{client:?}"),
        format!("{options:?}"),
        format!("{status:?}"),
        format!("{:?}", BearerToken::new("s3cret")),
        format!("{:?}", TokenSource::from("s3cret")),
        seen.lock().unwrap().clone(),
    ] {
        assert!(shown.len() > 10 && !shown.contains("s3cret"), "{shown}");
    }
}
