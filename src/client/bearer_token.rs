use std::{fmt, future::Future, pin::Pin, time::Duration};

use crate::{
    error::{Error, TokenProviderError},
    wire::header,
};

/// What a token provider is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The server has refused the last token: a new one is needed.
    pub force_refresh: bool,
}

/// What a token provider gives.
#[derive(Clone, Default)]
pub struct BearerToken {
    pub(super) token: Option<Secret>,
    pub(super) expires_in: Option<Duration>,
}

impl BearerToken {
    /// The provider is asked for it at each call.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            token: Some(Secret(token.into())),
            expires_in: None,
        }
    }

    /// No token: none is sent.
    pub fn none() -> Self {
        Self::default()
    }

    /// The token is used without another question while it has more than two
    /// minutes to live, renewed behind the calls in the minute and a half
    /// after that, and not sent in its last 30 seconds.
    #[must_use]
    pub fn expires_in(mut self, duration: Duration) -> Self {
        self.expires_in = Some(duration);
        self
    }

    pub(super) fn checked(self) -> Result<Self, Error> {
        if let Some(token) = &self.token {
            header::check_secret("The provider's token", &token.0)
                .map_err(|error| TokenProviderError::new(error.to_string()))?;
        }
        Ok(self)
    }
}

/// The token is not shown.
impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerToken")
            .field("expires_in", &self.expires_in)
            .finish_non_exhaustive()
    }
}

/// The answer of a token provider.
pub type TokenFuture = Pin<Box<dyn Future<Output = Result<BearerToken, Error>>>>;

pub(super) type Provider = dyn Fn(TokenRequest) -> TokenFuture;

/// Has no `Debug`, so that it is never shown.
#[derive(Clone)]
pub(super) struct Secret(pub(super) String);
