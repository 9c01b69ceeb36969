//! The exports behind the npm package: convert in, call the machine, convert
//! out. The TypeScript face in `pkg/src` is their only caller; it has checked
//! what it passes.
//!
//! The loop that obeys the machine stands there as well (`pkg/src/call.ts`):
//! promises, timers and streams are JavaScript's own. With them reached for from
//! here, a package of half the features had 27.8 kB instead of 22.

mod json;
mod step;

use std::{cell::RefCell, mem::take, rc::Rc};

use wasm_bindgen::prelude::*;

use crate::{
    dto::GetAiChatUsage,
    error::{Error, NetworkError, Phase, TimeoutError, TokenProviderError},
    policy::{
        call::{self, State, Step},
        retry::{Budget, Limits},
    },
    transport::{Body, HttpResponse},
    wire::{Format, base_url::BaseUrl, decode::Integers, encode::endpoint},
};

/// What the calls of a `BookMoreClient` share.
#[wasm_bindgen]
pub struct Core(Rc<State>);

#[wasm_bindgen]
impl Core {
    /// `base_url`: without a slash at the end; its origin ends at `origin_length`.
    #[wasm_bindgen(constructor)]
    pub fn new(base_url: String, origin_length: usize, api_key: Option<String>) -> Core {
        Core(Rc::new(State {
            base_url: BaseUrl::checked(base_url, origin_length),
            format: Format::Json,
            api_key,
            integers: Integers::JavaScript,
            tokens: RefCell::default(),
            budget: Budget::default(),
        }))
    }

    /// From now on `token` is sent, or what a provider gives.
    #[wasm_bindgen(js_name = setToken)]
    pub fn set_token(&self, token: Option<String>, has_provider: bool) {
        self.0.tokens.borrow_mut().set(token, has_provider);
    }

    /// The provider gave `token`; infinite where it does not tell when it expires.
    #[wasm_bindgen(js_name = giveToken)]
    pub fn give_token(&self, token: Option<String>, expires_at: f64) {
        let expires_at = expires_at.is_finite().then_some(expires_at);
        self.0.tokens.borrow_mut().give(token, expires_at);
    }

    /// The provider failed.
    #[wasm_bindgen(js_name = tokenFailed)]
    pub fn token_failed(&self, now: f64) {
        self.0.tokens.borrow_mut().failed(now);
    }

    /// Tells the tokens apart that were in use one after the other.
    #[wasm_bindgen(getter)]
    pub fn generation(&self) -> u32 {
        self.0.tokens.borrow().generation()
    }

    /// Begins a call. Times are in milliseconds, infinite for no limit; NaN for
    /// the default.
    pub fn call(
        &self,
        company_id: Option<String>,
        is_jsonl: bool,
        max_retries: f64,
        attempt_timeout: f64,
        total_timeout: f64,
        now: f64,
    ) -> Call {
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
        let format = if is_jsonl {
            Format::Jsonl
        } else {
            Format::Json
        };
        let request = GetAiChatUsage { company_id };
        Call {
            state: Rc::clone(&self.0),
            call: call::Call::new(request, format, limits, now),
        }
    }
}

/// One call. Each method gives the next step as JSON.
#[wasm_bindgen]
pub struct Call {
    state: Rc<State>,
    call: call::Call,
}

#[wasm_bindgen]
impl Call {
    /// At first, after a wait, and when the provider has answered: then `asked`,
    /// unless it was not told what the last step said.
    pub fn next(&mut self, asked: bool, now: f64) -> String {
        let step = self.call.next(&self.state, asked, now);
        self.told(step, now)
    }

    /// A reply came. `headers`: a line each, names in lower case. `end`: 0 for
    /// a whole body, 1 for one that is longer than what was read, 2 for one
    /// that broke off, as `words` say.
    #[allow(clippy::too_many_arguments)]
    pub fn reply(
        &mut self,
        status: u16,
        url: Option<String>,
        headers: &str,
        body: Vec<u8>,
        end: u8,
        words: &str,
        received_at: f64,
        now: f64,
        chance: f64,
    ) -> String {
        let body = match end {
            0 => Body::Whole(body),
            1 => Body::TooLong(body),
            _ => Body::Broken(body, NetworkError::broke_off(words)),
        };
        let reply = HttpResponse {
            status,
            url,
            headers: lines(headers),
            body,
            received_at,
        };
        self.came_to(Ok(reply), now, chance)
    }

    /// What the last step said cannot be done, as `words` say, or in time.
    /// `phase`: 0 where the token, 1 where the headers, 2 where the body was
    /// awaited.
    pub fn fail(&mut self, phase: u8, words: Option<String>, now: f64, chance: f64) -> String {
        let error = match (phase, words) {
            (0, Some(words)) => TokenProviderError::new(words).into(),
            (_, Some(words)) => {
                NetworkError::no_reply(&endpoint(&self.state.base_url), &words).into()
            }
            (0, None) => TimeoutError::in_phase(Phase::Token).into(),
            (1, None) => TimeoutError::in_phase(Phase::Headers).into(),
            (_, None) => TimeoutError::in_phase(Phase::Body).into(),
        };
        if phase == 0 {
            let step = self.call.give_up(error);
            return self.told(step, now);
        }
        self.came_to(Err(error), now, chance)
    }

    fn came_to(&mut self, outcome: Result<HttpResponse, Error>, now: f64, chance: f64) -> String {
        let step = self.call.reply(&self.state, outcome, now, chance);
        self.told(step, now)
    }

    fn told(&self, step: Step, now: f64) -> String {
        step::to_json(&step, &self.call, now)
    }
}

/// `name:value` of each line.
fn lines(headers: &str) -> Vec<(String, String)> {
    let mut pairs = Vec::new();
    let (mut name, mut value) = (String::new(), None);
    for character in headers.chars() {
        match (character, &mut value) {
            (':', None) => value = Some(String::new()),
            ('\n', _) => pairs.push((take(&mut name), value.take().unwrap_or_default())),
            (_, None) => name.push(character),
            (_, Some(value)) => value.push(character),
        }
    }
    pairs
}

// SAFETY: a wasm module without shared memory, such as this one, has one thread.
#[allow(unsafe_code)]
#[global_allocator]
static ALLOCATOR: lol_alloc::AssumeSingleThreaded<lol_alloc::FreeListAllocator> =
    unsafe { lol_alloc::AssumeSingleThreaded::new(lol_alloc::FreeListAllocator::new()) };
