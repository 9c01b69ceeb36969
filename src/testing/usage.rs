//! Complete usages from a few of their members.

use crate::dto::{AiChatUsageResponse, ResponseStatus};

/// The members of a usage that matter to a test; the others follow from them.
///
/// ```
/// use bookmore_sdk::testing::{UsageMembers, usage};
///
/// let over = usage(UsageMembers::new().tokens_used(1200).token_limit(1000));
/// assert_eq!((over.tokens_remaining, over.is_within_budget), (0, false));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct UsageMembers {
    pub(super) company_id: Option<String>,
    share: Option<f64>,
    tokens_used: Option<i64>,
    token_limit: Option<i32>,
    tokens_remaining: Option<i64>,
    is_within_budget: Option<bool>,
    window_days: Option<i32>,
    pub(super) response_status: Option<ResponseStatus>,
}

impl UsageMembers {
    /// No members.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{UsageMembers, usage};
    /// assert_eq!(usage(UsageMembers::new()).tokens_used, 0);
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The company whose usage it is.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{UsageMembers, usage};
    /// usage(UsageMembers::new().company_id("9f2c7b1a-4d3e-4f5a-8b6c-7d8e9f0a1b2c"));
    /// ```
    #[must_use]
    pub fn company_id(mut self, company_id: impl Into<String>) -> Self {
        self.company_id = Some(company_id.into());
        self
    }

    /// Tokens used divided by the limit, for example 0.83; above 1 is over budget.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{UsageMembers, usage};
    /// assert_eq!(usage(UsageMembers::new().share(0.83)).tokens_used, 83_000);
    /// ```
    #[must_use]
    pub fn share(mut self, share: f64) -> Self {
        self.share = Some(share);
        self
    }

    /// Tokens consumed within the window.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{UsageMembers, usage};
    /// assert_eq!(usage(UsageMembers::new().tokens_used(1)).tokens_remaining, 99_999);
    /// ```
    #[must_use]
    pub fn tokens_used(mut self, tokens: i64) -> Self {
        self.tokens_used = Some(tokens);
        self
    }

    /// The limit, in tokens. Default: 100 000.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{UsageMembers, usage};
    /// assert_eq!(usage(UsageMembers::new().token_limit(10)).tokens_remaining, 10);
    /// ```
    #[must_use]
    pub fn token_limit(mut self, tokens: i32) -> Self {
        self.token_limit = Some(tokens);
        self
    }

    /// Tokens left.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{UsageMembers, usage};
    /// assert_eq!(usage(UsageMembers::new().tokens_remaining(1)).tokens_used, 99_999);
    /// ```
    #[must_use]
    pub fn tokens_remaining(mut self, tokens: i64) -> Self {
        self.tokens_remaining = Some(tokens);
        self
    }

    /// Whether the company is within its budget. `false`, given alone, means that
    /// the whole limit is used.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{UsageMembers, usage};
    /// assert_eq!(usage(UsageMembers::new().is_within_budget(false)).tokens_used, 100_000);
    /// ```
    #[must_use]
    pub fn is_within_budget(mut self, is_within_budget: bool) -> Self {
        self.is_within_budget = Some(is_within_budget);
        self
    }

    /// Length of the rolling window, in days. Default: 30.
    ///
    /// ```
    /// # use bookmore_sdk::testing::{UsageMembers, usage};
    /// assert_eq!(usage(UsageMembers::new().window_days(7)).window_days, 7);
    /// ```
    #[must_use]
    pub fn window_days(mut self, days: i32) -> Self {
        self.window_days = Some(days);
        self
    }

    /// A message or error of the server. With an error code, the reply is an
    /// error, although its status is 200.
    ///
    /// ```
    /// # use bookmore_sdk::{ResponseStatus, testing::UsageMembers};
    /// let message = Some("Usage is recalculated hourly".to_owned());
    /// UsageMembers::new().response_status(ResponseStatus { message, ..Default::default() });
    /// ```
    #[must_use]
    pub fn response_status(mut self, status: ResponseStatus) -> Self {
        self.response_status = Some(status);
        self
    }

    /// Whether the members determine how much was used.
    pub(super) fn tells_used(&self) -> bool {
        self.share.is_some()
            || self.tokens_used.is_some()
            || self.tokens_remaining.is_some()
            || self.is_within_budget.is_some()
    }

