//! The exports behind the npm package: convert in, call the engine, convert out.
//! `pkg/src` is their only caller and has validated the arguments. Commands cross
//! as JSON text.
//!
//! Promises, timers and streams stay in JavaScript. The module imports nothing of
//! the platform, only two helpers of wasm-bindgen: importing them would make the
//! package a fifth larger.

mod command;
mod json;
mod many;
#[cfg(not(feature = "no-wasm"))]
mod memory;
#[cfg(feature = "no-wasm")]
mod no_wasm;
mod watch;

use std::{fmt, sync::Arc};

use wasm_bindgen::prelude::*;

use crate::{
    dto::GetAiChatUsage,
    engine::{Config, Engine, Id, Limits, MAX_BODY_BYTES, Moment, Options, has_words},
    error::{ConfigError, Error, FetchError, NetworkError, TokenProviderError},
    network::is_network,
    transport::{Body, HttpResponse},
    wire::{Format, base_url::BaseUrl, decode::Integers, encode::endpoint},
};

/// The engine of a `BookMoreClient`. Ids are integers. `now` is in milliseconds of
/// the monotonic clock, `wall` in milliseconds since 1970, `random` in [0, 1); the
/// last two are NaN if they were not read.
#[wasm_bindgen]
pub struct Core(Engine);

#[wasm_bindgen]
impl Core {
    /// `base_url` has no trailing slash, and its origin ends at `origin_length`.
    /// `last_call` is the client's last call in the engine before this one, or 0.
    #[allow(clippy::too_many_arguments)]
    #[wasm_bindgen(constructor)]
    pub fn new(
        base_url: String,
        origin_length: usize,
        api_key: Option<String>,
        paces_retries: bool,
        listens: bool,
        shares: bool,
        last_call: f64,
    ) -> Core {
        let config = Config {
            base_url: BaseUrl::checked(base_url, origin_length),
            api_key,
            integers: Integers::JavaScript,
            paces_retries,
            listens,
            shares,
        };
        Core(Engine::new(config).with_ids_after(last_call as Id))
    }

    /// Another engine of this client, with nothing in flight.
    pub fn fork(&self) -> Core {
        Core(self.0.fork())
    }

    /// Whether every input needs `wall`, because a token has an expiry.
    #[wasm_bindgen(getter, js_name = wantsWall)]
    pub fn wants_wall(&self) -> bool {
        self.0.wants_wall()
    }

    /// Whether no call is in progress.
    #[wasm_bindgen(getter, js_name = isIdle)]
    pub fn is_idle(&self) -> bool {
        self.0.is_idle()
    }

    /// Replaces the token or the provider.
    #[wasm_bindgen(js_name = setToken)]
    pub fn set_token(
        &mut self,
        token: Option<String>,
        has_provider: bool,
        same_identity: bool,
        now: f64,
        wall: f64,
        random: f64,
    ) {
        let at = Moment { now, wall, random };
        self.0
            .set_bearer_token(token, has_provider, same_identity, at);
    }

    /// Begins a call and returns its id. `headers` has one per line. Timeouts are
    /// infinite for none, and NaN for the default.
    #[allow(clippy::too_many_arguments)]
    pub fn call(
        &mut self,
        company_id: Option<String>,
        is_jsonl: bool,
        headers: &str,
        max_retries: f64,
        attempt_timeout: f64,
        total_timeout: f64,
        coalesce: bool,
        fresh: bool,
        nested: bool,
        waited_ms: f64,
        now: f64,
        wall: f64,
        random: f64,
    ) -> f64 {
        let mut limits = Limits::default();
        for (given, limit) in [
            (max_retries, &mut limits.max_retries),
            (attempt_timeout, &mut limits.attempt_timeout),
            (total_timeout, &mut limits.total_timeout),
        ] {
            if !given.is_nan() {
                *limit = given;
            }
        }
        let options = Options {
            format: if is_jsonl {
                Format::Jsonl
            } else {
                Format::Json
            },
            headers: lines(headers),
            limits,
            coalesce,
            fresh,
            nested,
            waited_ms,
        };
        let request = GetAiChatUsage { company_id };
        self.0.call(request, options, Moment { now, wall, random }) as f64
    }

    /// The caller no longer waits.
    pub fn abandon(&mut self, call: f64, now: f64, wall: f64, random: f64) {
        self.0.abandon(call as Id, Moment { now, wall, random });
    }

    /// The headers of a reply arrived: one per line, names in lower case. How many
    /// bytes of its body to read at the most; 0 for none.
    pub fn headers(
        &mut self,
        send: f64,
        status: u16,
        url: Option<String>,
        headers: &str,
        received_at: f64,
    ) -> usize {
        let head = HttpResponse {
            status,
            url,
            headers: lines(headers),
            body: Body::Whole(Vec::new()),
            received_at,
        };
        self.0.handle_headers(send as Id, head);
        if has_words(status) { MAX_BODY_BYTES } else { 0 }
    }

