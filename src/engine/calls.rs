//! Calls come, join groups, and are settled.

use std::sync::Arc;

use super::{
    Attempt, Command, Engine, Id, Moment, Options, Outcome, Shared, Success, What,
    group::{Call, Group, Key, Stage},
    retry::total_timeout,
    take,
};
use crate::{
    dto::GetAiChatUsage,
    error::{Error, Phase},
    wire::{encode::check_company_id, guid},
};

impl Engine {
    /// A call begins; its [`Command::Settle`] will name the id.
    pub fn call(&mut self, request: GetAiChatUsage, options: Options, at: Moment) -> Id {
        self.input(at, |engine, shared| engine.begin(shared, request, options))
    }

    /// The caller has left.
    pub fn abandon(&mut self, call: Id, at: Moment) {
        self.input(at, |engine, shared| {
            if let Some(Call { group, .. }) = engine.calls.remove(call) {
                // What it was to be told is not told any more.
                engine.leave(shared, group, call);
            } else {
                engine.withdraw(call);
            }
        });
    }

    fn begin(&mut self, shared: &mut Shared, request: GetAiChatUsage, options: Options) -> Id {
        let id = self.next_id();
        let call = Call {
            group: 0,
            started_at: self.at.now - options.waited_ms,
            deadline: self.at.now - options.waited_ms + options.limits.total_timeout,
            total_timeout: options.limits.total_timeout,
        };
        self.timers.set(call.deadline, id);
        self.calls.insert(id, call);
        if let Some(Err(error)) = request.company_id.as_deref().map(check_company_id) {
            self.settle(id, Err(Arc::new(error)), None, Vec::new());
            return id;
        }
        let company = request.company_id.as_deref().and_then(guid::number);
        let is_shared = self.config.shares && options.coalesce && !options.nested;
        let group = Box::new(Group {
            key: Key {
                company: company.unwrap_or(0),
                format: options.format,
                headers: options.headers,
                max_retries: options.limits.max_retries,
                attempt_timeout: options.limits.attempt_timeout,
            },
            request,
            fresh: options.fresh,
            nested: options.nested,
            waiting: Vec::new(),
            first: id,
            behind: None,
            stage: Stage::Behind,
            wake_at: f64::INFINITY,
            attempts: Vec::new(),
            wait_ms: 0.0,
            retries: 0,
            asked: None,
            revision: 0,
            renewed: false,
            refused: None,
            tokens: Vec::new(),
            beside: None,
        });
        let equal = if is_shared {
            self.listed(&group.key)
        } else {
            None
        };
        if let Some(equal_id) = equal
            && let Some(equal) = self.groups.get(equal_id)
        {
            if !options.fresh || equal.is_unsent() {
                if let Some(equal) = self.groups.get_mut(equal_id) {
                    equal.fresh |= options.fresh;
                }
                self.enter(id, equal_id);
                self.catch_up(shared, equal_id);
                return id;
            }
            // A fresh request is in flight: the next one starts when it is over
            // and serves all who came meanwhile.
            if equal.fresh {
                let behind = match equal.behind {
                    // Its callers may all have left.
                    Some(behind) if self.groups.get(behind).is_some() => behind,
                    _ => self.insert(group),
                };
                if let Some(equal) = self.groups.get_mut(equal_id) {
                    equal.behind = Some(behind);
                }
                self.enter(id, behind);
                self.catch_up(shared, behind);
                return id;
            }
        }
        let group = self.insert(group);
        self.enter(id, group);
        if is_shared {
            self.list(group);
        }
        self.proceed(shared, group);
        id
    }

    /// A group for which others wait has one caller more.
    fn catch_up(&mut self, shared: &mut Shared, group: Id) {
        match self.groups.get(group).map(|group| &group.stage) {
            Some(Stage::Token) => self.await_token(shared, group, false),
            Some(Stage::Sleep { .. } | Stage::Behind) => self.fail_who_cannot_sleep(shared, group),
            _ => {}
        }
    }

    fn enter(&mut self, call: Id, group: Id) {
        if let Some(call) = self.calls.get_mut(call) {
            call.group = group;
        }
        if let Some(group) = self.groups.get_mut(group) {
            group.waiting.push(call);
        }
    }

    fn insert(&mut self, group: Box<Group>) -> Id {
        let id = self.next_id();
        self.groups.insert(id, group);
        id
    }

    /// The total limit of a call is over.
    pub(super) fn deadline(&mut self, shared: &mut Shared, id: Id) {
        let Some(call) = self.calls.get(id) else {
            return;
        };
        let timeout_ms = call.total_timeout;
        let group_id = call.group;
        let Some(group) = self.groups.get(group_id) else {
            return;
        };
        let phase = match group.stage {
            Stage::Token => Phase::Token,
            Stage::Sent {
                has_headers: false, ..
            } => Phase::Headers,
            Stage::Sent { .. } => Phase::Body,
            Stage::Behind | Stage::Sleep { .. } => Phase::Backoff,
        };
        let error = total_timeout(timeout_ms, phase, None);
        let mut attempts = group.attempts.clone();
        attempts.extend(group.attempt(None, Some(error.code()), self.at.now));
        self.settle(id, Err(Arc::new(error)), None, attempts);
        self.leave(shared, group_id, id);
    }

