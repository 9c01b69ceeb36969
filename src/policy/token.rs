//! Which bearer token a call sends, and when a provider is asked for one.

/// A token lives on for so long when it is sent without a question.
const FRESH_MS: f64 = 120_000.0;
/// With less than that to live a token is not sent any more.
const STALE_MS: f64 = 30_000.0;
/// A provider that failed is not asked behind a call for so long.
const COOLDOWN_MS: f64 = 5_000.0;

/// What a client knows of its bearer token. Times are milliseconds of the
/// clock that measures calls, which never goes back.
#[derive(Default)]
pub(crate) struct Tokens {
    has_provider: bool,
    current: Option<String>,
    /// `None` where the provider does not tell: it is asked at each call.
    expires_at: Option<f64>,
    /// Counts the tokens, to tell whether another one is in use by now.
    generation: u32,
    cooldown_until: f64,
}

/// What the age of the token asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It will do.
    Nothing,
    /// It will do, but a new one is to be fetched meanwhile.
    Behind,
    /// A provider must be asked before anything is sent.
    Now,
}

impl Tokens {
    /// From now on `token` is sent, or what a provider gives.
    pub fn set(&mut self, token: Option<String>, has_provider: bool) {
        *self = Self {
            has_provider,
            current: token,
            generation: self.generation.wrapping_add(1),
            ..Self::default()
        };
    }

    /// The provider gave `token`, which lives until `expires_at`.
    pub fn give(&mut self, token: Option<String>, expires_at: Option<f64>) {
        if self.current != token {
            self.generation = self.generation.wrapping_add(1);
        }
        self.current = token;
        self.expires_at = expires_at;
        self.cooldown_until = 0.0;
    }

    /// The provider failed.
    pub fn failed(&mut self, now: f64) {
        self.cooldown_until = now + COOLDOWN_MS;
    }

    pub fn has_provider(&self) -> bool {
        self.has_provider
    }

    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    pub fn generation(&self) -> u32 {
        self.generation
    }

    /// `asked`: the provider has been asked for this attempt.
    pub fn need(&self, asked: bool, now: f64) -> Need {
        if !self.has_provider || asked {
            return Need::Nothing;
        }
        match self.expires_at.map(|at| at - now) {
            Some(left) if left > FRESH_MS => Need::Nothing,
            Some(left) if left >= STALE_MS => {
                if now >= self.cooldown_until {
                    Need::Behind
                } else {
                    Need::Nothing
                }
            }
            _ => Need::Now,
        }
    }

    /// Whether the token has an end.
    pub fn expires(&self) -> bool {
        self.expires_at.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn provided(expires_at: Option<f64>) -> Tokens {
        let mut tokens = Tokens::default();
        tokens.set(None, true);
        tokens.give(Some("t0ken".to_owned()), expires_at);
        tokens
    }

    #[test]
    fn the_age_decides() {
        for (left, need) in [
            (120_001.0, Need::Nothing),
            (120_000.0, Need::Behind),
            (30_000.0, Need::Behind),
            (29_999.0, Need::Now),
            (-1.0, Need::Now),
        ] {
            let tokens = provided(Some(1_000_000.0 + left));
            assert_eq!(tokens.need(false, 1_000_000.0), need, "{left}");
            assert_eq!(tokens.need(true, 1_000_000.0), Need::Nothing);
        }
        assert_eq!(provided(None).need(false, 0.0), Need::Now);
    }

    #[test]
    fn without_a_provider_nobody_is_asked() {
        let mut tokens = Tokens::default();
        assert_eq!(tokens.need(false, 0.0), Need::Nothing);
        tokens.set(Some("t0ken".to_owned()), false);
        assert_eq!(tokens.need(false, 0.0), Need::Nothing);
        assert_eq!(tokens.current(), Some("t0ken"));
    }

    #[test]
    fn a_provider_that_failed_is_left_in_peace_for_five_seconds() {
        let mut tokens = provided(Some(100_000.0));
        tokens.failed(1_000.0);
        assert_eq!(tokens.need(false, 5_999.0), Need::Nothing);
        assert_eq!(tokens.need(false, 6_000.0), Need::Behind);
        tokens.failed(70_000.0);
        assert_eq!(tokens.need(false, 71_000.0), Need::Now);
    }

    #[test]
    fn another_token_is_another_generation() {
        let mut tokens = provided(None);
        let first = tokens.generation();
        tokens.give(Some("t0ken".to_owned()), None);
        assert_eq!(tokens.generation(), first);
        tokens.give(Some("other".to_owned()), None);
        assert_ne!(tokens.generation(), first);
        let second = tokens.generation();
        tokens.set(None, false);
        assert_ne!(tokens.generation(), second);
        assert_eq!((tokens.current(), tokens.has_provider()), (None, false));
    }
}
