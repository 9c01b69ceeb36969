//! [`Client`] and its builder.

use std::{
    cell::RefCell,
    fmt,
    future::Future,
    pin::{Pin, pin},
    rc::Rc,
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{Either, LocalBoxFuture, Shared, select},
};

pub use crate::policy::call::Attempt;
use crate::{
    dto::{AiChatUsageResponse, GetAiChatUsage},
    error::{ConfigError, Error, Phase, TimeoutError, TokenProviderError},
    policy::{
        call::{Call, State, Step},
        retry::{Budget, Limits},
        token::Tokens,
    },
    transport::{HttpRequest, HttpResponse, Transport, names},
    wire::{
        Format,
        base_url::{BaseUrl, without_query},
        decode::Integers,
        header,
    },
};

/// Calls the BookMore API through a [`Transport`]. One client is for one
/// identity and can carry out any number of calls, also at the same time.
pub struct Client<T> {
    state: State,
    headers: Vec<(String, String)>,
    limits: Limits,
    provider: Option<Rc<Provider>>,
    /// What the provider was asked and has not answered yet.
    refresh: RefCell<Option<Refresh>>,
    listener: Option<Rc<Listener>>,
    transport: T,
}

/// What happens to a call. Nothing in it is a secret: URLs have no query.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request is about to be sent.
    Attempt {
        /// Counts from 1.
        attempt: usize,
        /// Where to, without the query.
        url: &'a str,
    },
    /// A reply came.
    Response {
        /// Counts from 1.
        attempt: usize,
        /// The HTTP status.
        status: u16,
    },
    /// The attempt failed, another follows.
    Retry {
        /// Counts from 1.
        attempt: usize,
        /// How long the client waits before it, in milliseconds.
        wait_ms: f64,
        /// Why it failed.
        error: &'a Error,
    },
    /// The call failed.
    Error {
        /// Every attempt of the call.
        attempts: &'a [Attempt],
        /// Why it failed.
        error: &'a Error,
    },
}

type Listener = dyn Fn(&Event<'_>);

/// A question to the provider.
#[derive(Clone)]
struct Refresh {
    /// Whether it was told that the last token was refused.
    forced: bool,
    answer: Shared<LocalBoxFuture<'static, Result<BearerToken, Error>>>,
}

impl Client<()> {
    /// Starts with the defaults: `https://api.bookmore.com`, JSON, no
    /// credentials.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }
}

impl<T: Transport> Client<T> {
    /// Get the AI assistant token usage and limit for a company.
    ///
    /// # Errors
    /// Each kind of [`Error`]; `Config` for a company id, a header or a
    /// number of milliseconds that cannot be used.
    pub async fn get_ai_chat_usage(
        &self,
        request: &GetAiChatUsage,
    ) -> Result<AiChatUsageResponse, Error> {
        let options = CallOptions::default();
        Ok(self.get_ai_chat_usage_with(request, &options).await?.data)
    }

    /// The same with options for this call, and with the reply's status and
    /// headers. When the future is dropped, the call is given up.
    ///
    /// # Errors
    /// Each kind of [`Error`]; `Config` for a company id, a header or a
    /// number of milliseconds that cannot be used.
    pub async fn get_ai_chat_usage_with(
        &self,
        request: &GetAiChatUsage,
        options: &CallOptions,
    ) -> Result<WithResponse, Error> {
        let (state, transport) = (&self.state, &self.transport);
        for (name, value) in &options.headers {
            header::check_extra(name, value)?;
        }
        let mut call = Call::new(
            request.clone(),
            options.format.unwrap_or(state.format),
            options.limits(&self.limits)?,
            transport.now(),
        );
        let headers = self.extra_headers(options);
        let mut secrets = Vec::new();
        let mut step = call.next(state, false, transport.now());
        loop {
            step = match step {
                Step::Token {
                    force_refresh,
                    timeout_ms,
                } => match self.ask(force_refresh, timeout_ms).await {
                    Ok(asked) => call.next(state, asked, transport.now()),
                    Err(error) => call.give_up(error),
                },
                Step::Send {
                    mut request,
                    refresh,
                } => {
                    secrets.extend(request.secrets());
                    request.headers.extend(headers.iter().cloned());
                    let attempt = call.attempts().len() + 1;
                    let url = without_query(&request.url);
                    self.tell(&Event::Attempt { attempt, url });
                    let outcome = self.send(request, refresh).await;
                    if let Ok(HttpResponse { status, .. }) = outcome {
                        self.tell(&Event::Response { attempt, status });
                    }
                    call.reply(state, outcome, transport.now(), transport.chance())
                }
                Step::Wait { ms, mut error } => {
                    hide(&secrets, &mut error);
                    self.tell(&Event::Retry {
                        attempt: call.attempts().len(),
                        wait_ms: ms,
                        error: &error,
                    });
                    transport.wait(ms).await;
                    call.next(state, false, transport.now())
                }
                Step::Done(mut result) => {
                    if let Err(error) = &mut *result {
                        hide(&secrets, error);
                        self.tell(&Event::Error {
                            attempts: call.attempts(),
                            error,
                        });
                    }
                    return result.map(|(data, response)| WithResponse {
                        data,
                        response,
                        attempts: call.attempts().to_vec(),
                        elapsed_ms: call.elapsed_ms(transport.now()),
                    });
                }
            };
        }
    }

    /// The client's headers and those of the call, which prevail.
    fn extra_headers(&self, options: &CallOptions) -> Vec<(String, String)> {
        let is_kept = |(name, _): &&(String, String)| {
            let mut of_call = options.headers.iter();
            !of_call.any(|(own, _)| own.eq_ignore_ascii_case(name))
        };
        let of_client = self.headers.iter().filter(is_kept);
        of_client.chain(&options.headers).cloned().collect()
    }

    fn tell(&self, event: &Event<'_>) {
        if let Some(listener) = &self.listener {
            listener(event);
        }
    }

    /// Sends a request; the provider may be asked meanwhile, and goes on when
    /// the next call looks at it.
    async fn send(&self, request: HttpRequest, refresh: bool) -> Result<HttpResponse, Error> {
        let sent = pin!(self.transport.send(request));
        if !refresh {
            return sent.await;
        }
        // Polled first, so that the provider is asked before the reply is there.
        match select(self.refresh(false).answer, sent).await {
            Either::Left((_, sent)) => {
                self.settle();
                sent.await
            }
            Either::Right((reply, _)) => reply,
        }
    }

    /// Waits for the provider. `false`: it was asked before, without being
    /// told that the token was refused.
    async fn ask(&self, force: bool, timeout_ms: f64) -> Result<bool, Error> {
        let refresh = self.refresh(force);
        let answered = self.transport.limit(timeout_ms, refresh.answer).await;
        self.settle();
        if force && !refresh.forced {
            return Ok(false);
        }
        match answered {
            Some(Ok(_)) => Ok(true),
            Some(Err(error)) => Err(error),
            None => {
                // It hangs: the next call asks anew.
                self.refresh.replace(None);
                Err(TimeoutError::in_phase(Phase::Token).into())
            }
        }
    }

    /// What the provider was asked already, or asks it.
    fn refresh(&self, force: bool) -> Refresh {
        self.settle();
        let mut going_on = self.refresh.borrow_mut();
        going_on
            .get_or_insert_with(|| {
                let provider = self.provider.clone();
                let answer = async move {
                    let request = TokenRequest {
                        force_refresh: force,
                    };
                    match provider {
                        None => Ok(BearerToken::none()),
                        Some(provider) => provider(request).await?.checked(),
                    }
                };
                Refresh {
                    forced: force,
                    answer: answer.boxed_local().shared(),
                }
            })
            .clone()
    }

    /// Takes the answer of the provider into use, if it is there.
    fn settle(&self) {
        let mut going_on = self.refresh.borrow_mut();
        let Some(answer) = going_on
            .as_ref()
            .and_then(|refresh| refresh.answer.peek().cloned())
        else {
            return;
        };
        *going_on = None;
        let now = self.transport.now();
        let mut tokens = self.state.tokens.borrow_mut();
        match answer {
            Ok(BearerToken { token, expires_in }) => {
                let expires_at = expires_in.map(|left| now + milliseconds(Some(left)));
                tokens.give(token.map(|token| token.0), expires_at);
            }
            Err(_) => tokens.failed(now),
        }
    }
}

fn hide(secrets: &[String], error: &mut Error) {
    for secret in secrets {
        error.mask(secret);
    }
}

impl<T: fmt::Debug> fmt::Debug for Client<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("base_url", &self.state.base_url.as_str())
            .field("format", &self.state.format)
            .field("headers", &names(&self.headers))
            .field("limits", &self.limits)
            .field("transport", &self.transport)
            .finish_non_exhaustive()
    }
}

