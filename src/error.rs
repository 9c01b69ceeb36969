//! Every way in which a call can fail, each with a sentence that says what to
//! do. No sentence quotes a token or an API key; a cause is what was thrown.

use std::{fmt, sync::Arc, time::Duration};

use crate::{dto::ResponseStatus, wire::encode::PATH};

/// The parts in one text. `[…].concat()` does the same in ten times the code,
/// and `format!` in more.
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
    /// The caller gave something that cannot be used: settings, a request, or in
    /// the place of a Response what its `fetch` gave. In all but the last case
    /// nothing was sent.
    Config(Box<ConfigError>),
    /// The caller's token provider failed.
    TokenProvider(Box<TokenProviderError>),
    /// It took too long.
    Timeout(Box<TimeoutError>),
    /// No reply came, or it broke off.
    Network(Box<NetworkError>),
    /// The function that sends the requests failed by itself.
    Fetch(Box<FetchError>),
    /// The server said no.
    Api(Box<ApiError>),
    /// The server said something else than a usage or an error.
    UnexpectedResponse(Box<UnexpectedResponseError>),
    /// The server's reply looks like a usage and is none.
    Decode(Box<DecodeError>),
}

impl Error {
    /// A stable name for the kind of failure, the `code` of the npm package's
    /// errors.
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

    /// The HTTP status of the reply that was the failure; `None` where there
    /// was no reply.
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

    /// Whether another attempt may go better. The client has made its retries
    /// when it gives such an error.
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

    /// How long the server asks to wait, from its reply on.
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

    /// When asking again is useful, in milliseconds since 1970; `None` where
    /// that is not known.
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

    /// Asking again is useful at `at`, in milliseconds since 1970.
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

    /// The failure in a sentence or two.
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

/// The caller gave something that cannot be used.
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

/// What made a request or a token provider fail. Where `fetch` sends the
/// requests it is a `fetch::Thrown`.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// A call or one of its attempts took too long.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TimeoutError {
    /// What was going on when the time was over.
    pub phase: Phase,
    /// Whose time was over.
    pub scope: Scope,
    pub(crate) timeout_ms: f64,
    /// The failure that there was no time left to retry.
    pub last: Option<Arc<Error>>,
    /// When asking again is useful, in milliseconds since 1970.
    pub retry_at: Option<f64>,
}

/// What a call is about.
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
    /// In a word, as the npm package has it.
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

/// Whose time is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scope {
    /// One attempt's; it is retried.
    Attempt,
    /// The whole call's.
    Total,
}

impl Scope {
    /// In a word, as the npm package has it.
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
    /// An attempt's time was over in `phase`; the client knows which limit it was.
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

    /// The limit.
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
    /// What the provider failed with.
    pub cause: Option<Cause>,
}

impl TokenProviderError {
    /// `message` is a sentence for a person.
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

    /// The provider failed with an error of its own.
    pub(crate) fn from_cause(cause: Cause) -> Self {
        let words = cause.to_string();
        let end = if words.ends_with(['.', '!', '?']) {
            ""
        } else {
            "."
        };
        Self::new(text!["The token provider failed: ", &words, end]).caused_by(cause)
    }

    /// Keeps what the provider failed with.
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

/// No reply came, or it broke off.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct NetworkError {
    problem: NetworkProblem,
    /// What a platform or a transport says of it.
    pub(crate) words: String,
    /// What the request failed with.
    pub cause: Option<Cause>,
    /// When asking again is useful, in milliseconds since 1970.
    pub retry_at: Option<f64>,
}

#[derive(Debug, Clone)]
#[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
enum NetworkProblem {
    NoReply {
        endpoint: String,
    },
    BrokeOff,
    /// The words are the sentence.
    Other,
}

impl NetworkError {
    /// `message` is a sentence for a person.
    ///
    /// ```
    /// bookmore_sdk::error::NetworkError::new("The gateway is not there.");
    /// ```
    pub fn new(message: impl Into<String>) -> Self {
        Self::of(NetworkProblem::Other, message.into())
    }

    /// `words`: what the platform says of it.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code))]
    pub(crate) fn no_reply(endpoint: &str, words: String) -> Self {
        let endpoint = endpoint.to_owned();
        Self::of(NetworkProblem::NoReply { endpoint }, words)
    }

    /// `words`: what the platform says of it.
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

