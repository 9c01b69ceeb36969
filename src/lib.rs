//! Typed client for one operation of the BookMore API:
//! `GET /assistant/ai-chat/usage`, a company's AI-assistant token usage.
//!
//! ```text
//! dto  ←  wire  ←  transport  ←  policy  ←  client  ←  fetch (wasm32)
//!                                   ↑
//!                                   js (wasm32, feature "npm")
//! ```
//!
//! Nothing imports to its right, nor from `js`. All but `fetch` and `js` compile,
//! and are tested, on any host: a [`Transport`] can be a closure.
//!
//! - [`dto`]: what the API says.
//! - `wire`: how it is written: the URL, the headers, the bytes of a reply.
//! - [`transport`]: the only door out, one trait.
//! - `policy`: pure decisions: what a reply amounts to, and what a call does next.
//! - [`client`]: [`Client`] and its builder; the loop that obeys the policy.
//! - `fetch`: the transport of browsers and of JavaScript runtimes.
//! - `js`: the exports behind the npm package `bookmore-sdk`, whose loop is
//!   TypeScript (`pkg/src/call.ts`).
//!
//! ```ignore-wasm32
//! use bookmore_sdk::{Client, Error, GetAiChatUsage, HttpRequest, HttpResponse};
//!
//! # pollster::block_on(async {
//! let transport = |_: HttpRequest| async {
//!     let body = br#"{"tokensUsed":5,"tokenLimit":10,"tokensRemaining":5,"isWithinBudget":true,"windowDays":30}"#;
//!     Ok::<_, Error>(HttpResponse::new(200, "application/json", body))
//! };
//! let client = Client::builder().bearer_token("token").build(transport)?;
//! let usage = client.get_ai_chat_usage(&GetAiChatUsage::default()).await?;
//! assert_eq!(usage.tokens_remaining, 5);
//! # Ok::<_, bookmore_sdk::Error>(()) }).unwrap();
//! ```

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
pub mod error;
mod policy;
pub mod transport;
mod wire;

#[cfg(target_arch = "wasm32")]
pub mod fetch;
#[cfg(all(target_arch = "wasm32", feature = "npm"))]
mod js;
#[cfg(target_arch = "wasm32")]
mod to_js;
#[cfg(all(target_arch = "wasm32", feature = "npm"))]
mod version;

pub use client::{Client, ClientBuilder};
pub use dto::{AiChatUsageResponse, GetAiChatUsage, ResponseError, ResponseStatus, StringMap};
pub use error::Error;
pub use transport::{HttpRequest, HttpResponse, Transport};
pub use wire::Format;
