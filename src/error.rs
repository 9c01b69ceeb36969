//! Every way a call can fail, each with a message that says what to do. No message
//! contains a token or an API key; a cause is the original error.

use std::{fmt, sync::Arc, time::Duration};

use crate::{dto::ResponseStatus, wire::encode::PATH};

/// Concatenates texts. `[…].concat()` compiles to ten times the code, and
/// `format!` to more.
macro_rules! text {
    ($($part:expr),* $(,)?) => {{
        let mut text = String::new();
        $(text.push_str($part);)*
        text
    }};
}
pub(crate) use text;

/// Why a call did not return a usage.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// The caller passed something invalid: options, a request, or a `fetch` that
    /// returned no usable Response. Except in the last case nothing was sent.
    Config(Box<ConfigError>),
    /// The caller's token provider failed.
    TokenProvider(Box<TokenProviderError>),
    /// The call took too long.
    Timeout(Box<TimeoutError>),
    /// No reply arrived, or it broke off.
    Network(Box<NetworkError>),
    /// The function that sends the requests failed by itself.
    Fetch(Box<FetchError>),
    /// The server refused the request.
    Api(Box<ApiError>),
    /// The reply is neither a usage nor an error.
    UnexpectedResponse(Box<UnexpectedResponseError>),
    /// The reply looks like a usage but is not a valid one.
    Decode(Box<DecodeError>),
}

