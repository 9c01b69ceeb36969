use std::{error::Error as StdError, fmt, future::Future, sync::Arc, time::Duration};

use super::milliseconds;
use crate::{
    error::{Error, FetchError, TokenProviderError},
    threads::{BoxFuture, Local, MaybeSend, MaybeSync, shared},
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
///
/// The end of a token by the clock of whoever made it, as in a JWT, is better
/// given as [`expires_at`](Self::expires_at).
///
/// ```
/// use std::time::Duration;
/// use bookmore_sdk::client::BearerToken;
///
/// BearerToken::new("t0ken").expires_in(Duration::from_secs(3600));
/// let exp = 1_900_000_000; // of a JWT: seconds since 1970
/// BearerToken::new("t0ken").expires_at(Duration::from_secs(exp));
/// ```
#[derive(Clone, Default)]
pub struct BearerToken {
    token: Option<Secret>,
    end: Option<End>,
}

/// Some thirty years.
const FOR_EVER_MS: f64 = 1e12;

#[derive(Debug, Clone, Copy)]
enum End {
    In(Duration),
    At(Duration),
}

impl BearerToken {
    /// The provider is asked for it at each call.
    ///
    /// ```
    /// # use bookmore_sdk::client::BearerToken;
    /// BearerToken::new("t0ken");
    /// ```
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            token: Some(Secret(token.into())),
            end: None,
        }
    }

    /// No token: none is sent.
    ///
    /// ```
    /// # use bookmore_sdk::client::BearerToken;
    /// BearerToken::none();
    /// ```
    pub fn none() -> Self {
        Self::default()
    }

    /// The token lives so long, from when the client sees the answer. It is used without another
    /// question while it has more than two minutes to live, renewed behind the
    /// calls in the minute and a half after that, and before the next request
    /// with 30 seconds or less. What the provider gives is sent, whatever its
    /// end.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::client::BearerToken;
    /// BearerToken::new("t0ken").expires_in(Duration::from_secs(3600));
    /// ```
    #[must_use]
    pub fn expires_in(mut self, duration: Duration) -> Self {
        self.end = Some(End::In(duration));
        self
    }

    /// The same, by the time since 1970, such as the `exp` of a JWT.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::client::BearerToken;
    /// # let exp = 1_900_000_000;
    /// BearerToken::new("t0ken").expires_at(Duration::from_secs(exp));
    /// ```
    #[must_use]
    pub fn expires_at(mut self, since_1970: Duration) -> Self {
        self.end = Some(End::At(since_1970));
        self
    }

    /// Whether it tells when it ends.
    pub(super) fn expires(&self) -> bool {
        self.end.is_some()
    }

    /// The token and its end, in milliseconds since 1970. `now`: the same.
    pub(super) fn checked(self, now: f64) -> Result<(Option<String>, Option<f64>), Error> {
        if let Some(token) = &self.token {
            header::check_secret("The provider's token", &token.0)
                .map_err(|error| TokenProviderError::new(error.to_string()))?;
        }
        let end = match self.end {
            None => None,
            Some(End::In(duration)) => Some(now + milliseconds(Some(duration)).min(FOR_EVER_MS)),
            Some(End::At(end)) => Some(milliseconds(Some(end))),
        };
        Ok((self.token.map(|token| token.0), end))
    }
}

/// The token is not shown.
impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerToken")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// What a token provider may come to: a [`BearerToken`], a string, an
/// `Option` of one (`None` for no token), or a `Result` of any of them.
///
/// ```
/// # use bookmore_sdk::client::{BearerToken, IntoBearerToken};
/// # fn takes(_: impl IntoBearerToken) {}
/// takes("t0ken");
/// takes(None::<BearerToken>);
/// takes(Err::<String, _>(std::io::Error::other("the keychain is locked")));
/// ```
pub trait IntoBearerToken {
    /// The token, or why there is none.
    ///
    /// # Errors
    /// What the provider failed with.
    fn into_bearer_token(self) -> Result<BearerToken, Box<dyn StdError + Send + Sync>>;
}

impl IntoBearerToken for BearerToken {
    fn into_bearer_token(self) -> Result<BearerToken, Box<dyn StdError + Send + Sync>> {
        Ok(self)
    }
}

