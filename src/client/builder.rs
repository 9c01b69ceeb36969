use std::{fmt, future::Future, sync::Arc, time::Duration};

use super::{
    Client, Event, IntoBearerToken, Listener, TokenSource,
    bearer_token::{Bearer, Secret, TokenRequest},
    driver::Driver,
    milliseconds,
};
use crate::{
    engine::{Config, Engine, Limits, Options},
    error::{ConfigError, Error},
    threads::{Local, MaybeSend, MaybeSync},
    transport::{Transport, names},
    wire::{Format, base_url::BaseUrl, decode::Integers, header},
};

/// Collects the options of a [`Client`]. [`build`](Self::build) validates them.
#[derive(Clone)]
pub struct ClientBuilder {
    base_url: Option<String>,
    format: Format,
    bearer: Option<Bearer>,
    api_key: Option<Secret>,
    headers: Vec<(String, String)>,
    limits: Limits,
    coalesce: bool,
    retry_pacing: bool,
    allow_insecure_http: bool,
    integers: Integers,
    listener: Option<Local<Arc<Listener>>>,
}

impl Default for ClientBuilder {
    fn default() -> Self {
        Self {
            base_url: None,
            format: Format::default(),
            bearer: None,
            api_key: None,
            headers: Vec::new(),
            limits: Limits::default(),
            coalesce: true,
            retry_pacing: true,
            allow_insecure_http: false,
            integers: Integers::default(),
            listener: None,
        }
    }
}

impl fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("base_url", &self.base_url)
            .field("format", &self.format)
            .field("headers", &names(&self.headers))
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