    /// The amounts that follow from the members, and from `base` for the rest.
    #[track_caller]
    pub(super) fn completed(&self, base: Amounts) -> Amounts {
        let given = self.tokens_used;
        let left = self.tokens_remaining;
        check_amount(given, "tokens_used");
        check_amount(left, "tokens_remaining");
        check_amount(self.token_limit.map(i64::from), "token_limit");
        let window_days = self.window_days.unwrap_or(base.window_days);
        assert!(
            window_days > 0,
            "window_days must be at least 1, not {window_days}."
        );
        if let Some(share) = self.share {
            let fits = share.is_finite() && share >= 0.0;
            assert!(
                fits,
                "share must be a number of at least 0, such as 0.83, not {share}."
            );
        }
        let sum = given.zip(left.filter(|left| *left > 0));
        let sum = sum.map(|(given, left)| given.saturating_add(left));
        let token_limit = match (self.token_limit, sum.map(|sum| (sum, i32::try_from(sum)))) {
            (Some(limit), _) | (None, Some((_, Ok(limit)))) => limit,
            (None, Some((sum, Err(_)))) => {
                panic!("{sum} tokens are more than a token_limit can be.")
            }
            (None, None) => base.token_limit,
        };
        let limit = i64::from(token_limit);
        let of_base = Amounts {
            token_limit,
            ..base
        };
        let tokens_used = given
            .or_else(|| self.share.map(|share| share_of(share, limit)))
            .or_else(|| left.map(|left| (limit - left).max(0)))
            .unwrap_or(match self.is_within_budget {
                Some(false) if of_base.is_within() => limit,
                _ => base.tokens_used,
            });
        let amounts = Amounts {
            tokens_used,
            token_limit,
            window_days,
        };
        let whole = format!("A usage of {tokens_used} of {token_limit} tokens cannot have");
        let otherwise = "Leave it out, or change the others.";
        if let Some(left) = left {
            let fitting = amounts.remaining();
            assert!(
                left == fitting,
                "{whole} tokens_remaining {left}: it is {fitting}. {otherwise}"
            );
        }
        if let Some(within) = self.is_within_budget {
            let fitting = amounts.is_within();
            assert!(
                within == fitting,
                "{whole} is_within_budget {within}: it is {fitting}. {otherwise}"
            );
        }
        if let (Some(share), Some(given)) = (self.share, given) {
            assert!(
                share_of(share, limit) == given,
                "{whole} the share {share}. {otherwise}"
            );
        }
        amounts
    }
}

#[track_caller]
fn check_amount(number: Option<i64>, name: &str) {
    let number = number.unwrap_or_default();
    assert!(number >= 0, "{name} must be at least 0, not {number}.");
}

/// A share below 1 leaves at least one token, however small the limit is.
fn share_of(share: f64, limit: i64) -> i64 {
    let rounded = (share * limit as f64).round() as i64;
    if share < 1.0 {
        rounded.min(limit - 1).max(0)
    } else {
        rounded
    }
}

/// Tokens used, the limit, and the window.
#[derive(Debug, Clone, Copy)]
pub(super) struct Amounts {
    pub tokens_used: i64,
    pub token_limit: i32,
    pub window_days: i32,
}

impl Amounts {
    /// The amounts of a company for which no usage was set.
    pub const UNUSED: Self = Self {
        tokens_used: 0,
        token_limit: 100_000,
        window_days: 30,
    };

    /// Tokens left; never negative.
    pub fn remaining(self) -> i64 {
        (i64::from(self.token_limit) - self.tokens_used).max(0)
    }

    /// Whether anything is left. At the limit, nothing is.
    pub fn is_within(self) -> bool {
        self.tokens_used < i64::from(self.token_limit)
    }
}

/// A consistent usage from the given members.
///
/// ```
/// use bookmore_sdk::testing::{UsageMembers, usage};
///
/// let usage = usage(UsageMembers::new().share(0.83));
/// assert_eq!((usage.tokens_used, usage.tokens_remaining), (83_000, 17_000));
/// ```
///
/// # Panics
/// If the members contradict each other or are impossible.
#[track_caller]
pub fn usage(members: UsageMembers) -> AiChatUsageResponse {
    let amounts = members.completed(Amounts::UNUSED);
    AiChatUsageResponse {
        company_id: members.company_id,
        tokens_used: amounts.tokens_used,
        token_limit: amounts.token_limit,
        tokens_remaining: amounts.remaining(),
        is_within_budget: amounts.is_within(),
        window_days: amounts.window_days,
        response_status: members.response_status.map(Box::new),
    }
}
