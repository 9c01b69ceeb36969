//! The current bearer token, and when the provider has to be asked for another.

use std::{
    mem::{replace, take},
    sync::Arc,
};

use super::{Moment, Secret};

/// Tokens with more than this left to live are sent without asking the
/// provider.
const FRESH_MS: f64 = 120_000.0;
/// Tokens with less than this left to live are renewed before the next request.
const STALE_MS: f64 = 30_000.0;
/// How long the provider is not asked in the background after a failure, nor for
/// a renewal after one that failed or changed nothing.
const COOLDOWN_MS: f64 = 5_000.0;

/// How many replaced tokens are still redacted in what others say.
const EARLIER: usize = 16;

/// The state of a client's bearer token.
#[derive(Debug, Default)]
pub(crate) struct Tokens {
    has_provider: bool,
    current: Option<Arc<Secret>>,
    /// The last ones before it, in the order of a ring.
    earlier: [Option<Arc<Secret>>; EARLIER],
    /// How many tokens were replaced.
    replaced: usize,
    expiry: Option<Expiry>,
    /// Counts changes of the token, to tell whether it is still the one that was
    /// refused.
    revision: u64,
    /// Counts the tokens and providers that the application set, to tell whether
    /// an answer comes from the current provider.
    source: u64,
    background_after: f64,
    renew_after: f64,
    /// Whether a renewal brought the token, and no request has succeeded since.
    is_untried: bool,
}

/// When a token expires, by two clocks. The earlier one counts: the wall clock may
/// be set back, and the monotonic one may stop while the machine sleeps.
#[derive(Debug, Clone, Copy)]
struct Expiry {
    /// By the monotonic clock.
    at: f64,
    /// By the wall clock.
    wall: f64,
}

/// What the age of the token calls for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It is good.
    Nothing,
    /// It is good, but the provider should be asked for the next one.
    RefreshInBackground,
    /// The provider must be asked before anything is sent.
    Ask,
}

impl Tokens {
    /// Replaces the token or the provider.
    pub fn set(&mut self, token: Option<String>, has_provider: bool) {
        self.replace(token);
        *self = Self {
            has_provider,
            current: self.current.take(),
            earlier: take(&mut self.earlier),
            replaced: self.replaced,
            revision: self.revision + 1,
            source: self.source + 1,
            ..Self::default()
        };
    }

    /// The provider gave `token`, which expires at `expires_at` by the wall clock.
    pub fn give(&mut self, token: Option<String>, expires_at: Option<f64>, at: Moment) {
        if self.replace(token) {
            self.revision += 1;
        }
        self.expiry = expires_at.map(|wall| Expiry {
            at: at.now + (wall - at.wall),
            wall,
        });
        self.background_after = 0.0;
    }

    /// Returns whether it is another token.
    fn replace(&mut self, token: Option<String>) -> bool {
        if self.current.as_ref().map(|secret| secret.text()) == token.as_deref() {
            return false;
        }
        let token = token.map(Secret::new).map(Arc::new);
        if let Some(old) = replace(&mut self.current, token)
            && let Some(place) = self.earlier.get_mut(self.replaced % EARLIER)
        {
            *place = Some(old);
            self.replaced += 1;
        }
        true
    }

    /// The provider failed.
    pub fn failed(&mut self, now: f64) {
        self.background_after = now + COOLDOWN_MS;
    }

    /// A renewal failed or changed nothing.
    pub fn renewal_failed(&mut self, now: f64) {
        self.renew_after = now + COOLDOWN_MS;
        self.is_untried = false;
    }

    /// A renewal brought another token. Until a request succeeds, there is no
    /// second one: a provider may give one refused token after the other.
    pub fn renewed(&mut self, now: f64) {
        self.renew_after = now + COOLDOWN_MS;
        self.is_untried = true;
    }

    /// A request succeeded with the current token.
    pub fn accepted(&mut self) {
        if self.is_untried {
            self.is_untried = false;
            self.renew_after = 0.0;
        }
    }

    /// Whether the provider may be asked to replace a refused token.
    pub fn may_renew(&self, now: f64) -> bool {
        self.has_provider && now >= self.renew_after
    }

    pub fn has_provider(&self) -> bool {
        self.has_provider
    }

    pub fn current(&self) -> &Option<Arc<Secret>> {
        &self.current
    }

    /// The current token and those before it, which others may still quote: a
    /// server that was asked earlier, or a provider that exchanges one token for
    /// the next.
    pub fn known(&self) -> impl Iterator<Item = &Arc<Secret>> {
        self.current.iter().chain(self.earlier.iter().flatten())
    }

    pub fn revision(&self) -> u64 {
        self.revision
    }

    pub fn source(&self) -> u64 {
        self.source
    }

    /// Whether the token has an expiry.
    pub fn expires(&self) -> bool {
        self.expiry.is_some()
    }

