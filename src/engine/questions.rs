//! Which token a request waits for, and what the provider is asked.

use std::sync::Arc;

use super::{Command, Engine, Id, Moment, Shared, Stage, tokens::Need};
use crate::error::Error;

/// A question that has no answer by then hangs: whoever comes has another one
/// asked, unless his own limit is longer.
const LONGEST_QUESTION_MS: f64 = 30_000.0;

/// What the provider is being asked.
pub(super) struct Question {
    pub id: Id,
    /// Whether it was told that the last token was refused.
    forced: bool,
    /// Whether no call waits for it: the current token will do meanwhile.
    pub is_background: bool,
    asked_at: f64,
    /// The provider that was asked.
    source: u64,
    /// The token that it was asked beside.
    revision: u64,
}

impl Engine {
    /// From now on `token` is sent, or what a provider gives. `same_identity`:
    /// whose usage is seen does not change.
    pub fn set_bearer_token(
        &mut self,
        token: Option<String>,
        has_provider: bool,
        same_identity: bool,
        at: Moment,
    ) {
        self.input(at, |engine, shared| {
            shared.tokens.set(token, has_provider);
            // Another provider is not asked by the old one's question.
            engine.supersede_question();
            for id in engine.groups.ids() {
                let Some(group) = engine.groups.get_mut(id) else {
                    continue;
                };
                match group.stage {
                    Stage::Token => engine.proceed(shared, id),
                    // It was behind one of the others.
                    Stage::Sent { .. } if group.revision == shared.tokens.revision() => {}
                    Stage::Sent { send, .. } => {
                        if engine.withdraw(send) {
                            engine.sends.remove(send);
                            if let Some(group) = engine.groups.get_mut(id) {
                                group.stage = Stage::Behind;
                            }
                            engine.proceed(shared, id);
                        } else if !same_identity {
                            engine.keep_reply_for_callers(shared, id);
                        }
                    }
                    _ => {}
                }
            }
        });
    }

    /// The reply will be one of the old identity's: it is given to those who
    /// wait for it, and to nobody else.
    fn keep_reply_for_callers(&mut self, shared: &mut Shared, id: Id) {
        self.unlist(id);
        let group = self.groups.get_mut(id);
        if let Some(behind) = group.and_then(|group| group.behind.take()) {
            self.start_behind(shared, behind);
        }
    }

    /// The provider has answered. `expires_at`: milliseconds since 1970.
    pub fn handle_token(
        &mut self,
        question: Id,
        answer: Result<(Option<String>, Option<f64>), Error>,
        at: Moment,
    ) {
        self.input(at, |engine, shared| {
            match &engine.question {
                Some(asked) if asked.id == question => {}
                // It was given up.
                _ => return,
            }
            let Some(asked) = engine.question.take() else {
                return;
            };
            if asked.source != shared.tokens.source() {
                // Another engine was told of another provider.
                engine.proceed_with_token(shared);
                return;
            }
            match answer {
                Ok((token, expires_at)) => {
                    shared.tokens.give(token, expires_at, engine.at);
                    // A fork may have renewed meanwhile.
                    let is_same = asked.forced && shared.tokens.revision() == asked.revision;
                    if is_same {
                        shared.tokens.renewal_failed(engine.at.now);
                    }
                    for id in engine.waiting_for_token() {
                        engine.answered(shared, id, is_same);
                    }
                }
                Err(mut error) => {
                    engine.redactor(shared, None).redact_error(&mut error);
                    let error = Arc::new(error);
                    shared.tokens.failed(engine.at.now);
                    if asked.forced {
                        shared.tokens.renewal_failed(engine.at.now);
                    }
                    for id in engine.waiting_for_token() {
                        let group = engine.groups.get(id);
                        let wants_other = group.is_some_and(|group| group.refused.is_some());
                        if wants_other && !asked.forced {
                            engine.await_token(shared, id, true);
                        } else {
                            engine.settle_all(shared, id, Err(Arc::clone(&error)));
                        }
                    }
                }
            }
        });
    }

    fn waiting_for_token(&self) -> Vec<Id> {
        let waits = self
            .groups
            .iter()
            .filter(|(_, group)| matches!(group.stage, Stage::Token));
        waits.map(|(id, _)| id).collect()
    }

