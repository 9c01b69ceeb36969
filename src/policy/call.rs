//! One call as a machine: it says what to do next and is told what came of
//! it. Whoever runs it (the loops of `client.rs` and of the npm package) only
//! obeys, so that hours of trouble can be tested in milliseconds.

use std::cell::RefCell;

use super::{
    outcome,
    retry::{Budget, Limits, Verdict},
    token::{Need, Tokens},
};
use crate::{
    dto::{AiChatUsageResponse, GetAiChatUsage},
    error::{Error, Phase},
    transport::{HttpRequest, HttpResponse},
    wire::{
        Format,
        base_url::BaseUrl,
        decode::Integers,
        encode::{self, Envelope},
    },
};

/// What a client is made of and what its calls share.
pub(crate) struct State {
    pub base_url: BaseUrl,
    pub format: Format,
    pub api_key: Option<String>,
    pub integers: Integers,
    pub tokens: RefCell<Tokens>,
    pub budget: Budget,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Step {
    /// Ask the token provider, or wait for what it was asked already; then
    /// [`Call::next`].
    Token {
        /// Whether the last token was refused.
        force_refresh: bool,
        timeout_ms: f64,
    },
    /// Send the request, with whatever headers the caller wants besides, and
    /// read the whole reply; then [`Call::reply`].
    Send {
        request: HttpRequest,
        /// Ask the token provider as well, without waiting for it.
        refresh: bool,
    },
    /// Let the time pass; then [`Call::next`]. `error`: why the last attempt
    /// failed.
    Wait { ms: f64, error: Error },
    /// The call is over.
    Done(Box<Result<(AiChatUsageResponse, HttpResponse), Error>>),
}

impl Step {
    fn fail(error: Error) -> Self {
        Self::Done(Box::new(Err(error)))
    }
}

/// One attempt of a call.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Attempt {
    /// The HTTP status, if a reply came.
    pub status: Option<u16>,
    /// The code of its error, if it failed.
    pub error: Option<&'static str>,
    /// How long it took, in milliseconds.
    pub ms: f64,
    /// How long the client waited before it, in milliseconds.
    pub wait_ms: f64,
}

/// The state of one call. `now` is always in milliseconds of a clock that
/// never goes back.
pub(crate) struct Call {
    request: GetAiChatUsage,
    format: Format,
    limits: Limits,
    started_at: f64,
    sent_at: f64,
    wait_ms: f64,
    /// The total limit leaves less than a whole attempt's.
    cut_short: bool,
    retries: u32,
    /// The provider has been asked for the next attempt.
    asked: bool,
    /// A 401 has been answered with another token.
    renewed: bool,
    /// The token was refused: the provider must give another one.
    refused: bool,
    /// The generation of the token that was sent last.
    generation: u32,
    attempts: Vec<Attempt>,
}

impl Call {
    /// A call that begins now.
    pub fn new(request: GetAiChatUsage, format: Format, limits: Limits, now: f64) -> Self {
        Self {
            request,
            format,
            limits,
            started_at: now,
            sent_at: now,
            wait_ms: 0.0,
            cut_short: false,
            retries: 0,
            asked: false,
            renewed: false,
            refused: false,
            generation: 0,
            attempts: Vec::new(),
        }
    }

    /// The attempts so far.
    pub fn attempts(&self) -> &[Attempt] {
        &self.attempts
    }

    /// Milliseconds since the call began.
    pub fn elapsed_ms(&self, now: f64) -> f64 {
        now - self.started_at
    }

    fn left(&self, now: f64) -> f64 {
        self.limits.total_timeout - self.elapsed_ms(now)
    }

    /// What to do at first, after a wait, and when the provider has answered:
    /// then `asked`, unless it was not told what the last step said.
    pub fn next(&mut self, state: &State, asked: bool, now: f64) -> Step {
        if asked {
            self.asked = true;
            self.refused = false;
        }
        let left = self.left(now);
        let tokens = state.tokens.borrow();
        let need = if self.refused && self.generation == tokens.generation() {
            Need::Now
        } else {
            tokens.need(self.asked, now)
        };
        if need == Need::Now {
            return Step::Token {
                force_refresh: self.refused,
                timeout_ms: left,
            };
        }
        self.refused = false;
        self.generation = tokens.generation();
        let envelope = Envelope {
            base_url: &state.base_url,
            format: self.format,
            bearer_token: tokens.current(),
            api_key: state.api_key.as_deref(),
        };
        self.sent_at = now;
        self.cut_short = left < self.limits.attempt_timeout;
        match encode::request(&self.request, &envelope) {
            Err(error) => Step::fail(error),
            // The wait before it took longer than it should have.
            Ok(_) if left <= 0.0 => Step::fail(self.limits.total(Phase::Backoff, None)),
            Ok(request) => Step::Send {
                request: HttpRequest {
                    timeout_ms: self.limits.attempt_timeout.min(left),
                    ..request
                },
                refresh: need == Need::Behind,
            },
        }
    }

    /// The call cannot go on, because of the token provider.
    pub fn give_up(&mut self, mut error: Error) -> Step {
        if let Error::Timeout(timeout) = &mut error {
            self.limits.attribute(timeout, true);
        }
        Step::fail(error)
    }

    /// An attempt came to `outcome`. `chance` is a number from 0 to 1,
    /// without 1.
    pub fn reply(
        &mut self,
        state: &State,
        outcome: Result<HttpResponse, Error>,
        now: f64,
        chance: f64,
    ) -> Step {
        let mut attempt = Attempt {
            status: None,
            error: None,
            ms: now - self.sent_at,
            wait_ms: self.wait_ms,
        };
        let result = outcome.and_then(|reply| {
            attempt.status = Some(reply.status);
            let usage = outcome::judge(&reply, &self.request, &state.base_url, state.integers)?;
            Ok((usage, reply))
        });
        let error = match result {
            Ok(success) => {
                self.attempts.push(attempt);
                state.budget.earn();
                return Step::Done(Box::new(Ok(success)));
            }
            Err(mut error) => {
                if let Error::Timeout(timeout) = &mut error {
                    self.limits.attribute(timeout, self.cut_short);
                }
                error
            }
        };
        attempt.error = Some(error.code());
        self.attempts.push(attempt);
        if error.status() == Some(401) && !self.renewed {
            self.renewed = true;
            let tokens = state.tokens.borrow();
            let is_current = self.generation == tokens.generation();
            if !is_current || tokens.has_provider() {
                self.refused = is_current;
                self.wait_ms = 0.0;
                drop(tokens);
                return self.next(state, false, now);
            }
        }
        let left = self.left(now);
        match state
            .budget
            .judge(error, self.retries, &self.limits, left, chance)
        {
            Verdict::Fail(error) => Step::fail(error),
            Verdict::Retry { ms, error } => {
                self.retries += 1;
                self.wait_ms = ms;
                // A token without an end stays for the whole call.
                self.asked &= !state.tokens.borrow().expires();
                Step::Wait { ms, error }
            }
        }
    }
}
