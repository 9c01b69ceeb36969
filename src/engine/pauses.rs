//! Pauses: how long the server asked not to be called.

use std::sync::Arc;

use crate::error::Error;

/// A call that is asked to wait longer fails at once instead of pausing.
pub(crate) const LONGEST_WAIT_MS: f64 = 60_000.0;

/// How many pauses are kept at most, which bounds their memory.
const MOST_KEPT: usize = 1_000;

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
    /// Drops the pauses that have ended.
    pub fn pass(&mut self, now: f64) {
        self.kept.retain(|kept| kept.until > now);
    }

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
        let is_full = self.kept.len() >= MOST_KEPT;
        let mut first: Option<&mut Pause> = None;
        for kept in &mut self.kept {
            if kept.company == company {
                if kept.until < pause.until {
                    *kept = pause;
                }
                return true;
            }
            if kept.company.is_some() && first.as_ref().is_none_or(|first| kept.until < first.until)
            {
                first = Some(kept);
            }
        }
        match first {
            Some(first) if is_full => {
                // The pause that ends first gives way, unless the new one ends sooner still.
                if company.is_none() || first.until < pause.until {
                    *first = pause;
                }
            }
            _ => self.kept.push(pause),
        }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ApiError;

    fn refusal(status: u16, seconds: f64) -> Arc<Error> {
        let error = ApiError {
            status,
            error_code: None,
            server_message: None,
            response_status: None,
            request_id: None,
            retry_after_ms: Some(seconds * 1e3),
            retry_at: None,
            is_quota: false,
            message: String::new(),
        };
        Arc::new(error.into())
    }

    #[test]
    fn what_has_ended_is_dropped() {
        let mut pauses = Pauses::default();
        pauses.ask(&refusal(503, 1.0), 1, 0.0);
        pauses.ask(&refusal(503, 2.0), 2, 0.0);
        pauses.pass(1_000.0);
        assert!(pauses.of(1, 1_000.0).is_none());
        assert_eq!(pauses.of(2, 1_000.0).map(|pause| pause.until), Some(2e3));
        pauses.pass(2_000.0);
        assert_eq!(pauses.kept.len(), 0);
    }

    #[test]
    fn of_too_many_companies_those_that_end_last_are_kept() {
        let mut pauses = Pauses::default();
        pauses.ask(&refusal(429, 1.0), 0, 0.0);
        for company in 1..=20_000_u32 {
            let seconds = 2.0 + f64::from(company) / 1e3;
            pauses.ask(&refusal(503, seconds), company.into(), 0.0);
        }
        assert_eq!(pauses.kept.len(), MOST_KEPT);
        let is_client = |pause: &Pause| pause.company.is_none();
        assert!(
            pauses.of(1, 0.0).is_some_and(is_client),
            "that of all stays"
        );
        pauses.ask(&refusal(503, 1.5), 30_000, 0.0);
        assert!(pauses.of(30_000, 1_000.0).is_none_or(is_client));
        pauses.pass(1_000.0);
        for (company, is_kept) in [(19_001, false), (19_002, true), (20_000, true)] {
            assert_eq!(pauses.of(company, 1_000.0).is_some(), is_kept, "{company}");
        }
        // A longer one of a company takes the place of its own.
        pauses.ask(&refusal(503, 59.0), 20_000, 0.0);
        assert_eq!(pauses.kept.len(), MOST_KEPT - 1);
        let longest = pauses.of(20_000, 1_000.0);
        assert_eq!(longest.map(|pause| pause.until), Some(59_000.0));
    }
}
