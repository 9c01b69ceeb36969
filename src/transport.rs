//! The only door out of the core: one trait.

use std::{fmt, future::Future};

use crate::error::{Error, NetworkError};

/// The outside world: requests and time. A closure will do, for tests:
/// `|request: HttpRequest| async { Ok(HttpResponse::new(…)) }`. Its clock
/// stands still, so that waits are over at once and limits never.
pub trait Transport {
    /// Sends `request` and reads the whole reply, unless its time is over
    /// before. Redirects are not followed, because the credentials would go
    /// along. When the future is dropped, the request is given up.
    ///
    /// # Errors
    /// [`NetworkError`], or a
    /// [`TimeoutError`](crate::error::TimeoutError) made of a phase.
    fn send(&self, request: HttpRequest) -> impl Future<Output = Result<HttpResponse, Error>>;

    /// What `future` comes to; `None` if that takes more than `ms` milliseconds.
    fn limit<F: Future>(&self, _ms: f64, future: F) -> impl Future<Output = Option<F::Output>> {
        async { Some(future.await) }
    }

    /// Lets `ms` milliseconds pass.
    fn wait(&self, _ms: f64) -> impl Future<Output = ()> {
        async {}
    }

    /// Milliseconds since some moment, never fewer than before.
    fn now(&self) -> f64 {
        0.0
    }

    /// A number from 0 to 1, without 1.
    fn chance(&self) -> f64 {
        0.5
    }
}

impl<F, R> Transport for F
where
    F: Fn(HttpRequest) -> R,
    R: Future<Output = Result<HttpResponse, Error>>,
{
    fn send(&self, request: HttpRequest) -> impl Future<Output = Result<HttpResponse, Error>> {
        self(request)
    }
}

/// A `GET` request: a wrong verb would write data, so there is no other.
#[derive(Clone, PartialEq)]
pub struct HttpRequest {
    /// The absolute URL.
    pub url: String,
    /// Header names and values. They contain the caller's secrets.
    pub headers: Vec<(String, String)>,
    /// How long it may take until the whole reply is there, in
    /// milliseconds; infinite for no limit.
    pub timeout_ms: f64,
}

impl HttpRequest {
    /// The token and the API key, as far as they are sent.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = String> {
        self.headers.iter().filter_map(|(name, value)| {
            let secret = match name.as_str() {
                "Authorization" => value.strip_prefix("Bearer ")?,
                "x-api-key" => value,
                _ => return None,
            };
            Some(secret.to_owned())
        })
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("url", &self.url)
            .field("headers", &names(&self.headers))
            .field("timeout_ms", &self.timeout_ms)
            .finish()
    }
}

/// The names of headers, whose values are not to be shown.
pub(crate) fn names(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().map(|(name, _)| name.as_str()).collect()
}

/// A reply.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    /// The HTTP status; 0 for a redirect that a browser keeps to itself.
    pub status: u16,
    /// Where the reply came from, if a redirect was followed.
    pub url: Option<String>,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
    /// When it came, in milliseconds since 1970.
    pub received_at: f64,
    /// The body, decoded from any content coding.
    pub body: Body,
}

/// The body of a reply, as far as it was read.
#[derive(Debug, Clone)]
pub enum Body {
    /// All of it.
    Whole(Vec<u8>),
    /// It is longer than the transport reads: the first bytes.
    TooLong(Vec<u8>),
    /// It broke off: the bytes until then, and why.
    Broken(Vec<u8>, NetworkError),
}

impl Body {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Whole(bytes) | Self::TooLong(bytes) | Self::Broken(bytes, _) => bytes,
        }
    }
}

impl HttpResponse {
    /// A whole reply with a content type.
    pub fn new(status: u16, content_type: &str, body: &[u8]) -> Self {
        Self {
            status,
            url: None,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            received_at: 0.0,
            body: Body::Whole(body.to_vec()),
        }
    }

    /// The value of a header; `name` in lower case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    /// The id under which the server knows the request, if it tells.
    pub(crate) fn request_id(&self) -> Option<String> {
        [
            "x-request-id",
            "request-id",
            "x-correlation-id",
            "traceparent",
        ]
        .iter()
        .find_map(|name| self.header(name))
        .map(str::to_owned)
    }
}