    /// `asked`: whether the provider has been asked for this request already.
    pub fn need(&self, asked: bool, at: Moment) -> Need {
        if !self.has_provider || asked {
            return Need::Nothing;
        }
        let Some(expiry) = self.expiry else {
            return Need::Ask;
        };
        let left = (expiry.at - at.now).min(expiry.wall - at.wall);
        if left > FRESH_MS {
            Need::Nothing
        } else if left < STALE_MS {
            Need::Ask
        } else if at.now >= self.background_after {
            Need::RefreshInBackground
        } else {
            Need::Nothing
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WALL: f64 = 1_700_000_000_000.0;

    fn at(now: f64) -> Moment {
        Moment {
            now,
            wall: WALL + now,
            random: 0.5,
        }
    }

    fn provided(lives_for: Option<f64>) -> Tokens {
        let mut tokens = Tokens::default();
        tokens.set(None, true);
        tokens.give(
            Some("t0ken".to_owned()),
            lives_for.map(|ms| WALL + ms),
            at(0.0),
        );
        tokens
    }

    #[test]
    fn the_age_decides() {
        for (left, need) in [
            (120_001.0, Need::Nothing),
            (120_000.0, Need::RefreshInBackground),
            (30_000.0, Need::RefreshInBackground),
            (29_999.0, Need::Ask),
            (-1.0, Need::Ask),
        ] {
            let tokens = provided(Some(1_000_000.0 + left));
            assert_eq!(tokens.need(false, at(1_000_000.0)), need, "{left}");
            assert_eq!(tokens.need(true, at(1_000_000.0)), Need::Nothing);
        }
        assert_eq!(provided(None).need(false, at(0.0)), Need::Ask);
    }

    #[test]
    fn the_earlier_clock_decides() {
        let tokens = provided(Some(1_000_000.0));
        // The machine slept: the monotonic clock stood still.
        let slept = Moment {
            wall: WALL + 990_000.0,
            ..at(10_000.0)
        };
        assert_eq!(tokens.need(false, slept), Need::Ask);
        // The wall clock was set back by an hour.
        let set_back = Moment {
            wall: WALL - 3_600_000.0,
            ..at(990_000.0)
        };
        assert_eq!(tokens.need(false, set_back), Need::Ask);
    }

    #[test]
    fn without_a_provider_nobody_is_asked() {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.need(false, at(0.0)), Need::Nothing);
        tokens.set(Some("t0ken".to_owned()), false);
        assert_eq!(tokens.need(false, at(0.0)), Need::Nothing);
        assert_eq!(tokens.current().as_ref().unwrap().text(), "t0ken");
        assert!(!tokens.may_renew(0.0));
    }

    #[test]
    fn a_provider_that_failed_is_left_in_peace_for_five_seconds() {
        let mut tokens = provided(Some(100_000.0));
        tokens.failed(1_000.0);
        assert_eq!(tokens.need(false, at(5_999.0)), Need::Nothing);
        assert_eq!(tokens.need(false, at(6_000.0)), Need::RefreshInBackground);
        tokens.failed(70_000.0);
        assert_eq!(tokens.need(false, at(71_000.0)), Need::Ask);
        tokens.renewal_failed(71_000.0);
        assert!(!tokens.may_renew(75_999.0) && tokens.may_renew(76_000.0));
    }

    #[test]
    fn a_renewed_token_is_tried_before_another_renewal() {
        let mut tokens = provided(None);
        tokens.renewed(1_000.0);
        assert!(!tokens.may_renew(5_999.0) && tokens.may_renew(6_000.0));
        tokens.accepted();
        assert!(tokens.may_renew(1_001.0));
        tokens.renewal_failed(2_000.0);
        tokens.accepted();
        assert!(!tokens.may_renew(6_999.0), "it was refused already");
    }

    #[test]
    fn the_last_sixteen_are_known_besides_the_current_one() {
        let mut tokens = Tokens::default();
        for number in 0..20 {
            if number % 2 == 0 {
                tokens.give(Some(format!("t0ken-{number}")), None, at(0.0));
            } else {
                tokens.set(Some(format!("t0ken-{number}")), true);
            }
        }
        let mut known: Vec<_> = tokens.known().map(|secret| secret.text()).collect();
        assert_eq!(known.remove(0), "t0ken-19");
        known.sort_unstable();
        let mut expected: Vec<_> = (3..19).map(|number| format!("t0ken-{number}")).collect();
        expected.sort_unstable();
        assert_eq!(known, expected);
    }

    #[test]
    fn another_token_is_another_revision() {
        let mut tokens = provided(None);
        let first = tokens.revision();
        tokens.give(Some("t0ken".to_owned()), None, at(0.0));
        assert_eq!(tokens.revision(), first);
        tokens.give(Some("other".to_owned()), None, at(0.0));
        assert_ne!(tokens.revision(), first);
        let second = (tokens.revision(), tokens.source());
        tokens.set(None, false);
        assert!(tokens.revision() != second.0 && tokens.source() != second.1);
        assert_eq!((tokens.current(), tokens.has_provider()), (&None, false));
    }
}
