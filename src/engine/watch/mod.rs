//! A usage that is watched: when it is asked for, and what is told of it.
//! Decisions without I/O, as all of the [engine](super): time and randomness are
//! arguments.
//!
//! - A [`Schedule`] is the one poll of a client and a company, however many
//!   stores look at it.
//! - A [`Gauge`] is of one store: the level, the thresholds and the trend.

mod gauge;
#[cfg(test)]
mod pacing;
mod schedule;
#[cfg(test)]
mod simulation;
mod trend;

pub use gauge::Level;
pub(crate) use gauge::{Gauge, Memory};
pub use schedule::Status;
pub(crate) use schedule::{Pace, Schedule};
// Only the npm package makes points.
#[cfg(feature = "npm")]
pub(crate) use trend::Point;
pub use trend::{Net, Trend};

use crate::dto::AiChatUsageResponse;

/// What counts of a usage. Whole numbers below 2^53 are exact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Figures {
    pub used: f64,
    pub limit: f64,
    pub is_within_budget: bool,
    pub window_days: f64,
}

impl Figures {
    /// Used of the limit, not clamped; `None` where there is no limit to take a
    /// share of.
    pub fn share(&self) -> Option<f64> {
        (self.limit > 0.0).then_some(self.used / self.limit)
    }

    /// What thresholds are held against: nothing left of a limit of 0 is beyond
    /// all of them.
    fn reach(&self) -> f64 {
        match self.share() {
            Some(share) => share,
            None if self.is_within_budget => 0.0,
            None => f64::INFINITY,
        }
    }
}

impl From<&AiChatUsageResponse> for Figures {
    fn from(usage: &AiChatUsageResponse) -> Self {
        Self {
            used: usage.tokens_used as f64,
            limit: usage.token_limit.into(),
            is_within_budget: usage.is_within_budget,
            window_days: usage.window_days.into(),
        }
    }
}
