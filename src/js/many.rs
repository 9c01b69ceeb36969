//! What decides for `getManyAiChatUsage`; its driver is `pkg/src/many/run.ts`.
//! Few exports, as each costs: hence numbers that stand for something.

use wasm_bindgen::prelude::*;

use super::Core;
use crate::engine::{self, Came, asked_wait};

/// Times are milliseconds by the clock of [`Core`].
#[wasm_bindgen]
pub struct Many(engine::Many);

#[wasm_bindgen]
impl Many {
    /// `listens`: whether anybody wants reports.
    #[wasm_bindgen(constructor)]
    pub fn new(concurrency: usize, rounds: u32, listens: bool, now: f64) -> Many {
        Many(engine::Many::new(concurrency, rounds, listens, now))
    }

    /// Whether another id is to be fetched, where `unread` outcomes wait for a
    /// reader.
    #[wasm_bindgen(js_name = wantsId)]
    pub fn wants_id(&self, unread: usize) -> bool {
        self.0.wants_id(unread)
    }

    /// There is another id: of another company, numbered from 0 on, or of one
    /// that has no outcome yet.
    pub fn add(&mut self, is_other: bool) {
        self.0.add(is_other);
    }

    /// There are no more.
    pub fn end(&mut self, now: f64) {
        self.0.end(now);
    }

    /// The company to ask now, or -1. Where the run is given up, -2 for the
    /// company 0, -3 for 1 and so on: it comes to what the last 429 was.
    pub fn poll(&mut self, now: f64) -> i32 {
        let company = self.0.poll(now).map_or(-1, |company| company as i32);
        if self.0.is_given_up() && company >= 0 {
            -2 - company
        } else {
            company
        }
    }

    /// What a company's call came to, for which `ids` ids wait: 0 a usage, 1 a
    /// failure, 2 one that may pass, 3 a 429 that may pass. Whether it is the
    /// outcome. The milliseconds are those of [`asked_wait`].
    pub fn settle(
        &mut self,
        company: usize,
        came: u8,
        ids: usize,
        asked: f64,
        left: f64,
        now: f64,
    ) -> bool {
        let came = match came {
            0 => Came::Usage,
            1 => Came::Failure,
            2 => Came::Passing,
            _ => Came::Limited,
        };
        let wait = asked_wait(asked, left);
        self.0.settle(company, came, ids, wait, now)
    }

    /// The client is another identity's from now on.
    #[wasm_bindgen(js_name = changeIdentity)]
    pub fn change_identity(&mut self, now: f64) {
        self.0.change_identity(now);
    }

    /// An id is of a company that has its outcome already.
    pub fn repeat(&mut self, is_failure: bool) {
        self.0.repeat(is_failure);
    }

    /// When to `poll` again; infinite for never, NaN when all have their
    /// outcome.
    #[wasm_bindgen(js_name = pollTimeout)]
    pub fn poll_timeout(&self) -> f64 {
        if self.0.is_over() {
            f64::NAN
        } else {
            self.0.poll_timeout()
        }
    }

    /// Whether there is to be a report now.
    pub fn reports(&mut self, now: f64) -> bool {
        self.0.reports(now)
    }

    /// What is in a report: 0 ids that have their outcome, 1 how many of them
    /// are failures, 2 companies that are asked again, 3 outcomes a second, 4
    /// the milliseconds that are left, not finite where nobody knows.
    pub fn figure(&self, number: u8, total: f64, now: f64) -> f64 {
        match number {
            0 => self.0.done() as f64,
            1 => self.0.failed() as f64,
            2 => self.0.again() as f64,
            3 => self.0.rate_per_second(now),
            _ => self.0.eta_ms(total, now),
        }
    }
}

#[wasm_bindgen]
impl Core {
    /// Tells what the client knows of 429s.
    #[wasm_bindgen(js_name = tellLimit)]
    pub fn tell_limit(&self, many: &mut Many) {
        let (at, until) = self.0.limit();
        many.0.handle_limit(at, until);
    }
}
