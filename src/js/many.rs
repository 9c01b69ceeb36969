//! The exports behind `bookmore-sdk/many`, whose driver is `pkg/src/many/run.ts`.
//! Numbers stand for outcomes and figures, because each export costs bytes.

use wasm_bindgen::prelude::*;

use super::Core;
use crate::engine::{self, Came, asked_wait};

/// One run over many companies. Times are milliseconds by the clock of [`Core`].
#[wasm_bindgen]
pub struct Many(engine::Many);

#[wasm_bindgen]
impl Many {
    /// `listens`: whether the caller wants progress reports.
    #[wasm_bindgen(constructor)]
    pub fn new(concurrency: usize, rounds: u32, listens: bool, now: f64) -> Many {
        Many(engine::Many::new(concurrency, rounds, listens, now))
    }

    /// Whether to take another id, while `unread` outcomes wait to be read.
    #[wasm_bindgen(js_name = wantsId)]
    pub fn wants_id(&self, unread: usize) -> bool {
        self.0.wants_id(unread)
    }

    /// Adds an id: of another company, numbered from 0, or of one that has no
    /// outcome yet.
    pub fn add(&mut self, is_other: bool) {
        self.0.add(is_other);
    }

    /// Ends the ids.
    pub fn end(&mut self, now: f64) {
        self.0.end(now);
    }

    /// The company to ask now, or -1. In a run that is given up, -2 stands for
    /// company 0, -3 for company 1 and so on: its outcome is the last 429.
    pub fn poll(&mut self, now: f64) -> i32 {
        let company = self.0.poll(now).map_or(-1, |company| company as i32);
        if self.0.is_given_up() && company >= 0 {
            -2 - company
        } else {
            company
        }
    }

    /// Reports how the call for a company ended: 0 a usage, 1 a failure, 2 a
    /// failure that is worth retrying, 3 a 429 that is. `ids` ids wait for it.
    /// Returns whether this is the company's outcome. `asked` and `left` are
    /// those of [`asked_wait`].
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

    /// Drops the limits that the server set for the identity before.
    #[wasm_bindgen(js_name = changeIdentity)]
    pub fn change_identity(&mut self, now: f64) {
        self.0.change_identity(now);
    }

    /// Counts an id of a company that has its outcome already.
    pub fn repeat(&mut self, is_failure: bool) {
        self.0.repeat(is_failure);
    }

    /// When to `poll` again: infinity for never, NaN when all have their outcome.
    #[wasm_bindgen(js_name = pollTimeout)]
    pub fn poll_timeout(&self) -> f64 {
        if self.0.is_over() {
            f64::NAN
        } else {
            self.0.poll_timeout()
        }
    }

    /// Whether a progress report is due.
    pub fn reports(&mut self, now: f64) -> bool {
        self.0.reports(now)
    }

    /// A figure of a progress report, by number: 0 ids that have their outcome,
    /// 1 failures among them, 2 companies that are asked again, 3 outcomes a
    /// second, 4 the estimated milliseconds left, not finite if unknown.
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
    /// Passes the client's latest 429 on to the run.
    #[wasm_bindgen(js_name = tellLimit)]
    pub fn tell_limit(&self, many: &mut Many) {
        let (at, until) = self.0.limit();
        many.0.handle_limit(at, until);
    }
}