impl ClientBuilder {
    /// The base URL of the API, with or without a path. Default:
    /// `https://api.bookmore.com`.
    ///
    /// ```
    /// # use bookmore_sdk::Client;
    /// Client::builder().base_url("https://gateway.example/bookmore");
    /// ```
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The format requested from the server. Default: JSON.
    ///
    /// ```
    /// # use bookmore_sdk::{Client, Format};
    /// Client::builder().format(Format::Jsonl);
    /// ```
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sent as `Authorization: Bearer …`.
    ///
    /// ```
    /// # use bookmore_sdk::Client;
    /// Client::builder().bearer_token("t0ken");
    /// ```
    #[must_use]
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(Bearer::Fixed(Secret(token.into())));
        self
    }

    /// Provides the bearer token. It is asked at each call, or as its tokens expire,
    /// and again after the server refuses one; once at a time, however many calls
    /// wait for it.
    ///
    /// It returns a [`BearerToken`](super::BearerToken), a string, `None` for no
    /// token, or a `Result` of these with any error. A call that it makes with the
    /// same client before it answers is sent without asking it.
    ///
    /// Calls drive it. When no call is left, because it was called in the background
    /// or its callers were dropped or timed out, it continues by itself on wasm32,
    /// and with the next call elsewhere: a refresh token that works only once must
    /// not be used twice. Do not hold a lock across its awaits. It is dropped and
    /// called again only if it hangs: after 10 seconds if every caller has left, and
    /// otherwise after the longest timeout of those who wait, but at least 10 seconds;
    /// after 30 seconds if it was called in the background.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::{Client, client::BearerToken};
    /// async fn sign_in() -> Result<String, std::io::Error> {
    ///     Ok("t0ken".to_owned())
    /// }
    ///
    /// Client::builder().token_provider(|_| sign_in());
    /// Client::builder().token_provider(|request| async move {
    ///     let token = if request.force_refresh { "new" } else { "old" };
    ///     BearerToken::new(token).expires_in(Duration::from_secs(3600))
    /// });
    /// ```
    #[must_use]
    pub fn token_provider<P, F>(mut self, provider: P) -> Self
    where
        P: Fn(TokenRequest) -> F + MaybeSend + MaybeSync + 'static,
        F: Future<Output: IntoBearerToken> + MaybeSend + 'static,
    {
        self.bearer = TokenSource::provider(provider).bearer;
        self
    }

    /// The bearer token, or its provider.
    #[cfg(all(target_arch = "wasm32", feature = "bindings", not(feature = "npm")))]
    pub(crate) fn token_source(mut self, source: TokenSource) -> Self {
        self.bearer = source.bearer;
        self
    }

    /// Sent as `x-api-key`.
    ///
    /// ```
    /// # use bookmore_sdk::Client;
    /// Client::builder().api_key("0b6f2f2e-6a7c-4d5e-9c56-2f1f3f0a1b2c");
    /// ```
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(Secret(key.into()));
        self
    }

    /// Adds a header to every request. The server must allow headers that are not
    /// CORS-safelisted, or browsers refuse the request.
    ///
    /// ```
    /// # use bookmore_sdk::Client;
    /// Client::builder().header("x-tenant", "sweden");
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How many times a failed attempt is retried: 0 to 10. Default: 2.
    ///
    /// ```
    /// # use bookmore_sdk::Client;
    /// Client::builder().max_retries(0);
    /// ```
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.limits.max_retries = retries.into();
        self
    }

    /// How long one attempt may take: connection, headers, the whole body.
    /// 1 ms to 2,147,483,647 ms; `None` for no limit. Default: 10 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::Client;
    /// Client::builder().attempt_timeout(Duration::from_secs(3));
    /// ```
    #[must_use]
    pub fn attempt_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.limits.attempt_timeout = milliseconds(limit.into());
        self
    }

    /// How long a call may take: token, attempts and waits. 1 ms to
    /// 2,147,483,647 ms; `None` for no limit. Default: 30 s.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use bookmore_sdk::Client;
    /// Client::builder().total_timeout(Duration::from_secs(60));
    /// Client::builder().total_timeout(None);
    /// ```
    #[must_use]
    pub fn total_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.limits.total_timeout = milliseconds(limit.into());
        self
    }

    /// Whether concurrent equal calls share one request. Calls are equal if company,
    /// format, headers, retries and attempt timeout are the same; each keeps its
    /// own total timeout. Default: true.
    ///
    /// ```
    /// # use bookmore_sdk::Client;
    /// Client::builder().coalesce(false);
    /// ```
    #[must_use]
    pub fn coalesce(mut self, coalesce: bool) -> Self {
        self.coalesce = coalesce;
        self
    }

    /// Whether retries are paced, so that a failing server is not overloaded: ten at
    /// once, then two a second, and one more for each success. A call whose turn
    /// would come too late fails at once, with [`retry_at`](Error::retry_at).
    /// Default: true.
    ///
    /// ```
    /// # use bookmore_sdk::Client;
    /// Client::builder().retry_pacing(false);
    /// ```
    #[must_use]
    pub fn retry_pacing(mut self, pace: bool) -> Self {
        self.retry_pacing = pace;
        self
    }

    /// Allows sending the token and the API key over plain http to other hosts than
    /// loopback. Default: false.
    ///
    /// ```
    /// # use bookmore_sdk::Client;
    /// Client::builder().base_url("http://10.0.0.5:8080").allow_insecure_http(true);
    /// ```
    #[must_use]
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.allow_insecure_http = allow;
        self
    }

    /// Called with the events of the client's calls.
    ///
    /// ```
    /// # use bookmore_sdk::{Client, client::Event};
    /// Client::builder().on_event(|event| {
    ///     if let Event::Retry { attempt, wait, error, .. } = event {
    ///         println!("attempt {attempt} failed ({error}), another follows in {wait:?}");
    ///     }
    /// });
    /// ```
    #[must_use]
    pub fn on_event(
        mut self,
        listener: impl Fn(&Event<'_>) + MaybeSend + MaybeSync + 'static,
    ) -> Self {
        self.listener = Some(Local::new(Arc::new(listener)));
        self
    }

    /// Refuses counters that a JavaScript number cannot hold exactly.
    #[cfg(all(target_arch = "wasm32", feature = "bindings", not(feature = "npm")))]
    pub(crate) fn integers_of_javascript(mut self) -> Self {
        self.integers = Integers::JavaScript;
        self
    }

    /// A client that sends its requests through `transport`.
    ///
    /// ```
    /// # use bookmore_sdk::{Client, testing::VirtualTransport as Fetch};
    /// let client = Client::builder().bearer_token("t0ken").build(Fetch::new())?;
    ///
    /// let refused = Client::builder().bearer_token("").build(Fetch::new()).unwrap_err();
    /// assert_eq!(refused.code(), "config_error");
    /// # Ok::<_, bookmore_sdk::Error>(())
    /// ```
    ///
    /// # Errors
    /// A base URL that is not an absolute http(s) URL; a token or API key that is
    /// empty, contains white space or would be sent over plain http; a header that
    /// HTTP forbids or that the SDK sets itself; a number out of range.
    pub fn build<T: Transport>(self, transport: T) -> Result<Client<T>, Error> {
        let base_url = self
            .base_url
            .as_deref()
            .unwrap_or("https://api.bookmore.com");
        let base_url = BaseUrl::parse(base_url)?;
        let keeps_secrets = self.allow_insecure_http || base_url.keeps_secrets();
        check_bearer(self.bearer.as_ref(), keeps_secrets)?;
        if let Some(key) = &self.api_key {
            header::check_secret("The API key", &key.0)?;
            check_safety(keeps_secrets)?;
        }
        for (name, value) in &self.headers {
            header::check_extra(name, value)?;
        }
        self.limits.check()?;
        let config = Config {
            base_url,
            api_key: self.api_key.map(|key| key.0),
            integers: self.integers,
            paces_retries: self.retry_pacing,
            listens: self.listener.is_some(),
            shares: true,
        };
        let options = Options {
            format: self.format,
            headers: header::in_one_form(&self.headers),
            limits: self.limits,
            waited_ms: 0.0,
            coalesce: self.coalesce,
            fresh: false,
            nested: false,
        };
        let base_url = config.base_url.as_str().to_owned();
        let driver = Driver::new(Engine::new(config), transport, self.listener);
        if self.bearer.is_some() {
            driver.set_bearer_token(self.bearer, false);
        }
        Ok(Client {
            driver: Arc::new(driver),
            settings: Arc::new(super::Settings {
                base_url,
                keeps_secrets,
                options,
            }),
        })
    }
}

/// # Errors
/// A token that cannot be sent.
pub(super) fn check_bearer(bearer: Option<&Bearer>, keeps_secrets: bool) -> Result<(), Error> {
    if let Some(Bearer::Fixed(token)) = bearer {
        header::check_secret("The bearer token", &token.0)?;
    }
    match bearer {
        None => Ok(()),
        Some(_) => check_safety(keeps_secrets),
    }
}

fn check_safety(keeps_secrets: bool) -> Result<(), Error> {
    if keeps_secrets {
        return Ok(());
    }
    Err(ConfigError::new(&[
        "A token or an API key must not go over plain http; use an https base URL, or allow_insecure_http.",
    ])
    .into())
}
