//! The only door out of the core: one trait with one method.

use std::{fmt, future::Future};

pub use crate::error::NetworkError;

/// Carries out one request. A closure will do:
/// `|request: HttpRequest| async { Ok(HttpResponse::new(…)) }`.
pub trait Transport {
    /// Sends `request` and reads the whole reply. Redirects are not followed,
    /// because the credentials would go along. When the future is dropped,
    /// the request is given up.
    fn send(
        &self,
        request: HttpRequest,
    ) -> impl Future<Output = Result<HttpResponse, NetworkError>>;
}

impl<F, R> Transport for F
where
    F: Fn(HttpRequest) -> R,
    R: Future<Output = Result<HttpResponse, NetworkError>>,
{
    fn send(
        &self,
        request: HttpRequest,
    ) -> impl Future<Output = Result<HttpResponse, NetworkError>> {
        self(request)
    }
}

/// A `GET` request: a wrong verb would write data, so there is no other.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// The absolute URL.
    pub url: String,
    /// Header names and values. They contain the caller's secrets.
    pub headers: Vec<(String, String)>,
}

impl HttpRequest {
    /// Whether the token or the API key stands in `text`.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
    pub(crate) fn has_secret_in(&self, text: &str) -> bool {
        self.headers.iter().any(|(name, value)| {
            let secret = match name.as_str() {
                "Authorization" => value.strip_prefix("Bearer "),
                "x-api-key" => Some(value.as_str()),
                _ => None,
            };
            // An empty one stands nowhere, and windows of no length panic.
            let secret = secret.filter(|secret| !secret.is_empty());
            secret.is_some_and(|secret| {
                let mut places = text.as_bytes().windows(secret.len());
                places.any(|place| place == secret.as_bytes())
            })
        })
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
pub struct HttpResponse {
    /// The HTTP status; 0 for a redirect that a browser keeps to itself.
    pub status: u16,
    /// Where the reply came from, if a redirect was followed.
    pub url: Option<String>,
    /// Header names in lower case, and values.
    pub headers: Vec<(String, String)>,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_wherever_it_stands() {
        let with = |name: &str, value: &str| HttpRequest {
            url: String::new(),
            headers: vec![(name.to_owned(), value.to_owned())],
        };
        assert!(with("Authorization", "Bearer t0ken").has_secret_in("it was t0ken."));
        assert!(with("x-api-key", "key").has_secret_in("key"));
        assert!(!with("x-api-key", "key").has_secret_in("ke"));
        assert!(!with("X-Language", "sv").has_secret_in("sv"));
        for empty in [with("x-api-key", ""), with("Authorization", "Bearer ")] {
            assert!(!empty.has_secret_in("anything"));
        }
    }
}
