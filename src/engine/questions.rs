//! Questions to the token provider, and the groups that wait for the answers.

use std::sync::Arc;

use super::{
    Command, Engine, Id, Moment,
    group::{Group, Stage},
    pauses::Pauses,
    tokens::Need,
};
use crate::error::{Error, TokenProviderError, text};

/// After this long an unanswered question counts as hung for calls that have no
/// timeout of their own, or if it was asked in the background.
pub(super) const LONGEST_QUESTION_MS: f64 = 30_000.0;
/// No question counts as hung before this: the provider may be exchanging a token
/// that can be used only once, so it is not asked twice at the same time. After
/// this long, a question counts as hung if there was a time when no call waited
/// for it.
const SHORTEST_QUESTION_MS: f64 = 10_000.0;
/// Bounds a provider that sets another provider each time it is asked.
pub(super) const MOST_SUPERSEDED: u32 = 1_000;
/// How often a fork checks whether the provider that it waits for was replaced,
/// because nobody notifies it.
const LOOK_EACH_MS: f64 = 1_000.0;

/// A token and its expiry, in milliseconds since 1970.
type Answer = (Option<String>, Option<f64>);

/// A question in flight.
pub(super) struct Question {
    pub id: Id,
    /// Whether it says that the last token was refused.
    forced: bool,
    pub asked_at: f64,
    /// When it counts as hung. Infinite if a call has waited for it ever since it
    /// was asked: then the timeouts of those who wait decide.
    pub hung_at: f64,
    /// The provider that was asked.
    source: u64,
    /// The revision of the token at that time.
    revision: u64,
}

impl Engine {
    /// Replaces the token or the provider. `same_identity`: it stands for the same
    /// user as before.
    pub fn set_bearer_token(
        &mut self,
        token: Option<String>,
        has_provider: bool,
        same_identity: bool,
        at: Moment,
    ) {
        self.begin(at);
        self.shared.tokens.set(token, has_provider);
        // The old provider's question does not count for another provider.
        if let Some(asked) = &self.question
            && self.is_begun(asked.id)
        {
            self.superseded += 1;
        }
        self.supersede_question();
        let is_endless = self.superseded >= MOST_SUPERSEDED;
        if is_endless {
            self.superseded = 0;
        }
        // What the server asked of one identity does not bind another.
        let old_identity = self.shared.identity;
        if !same_identity {
            self.shared.pauses = Pauses::default();
            self.shared.identity += 1;
        }
        for place in 0..self.groups.len() {
            let Some(mut group) = self.take_at(place, |_| true) else {
                continue;
            };
            // A group that waited behind another may have the new token already.
            let is_old = group.is_sent() && group.revision != self.shared.tokens.revision();
            let is_unsent = is_old && !self.is_begun(group.send);
            if is_unsent {
                self.withdraw(group.send);
                group.stage = Stage::Behind;
            }
            if is_endless && group.stage == Stage::Token {
                let words = "The token provider sets another one whenever it is asked; let it give the token instead.";
                let error = TokenProviderError::new(words).into();
                self.settle_all(&mut group, Arc::new(error));
                self.put_back(group);
                continue;
            }
            if group.stage == Stage::Token || is_unsent {
                self.proceed(&mut group);
            } else if !same_identity {
                if is_old {
                    // The reply will be one of the old identity's: it is given to
                    // those who wait for it, and to nobody else.
                    group.is_listed = false;
                    if let Some(behind) = group.behind.take() {
                        self.start_behind(behind);
                    }
                }
                self.wake_from_pause(&mut group, old_identity);
            }
            self.put_back(group);
        }
        self.finish();
    }

    /// The provider answered. `expires_at`: milliseconds since 1970.
    pub fn handle_token(&mut self, question: Id, answer: Result<Answer, Error>, at: Moment) {
        // Otherwise the question was cancelled.
        let asked = self.question.take_if(|asked| asked.id == question);
        self.begin(at);
        match asked {
            Some(asked) if self.is_current(&asked) => self.answered(&asked, answer),
            Some(_) => self.ask_anew(),
            None => {}
        }
        self.finish();
    }

