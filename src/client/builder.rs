use std::{cell::RefCell, fmt, future::Future, rc::Rc, time::Duration};

use super::{
    Client, Event, Listener,
    bearer_token::{BearerToken, Provider, Secret, TokenRequest},
    milliseconds,
};
use crate::{
    error::{ConfigError, Error},
    policy::{
        call::State,
        retry::{Budget, Limits},
        token::Tokens,
    },
    transport::{Transport, names},
    wire::{Format, base_url::BaseUrl, decode::Integers, header},
};

#[derive(Clone)]
enum Bearer {
    Fixed(Secret),
    Provider(Rc<Provider>),
}

/// Collects the options of a [`Client`]; they are checked by
/// [`build`](Self::build).
#[derive(Clone, Default)]
pub struct ClientBuilder {
    base_url: Option<String>,
    format: Format,
    bearer: Option<Bearer>,
    api_key: Option<Secret>,
    headers: Vec<(String, String)>,
    limits: Limits,
    allow_insecure_http: bool,
    listener: Option<Rc<Listener>>,
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
    /// Where the API lives, with or without a path. Default:
    /// `https://api.bookmore.com`.
    #[must_use]
    pub fn base_url(mut self, url: impl Into<String>) -> Self {
        self.base_url = Some(url.into());
        self
    }

    /// The form in which replies are asked for. Default: JSON.
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Sent as `Authorization: Bearer …`.
    #[must_use]
    pub fn bearer_token(mut self, token: impl Into<String>) -> Self {
        self.bearer = Some(Bearer::Fixed(Secret(token.into())));
        self
    }

    /// Asked for the bearer token: at each call, or as its tokens expire, and
    /// once more when the server refuses one. It is asked once at a time,
    /// however many calls wait for it.
    #[must_use]
    pub fn token_provider<P, F>(mut self, provider: P) -> Self
    where
        P: Fn(TokenRequest) -> F + 'static,
        F: Future<Output = Result<BearerToken, Error>> + 'static,
    {
        self.bearer = Some(Bearer::Provider(Rc::new(move |request| {
            Box::pin(provider(request))
        })));
        self
    }

    /// Sent as `x-api-key`.
    #[must_use]
    pub fn api_key(mut self, key: impl Into<String>) -> Self {
        self.api_key = Some(Secret(key.into()));
        self
    }

    /// Sent with every request. A header beyond the CORS-safelisted ones
    /// must be allowed by the server, or browsers refuse the request.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How often an attempt that failed is followed by another: 0 to 10.
    /// Default: 2.
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.limits.max_retries = retries.into();
        self
    }

    /// How long one attempt may take: connection, headers, the whole body.
    /// 1 ms to 2,147,483,647 ms; `None` for no limit. Default: 10 s.
    #[must_use]
    pub fn attempt_timeout(mut self, limit: Option<Duration>) -> Self {
        self.limits.attempt_timeout = milliseconds(limit);
        self
    }

    /// How long a call may take: token, attempts and waits. 1 ms to
    /// 2,147,483,647 ms; `None` for no limit. Default: 30 s.
    #[must_use]
    pub fn total_timeout(mut self, limit: Option<Duration>) -> Self {
        self.limits.total_timeout = milliseconds(limit);
        self
    }

    /// Lets the token and the API key go over plain http to another machine
    /// than this one. Default: false.
    #[must_use]
    pub fn allow_insecure_http(mut self, allow: bool) -> Self {
        self.allow_insecure_http = allow;
        self
    }

    /// Told of what happens to the client's calls.
    #[must_use]
    pub fn on_event(mut self, listener: impl Fn(&Event<'_>) + 'static) -> Self {
        self.listener = Some(Rc::new(listener));
        self
    }

    /// A client that sends its requests through `transport`.
    ///
    /// # Errors
    /// A base URL that is no absolute http(s) URL, a token or API key that is
    /// empty, has white space in it or would go over plain http, a header that
    /// HTTP forbids or that the SDK sets itself, a limit out of range.
    pub fn build<T: Transport>(self, transport: T) -> Result<Client<T>, Error> {
        let base_url = self
            .base_url
            .as_deref()
            .unwrap_or("https://api.bookmore.com");
        let base_url = BaseUrl::parse(base_url)?;
        if let Some(Bearer::Fixed(token)) = &self.bearer {
            header::check_secret("The bearer token", &token.0)?;
        }
        if let Some(key) = &self.api_key {
            header::check_secret("The API key", &key.0)?;
        }
        let has_secret = self.bearer.is_some() || self.api_key.is_some();
        if has_secret && !self.allow_insecure_http && !base_url.keeps_secrets() {
            return Err(ConfigError::new(&[
                "A token or an API key must not go over plain http; use an https base URL, or allow_insecure_http.",
            ])
            .into());
        }
        for (name, value) in &self.headers {
            header::check_extra(name, value)?;
        }
        self.limits.check()?;
        let mut tokens = Tokens::default();
        let provider = match self.bearer {
            None => None,
            Some(Bearer::Fixed(token)) => {
                tokens.set(Some(token.0), false);
                None
            }
            Some(Bearer::Provider(provider)) => {
                tokens.set(None, true);
                Some(provider)
            }
        };
        let state = State {
            base_url,
            format: self.format,
            api_key: self.api_key.map(|key| key.0),
            integers: Integers::Int64,
            tokens: RefCell::new(tokens),
            budget: Budget::default(),
        };
        Ok(Client {
            state,
            headers: self.headers,
            limits: self.limits,
            provider,
            refresh: RefCell::default(),
            listener: self.listener,
            transport,
        })
    }
}