impl Error {
    /// A stable code for the kind of failure, the same as the `code` of the npm
    /// package's errors.
    ///
    /// ```
    /// # use bookmore_sdk::{Error, error::NetworkError};
    /// assert_eq!(Error::from(NetworkError::new("No reply came.")).code(), "network_error");
    /// ```
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "config_error",
            Self::TokenProvider(_) => "token_provider_error",
            Self::Timeout(_) => "timeout",
            Self::Network(_) => "network_error",
            Self::Fetch(_) => "fetch_error",
            Self::Api(error) => match error.status {
                401 => "authentication_error",
                403 => "permission_denied",
                429 => "rate_limited",
                500..=599 => "server_error",
                _ => "api_error",
            },
            Self::UnexpectedResponse(error) => match error.problem {
                Unexpected::OtherCompany { .. } => "company_mismatch",
                _ => "unexpected_response",
            },
            Self::Decode(_) => "decode_error",
        }
    }

    /// The HTTP status of the reply; `None` if there was none.
    ///
    /// ```
    /// # use bookmore_sdk::{GetAiChatUsage, testing::{Failure, FakeBookMore}};
    /// # let fake = FakeBookMore::new();
    /// # fake.set(None, Failure::status(429).retry_after(3600));
    /// # let call = fake.client();
    /// # let request = GetAiChatUsage::default();
    /// # let call = call.get_ai_chat_usage(&request);
    /// let error = fake.run(call).unwrap_err();
    /// assert_eq!(error.status(), Some(429));
    /// ```
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Config(_)
            | Self::TokenProvider(_)
            | Self::Timeout(_)
            | Self::Network(_)
            | Self::Fetch(_) => None,
            Self::Api(error) => Some(error.status),
            Self::UnexpectedResponse(error) => Some(error.status),
            Self::Decode(_) => Some(200),
        }
    }

    /// Whether another call may succeed. The client has already made its own
    /// retries.
    ///
    /// ```
    /// # use bookmore_sdk::{Error, error::NetworkError};
    /// assert!(Error::from(NetworkError::new("No reply came.")).is_retryable());
    /// ```
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Config(_)
            | Self::TokenProvider(_)
            | Self::Fetch(_)
            | Self::UnexpectedResponse(_) => false,
            Self::Timeout(_) | Self::Network(_) => true,
            Self::Api(error) => match error.status {
                429 => !error.is_quota,
                408 | 425 | 500 | 502..=504 | 520..=524 => true,
                _ => false,
            },
            Self::Decode(error) => error.truncated,
        }
    }

    /// How long the server asks to wait, counted from its reply.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::{GetAiChatUsage, testing::{Failure, FakeBookMore}};
    /// # let fake = FakeBookMore::new();
    /// # fake.set(None, Failure::status(429).retry_after(3600));
    /// # let call = fake.client();
    /// # let request = GetAiChatUsage::default();
    /// # let call = call.get_ai_chat_usage(&request);
    /// let error = fake.run(call).unwrap_err();
    /// assert_eq!(error.retry_after(), Some(Duration::from_secs(3600)));
    /// ```
    pub fn retry_after(&self) -> Option<Duration> {
        let ms = self.retry_after_ms()?;
        Duration::try_from_secs_f64(ms / 1e3).ok()
    }

    /// The same in milliseconds.
    pub(crate) fn retry_after_ms(&self) -> Option<f64> {
        match self {
            Self::Api(error) => error.retry_after_ms,
            _ => None,
        }
    }

    /// The earliest useful time to call again, in milliseconds since 1970; `None` if
    /// it is unknown.
    ///
    /// ```
    /// # use bookmore_sdk::{GetAiChatUsage, testing::{Failure, FakeBookMore}};
    /// # let fake = FakeBookMore::new();
    /// # fake.set(None, Failure::status(429).retry_after(3600));
    /// # let call = fake.client();
    /// # let request = GetAiChatUsage::default();
    /// # let call = call.get_ai_chat_usage(&request);
    /// let error = fake.run(call).unwrap_err();
    /// // The fake's clock starts at 1 000 000 000 seconds.
    /// assert_eq!(error.retry_at(), Some((1_000_000_000 + 3600) as f64 * 1e3));
    /// ```
    pub fn retry_at(&self) -> Option<f64> {
        match self {
            Self::Timeout(error) => error.retry_at,
            Self::Network(error) => error.retry_at,
            Self::Api(error) => error.retry_at,
            Self::Decode(error) => error.retry_at,
            _ => None,
        }
    }

    /// Sets the earliest useful time to call again, in milliseconds since 1970.
    pub(crate) fn set_retry_at(&mut self, at: f64) {
        let retry_at = match self {
            Self::Timeout(error) => &mut error.retry_at,
            Self::Network(error) => &mut error.retry_at,
            Self::Api(error) => &mut error.retry_at,
            Self::Decode(error) => &mut error.retry_at,
            _ => return,
        };
        *retry_at = at.is_finite().then_some(at);
    }

    /// Writes the message, a sentence or two.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Config(error) => error.message.clone(),
            Self::TokenProvider(error) => error.message.clone(),
            Self::Timeout(error) => error.message(),
            Self::Network(error) => error.message(),
            Self::Fetch(error) => error.message(),
            Self::Api(error) => error.message.clone(),
            Self::UnexpectedResponse(error) => error.message(),
            Self::Decode(error) => error.message(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::TokenProvider(error) => error.source(),
            Self::Timeout(error) => error.source(),
            Self::Network(error) => error.source(),
            Self::Fetch(error) => error.source(),
            Self::Config(_) | Self::Api(_) | Self::UnexpectedResponse(_) | Self::Decode(_) => None,
        }
    }
}

/// The caller passed something invalid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    pub(crate) fn new(sentence: &[&str]) -> Self {
        Self {
            message: sentence.iter().copied().collect(),
        }
    }
}

/// The original error of a request or a token provider. With the transport
/// `fetch` it is a `fetch::Thrown`.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// A call or one of its attempts took too long.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TimeoutError {
    /// What the call was doing at that time.
    pub phase: Phase,
    /// Which timeout it was.
    pub scope: Scope,
    pub(crate) timeout_ms: f64,
    /// The failure that there was no time left to retry.
    pub last: Option<Arc<Error>>,
    /// The earliest useful time to call again, in milliseconds since 1970.
    pub retry_at: Option<f64>,
}

/// The phases of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// Waiting for the token provider.
    Token,
    /// Waiting for the status and the headers.
    Headers,
    /// Reading the body.
    Body,
    /// Waiting before another attempt.
    Backoff,
}

impl Phase {
    /// The name used by the npm package.
    ///
    /// ```
    /// assert_eq!(bookmore_sdk::error::Phase::Backoff.name(), "backoff");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::Headers => "headers",
            Self::Body => "body",
            Self::Backoff => "backoff",
        }
    }
}

/// What a timeout limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// One attempt, which is then retried.
    Attempt,
    /// The whole call.
    Total,
}

