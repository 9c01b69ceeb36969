//! Limits and backoff of a call.

use std::sync::Arc;

use crate::{
    error::{ConfigError, Error, Phase, Scope, TimeoutError},
    transport::LONGEST_TIMER_MS,
};

/// How many retries a call may make, and its timeouts in milliseconds; infinite
/// for none.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Limits {
    pub max_retries: f64,
    /// Timeout of one attempt: connection, headers, the whole body.
    pub attempt_timeout: f64,
    /// Timeout of token, attempts and waits together.
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
    pub const MOST_RETRIES: u32 = 10;

    /// # Errors
    /// More than 10 retries, or a timeout that no timer can measure.
    pub fn check(&self) -> Result<(), ConfigError> {
        let fits = |ms: f64| ms.is_infinite() || (1.0..=f64::from(LONGEST_TIMER_MS)).contains(&ms);
        if self.max_retries > f64::from(Self::MOST_RETRIES) {
            return Err(ConfigError::new(&["There can be 0 to 10 retries."]));
        }
        if !fits(self.attempt_timeout) || !fits(self.total_timeout) {
            return Err(ConfigError::new(&[
                "A time limit must be from 1 to 2147483647 milliseconds.",
            ]));
        }
        Ok(())
    }
}

/// The total timeout of a call passed, or leaves no time to retry `last`.
pub(crate) fn total_timeout(timeout_ms: f64, phase: Phase, last: Option<Arc<Error>>) -> Error {
    let mut error = TimeoutError::in_phase(phase);
    error.scope = Scope::Total;
    error.timeout_ms = timeout_ms;
    error.last = last;
    error.into()
}

/// How long to wait before a retry, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Backoff {
    /// The minimum: what the server asked for, or half of the backoff.
    pub least: f64,
    /// With jitter.
    pub jittered: f64,
}

impl Backoff {
    /// Half a second, doubled with each retry up to eight seconds, with jitter of up
    /// to half of it; not less than `asked`, the server's own wish. `random` is in
    /// [0, 1).
    pub fn of(retries: u32, asked: Option<f64>, random: f64) -> Self {
        let doubled = 500.0 * f64::from(1_u32 << retries.min(4));
        let backoff = doubled * (0.5 + random / 2.0);
        match asked {
            None => Self {
                least: doubled / 2.0,
                jittered: backoff,
            },
            Some(asked) => Self {
                least: asked.max(doubled / 2.0),
                jittered: asked.max(backoff) + spread(asked.max(backoff), random),
            },
        }
    }

    /// The wait of a caller with `left` milliseconds, which is more than the
    /// minimum: jitter must leave time for the attempt.
    pub fn within(self, left: f64) -> f64 {
        self.jittered.min(self.least + (left - self.least) / 2.0)
    }
}

/// The spread of calls that wait `ms` milliseconds, so that they do not all come
/// back at once.
pub(crate) fn spread(ms: f64, random: f64) -> f64 {
    random * (ms / 10.0).min(1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_one_that_can_be_kept() {
        let most = f64::from(LONGEST_TIMER_MS);
        for (max_retries, ms, is_fine) in [
            (0.0, 1.0, true),
            (10.0, most, true),
            (10.0, f64::INFINITY, true),
            (11.0, 1.0, false),
            (0.0, 0.5, false),
            (0.0, most + 1.0, false),
        ] {
            let usual = Limits {
                max_retries,
                ..Limits::default()
            };
            let of_attempt = Limits {
                attempt_timeout: ms,
                ..usual
            };
            let of_call = Limits {
                total_timeout: ms,
                ..usual
            };
            for limits in [of_attempt, of_call] {
                assert_eq!(limits.check().is_ok(), is_fine, "{limits:?}");
            }
        }
    }

    #[test]
    fn a_backoff_doubles_up_to_eight_seconds_and_half_of_it_is_jitter() {
        for (retries, least) in [
            (0, 250.0),
            (1, 500.0),
            (2, 1_000.0),
            (4, 4_000.0),
            (9, 4_000.0),
        ] {
            for random in [0.0, 0.5, 0.75] {
                let jittered = least * (1.0 + random);
                assert_eq!(
                    Backoff::of(retries, None, random),
                    Backoff { least, jittered }
                );
            }
        }
    }

    #[test]
    fn a_wait_that_the_server_asks_for_is_kept_and_spread_by_a_tenth_or_a_second() {
        for (asked, least, jittered) in [
            (100.0, 250.0, 375.0 + 18.75),
            (300.0, 300.0, 375.0 + 18.75),
            (2_000.0, 2_000.0, 2_100.0),
            (60_000.0, 60_000.0, 60_500.0),
        ] {
            assert_eq!(
                Backoff::of(0, Some(asked), 0.5),
                Backoff { least, jittered }
            );
        }
    }

    #[test]
    fn jitter_takes_at_most_half_of_the_time_that_is_left() {
        let backoff = Backoff {
            least: 100.0,
            jittered: 400.0,
        };
        for (left, wait) in [(300.0, 200.0), (700.0, 400.0), (1_000.0, 400.0)] {
            assert_eq!(backoff.within(left), wait);
        }
    }
}
