//! Whether and when a failed attempt is followed by another.

use std::cell::Cell;

use crate::error::{ConfigError, Error, Phase, Scope, TimeoutError};

/// The longest wait that a server may ask for, in milliseconds.
const LONGEST_WAIT: f64 = 60_000.0;

/// How many attempts a call may make, and for how long. Milliseconds;
/// infinite for no limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    pub max_retries: f64,
    /// Of one attempt: connection, headers, the whole body.
    pub attempt_timeout: f64,
    /// Of token, attempts and waits together.
    pub total_timeout: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_retries: 2.0,
            attempt_timeout: 10_000.0,
            total_timeout: 30_000.0,
        }
    }
}

impl Limits {
    /// # Errors
    /// More than 10 retries, or a time that no timer can measure.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fits = |ms: f64| ms.is_infinite() || (1.0..=2_147_483_647.0).contains(&ms);
        if self.max_retries > 10.0 {
            return Err(ConfigError::new(&["There can be 0 to 10 retries."]));
        }
        if !fits(self.attempt_timeout) || !fits(self.total_timeout) {
            return Err(ConfigError::new(&[
                "A time limit must be from 1 to 2147483647 milliseconds.",
            ]));
        }
        Ok(())
    }

    /// Tells which limit was over.
    pub fn attribute(&self, error: &mut TimeoutError, is_total: bool) {
        (error.scope, error.timeout_ms) = if is_total {
            (Scope::Total, self.total_timeout)
        } else {
            (Scope::Attempt, self.attempt_timeout)
        };
    }

    /// The time of the call is over, or not enough is left to retry `last`.
    pub fn total(&self, phase: Phase, last: Option<Error>) -> Error {
        let mut error = TimeoutError::in_phase(phase);
        self.attribute(&mut error, true);
        error.last = last;
        error.into()
    }
}

/// What to do after a failed attempt.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// Tell the caller of the failure.
    Fail(Error),
    /// Wait so many milliseconds, then try again.
    Retry { ms: f64, error: Error },
}

/// Keeps a client from adding to the load of a server in trouble: a retry
/// costs a token, one after a timeout two; a success earns a fifth.
#[derive(Debug)]
pub(crate) struct Budget(Cell<f64>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(Self::FULL))
    }
}

impl Budget {
    const FULL: f64 = 10.0;

    pub fn earn(&self) {
        self.0.set((self.0.get() + 0.2).min(Self::FULL));
    }

    fn spend(&self, cost: f64) -> bool {
        let enough = self.0.get() >= cost;
        if enough {
            self.0.set(self.0.get() - cost);
        }
        enough
    }

    /// Judges the failure of an attempt after which `left` milliseconds are
    /// left of the call, `retries` having been made before it. `chance` is a
    /// number from 0 to 1, without 1.
    pub fn judge(
        &self,
        mut error: Error,
        retries: u32,
        limits: &Limits,
        left: f64,
        chance: f64,
    ) -> Verdict {
        if f64::from(retries) >= limits.max_retries || !error.is_retryable() {
            return Verdict::Fail(error);
        }
        let doublings = retries.min(4);
        let backoff = 500.0 * f64::from(1_u32 << doublings) * (0.5 + chance / 2.0);
        let mut ms = backoff;
        if let Some(asked) = error.retry_after_ms() {
            if asked > LONGEST_WAIT || asked >= left {
                return Verdict::Fail(error);
            }
            // Never earlier than asked, and not all clients at the same moment.
            let least = asked.max(backoff);
            ms = least + chance * (least / 10.0).min(1_000.0);
        }
        if ms >= left {
            return Verdict::Fail(limits.total(Phase::Backoff, Some(error)));
        }
        let cost = if matches!(error, Error::Timeout(_)) {
            2.0
        } else {
            1.0
        };
        if self.spend(cost) {
            return Verdict::Retry { ms, error };
        }
        error.add(" It was not tried again, because too many attempts failed lately.");
        Verdict::Fail(error)
    }
}
