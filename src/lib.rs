//! Typed client for one operation of the BookMore API:
//! `GET /assistant/ai-chat/usage`, a company's AI-assistant token usage.
//!
//! # Asking for a usage
//!
//! ```sh
//! cargo add bookmore-sdk --no-default-features
//! ```
//!
//! In a web app, on wasm32, requests go through the platform's `fetch`:
//!
//! ```ignore
//! use bookmore_sdk::{Client, GetAiChatUsage, fetch::Fetch};
//!
//! let client = Client::builder()
//!     .token_provider(|_| session_token()) // an async fn of the app's
//!     .build(Fetch::new())?;
//! let usage = client.get_ai_chat_usage(&GetAiChatUsage::default()).await?;
//! let left = usage.tokens_remaining;
//! ```
//!
//! One client serves the whole app: it is cheap to clone, its calls can go on
//! at the same time, equal ones share a request, and a call ends when its
//! future is dropped. It retries what may go better, within ten seconds for an
//! attempt and thirty for a call, and asks for another token when one is
//! refused. See [`ClientBuilder`] for what can be set and
//! [`CallOptions`](client::CallOptions) for what can differ from call to call;
//! for many companies there is [`Client::get_many`].
//!
//! # When it fails
//!
//! [`Error`] has one kind for each cause, a sentence that says what to do, a
//! stable [`code`](Error::code), and [`retry_at`](Error::retry_at) where asking
//! again is useful later.
//!
//! ```
//! use bookmore_sdk::Error;
//!
//! fn shown(error: &Error) -> String {
//!     match error {
//!         Error::Api(refusal) if refusal.status == 401 => "Please sign in again.".to_owned(),
//!         Error::Network(_) | Error::Timeout(_) => "The network is slow. Try again.".to_owned(),
//!         other => other.to_string(),
//!     }
//! }
//! ```
//!
//! # Testing an app
//!
//! With the feature `testing` there is a BookMore API in memory, with a clock of
//! its own; it runs on any host, without a browser.
//!
#![cfg_attr(feature = "testing", doc = "```")]
#![cfg_attr(not(feature = "testing"), doc = "```ignore")]
//! use bookmore_sdk::{GetAiChatUsage, testing::{Answer, Failure, FakeBookMore, UsageMembers}};
//!
//! let fake = FakeBookMore::new();
//! fake.set(None, [
//!     Answer::from(Failure::status(503).times(2)),
//!     UsageMembers::new().share(0.83).into(),
//! ]);
//! let client = fake.client();
//! let usage = fake.run(client.get_ai_chat_usage(&GetAiChatUsage::default()))?;
//! assert_eq!((usage.tokens_remaining, fake.requests().len()), (17_000, 3));
//! # Ok::<_, bookmore_sdk::Error>(())
//! ```
//!
//! # Features
//!
//! - `testing`: `FakeBookMore`, see above, and `VirtualTransport`, whose replies a test writes down.
//! - `uuid`: a [`GetAiChatUsage`] from a `uuid::Uuid`.
//! - `bindings`, the default: on wasm32 the crate is a JavaScript module, which
//!   `wasm-pack build` exports: a class `BookMoreClient` over [`Client`], with
//!   the names, options and errors of the npm package. A Rust app turns it off,
//!   or its module has these exports, too.
//! - `npm`: the exports behind the npm package, instead of those; of no use to a
//!   Rust app.
//!
//! # Inside
//!
//! ```text
//! dto  ←  wire  ←  engine  ←  client  ←  fetch (wasm32)  ←  bindings (wasm32)
//!                    ↑
//!                    js (wasm32, feature "npm")
//! ```
//!
//! Nothing imports to its right, nor from `js`; but `client` has what a token
//! provider threw examined by `fetch`. All but `fetch`, `bindings` and
//! `js` compile, and are tested, on any host.
//!
//! - [`dto`]: what the API says.
//! - `wire`: how it is written: the URL, the headers, the bytes of a reply.
//! - [`transport`]: the only door out, one trait.
//! - `engine`: every decision, for all calls of a client together; no I/O.
//! - [`client`]: [`Client`] and its builder; carries out what the engine says.
//! - `fetch`: the transport of browsers and of JavaScript runtimes.
//! - `bindings`: the crate as a JavaScript module.
//! - `js`: the exports behind the npm package `bookmore-sdk`, whose driver is
//!   TypeScript (`pkg/src/driver.ts`).

// A panic cannot cross into JavaScript: it would leave a promise pending for ever.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::unreachable
    )
)]

pub mod client;
pub mod dto;
mod engine;
pub mod error;
#[cfg(feature = "testing")]
pub mod testing;
mod threads;
pub mod transport;
mod wire;

#[cfg(all(target_arch = "wasm32", feature = "bindings", not(feature = "npm")))]
mod bindings;
#[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
pub mod fetch;
#[cfg(all(target_arch = "wasm32", feature = "npm"))]
mod js;
#[cfg(any(test, target_arch = "wasm32"))]
mod network;
#[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
mod to_js;
#[cfg(all(target_arch = "wasm32", feature = "npm"))]
mod version;

pub use client::{Client, ClientBuilder};
pub use dto::{AiChatUsageResponse, GetAiChatUsage, ResponseError, ResponseStatus, StringMap};
pub use error::Error;
pub use transport::{HttpRequest, HttpResponse, Transport};
pub use wire::Format;