    /// Keeps what the request failed with.
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

/// The `fetch` that was given failed by itself: what it threw is no trouble of
/// the network.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct FetchError {
    /// What was thrown says so of itself.
    pub(crate) words: String,
    /// What was thrown.
    pub cause: Option<Cause>,
    /// Whether it is a framework's control flow, which has to reach the caller
    /// as it came.
    pub is_control_flow: bool,
}

impl FetchError {
    /// `words`: what was thrown says of itself.
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

/// The server said no: a status of 400 to 599, or a ResponseStatus with an
/// ErrorCode (contract, "Failures" 2, 3 and 6).
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// The server's own name for the error, for example `Unauthorized`: as it was
    /// written, with a secret if that is in it.
    pub error_code: Option<String>,
    /// What the server said in words, if anything.
    pub server_message: Option<String>,
    /// All that the server said of the failure, if it said it in its usual form.
    pub response_status: Option<Box<ResponseStatus>>,
    /// The id under which the server knows the request, if it gave one.
    pub request_id: Option<String>,
    pub(crate) retry_after_ms: Option<f64>,
    /// When asking again is useful, in milliseconds since 1970: what the server
    /// asks for, or a later turn of the client's own.
    pub retry_at: Option<f64>,
    /// Whether a quota is used up, which a wait of seconds does not fill.
    pub is_quota: bool,
    pub(crate) message: String,
}

/// The server answered with something that is neither a usage nor an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct UnexpectedResponseError {
    /// The HTTP status; 0 for a redirect that a browser keeps to itself.
    pub status: u16,
    /// What is unexpected.
    pub problem: Unexpected,
}

/// What is unexpected of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Unexpected {
    /// A success that carries no usage: 204, 206 or another status than 200.
    NoUsage,
    /// Neither JSON nor JSON Lines; often an HTML login page.
    ContentType(String),
    /// A redirect, often to a login page. It is not followed, because the
    /// credentials would go along.
    Redirect {
        /// Where to, without the query; browsers do not tell.
        location: Option<String>,
    },
    /// The reply came from another origin than the base URL's.
    OtherOrigin {
        /// Where from, without the query.
        url: String,
    },
    /// The usage is another company's than the one asked for.
    OtherCompany {
        /// The company asked for.
        requested: String,
        /// The company of the reply.
        received: String,
    },
}

impl UnexpectedResponseError {
    fn message(&self) -> String {
        match &self.problem {
            Unexpected::NoUsage => text![
                "The server answered ",
                &decimal(self.status.into()),
                " without a usage; only 200 carries one. Try again, or check the base URL.",
            ],
            Unexpected::ContentType(content_type) => text![
                "The server answered with ",
                content_type,
                " instead of JSON, perhaps a login page. Check the base URL and the credentials.",
            ],
            Unexpected::Redirect { location } => {
                let to = location.as_deref().unwrap_or("another page");
                match to.strip_suffix(PATH) {
                    Some(base) => text![
                        "The server redirected to ",
                        to,
                        ", which is the same operation elsewhere. Set the base URL to ",
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

/// The reply looks like a usage and is none.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DecodeError {
    /// The member at fault, in camelCase, for example
    /// `responseStatus.errors[0].message`. Empty for the whole reply.
    pub path: String,
    /// Where in the reply the fault was noticed, in bytes.
    pub offset: usize,
    /// Whether the reply is well formed as far as it goes, and ends too early.
    pub truncated: bool,
    /// When asking again is useful, in milliseconds since 1970.
    pub retry_at: Option<f64>,
    problem: &'static str,
}

impl DecodeError {
    /// Boxed, as in [`Error`]: a result that may be an error stays small.
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

    /// The same error, seen from the object that has the member `name`.
    pub(crate) fn within(mut self: Box<Self>, name: &str) -> Box<Self> {
        let separator = match self.path.as_bytes().first() {
            None | Some(b'[') => "",
            Some(_) => ".",
        };
        self.path = text![name, separator, &self.path];
        self
    }

    /// The same error, seen from the list that has the item `index`.
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

/// `number` in decimal digits, without `std::fmt`: the npm package is built
/// without it.
pub(crate) fn decimal(number: u64) -> String {
    let mut digits = match number / 10 {
        0 => String::new(),
        rest => decimal(rest),
    };
    digits.push(char::from(b'0' + (number % 10) as u8));
    digits
}

/// Each failure converts into [`Error`], speaks its sentence and gives its
/// source, where a member holds one.
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
