//! Pauses: how long the server asked not to be called.

use std::sync::Arc;

use crate::error::Error;

/// A call that is asked to wait longer fails at once instead of pausing.
pub(crate) const LONGEST_WAIT_MS: f64 = 60_000.0;

/// A pause: its scope, its end, and the failure that asked for it.
#[derive(Debug, Clone)]
pub(crate) struct Pause {
    /// The company that it applies to; `None` for the whole client.
    pub company: Option<u128>,
    /// Milliseconds of the monotonic clock.
    pub until: f64,
    /// The wait that the server asked for, in milliseconds.
    pub wait_ms: f64,
    pub error: Arc<Error>,
}

/// The pauses of a client.
#[derive(Debug, Default)]
pub(crate) struct Pauses {
    kept: Vec<Pause>,
    /// When the latest retryable 429 arrived.
    limited_at: Option<f64>,
}

impl Pauses {
    /// Adds the pause that a failed request for `company` asks for, if any, unless
    /// one of the same scope lasts longer. A 429 concerns the whole client; a 503
    /// concerns the company, because another one may be served elsewhere.
    pub fn ask(&mut self, error: &Arc<Error>, company: u128, now: f64) -> bool {
        let company = match error.status() {
            Some(429) => {
                if error.is_retryable() {
                    self.limited_at = Some(now);
                }
                None
            }
            Some(503) => Some(company),
            _ => return false,
        };
        let wait_ms = error.retry_after_ms().unwrap_or(0.0);
        if wait_ms <= 0.0 || wait_ms > LONGEST_WAIT_MS {
            return false;
        }
        let pause = Pause {
            company,
            until: now + wait_ms,
            wait_ms,
            error: Arc::clone(error),
        };
        self.kept.retain(|kept| kept.until > now);
        for kept in &mut self.kept {
            if kept.company == company {
                if kept.until < pause.until {
                    *kept = pause;
                }
                return true;
            }
        }
        self.kept.push(pause);
        true
    }

    /// When the latest retryable 429 arrived, and until when all requests pause.
    pub fn limit(&self) -> (f64, f64) {
        let mut until = 0.0_f64;
        for pause in &self.kept {
            if pause.company.is_none() {
                until = until.max(pause.until);
            }
        }
        (self.limited_at.unwrap_or(f64::NEG_INFINITY), until)
    }

    /// The longest pause that applies to a request for `company`.
    pub fn of(&self, company: u128, now: f64) -> Option<&Pause> {
        let mut longest: Option<&Pause> = None;
        for pause in &self.kept {
            if pause.company.is_none_or(|paused| paused == company)
                && pause.until > longest.map_or(now, |longest| longest.until)
            {
                longest = Some(pause);
            }
        }
        longest
    }
}