    fn proceed_with_token(&mut self, shared: &mut Shared) {
        for id in self.waiting_for_token() {
            self.proceed(shared, id);
        }
    }

    /// The provider gave a token to a group that waits for one: the same one,
    /// although it was told of its refusal?
    fn answered(&mut self, shared: &mut Shared, id: Id, is_same: bool) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        match &group.refused {
            // The answer is the refused token again.
            Some((revision, _)) if *revision == shared.tokens.revision() => {
                if is_same {
                    self.refuse(shared, id);
                } else {
                    self.await_token(shared, id, true);
                }
            }
            _ => {
                group.refused = None;
                group.asked = Some(shared.tokens.source());
                self.proceed(shared, id);
            }
        }
    }

    /// There is no other token than the refused one: the group ends with its
    /// own 401.
    fn refuse(&mut self, shared: &mut Shared, id: Id) {
        if let Some(group) = self.groups.get_mut(id)
            && let Some((_, error)) = group.refused.take()
        {
            self.settle_all(shared, id, Err(error));
        }
    }

    /// Whether the group has to wait before it can be sent; then it does. The
    /// provider may be asked in the background.
    pub(super) fn has_to_wait_for_token(&mut self, shared: &mut Shared, id: Id) -> bool {
        let Some(group) = self.groups.get_mut(id) else {
            return true;
        };
        if group.nested {
            return false;
        }
        match &group.refused {
            Some((revision, _)) if *revision == shared.tokens.revision() => {
                self.await_token(shared, id, true);
                return true;
            }
            _ => group.refused = None,
        }
        let is_asked = group.asked == Some(shared.tokens.source());
        match shared.tokens.need(is_asked, self.at) {
            Need::Nothing => false,
            Need::RefreshInBackground => {
                // Others may wait for an answer that hangs.
                let is_idle = |asked: &Question| {
                    asked.is_background && self.at.now - asked.asked_at >= LONGEST_QUESTION_MS
                };
                if self.question.as_ref().is_none_or(is_idle) {
                    self.ask(shared, false, true);
                }
                false
            }
            Need::Ask => {
                self.await_token(shared, id, false);
                true
            }
        }
    }

    /// Waits for the provider's answer, and asks where no question will do.
    /// `forced`: the current token was refused.
    pub(super) fn await_token(&mut self, shared: &mut Shared, id: Id, forced: bool) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.stage = Stage::Token;
        group.wake_at = f64::INFINITY;
        let mut limit = LONGEST_QUESTION_MS;
        for &call in &group.waiting {
            if let Some(call) = self.calls.get(call)
                && call.total_timeout.is_finite()
            {
                limit = limit.max(call.total_timeout);
            }
        }
        let is_awaited = self
            .question
            .as_ref()
            .is_some_and(|asked| !asked.is_background && self.at.now - asked.asked_at < limit);
        // An answer that is on its way may bring another token.
        if is_awaited {
            return;
        }
        if !forced {
            let was_forced = self.question.as_ref().is_some_and(|asked| asked.forced);
            // A fork may have renewed meanwhile.
            let forced = was_forced && shared.tokens.may_renew(self.at.now);
            self.ask(shared, forced, false);
        } else if shared.tokens.may_renew(self.at.now) {
            self.ask(shared, true, false);
        } else {
            self.refuse(shared, id);
        }
    }

    fn ask(&mut self, shared: &Shared, forced: bool, is_background: bool) {
        self.supersede_question();
        let id = self.next_id();
        self.question = Some(Question {
            id,
            forced,
            is_background,
            asked_at: self.at.now,
            source: shared.tokens.source(),
            revision: shared.tokens.revision(),
        });
        self.command(Command::Ask {
            question: id,
            force_refresh: forced,
        });
    }

    pub(super) fn supersede_question(&mut self) {
        if let Some(asked) = self.question.take() {
            self.cancel(asked.id);
        }
    }

    /// A question lives as long as a group waits for it.
    pub(super) fn drop_question_without_group(&mut self) {
        let is_wanted = self
            .question
            .as_ref()
            .is_none_or(|asked| asked.is_background)
            || self
                .groups
                .iter()
                .any(|(_, group)| matches!(group.stage, Stage::Token));
        if !is_wanted {
            self.supersede_question();
        }
    }
}
