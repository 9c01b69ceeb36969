//! The door out of the core: one trait.

use std::{fmt, future::Future};

pub use crate::threads::{MaybeSend, MaybeSync};

use crate::error::{Error, NetworkError};

/// The outside world: requests, time and chance. `fetch::Fetch` is one for
/// browsers and JavaScript runtimes, `testing::VirtualTransport` one for tests.
///
/// One that does something before another one sends:
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
    /// Sends `request` and reads the whole reply. `on_headers` is called with
    /// the reply when its headers have come, without its body: those of an error
    /// have to do where the body takes too long. Redirects are not followed, because the
    /// credentials would go along. When the future is dropped, the request is
    /// given up: its time is over, or nobody waits any more.
    ///
    /// # Errors
    /// [`NetworkError`], or another [`Error`] where sending fails by itself.
    fn send(
        &self,
        request: HttpRequest,
        on_headers: impl FnOnce(&HttpResponse) + MaybeSend + 'static,
    ) -> impl Future<Output = Result<HttpResponse, Error>> + MaybeSend + 'static;

    /// Lets `ms` milliseconds pass.
    fn sleep(&self, ms: f64) -> impl Future<Output = ()> + MaybeSend + 'static;

    /// Milliseconds since some moment, never fewer than before.
    fn now(&self) -> f64;

    /// Milliseconds since 1970.
    fn unix_now(&self) -> f64;

    /// A number from 0 to 1, without 1.
    fn random(&self) -> f64;
}

/// A `GET` request: a wrong verb would write data, so there is no other.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// The absolute URL.
    pub url: String,
    /// Header names and values. They contain the caller's secrets.
    pub headers: Vec<(String, String)>,
}

impl HttpRequest {
    /// A request without headers, such as the test of a [`Transport`] sends.
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

/// The names of headers, whose values are not to be shown.
pub(crate) fn names(headers: &[(String, String)]) -> Vec<&str> {
    headers.iter().map(|(name, _)| name.as_str()).collect()
}

/// A reply.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The HTTP status; 0 for a redirect that a browser keeps to itself.
    pub status: u16,
    /// Where the reply came from, if a redirect was followed.
    pub url: Option<String>,
    /// Header names, in any case, and values.
    pub headers: Vec<(String, String)>,
    /// When it came, in milliseconds since 1970.
    pub received_at: f64,
    /// The body, decoded from any content coding.
    pub body: Body,
}

/// The body of a reply, as far as it was read.
#[derive(Debug, Clone)]
#[non_exhaustive]
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

/// What the timers of browsers can take, in milliseconds: some 24 days.
pub(crate) const LONGEST_TIMER_MS: u32 = 0x7FFF_FFFF;

pub(crate) fn header_in<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    let mut own = headers.iter();
    let (_, value) = own.find(|(own, _)| own.eq_ignore_ascii_case(name))?;
    Some(value)
}
