use std::{error::Error as StdError, fmt, future::Future, sync::Arc, time::Duration};

use super::milliseconds;
use crate::{
    error::{Error, FetchError, TokenProviderError},
    threads::{BoxFuture, Local, MaybeSend, MaybeSync, shared},
    wire::header,
};

/// The argument of a token provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenRequest {
    /// The server refused the last token, so a new one is needed.
    pub force_refresh: bool,
}

/// The token that a provider returns.
///
/// If the token states its own expiry, as a JWT does, prefer
/// [`expires_at`](Self::expires_at).
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

/// About thirty years.
const FOR_EVER_MS: f64 = 1e12;

#[derive(Debug, Clone, Copy)]
enum End {
    In(Duration),
    At(Duration),
}

impl BearerToken {
    /// A token without an expiry: the provider is asked at each call.
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

    /// No token is sent.
    ///
    /// ```
    /// # use bookmore_sdk::client::BearerToken;
    /// BearerToken::none();
    /// ```
    pub fn none() -> Self {
        Self::default()
    }

    /// The token's lifetime, from when the client receives it. With more than two
    /// minutes left it is used without asking the provider. After that it is
    /// renewed in the background, and with 30 seconds or less left before the next
    /// request. What the provider returns is sent even if it expires sooner.
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

    /// When the token expires, as time since 1970, such as the `exp` of a JWT.
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

    /// Whether it has an expiry.
    pub(super) fn expires(&self) -> bool {
        self.end.is_some()
    }

    /// The token and its expiry. Times are milliseconds since 1970.
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

/// Does not show the token.
impl fmt::Debug for BearerToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BearerToken")
            .field("end", &self.end)
            .finish_non_exhaustive()
    }
}

/// What a token provider may return: a [`BearerToken`], a string, an `Option` of
/// one (`None` for no token), or a `Result` of any of them.
///
/// ```
/// # use bookmore_sdk::client::{BearerToken, IntoBearerToken};
/// # fn takes(_: impl IntoBearerToken) {}
/// takes("t0ken");
/// takes(None::<BearerToken>);
/// takes(Err::<String, _>(std::io::Error::other("the keychain is locked")));
/// ```
pub trait IntoBearerToken {
    /// The token.
    ///
    /// # Errors
    /// The provider's error.
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
    /// A token provider: see
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

    /// No token is sent.
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

    /// It belongs to the same user as the last one, so equal calls continue to share
    /// requests in flight.
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

/// Does not show the token.
impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource")
            .field("same_identity", &self.same_identity)
            .finish_non_exhaustive()
    }
}

/// Any error of a provider becomes a [`TokenProviderError`], except a framework's
/// control flow.
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

/// Has no `Debug`, so that it cannot be logged.
#[derive(Clone)]
pub(super) struct Secret(pub(super) String);