impl Scope {
    /// The name used by the npm package.
    ///
    /// ```
    /// assert_eq!(bookmore_sdk::error::Scope::Total.name(), "total");
    /// ```
    pub fn name(self) -> &'static str {
        match self {
            Self::Attempt => "attempt",
            Self::Total => "total",
        }
    }
}

impl TimeoutError {
    /// An attempt timed out in `phase`. The client fills in the timeout.
    ///
    /// ```
    /// # use bookmore_sdk::error::{Phase, Scope, TimeoutError};
    /// assert_eq!(TimeoutError::in_phase(Phase::Body).scope, Scope::Attempt);
    /// ```
    pub fn in_phase(phase: Phase) -> Self {
        Self {
            phase,
            scope: Scope::Attempt,
            timeout_ms: 0.0,
            last: None,
            retry_at: None,
        }
    }

    /// The timeout.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::{Error, GetAiChatUsage, testing::{Failure, FakeBookMore}};
    /// # let fake = FakeBookMore::new();
    /// # fake.set(None, Failure::hang());
    /// # let client = fake.client();
    /// # let request = GetAiChatUsage::default();
    /// # let error = fake.run(client.get_ai_chat_usage(&request)).unwrap_err();
    /// let Error::Timeout(timeout) = error else { panic!("{error}") };
    /// assert_eq!(timeout.timeout(), Duration::from_secs(30));
    /// ```
    pub fn timeout(&self) -> Duration {
        Duration::try_from_secs_f64(self.timeout_ms / 1e3).unwrap_or_default()
    }

    fn message(&self) -> String {
        let limit = text![&decimal(self.timeout_ms as u64), " ms"];
        match &self.last {
            Some(last) => text![
                "The time limit of ",
                &limit,
                " leaves none for another attempt. The last one: ",
                &last.message(),
            ],
            None => text![
                match self.phase {
                    Phase::Token => "The token provider gave no token within ",
                    Phase::Headers => "No reply came within ",
                    Phase::Body => "The reply was not complete within ",
                    Phase::Backoff => "The call was not over within ",
                },
                &limit,
                ". Try again, or allow more time.",
            ],
        }
    }
}

/// The caller's token provider failed.
#[derive(Debug, Clone)]
pub struct TokenProviderError {
    pub(crate) message: String,
    /// The provider's error.
    pub cause: Option<Cause>,
}

impl TokenProviderError {
    /// `message` is a sentence for people.
    ///
    /// ```
    /// bookmore_sdk::error::TokenProviderError::new("Please sign in again.");
    /// ```
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            cause: None,
        }
    }

    /// From a provider's own error.
    pub(crate) fn from_cause(cause: Cause) -> Self {
        let words = cause.to_string();
        let end = if words.ends_with(['.', '!', '?']) {
            ""
        } else {
            "."
        };
        Self::new(text!["The token provider failed: ", &words, end]).caused_by(cause)
    }

    /// Sets the provider's error as the cause.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use bookmore_sdk::error::TokenProviderError;
    /// let cause = std::io::Error::other("the keychain is locked");
    /// TokenProviderError::new("No token was found.").caused_by(Arc::new(cause));
    /// ```
    #[must_use]
    pub fn caused_by(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }
}

/// No reply arrived, or it broke off.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NetworkError {
    problem: NetworkProblem,
    /// What the platform or the transport says about it.
    pub(crate) words: String,
    /// The original error.
    pub cause: Option<Cause>,
    /// The earliest useful time to call again, in milliseconds since 1970.
    pub retry_at: Option<f64>,
}

#[derive(Debug, Clone)]
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
enum NetworkProblem {
    NoReply {
        endpoint: String,
    },
    BrokeOff,
    /// Whether the words are a complete message.
    Other,
}

