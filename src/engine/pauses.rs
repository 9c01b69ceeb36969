//! For how long a server has asked to be left alone.

use std::sync::Arc;

use crate::error::Error;

/// A longer wait is no pause: whoever was asked for it fails at once.
pub(crate) const LONGEST_WAIT_MS: f64 = 60_000.0;

/// A pause: who keeps it, until when, and the failure that asked for it.
#[derive(Debug, Clone)]
pub(crate) struct Pause {
    /// One company's, where another may fare better; `None` for the whole
    /// client.
    pub company: Option<u128>,
    /// Milliseconds of the clock that measures calls.
    pub until: f64,
    /// How long it was asked to last.
    pub wait_ms: f64,
    pub error: Arc<Error>,
}

/// The pauses of a client.
#[derive(Debug, Default)]
pub(crate) struct Pauses(Vec<Pause>);

impl Pauses {
    /// The pause that a failed request for `company` asks for. A 429 speaks of
    /// the client, a 503 of what the request needed.
    pub fn asked(error: &Arc<Error>, company: u128, now: f64) -> Option<Pause> {
        let wait_ms = error.retry_after_ms()?;
        let company = match error.status() {
            Some(429) => None,
            Some(503) => Some(company),
            _ => return None,
        };
        (wait_ms > 0.0 && wait_ms <= LONGEST_WAIT_MS).then(|| Pause {
            company,
            until: now + wait_ms,
            wait_ms,
            error: Arc::clone(error),
        })
    }

    /// Keeps `pause`, unless one of the same scope lasts longer.
    pub fn keep(&mut self, pause: Pause, now: f64) {
        self.0.retain(|kept| kept.until > now);
        match self.0.iter_mut().find(|kept| kept.company == pause.company) {
            Some(kept) if kept.until >= pause.until => {}
            Some(kept) => *kept = pause,
            None => self.0.push(pause),
        }
    }

    /// The longest pause that a request for `company` has to keep.
    pub fn of(&self, company: u128, now: f64) -> Option<&Pause> {
        let holds = |pause: &&Pause| {
            pause.until > now && pause.company.is_none_or(|paused| paused == company)
        };
        let later = |a: &&Pause, b: &&Pause| a.until.total_cmp(&b.until);
        self.0.iter().filter(holds).max_by(later)
    }
}
