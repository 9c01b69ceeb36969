//! Transports for the tests of apps, with the feature `testing`. They use no
//! network and a virtual clock; the clients on them are real ones.
//!
//! [`FakeBookMore`] is a BookMore API in memory, like `createFakeBookMore()` of
//! the npm package. It keeps a rolling window of usage, sends the bytes that a
//! recorded server sent, and fails as servers and networks do:
//!
//! ```
//! use std::time::Duration;
//! use bookmore_sdk::{GetAiChatUsage, testing::{Failure, FakeBookMore, UsageMembers}};
//!
//! let fake = FakeBookMore::new();
//! let client = fake.client();
//! let request = GetAiChatUsage::default();
//!
//! fake.set(None, UsageMembers::new().share(0.83)); // the logged-in user's company
//! assert_eq!(fake.run(client.get_ai_chat_usage(&request))?.tokens_remaining, 17_000);
//! fake.record(None, 20_000);
//! assert!(!fake.run(client.get_ai_chat_usage(&request))?.is_within_budget);
//! fake.advance(Duration::from_secs(30 * 24 * 60 * 60)); // out of the window
//! assert_eq!(fake.run(client.get_ai_chat_usage(&request))?.tokens_used, 0);
//!
//! fake.set(None, Failure::status(403));
//! let refused = fake.run(client.get_ai_chat_usage(&request)).unwrap_err();
//! assert_eq!(refused.code(), "permission_denied");
//! # Ok::<_, bookmore_sdk::Error>(())
//! ```
//!
//! [`VirtualTransport`] gives the replies that a test specifies:
//!
//! ```
//! use std::time::Duration;
//! use bookmore_sdk::{AiChatUsageResponse, Client, GetAiChatUsage};
//! use bookmore_sdk::testing::{Reply, VirtualTransport};
//!
//! let usage = AiChatUsageResponse { tokens_used: 5, token_limit: 10, ..Default::default() };
//! let transport = VirtualTransport::new()
//!     .reply(Reply::status(503).header("retry-after", "3"))
//!     .reply(Reply::usage(&usage).after(Duration::from_millis(40)));
//! let client = Client::builder().build(transport.clone())?;
//!
//! let received = transport.run(client.get_ai_chat_usage(&GetAiChatUsage::default()))?;
//! assert_eq!(received, usage);
//! assert_eq!(transport.elapsed(), Duration::from_millis(3040));
//! assert_eq!(transport.requests().len(), 2);
//! # Ok::<_, bookmore_sdk::Error>(())
//! ```

// Panics are how these report misuse: they fail the test.
#![allow(clippy::panic)]

mod answers;
mod companies;
mod fake;
mod fake_options;
mod fake_reply;
mod fake_request;
mod host;
mod reply;
mod usage;
mod virtual_transport;

pub use answers::{Answer, Answers, Failure, FailureBody, StatusFailure};
pub use fake::FakeBookMore;
pub use fake_options::FakeOptions;
pub use fake_request::FakeRequest;
pub use host::Host;
pub use reply::Reply;
pub use usage::{UsageMembers, usage};
pub use virtual_transport::{Sent, VirtualTransport};