/// What may differ from call to call.
#[derive(Clone, Default)]
pub struct CallOptions {
    /// Instead of the client's format.
    pub format: Option<Format>,
    /// Besides the client's extra headers; a name that is in both is sent
    /// with this value.
    pub headers: Vec<(String, String)>,
    /// Instead of the client's number of retries.
    pub max_retries: Option<u32>,
    /// Instead of the client's limit of one attempt; `Some(None)` for none.
    pub attempt_timeout: Option<Option<Duration>>,
    /// Instead of the client's limit of the whole call; `Some(None)` for none.
    pub total_timeout: Option<Option<Duration>>,
}

impl CallOptions {
    fn limits(&self, of_client: &Limits) -> Result<Limits, ConfigError> {
        let limits = Limits {
            max_retries: self.max_retries.map_or(of_client.max_retries, f64::from),
            attempt_timeout: self
                .attempt_timeout
                .map_or(of_client.attempt_timeout, milliseconds),
            total_timeout: self
                .total_timeout
                .map_or(of_client.total_timeout, milliseconds),
        };
        limits.check()?;
        Ok(limits)
    }
}

/// Headers may hold secrets: only their names are shown.
impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions")
            .field("format", &self.format)
            .field("headers", &names(&self.headers))
            .field("max_retries", &self.max_retries)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("total_timeout", &self.total_timeout)
            .finish()
    }
}

/// A usage and the reply that brought it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WithResponse {
    /// The usage.
    pub data: AiChatUsageResponse,
    /// The reply.
    pub response: HttpResponse,
    /// Every attempt of the call, the last one being the success.
    pub attempts: Vec<Attempt>,
    /// How long the call took, in milliseconds.
    pub elapsed_ms: f64,
}

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
    token: Option<Secret>,
    expires_in: Option<Duration>,
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

    fn checked(self) -> Result<Self, Error> {
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

type Provider = dyn Fn(TokenRequest) -> TokenFuture;

#[derive(Clone)]
enum Bearer {
    Fixed(Secret),
    Provider(Rc<Provider>),
}

/// Has no `Debug`, so that it is never shown.
#[derive(Clone)]
struct Secret(String);

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

fn milliseconds(limit: Option<Duration>) -> f64 {
    limit.map_or(f64::INFINITY, |limit| limit.as_secs_f64() * 1000.0)
}