    /// Timers can be late: those whose time is over fail before anything is
    /// done for them.
    pub(super) fn fail_late(&mut self, shared: &mut Shared, group: Id) {
        let waiting = self.groups.get(group).map(|group| group.waiting.clone());
        for id in waiting.unwrap_or_default() {
            if self
                .calls
                .get(id)
                .is_some_and(|call| call.deadline <= self.at.now)
            {
                self.deadline(shared, id);
            }
        }
    }

    /// The group has one caller less.
    fn leave(&mut self, shared: &mut Shared, group: Id, call: Id) {
        if let Some(own) = self.groups.get_mut(group) {
            own.waiting.retain(|&waiting| waiting != call);
            self.end_if_left(shared, group);
        }
    }

    /// A group for which nobody waits is over.
    pub(super) fn end_if_left(&mut self, shared: &mut Shared, id: Id) {
        if self
            .groups
            .get(id)
            .is_some_and(|group| group.waiting.is_empty())
        {
            self.end(shared, id);
        }
    }

    /// All callers of a group get the same outcome.
    pub(super) fn settle_all(
        &mut self,
        shared: &mut Shared,
        id: Id,
        result: Result<Arc<Success>, Arc<Error>>,
    ) {
        if let Some(group) = self.groups.get_mut(id) {
            let (waiting, attempts) = (take(&mut group.waiting), group.attempts.clone());
            for call in waiting {
                self.settle(call, result.clone(), None, attempts.clone());
            }
            self.end(shared, id);
        }
    }

    /// One caller of a group fails, the others go on waiting.
    pub(super) fn settle_one(
        &mut self,
        group: Id,
        call: Id,
        error: Arc<Error>,
        turn_at: Option<f64>,
    ) {
        if let Some(group) = self.groups.get_mut(group) {
            group.waiting.retain(|&waiting| waiting != call);
            let attempts = group.attempts.clone();
            self.settle(call, Err(error), turn_at, attempts);
        }
    }

    fn settle(
        &mut self,
        id: Id,
        result: Result<Arc<Success>, Arc<Error>>,
        turn_at: Option<f64>,
        attempts: Vec<Attempt>,
    ) {
        let Some(call) = self.calls.remove(id) else {
            return;
        };
        let elapsed_ms = self.at.now - call.started_at;
        let what = match &result {
            Ok(_) => What::Success { elapsed_ms },
            Err(error) => What::Error {
                elapsed_ms,
                error: Arc::clone(error),
            },
        };
        self.emit(id, attempts.len(), what);
        let outcome = Outcome {
            result,
            turn_at,
            attempts,
            elapsed_ms,
        };
        self.command(Command::Settle {
            call: id,
            outcome: Box::new(outcome),
        });
    }

    /// A group is over: nothing of it is left, and the one behind it starts.
    pub(super) fn end(&mut self, shared: &mut Shared, id: Id) {
        self.unlist(id);
        let Some(group) = self.groups.remove(id) else {
            return;
        };
        match group.stage {
            Stage::Sent { send, .. } => {
                self.sends.remove(send);
                self.cancel(send);
            }
            Stage::Sleep {
                number: Some(number),
                ..
            } => self.give_up(shared, number),
            _ => {}
        }
        if let Some(kept) = group.beside {
            self.command(Command::Forget { id: kept });
        }
        if let Some(behind) = group.behind {
            self.start_behind(shared, behind);
        }
    }

    /// The group behind another one starts; equal calls join it from now on.
    pub(super) fn start_behind(&mut self, shared: &mut Shared, id: Id) {
        if self.groups.get(id).is_some() {
            self.list(id);
            self.proceed(shared, id);
        }
    }

    /// The group that a call with this key joins.
    fn listed(&self, key: &Key) -> Option<Id> {
        let same_company = self.listed.iter().filter(|(own, _)| *own == key.company);
        let mut ids = same_company.map(|(_, id)| *id);
        ids.find(|&id| self.groups.get(id).is_some_and(|group| group.key == *key))
    }

    /// Equal calls join this group from now on, and not an older one.
    fn list(&mut self, id: Id) {
        if let Some(group) = self.groups.get(id) {
            let company = group.key.company;
            if let Some(older) = self.listed(&group.key) {
                self.unlist(older);
            }
            self.listed.push((company, id));
        }
    }

    pub(super) fn unlist(&mut self, id: Id) {
        self.listed.retain(|(_, own)| *own != id);
    }
}
