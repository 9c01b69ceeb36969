//! Every way in which a call can fail, each with a sentence that says what to
//! do. No sentence quotes a token or an API key; a cause is what was thrown.

use std::{any::Any, fmt, rc::Rc};

use crate::dto::ResponseStatus;

/// Why a call did not return a usage.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Error {
    /// The caller gave something that cannot be sent; nothing was sent.
    Config(Box<ConfigError>),
    /// The caller's token provider failed; nothing was sent.
    TokenProvider(Box<TokenProviderError>),
    /// No reply came, or it broke off.
    Network(Box<NetworkError>),
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
    pub fn code(&self) -> &'static str {
        match self {
            Self::Config(_) => "config_error",
            Self::TokenProvider(_) => "token_provider_error",
            Self::Network(_) => "network_error",
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
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Config(_) | Self::TokenProvider(_) | Self::Network(_) => None,
            Self::Api(error) => Some(error.status),
            Self::UnexpectedResponse(error) => Some(error.status),
            Self::Decode(_) => Some(200),
        }
    }

    /// The failure in a sentence or two.
    pub(crate) fn message(&self) -> String {
        match self {
            Self::Config(error) => error.message.clone(),
            Self::TokenProvider(error) => error.message.clone(),
            Self::Network(error) => error.message.clone(),
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

impl std::error::Error for Error {}

/// The caller gave something that cannot be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    message: String,
}

impl ConfigError {
    pub(crate) fn new(sentence: &[&str]) -> Self {
        Self {
            message: concat(sentence),
        }
    }
}

/// What made a request fail, as the platform gave it: in a browser or in
/// Node the `JsValue` with which `fetch` was rejected.
pub type Cause = Rc<dyn Any>;

/// A failure outside the SDK: a sentence, and what was thrown.
macro_rules! outside {
    ($($(#[$doc:meta])* $name:ident;)*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone)]
        pub struct $name {
            message: String,
            /// What was thrown.
            pub cause: Option<Cause>,
        }

        impl $name {
            /// `message` is a sentence for a person.
            pub fn new(message: impl Into<String>) -> Self {
                Self {
                    message: message.into(),
                    cause: None,
                }
            }

            /// Keeps what was thrown.
            #[must_use]
            pub fn caused_by(self, cause: Cause) -> Self {
                Self {
                    cause: Some(cause),
                    ..self
                }
            }
        }
    )*};
}

outside! {
    /// The caller's token provider failed.
    TokenProviderError;
    /// No reply came, or it broke off.
    NetworkError;
}

/// The server said no: a status of 400 to 599, or a ResponseStatus with an
/// ErrorCode (contract, "Failures" 2, 3 and 6).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ApiError {
    /// The HTTP status.
    pub status: u16,
    /// What the server said of the failure, if it said it in its usual form.
    pub response_status: Option<Box<ResponseStatus>>,
    /// The id under which the server knows the request, if it gave one.
    pub request_id: Option<String>,
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
            Unexpected::NoUsage => concat(&[
                "The server answered ",
                &decimal(self.status.into()),
                " without a usage; only 200 carries one. Try again, or check the base URL.",
            ]),
            Unexpected::ContentType(content_type) => concat(&[
                "The server answered with ",
                content_type,
                " instead of JSON, perhaps a login page. Check the base URL and the credentials.",
            ]),
            Unexpected::Redirect { location } => concat(&[
                "The server redirected to ",
                location.as_deref().unwrap_or("another page"),
                " instead of answering, perhaps to a login page. Check the base URL and the credentials.",
            ]),
            Unexpected::OtherOrigin { url } => concat(&[
                "The reply came from ",
                url,
                ", which is not the base URL's origin. Check the base URL.",
            ]),
            Unexpected::OtherCompany {
                requested,
                received,
            } => concat(&[
                "The server answered for company ",
                received,
                " although company ",
                requested,
                " was asked for. Check that the credentials give access to it.",
            ]),
        }
    }
}

/// The reply looks like a usage and is none.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DecodeError {
    /// The member at fault, in camelCase, for example
    /// `responseStatus.errors[0].message`. Empty for the whole reply.
    pub path: String,
    /// Where in the reply the fault was noticed, in bytes.
    pub offset: usize,
    /// Whether the reply is well formed as far as it goes, and ends too early.
    pub truncated: bool,
    problem: &'static str,
}

impl DecodeError {
    /// Boxed, as in [`Error`]: a result that may be an error stays small.
    pub(crate) fn new(offset: usize, problem: &'static str) -> Box<Self> {
        Box::new(Self {
            path: String::new(),
            offset,
            truncated: false,
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
        self.path = concat(&[name, separator, &self.path]);
        self
    }

    /// The same error, seen from the list that has the item `index`.
    pub(crate) fn at_index(self: Box<Self>, index: usize) -> Box<Self> {
        self.within(&concat(&["[", &decimal(index), "]"]))
    }

    fn message(&self) -> String {
        concat(&[
            "The reply cannot be read as a usage: ",
            &self.path,
            if self.path.is_empty() { "" } else { ": " },
            self.problem,
            " (at byte ",
            &decimal(self.offset),
            ").",
        ])
    }
}

/// The parts in one text. `[…].concat()` does the same in ten times the code.
pub(crate) fn concat(parts: &[&str]) -> String {
    let mut text = String::new();
    for part in parts {
        text.push_str(part);
    }
    text
}

/// `number` in decimal digits, without `std::fmt`: the npm package is built
/// without it.
pub(crate) fn decimal(number: usize) -> String {
    let mut digits = match number / 10 {
        0 => String::new(),
        rest => decimal(rest),
    };
    digits.push(char::from(b'0' + (number % 10) as u8));
    digits
}

/// Each failure converts into [`Error`] and speaks its sentence.
macro_rules! kinds {
    ($($kind:ident($error:ident)),*) => {$(
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

        impl std::error::Error for $error {}
    )*};
}

kinds!(
    Config(ConfigError),
    TokenProvider(TokenProviderError),
    Network(NetworkError),
    Api(ApiError),
    UnexpectedResponse(UnexpectedResponseError),
    Decode(DecodeError)
);