    fn is_current(&self, asked: &Question) -> bool {
        asked.source == self.shared.tokens.source()
    }

    /// Supersedes a question that hangs, or whose provider was replaced through a
    /// fork.
    pub(super) fn supersede_useless_question(&mut self) {
        let asked = self.question.as_ref();
        if asked.is_some_and(|asked| asked.hung_at <= self.at.now || !self.is_current(asked)) {
            self.supersede_question();
            self.ask_anew();
        }
    }

    fn ask_anew(&mut self) {
        for id in self.waiting_for_token() {
            if let Some(mut group) = self.take(id) {
                self.proceed(&mut group);
                self.put_back(group);
            }
        }
    }

    fn answered(&mut self, asked: &Question, answer: Result<Answer, Error>) {
        self.superseded = 0;
        let (now, source) = (self.at.now, self.shared.tokens.source());
        let mut failure = None;
        match answer.and_then(checked) {
            Ok((token, expires_at)) => self.shared.tokens.give(token, expires_at, self.at),
            Err(mut error) => {
                self.redactor(None).redact_error(&mut error);
                failure = Some(Arc::new(error));
                self.shared.tokens.failed(now);
            }
        }
        // A fork may have renewed in the meantime.
        let is_same = asked.forced && self.shared.tokens.revision() == asked.revision;
        if is_same || (asked.forced && failure.is_some()) {
            self.shared.tokens.renewal_failed(now);
        } else if asked.forced {
            self.shared.tokens.renewed(now);
        }
        // Sending one of them may make the others wait.
        for id in self.waiting_for_token() {
            let Some(mut group) = self.take(id) else {
                continue;
            };
            match &failure {
                Some(error) if asked.forced || group.refused.is_none() => {
                    self.settle_all(&mut group, Arc::clone(error));
                }
                Some(_) => self.await_token(&mut group, true),
                None => {
                    group.asked = Some(source);
                    self.proceed(&mut group);
                }
            }
            self.put_back(group);
        }
    }

    // Smaller than collecting.
    fn waiting_for_token(&self) -> Vec<Id> {
        let mut waiting = Vec::new();
        for group in self.awaiting_token() {
            waiting.push(group.id);
        }
        waiting
    }

    /// The groups that wait for the answer to the question.
    pub(super) fn awaiting_token(&self) -> impl Iterator<Item = &Group> {
        self.groups().filter(|group| group.stage == Stage::Token)
    }

    /// Whether the current token is the one that a 401 refused.
    fn is_refused(&self, group: &Group) -> bool {
        let refused = group.refused.as_ref();
        refused.is_some_and(|(revision, _)| *revision == self.shared.tokens.revision())
    }

    /// There is no token but the refused one: the group fails with its own 401.
    fn refuse(&mut self, group: &mut Group) {
        if let Some((_, error)) = group.refused.take() {
            self.settle_all(group, error);
        }
    }

    /// Makes the group wait for a token if it has to, and returns whether it does.
    /// May ask the provider in the background.
    pub(super) fn has_to_wait_for_token(&mut self, group: &mut Group) -> bool {
        if group.nested {
            return false;
        }
        if self.is_refused(group) {
            self.await_token(group, true);
            return true;
        }
        group.refused = None;
        let is_asked = group.asked == Some(self.shared.tokens.source());
        match self.shared.tokens.need(is_asked, self.at) {
            Need::Nothing => false,
            Need::RefreshInBackground => {
                if self.question.is_none() {
                    self.ask(false, true);
                }
                false
            }
            Need::Ask => {
                self.await_token(group, false);
                true
            }
        }
    }

    /// Waits for the provider's answer, and asks unless a question in flight will
    /// do. `forced`: the current token was refused.
    pub(super) fn await_token(&mut self, group: &mut Group, forced: bool) {
        group.stage = Stage::Token;
        group.wake_at = if self.config.shares {
            f64::INFINITY
        } else {
            self.at.now + LOOK_EACH_MS
        };
        let mut was_forced = false;
        // It was asked in the background, or left: now that a call waits for it, it
        // has only the shorter time.
        if let Some(asked) = self.question.as_mut().filter(|asked| asked.is_bounded()) {
            asked.bound();
        }
        if let Some(asked) = &self.question {
            // The answer in flight may bring another token.
            if !self.is_hung(asked, group) {
                return;
            }
            was_forced = asked.forced;
        }
        // A fork may have renewed in the meantime.
        let may_renew = self.shared.tokens.may_renew(self.at.now);
        if forced && !may_renew {
            self.refuse(group);
        } else {
            self.ask((forced || was_forced) && may_renew, false);
        }
    }

