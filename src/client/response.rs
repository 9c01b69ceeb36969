use std::time::Duration;

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
    /// Header names and values. What a server quotes of a token or of the API
    /// key is taken out.
    pub headers: Vec<(String, String)>,
    /// The id under which the server knows the request, if it gave one.
    pub request_id: Option<String>,
    /// When it came, in milliseconds since 1970.
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

impl WithResponse {
    pub(super) fn of(outcome: Outcome) -> Result<Self, Error> {
        let retry_at = outcome.retry_at();
        let success = outcome.result.map_err(|error| {
            let mut error = Error::clone(&error);
            if let Some(at) = retry_at {
                error.set_retry_at(at);
            }
            error
        })?;
        Ok(Self {
            data: success.data.clone(),
            response: ResponseInfo::of(&success.response),
            attempts: outcome.attempts.into_iter().map(Attempt::of).collect(),
            elapsed: duration(outcome.elapsed_ms),
        })
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
