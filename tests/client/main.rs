//! The Rust client over a virtual transport.
#![cfg(not(target_arch = "wasm32"))]

#[path = "../common/mod.rs"]
mod common;
mod deadlines;
mod dropping;
mod equal;
mod events;
mod fake;
mod fake_recordings;
mod many;
mod new_token;
mod pace;
mod provider;
mod readme;
mod recordings;
mod reentrant;
mod retries;
#[path = "../common/scenarios/mod.rs"]
mod scenarios;
mod secrets;
mod task;
mod threads;
mod virtual_world;
mod watch;

use std::{future::poll_fn, task::Poll, time::Duration};

use bookmore_sdk::{
    Client, ClientBuilder, Error, GetAiChatUsage,
    client::{CallOptions, WithResponse},
    testing::{Reply, VirtualTransport},
};

const COMPANY: &str = "9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c";
const OTHER: &str = "3fa85f64-5717-4562-b3fc-2c963f66afa6";
const USAGE: &str =
    r#"{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;

fn ok() -> Reply {
    Reply::json(USAGE)
}

fn status(status: u16) -> Reply {
    Reply::status(status)
}

/// Gives these replies, and no others.
fn written(replies: impl IntoIterator<Item = Reply>) -> VirtualTransport {
    replies
        .into_iter()
        .fold(VirtualTransport::new(), VirtualTransport::reply)
}

/// Gives these replies, and then usages.
fn replying(replies: impl IntoIterator<Item = Reply>) -> VirtualTransport {
    written(replies).respond_with(|_| ok())
}

/// Gives each reply after one second.
fn slow() -> VirtualTransport {
    VirtualTransport::new().respond_with(|_| ok().after(seconds(1)))
}

fn client() -> Client<VirtualTransport> {
    Client::builder().build(slow()).unwrap()
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn usage(client: &Client<VirtualTransport>) -> Result<(), Error> {
    let request = GetAiChatUsage::default();
    let call = client.get_ai_chat_usage(&request);
    client.transport().run(call).map(drop)
}

fn ask(builder: ClientBuilder, transport: &VirtualTransport) -> Result<WithResponse, Error> {
    let client = builder.build(transport.clone()).unwrap();
    let options = CallOptions::default();
    Ok(transport.run(client.get_ai_chat_usage_with(&GetAiChatUsage::default(), &options))?)
}

/// When each request was sent, in milliseconds.
fn times(transport: &VirtualTransport) -> Vec<f64> {
    let sent = transport.requests();
    sent.iter()
        .map(|sent| sent.at.as_secs_f64() * 1e3)
        .collect()
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

/// Yields to other tasks.
async fn yield_now() {
    let mut yielded = false;
    poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