impl NetworkError {
    /// `message` is a sentence for people.
    ///
    /// ```
    /// bookmore_sdk::error::NetworkError::new("The gateway is not there.");
    /// ```
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(NetworkProblem::Other, message.into())
    }

    /// `words`: what the platform says about it.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
    pub(crate) fn no_reply(endpoint: &str, words: String) -> Self {
        let endpoint = endpoint.to_owned();
        Self::of(NetworkProblem::NoReply { endpoint }, words)
    }

    /// `words`: what the platform says about it.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
    pub(crate) fn broke_off(words: String) -> Self {
        Self::of(NetworkProblem::BrokeOff, words)
    }

    fn of(problem: NetworkProblem, words: String) -> Self {
        Self {
            problem,
            words,
            cause: None,
            retry_at: None,
        }
    }

    /// Sets the original error as the cause.
    ///
    /// ```
    /// # use std::sync::Arc;
    /// # use bookmore_sdk::error::NetworkError;
    /// let cause = std::io::Error::from(std::io::ErrorKind::ConnectionReset);
    /// NetworkError::new("The gateway hung up.").caused_by(Arc::new(cause));
    /// ```
    #[must_use]
    pub fn caused_by(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    fn message(&self) -> String {
        match &self.problem {
            NetworkProblem::NoReply { endpoint } => text![
                "No reply came from ",
                endpoint,
                &self.words,
                ". Check the network and the base URL. A browser also says this of a reply without CORS headers, such as a proxy's 401 or 429; bookmore-sdk/diagnose tells which it is.",
            ],
            NetworkProblem::BrokeOff => text!["The reply broke off", &self.words, ". Try again."],
            NetworkProblem::Other => self.words.clone(),
        }
    }
}

/// The given `fetch` function failed by itself; the network is not at fault.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FetchError {
    /// What the thrown value says about itself.
    pub(crate) words: String,
    /// The thrown value.
    pub cause: Option<Cause>,
    /// Whether it is a framework's control flow, which must reach the caller
    /// unchanged.
    pub is_control_flow: bool,
}

impl FetchError {
    /// `words`: what the thrown value says about itself.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
    pub(crate) fn new(words: String) -> Self {
        Self {
            words,
            cause: None,
            is_control_flow: false,
        }
    }

    #[cfg(target_arch = "wasm32")]
    pub(crate) fn caused_by(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    fn message(&self) -> String {
        text![
            "The fetch function failed by itself",
            &self.words,
            ". Its error is the cause; nothing was tried again.",
        ]
    }
}

/// The server refused the request: a status of 400 to 999, or a ResponseStatus
/// with an ErrorCode (contract, "Failures" 2, 3 and 6).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The server's error code, for example `Unauthorized`. It is not redacted, so
    /// that it can be compared.
    pub error_code: Option<String>,
    /// The server's message, if any.
    pub server_message: Option<String>,
    /// The complete ResponseStatus, if the body has one.
    pub response_status: Option<Box<ResponseStatus>>,
    /// The server's id for the request, if it sent one.
    pub request_id: Option<String>,
    pub(crate) retry_after_ms: Option<f64>,
    /// The earliest useful time to call again, in milliseconds since 1970: when the
    /// server allows it, or later if the client paces its retries.
    pub retry_at: Option<f64>,
    /// Whether a quota is used up, which does not recover within seconds.
    pub is_quota: bool,
    pub(crate) message: String,
}

/// The reply is neither a usage nor an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnexpectedResponseError {
    /// The HTTP status; 0 for a redirect, whose status browsers hide.
    pub status: u16,
    /// What was unexpected.
    pub problem: Unexpected,
}

/// What was unexpected about a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unexpected {
    /// A successful status other than 200, which carries no usage: 204, 206, …
    NoUsage,
    /// Neither JSON nor JSON Lines; often an HTML login page.
    ContentType(String),
    /// A redirect, often to a login page. It is not followed, because it would take
    /// the credentials along.
    Redirect {
        /// The target, without user name, password and query; browsers hide it.
        location: Option<String>,
    },
    /// The reply came from another origin than the base URL's.
    OtherOrigin {
        /// The URL of the reply, without the query.
        url: String,
    },
    /// The usage of another company than the requested one.
    OtherCompany {
        /// The requested company.
        requested: String,
        /// The company in the reply.
        received: String,
    },
}