    /// Whether `group` cannot expect an answer to this question any more.
    fn is_hung(&self, asked: &Question, group: &Group) -> bool {
        if asked.is_bounded() {
            return asked.hung_at <= self.at.now;
        }
        // As long as the most patient caller waits: a short timeout must not end a
        // question that calls with longer ones share.
        let age = self.at.now - asked.asked_at;
        age >= SHORTEST_QUESTION_MS
            && age >= longest_limit(group)
            && self
                .awaiting_token()
                .all(|other| age >= longest_limit(other))
    }

    fn ask(&mut self, forced: bool, is_background: bool) {
        self.supersede_question();
        let id = self.next_id();
        self.question = Some(Question {
            id,
            forced,
            asked_at: self.at.now,
            hung_at: if is_background {
                self.at.now + LONGEST_QUESTION_MS
            } else {
                f64::INFINITY
            },
            source: self.shared.tokens.source(),
            revision: self.shared.tokens.revision(),
        });
        self.command(Command::Ask {
            question: id,
            force_refresh: forced,
        });
    }

    fn supersede_question(&mut self) {
        if let Some(asked) = self.question.take() {
            self.cancel(asked.id);
        }
    }

    /// If no group waits for the question any more, lets it go on for a while. It
    /// is cancelled at once if it hangs, was not begun, or cannot be shared.
    pub(super) fn leave_question(&mut self) {
        if let Some(asked) = &self.question
            && !asked.is_bounded()
            && self.awaiting_token().next().is_none()
        {
            let goes_on = self.config.shares && self.is_begun(asked.id);
            if let Some(asked) = &mut self.question {
                asked.bound();
                if !goes_on || asked.hung_at <= self.at.now {
                    self.supersede_question();
                }
            }
        }
    }
}

impl Question {
    /// Whether there was a time when no call waited for it, so that it ends by itself.
    pub fn is_bounded(&self) -> bool {
        self.hung_at.is_finite()
    }

    /// Lets it count as hung after the shorter time.
    fn bound(&mut self) {
        self.hung_at = self.hung_at.min(self.asked_at + SHORTEST_QUESTION_MS);
    }
}

/// # Errors
/// A token whose expiry is clearly not in milliseconds since 1970: it would be
/// before 1973 or after the year 33000.
fn checked(answer: Answer) -> Result<Answer, Error> {
    let problem = match answer.1 {
        Some(end) if end > 0.0 && end < 1e11 => {
            "it can only be seconds where milliseconds are needed"
        }
        Some(end) if end > 1e15 => "it is in a finer unit than milliseconds since 1970",
        _ => return Ok(answer),
    };
    let words = text![
        "The end of the provider's token cannot be used: ",
        problem,
        "."
    ];
    Err(TokenProviderError::new(words).into())
}

/// How long the callers of a group wait for an answer at most.
fn longest_limit(group: &Group) -> f64 {
    let mut longest = 0.0;
    for call in &group.calls {
        let limit = if call.total_timeout.is_finite() {
            call.total_timeout
        } else {
            LONGEST_QUESTION_MS
        };
        longest = limit.max(longest);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_token_is_in_milliseconds_since_1970() {
        for (end, is_fine) in [
            (None, true),
            (Some(-1.0), true),
            (Some(0.0), true),
            (Some(1.0), false),
            (Some(99_999_999_999.0), false),
            (Some(1e11), true),
            (Some(1e15), true),
            (Some(2e15), false),
        ] {
            let checked = checked((Some("t0ken".to_owned()), end));
            assert_eq!(checked.is_ok(), is_fine, "{end:?}");
            if let Ok(answer) = checked {
                assert_eq!(answer, (Some("t0ken".to_owned()), end));
            }
        }
    }
}
