//! [`Client`] and its builder.

mod bearer_token;
mod builder;

use std::{cell::RefCell, fmt, pin::pin, rc::Rc, time::Duration};

use futures_util::{
    FutureExt,
    future::{Either, LocalBoxFuture, Shared, select},
};

use bearer_token::Provider;
pub use bearer_token::{BearerToken, TokenFuture, TokenRequest};
pub use builder::ClientBuilder;

pub use crate::policy::call::Attempt;
use crate::{
    dto::{AiChatUsageResponse, GetAiChatUsage},
    error::{ConfigError, Error, Phase, TimeoutError},
    policy::{
        call::{Call, State, Step},
        retry::Limits,
    },
    transport::{HttpRequest, HttpResponse, Transport, names},
    wire::{Format, base_url::without_query, header},
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
        let Some(answer) = self.transport.limit(timeout_ms, refresh.answer).await else {
            // It hangs: the next call asks anew.
            self.refresh.replace(None);
            return Err(TimeoutError::in_phase(Phase::Token).into());
        };
        self.settle();
        if force && !refresh.forced {
            return Ok(false);
        }
        answer.map(|_| true)
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

fn milliseconds(limit: Option<Duration>) -> f64 {
    limit.map_or(f64::INFINITY, |limit| limit.as_secs_f64() * 1000.0)
}
