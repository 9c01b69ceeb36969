//! [`Transport`]: how the client reaches the outside world.

use std::{fmt, future::Future};

pub use crate::threads::{MaybeSend, MaybeSync};

use crate::error::{Error, NetworkError};

/// Requests, time and randomness. `fetch::Fetch` is the transport of browsers and
/// JavaScript runtimes, `testing::VirtualTransport` one for tests.
///
/// A transport that wraps another one:
///
/// ```
/// use std::future::Future;
/// use bookmore_sdk::{Error, HttpRequest, HttpResponse, Transport, transport::MaybeSend};
///
/// struct Logged<T>(T);
///
/// impl<T: Transport> Transport for Logged<T> {
///     fn send(
///         &self,
///         request: HttpRequest,
///         on_headers: impl FnOnce(&HttpResponse) + MaybeSend + 'static,
///     ) -> impl Future<Output = Result<HttpResponse, Error>> + MaybeSend + 'static {
///         println!("{request:?}"); // shows no secret
///         self.0.send(request, on_headers)
///     }
///
///     fn sleep(&self, ms: f64) -> impl Future<Output = ()> + MaybeSend + 'static {
///         self.0.sleep(ms)
///     }
///
///     fn now(&self) -> f64 {
///         self.0.now()
///     }
///
///     fn unix_now(&self) -> f64 {
///         self.0.unix_now()
///     }
///
///     fn random(&self) -> f64 {
///         self.0.random()
///     }
/// }
/// ```
pub trait Transport: MaybeSend + MaybeSync + 'static {
    /// Sends `request` and reads the whole reply. Calls `on_headers` with the reply,
    /// still without its body, as soon as the headers arrive: they decide if the
    /// body takes too long. Must not follow redirects, because they would take the
    /// credentials along. Dropping the future cancels the request.
    ///
    /// # Errors
    /// [`NetworkError`], or another [`Error`] if sending itself fails.
    fn send(
        &self,
        request: HttpRequest,
        on_headers: impl FnOnce(&HttpResponse) + MaybeSend + 'static,
    ) -> impl Future<Output = Result<HttpResponse, Error>> + MaybeSend + 'static;

    /// Completes after `ms` milliseconds.
    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + MaybeSend + 'static;

    /// The monotonic clock, in milliseconds.
    fn now(&self) -> f64;

    /// Milliseconds since 1970.
    fn unix_now(&self) -> f64;

    /// A random number in [0, 1).
    fn random(&self) -> f64;
}

/// A `GET` request. There is no other verb, because a wrong one would write data.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The absolute URL.
    pub url: String,
    /// Header names and values. They contain the caller's secrets.
    pub headers: Vec<(String, String)>,
}

impl HttpRequest {
    /// A request without headers, for tests of a [`Transport`].
    ///
    /// ```
    /// # use bookmore_sdk::HttpRequest;
    /// let mut request = HttpRequest::new("https://api.bookmore.com/assistant/ai-chat/usage");
    /// request.headers.push(("Accept".to_owned(), "text/jsonl".to_owned()));
    /// assert_eq!(request.header("accept"), Some("text/jsonl"));
    /// ```
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            headers: Vec::new(),
        }
    }

    /// The value of a header; `name` in any case.
    ///
    /// ```
    /// # use bookmore_sdk::HttpRequest;
    /// let request = HttpRequest::new("https://api.bookmore.com/assistant/ai-chat/usage");
    /// assert_eq!(request.header("Accept"), None);
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        header_in(&self.headers, name)
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("url", &self.url)
            .field("headers", &names(&self.headers))
            .finish()
    }
}

/// Shows the names of headers without their values.
pub(crate) fn names(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().map(|(name, _)| name.as_str()).collect()
}

/// A reply.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The HTTP status; 0 for a redirect, whose status browsers hide.
    pub status: u16,
    /// The URL of the reply, if a redirect was followed.
    pub url: Option<String>,
    /// Header names, in any case, and values.
    pub headers: Vec<(String, String)>,
    /// When it arrived, in milliseconds since 1970.
    pub received_at: f64,
    /// The body, decoded from any content coding.
    pub body: Body,
}

/// The body of a reply, as far as it was read.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Body {
    /// The complete body.
    Whole(Vec<u8>),
    /// The first bytes of a body longer than the transport reads.
    TooLong(Vec<u8>),
    /// The bytes of a body that broke off, and why.
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
    /// A complete reply with a content type.
    ///
    /// ```
    /// # use bookmore_sdk::HttpResponse;
    /// let reply = HttpResponse::new(503, "text/plain", b"Down for repairs");
    /// assert_eq!(reply.header("Content-Type"), Some("text/plain"));
    /// ```
    pub fn new(status: u16, content_type: &str, body: &[u8]) -> Self {
        Self {
            status,
            url: None,
            headers: vec![("content-type".to_owned(), content_type.to_owned())],
            received_at: 0.0,
            body: Body::Whole(body.to_vec()),
        }
    }

    /// The value of a header; `name` in any case.
    ///
    /// ```
    /// # use bookmore_sdk::HttpResponse;
    /// let mut reply = HttpResponse::new(429, "text/plain", b"Too many");
    /// reply.headers.push(("Retry-After".to_owned(), "7".to_owned()));
    /// assert_eq!(reply.header("retry-after"), Some("7"));
    /// ```
    pub fn header(&self, name: &str) -> Option<&str> {
        header_in(&self.headers, name)
    }

    /// The server's id for the request, if it sent one.
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

/// The longest timer of browsers, in milliseconds: about 24 days.
pub(crate) const LONGEST_TIMER_MS: u32 = 0x7FFF_FFFF;

pub(crate) fn header_in<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut own = headers.iter();
    let (_, value) = own.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    Some(value)
}