impl UnexpectedResponseError {
    fn message(&self) -> String {
        match &self.problem {
            Unexpected::NoUsage => text![
                "The server answered with ",
                &decimal(self.status.into()),
                "; only a 200 carries a usage. Try again, or check the base URL.",
            ],
            Unexpected::ContentType(content_type) => text![
                "The server answered with ",
                content_type,
                " instead of JSON, perhaps a login page. Check the base URL and the credentials.",
            ],
            Unexpected::Redirect { location } => {
                let to = location.as_deref().unwrap_or("another page");
                match to.strip_suffix(PATH) {
                    // Of the request itself, or at the root of its server.
                    Some("") => text![
                        "The server redirected to ",
                        to,
                        " instead of answering. Check the path of the base URL; if it is right, the server may want a cookie first.",
                    ],
                    Some(base) => text![
                        "The server redirected to ",
                        to,
                        ", which is the same operation elsewhere. Set the ",
                        if base.as_bytes().first() == Some(&b'/') {
                            "path of the "
                        } else {
                            ""
                        },
                        "base URL to ",
                        base,
                        ".",
                    ],
                    None => text![
                        "The server redirected to ",
                        to,
                        " instead of answering, perhaps to a login page. Check the base URL and the credentials.",
                    ],
                }
            }
            Unexpected::OtherOrigin { url } => text![
                "The reply came from ",
                url,
                ", which is not the base URL's origin. Check the base URL.",
            ],
            Unexpected::OtherCompany {
                requested,
                received,
            } => text![
                "The server answered for company ",
                received,
                " although company ",
                requested,
                " was asked for. Check that the credentials give access to it.",
            ],
        }
    }
}

/// The reply looks like a usage but is not a valid one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DecodeError {
    /// The invalid member in camelCase, for example
    /// `responseStatus.errors[0].message`; empty for the whole reply.
    pub path: String,
    /// Where in the reply the error was detected, in bytes.
    pub offset: usize,
    /// Whether the reply is well formed but ends too early.
    pub truncated: bool,
    /// The earliest useful time to call again, in milliseconds since 1970.
    pub retry_at: Option<f64>,
    problem: &'static str,
}

impl DecodeError {
    /// Boxed, as in [`Error`], to keep `Result` small.
    pub(crate) fn new(offset: usize, problem: &'static str) -> Box<Self> {
        Box::new(Self {
            path: String::new(),
            offset,
            truncated: false,
            retry_at: None,
            problem,
        })
    }

    pub(crate) fn truncated(offset: usize) -> Box<Self> {
        let mut error = Self::new(offset, "the text ends too early");
        error.truncated = true;
        error
    }

    /// Prefixes the path with the member `name`.
    pub(crate) fn within(mut self: Box<Self>, name: &str) -> Box<Self> {
        let separator = match self.path.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        self.path = text![name, separator, &self.path];
        self
    }

    /// Prefixes the path with the item `index`.
    pub(crate) fn at_index(self: Box<Self>, index: usize) -> Box<Self> {
        self.within(&text!["[", &decimal(index as u64), "]"])
    }

    fn message(&self) -> String {
        text![
            "The reply cannot be read as a usage: ",
            &self.path,
            if self.path.is_empty() { "" } else { ": " },
            self.problem,
            " (at byte ",
            &decimal(self.offset as u64),
            ").",
        ]
    }
}

/// `number` in decimal, without `std::fmt`, which the npm package does without.
pub(crate) fn decimal(number: u64) -> String {
    let mut digits = match number / 10 {
        0 => String::new(),
        rest => decimal(rest),
    };
    digits.push(char::from(b'0' + (number % 10) as u8));
    digits
}

/// Makes each failure convert into [`Error`], display its message, and return its
/// source if a member holds one.
macro_rules! kinds {
    ($($kind:ident($error:ident $(, $source:ident)?)),*) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                Self::$kind(Box::new(error))
            }
        }

        impl From<Box<$error>> for Error {
            fn from(error: Box<$error>) -> Self {
                Self::$kind(error)
            }
        }

        impl fmt::Display for $error {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                Error::from(self.clone()).fmt(f)
            }
        }

        impl std::error::Error for $error {
            $(fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
                self.$source.as_deref().map(|source| source as _)
            })?
        }
    )*};
}

kinds!(
    Config(ConfigError),
    TokenProvider(TokenProviderError, cause),
    Timeout(TimeoutError, last),
    Network(NetworkError, cause),
    Fetch(FetchError, cause),
    Api(ApiError),
    UnexpectedResponse(UnexpectedResponseError),
    Decode(DecodeError)
);