impl IntoBearerToken for String {
    fn into_bearer_token(self) -> Result<BearerToken, Box<dyn StdError + Send + Sync>> {
        Ok(BearerToken::new(self))
    }
}

impl IntoBearerToken for &str {
    fn into_bearer_token(self) -> Result<BearerToken, Box<dyn StdError + Send + Sync>> {
        Ok(BearerToken::new(self))
    }
}

impl<T: IntoBearerToken> IntoBearerToken for Option<T> {
    fn into_bearer_token(self) -> Result<BearerToken, Box<dyn StdError + Send + Sync>> {
        self.map_or_else(|| Ok(BearerToken::none()), T::into_bearer_token)
    }
}

impl<T, E> IntoBearerToken for Result<T, E>
where
    T: IntoBearerToken,
    E: Into<Box<dyn StdError + Send + Sync>>,
{
    fn into_bearer_token(self) -> Result<BearerToken, Box<dyn StdError + Send + Sync>> {
        self.map_err(Into::into)?.into_bearer_token()
    }
}

/// Where the bearer token comes from: see
/// [`Client::set_bearer_token`](super::Client::set_bearer_token).
///
/// ```
/// use bookmore_sdk::client::TokenSource;
///
/// TokenSource::from("t0ken");
/// TokenSource::provider(|_| async { "t0ken" });
/// TokenSource::none();
/// TokenSource::from("t0ken-of-the-same-user").same_identity();
/// ```
#[derive(Clone)]
pub struct TokenSource {
    pub(super) bearer: Option<Bearer>,
    pub(super) same_identity: bool,
}

#[derive(Clone)]
pub(super) enum Bearer {
    Fixed(Secret),
    Provider(Local<Arc<Provider>>),
}

impl TokenSource {
    /// Asked for the token: see
    /// [`ClientBuilder::token_provider`](super::ClientBuilder::token_provider).
    ///
    /// ```
    /// # use bookmore_sdk::client::TokenSource;
    /// TokenSource::provider(|_| async { "t0ken" });
    /// ```
    pub fn provider<P, F>(provider: P) -> Self
    where
        P: Fn(TokenRequest) -> F + MaybeSend + MaybeSync + 'static,
        F: Future<Output: IntoBearerToken> + MaybeSend + 'static,
    {
        let provider = move |request| -> TokenFuture {
            let asked = provider(request);
            Box::pin(async { asked.await.into_bearer_token().map_err(failed) })
        };
        Self {
            bearer: Some(Bearer::Provider(Local::new(Arc::new(provider)))),
            same_identity: false,
        }
    }

    /// No token: none is sent.
    ///
    /// ```
    /// # use bookmore_sdk::client::TokenSource;
    /// TokenSource::none();
    /// ```
    pub fn none() -> Self {
        Self {
            bearer: None,
            same_identity: false,
        }
    }

    /// It is the same user's as the last one: requests in flight go on being
    /// shared by equal calls.
    ///
    /// ```
    /// # use bookmore_sdk::client::TokenSource;
    /// TokenSource::from("n3w").same_identity();
    /// ```
    #[must_use]
    pub fn same_identity(mut self) -> Self {
        self.same_identity = true;
        self
    }
}

impl<T: Into<String>> From<T> for TokenSource {
    fn from(token: T) -> Self {
        Self {
            bearer: Some(Bearer::Fixed(Secret(token.into()))),
            same_identity: false,
        }
    }
}

/// The token is not shown.
impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("same_identity", &self.same_identity)
            .finish_non_exhaustive()
    }
}

/// Whatever a provider fails with is a [`TokenProviderError`], but for a
/// framework's control flow.
fn failed(cause: Box<dyn StdError + Send + Sync>) -> Error {
    if let Some(flow) = cause.downcast_ref::<FetchError>()
        && flow.is_control_flow
    {
        return flow.clone().into();
    }
    match cause.downcast::<TokenProviderError>() {
        Ok(own) => (*own).into(),
        Err(cause) => TokenProviderError::from_cause(cause.into()).into(),
    }
}

/// The answer of a token provider.
type TokenFuture = BoxFuture<Result<BearerToken, Error>>;

pub(super) type Provider = shared!(dyn Fn(TokenRequest) -> TokenFuture);

/// Has no `Debug`, so that it is never shown.
#[derive(Clone)]
pub(super) struct Secret(pub(super) String);
