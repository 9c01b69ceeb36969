use std::{fmt, time::Duration};

use super::duration;
use crate::{
    dto::AiChatUsageResponse,
    engine::{self, Outcome},
    error::Error,
    transport::{HttpResponse, header_in},
};

/// A usage and the reply that brought it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WithResponse {
    /// The usage.
    pub data: AiChatUsageResponse,
    /// The reply.
    pub response: ResponseInfo,
    /// Every attempt of the call, the last one being the success.
    pub attempts: Vec<Attempt>,
    /// How long the call took.
    pub elapsed: Duration,
}

/// A reply without its body.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ResponseInfo {
    /// The HTTP status.
    pub status: u16,
    /// Header names and values, with tokens and the API key redacted.
    pub headers: Vec<(String, String)>,
    /// The server's id for the request, if it sent one.
    pub request_id: Option<String>,
    /// When it arrived, in milliseconds since 1970.
    pub received_at: f64,
}

/// One attempt of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// The HTTP status, if a reply came.
    pub status: Option<u16>,
    /// The [code](Error::code) of its error, if it failed.
    pub error: Option<&'static str>,
    /// How long it took.
    pub elapsed: Duration,
    /// How long the client waited before it.
    pub waited: Duration,
}

/// A failed call: the error and the attempts. Displays as its [`Error`], and
/// converts into it with `?`.
///
/// ```
/// # use bookmore_sdk::{Client, GetAiChatUsage, client::CallOptions, testing::*};
/// # let transport = VirtualTransport::new().reply(Reply::status(503)).reply(Reply::status(403));
/// # let client = Client::builder().build(transport.clone())?;
/// # transport.run(async {
/// let (request, options) = (GetAiChatUsage::default(), CallOptions::new());
/// let failed = client.get_ai_chat_usage_with(&request, &options).await.unwrap_err();
/// assert_eq!(failed.error.status(), Some(403));
/// assert_eq!(failed.attempts[0].status, Some(503));
/// # });
/// # Ok::<_, bookmore_sdk::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CallError {
    /// Why it failed.
    pub error: Error,
    /// Every attempt of the call; empty if nothing was sent.
    pub attempts: Vec<Attempt>,
    /// How long the call took.
    pub elapsed: Duration,
}

impl From<CallError> for Error {
    fn from(failed: CallError) -> Self {
        failed.error
    }
}

/// Nothing was sent.
impl From<Error> for CallError {
    fn from(error: Error) -> Self {
        Self {
            error,
            attempts: Vec::new(),
            elapsed: Duration::ZERO,
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl std::error::Error for CallError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.error.source()
    }
}

impl WithResponse {
    pub(super) fn of(outcome: Outcome) -> Result<Self, CallError> {
        let retry_at = outcome.retry_at();
        let attempts = outcome.attempts.into_iter().map(Attempt::of).collect();
        let elapsed = duration(outcome.elapsed_ms);
        match outcome.result {
            Ok(success) => Ok(Self {
                data: success.data.clone(),
                response: ResponseInfo::of(&success.response),
                attempts,
                elapsed,
            }),
            Err(error) => {
                let mut error = Error::clone(&error);
                if let Some(at) = retry_at {
                    error.set_retry_at(at);
                }
                Err(CallError {
                    error,
                    attempts,
                    elapsed,
                })
            }
        }
    }
}

impl ResponseInfo {
    fn of(response: &HttpResponse) -> Self {
        Self {
            status: response.status,
            request_id: response.request_id(),
            headers: response.headers.clone(),
            received_at: response.received_at,
        }
    }

    /// The value of a header; `name` in any case.
    ///
    /// ```
    /// # use bookmore_sdk::{GetAiChatUsage, client::CallOptions, testing::FakeBookMore};
    /// # let fake = FakeBookMore::new();
    /// # let (client, options) = (fake.client(), CallOptions::new());
    /// # fake.run(async {
    /// # let request = GetAiChatUsage::default();
    /// let reply = client.get_ai_chat_usage_with(&request, &options).await?;
    /// assert_eq!(reply.response.header("Content-Type"), Some("application/json; charset=utf-8"));
    /// # Ok::<_, bookmore_sdk::Error>(()) })?;
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        header_in(&self.headers, name)
    }
}

impl Attempt {
    fn of(attempt: engine::Attempt) -> Self {
        Self {
            status: attempt.status,
            error: attempt.error,
            elapsed: duration(attempt.ms),
            waited: duration(attempt.wait_ms),
        }
    }
}