    /// The body of a reply arrived. `end`: 0 if it is complete, 1 if it is longer than
    /// what was read, 2 if it broke off, for the reason in `words`.
    #[allow(clippy::too_many_arguments)]
    pub fn body(
        &mut self,
        send: f64,
        body: Vec<u8>,
        end: u8,
        words: String,
        now: f64,
        wall: f64,
        random: f64,
    ) {
        let body = match end {
            0 => Body::Whole(body),
            1 => Body::TooLong(body),
            _ => Body::Broken(body, NetworkError::broke_off(words).caused_by(thrown(send))),
        };
        self.0
            .handle_body(send as Id, body, Moment { now, wall, random });
    }

    /// Sending failed, for the reason in `words`. `kind`: 0 for a thrown value with
    /// this `name`, `message` and codes, 1 for a framework's control flow, 2 for a
    /// function that returned no usable Response.
    #[allow(clippy::too_many_arguments)]
    pub fn fail(
        &mut self,
        send: f64,
        kind: u8,
        words: String,
        name: &str,
        message: &str,
        code: &str,
        cause_code: &str,
        now: f64,
        wall: f64,
        random: f64,
    ) {
        let error: Error = match kind {
            0 if is_network(name, message, [code, cause_code]) => {
                NetworkError::no_reply(&endpoint(&self.0.config().base_url), words)
                    .caused_by(thrown(send))
                    .into()
            }
            2 => ConfigError::new(&[&words]).into(),
            _ => by_fetch(send, words, kind == 1),
        };
        self.0
            .handle_send_error(send as Id, error, Moment { now, wall, random });
    }

    /// The provider gave `token`; `expires_at` is NaN without an expiry.
    pub fn token(
        &mut self,
        question: f64,
        token: Option<String>,
        expires_at: f64,
        now: f64,
        wall: f64,
        random: f64,
    ) {
        let expires_at = (!expires_at.is_nan()).then_some(expires_at);
        let at = Moment { now, wall, random };
        self.0
            .handle_token(question as Id, Ok((token, expires_at)), at);
    }

    /// The provider failed or returned nothing usable, as `message` says; it may have
    /// thrown a framework's control flow.
    #[wasm_bindgen(js_name = tokenFailed)]
    pub fn token_failed(
        &mut self,
        question: f64,
        message: String,
        is_control_flow: bool,
        now: f64,
        wall: f64,
        random: f64,
    ) {
        let error = if is_control_flow {
            by_fetch(question, String::new(), true)
        } else {
            let error = TokenProviderError::new(message);
            error.caused_by(thrown(question)).into()
        };
        let at = Moment { now, wall, random };
        self.0.handle_token(question as Id, Err(error), at);
    }

    /// Time has passed.
    pub fn timeout(&mut self, now: f64, wall: f64, random: f64) {
        self.0.handle_timeout(Moment { now, wall, random });
    }

    /// When to call `timeout`; infinite for never.
    #[wasm_bindgen(js_name = pollTimeout)]
    pub fn poll_timeout(&mut self) -> f64 {
        self.0.poll_timeout()
    }

    /// The next command, as JSON.
    pub fn command(&mut self) -> Option<String> {
        let command = self.0.poll_command()?;
        Some(command::to_json(&command, &self.0.config().base_url))
    }

    /// Redacts text that came with a send or a question.
    pub fn redact(&mut self, id: f64, mut text: String) -> String {
        self.0.redact(id as Id, &mut text);
        text
    }
}

/// Stands for a value that was thrown: JavaScript keeps it, under the id of its
/// send or question.
struct Thrown(Id);

// Never printed; a derived `Debug` would be a tenth of the module.
impl fmt::Debug for Thrown {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl fmt::Display for Thrown {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Thrown {}

fn thrown(id: f64) -> Arc<Thrown> {
    Arc::new(Thrown(id as Id))
}

/// A failure that is not the network's.
fn by_fetch(id: f64, words: String, is_control_flow: bool) -> Error {
    let mut error = FetchError::new(words).caused_by(thrown(id));
    error.is_control_flow = is_control_flow;
    error.into()
}

/// Parses a `name:value` per line.
fn lines(headers: &str) -> Vec<(String, String)> {
    let part = |from, to| headers.get(from..to).unwrap_or_default().to_owned();
    let mut pairs = Vec::new();
    let (mut from, mut colon) = (0, None);
    for (at, byte) in headers.bytes().enumerate() {
        match (byte, colon) {
            (b':', None) => colon = Some(at),
            (b'\n', Some(colon_at)) => {
                pairs.push((part(from, colon_at), part(colon_at + 1, at)));
                (from, colon) = (at + 1, None);
            }
            _ => {}
        }
    }
    pairs
}
