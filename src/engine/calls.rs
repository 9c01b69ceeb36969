//! Calls come, join groups, and are settled.

use super::{
    Command, Engine, Id, Moment, Options, Outcome, Shared, Success, What,
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
        self.input(at, |engine, shared, at| {
            engine.begin(shared, request, options, at)
        })
    }

    /// The caller has left.
    pub fn abandon(&mut self, call: Id, at: Moment) {
        self.input(at, |engine, shared, at| {
            if let Some(Call { group, .. }) = engine.calls.remove(call) {
                // What it was to be told is not told any more.
                engine.leave(shared, group, call, at);
            } else {
                engine
                    .commands
                    .retain(|command| !matches!(command, Command::Settle { call: own, .. } if *own == call));
            }
        });
    }

    fn begin(
        &mut self,
        shared: &mut Shared,
        request: GetAiChatUsage,
        options: Options,
        at: Moment,
    ) -> Id {
        let id = self.next_id();
        let call = Call {
            group: 0,
            started_at: at.now - options.waited_ms,
            deadline: at.now - options.waited_ms + options.limits.total_timeout,
            total_timeout: options.limits.total_timeout,
        };
        self.timers.set(call.deadline, id);
        self.calls.insert(id, call);
        if let Some(Err(error)) = request.company_id.as_deref().map(check_company_id) {
            self.settle(id, Err(error), Vec::new(), 0, at);
            return id;
        }
        let company = request.company_id.as_deref().and_then(guid::number);
        let key = Key {
            company: company.unwrap_or(0),
            format: options.format,
            headers: options.headers,
            max_retries: options.limits.max_retries,
            attempt_timeout: options.limits.attempt_timeout,
        };
        let is_shared = self.config.shares && options.coalesce && !options.nested;
        let equal = if is_shared { self.listed(&key) } else { None };
        let group = |stage| Group {
            key,
            request,
            fresh: options.fresh,
            nested: options.nested,
            waiting: Vec::new(),
            first: id,
            behind: None,
            stage,
            wake_at: f64::INFINITY,
            attempts: Vec::new(),
            wait_ms: 0.0,
            retries: 0,
            asked: false,
            renewed: false,
            refused: None,
            tokens: Vec::new(),
            beside: None,
        };
        match equal.and_then(|id| Some((id, self.groups.get(id)?))) {
            Some((joined, equal)) if !options.fresh || equal.is_unsent() => {
                self.join(shared, id, joined, at);
            }
            // A fresh request is in flight: the next one starts when it is over
            // and serves all who came meanwhile.
            Some((front, equal)) if equal.fresh => match equal.behind {
                // All who were behind it may have left.
                Some(behind) if self.groups.get(behind).is_some() => self.enter(id, behind),
                _ => {
                    let behind = self.insert(group(Stage::Behind));
                    if let Some(front) = self.groups.get_mut(front) {
                        front.behind = Some(behind);
                    }
                    self.enter(id, behind);
                }
            },
            _ => {
                let group = self.insert(group(Stage::Behind));
                self.enter(id, group);
                if is_shared {
                    self.list(group);
                }
                self.proceed(shared, group, at);
            }
        }
        id
    }

    /// Waits for a group that has begun.
    fn join(&mut self, shared: &mut Shared, call: Id, group: Id, at: Moment) {
        self.enter(call, group);
        match self.groups.get(group).map(|group| &group.stage) {
            Some(Stage::Token) => self.await_token(shared, group, false, at),
            Some(Stage::Sleep { .. }) => self.fail_the_hurried(shared, group, at),
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

    fn insert(&mut self, group: Group) -> Id {
        let id = self.next_id();
        self.groups.insert(id, Box::new(group));
        id
    }

    /// The total limit of a call is over.
    pub(super) fn deadline(&mut self, shared: &mut Shared, id: Id, at: Moment) {
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
        let attempt = group.attempt(None, Some(error.code()), at.now);
        let mut attempts = group.attempts.clone();
        attempts.extend(attempt);
        let count = attempts.len();
        self.settle(id, Err(error), attempts, count, at);
        self.leave(shared, group_id, id, at);
    }

    /// The group has one caller less, and is over when that was the last.
    pub(super) fn leave(&mut self, shared: &mut Shared, group: Id, call: Id, at: Moment) {
        if let Some(own) = self.groups.get_mut(group) {
            own.waiting.retain(|&waiting| waiting != call);
            if own.waiting.is_empty() {
                self.end(shared, group, at);
            }
        }
    }

    /// All callers of a group get the same outcome.
    pub(super) fn settle_all(
        &mut self,
        shared: &mut Shared,
        group_id: Id,
        result: &Result<Success, Error>,
        at: Moment,
    ) {
        if let Some(group) = self.groups.get_mut(group_id) {
            let (waiting, attempts) = (take(&mut group.waiting), group.attempts.clone());
            for call in waiting {
                self.settle(call, result.clone(), attempts.clone(), attempts.len(), at);
            }
            self.end(shared, group_id, at);
        }
    }

    /// One caller of a group fails, the others go on waiting.
    pub(super) fn settle_one(&mut self, group: Id, call: Id, error: Error, at: Moment) {
        if let Some(group) = self.groups.get_mut(group) {
            group.waiting.retain(|&waiting| waiting != call);
            let attempts = group.attempts.clone();
            let count = attempts.len();
            self.settle(call, Err(error), attempts, count, at);
        }
    }

    fn settle(
        &mut self,
        id: Id,
        result: Result<Success, Error>,
        attempts: Vec<super::Attempt>,
        attempt: usize,
        at: Moment,
    ) {
        let Some(call) = self.calls.remove(id) else {
            return;
        };
        let elapsed_ms = at.now - call.started_at;
        self.emit(id, attempt, || match &result {
            Ok(_) => What::Success { elapsed_ms },
            Err(error) => What::Error {
                elapsed_ms,
                error: error.clone(),
            },
        });
        self.commands.push_back(Command::Settle {
            call: id,
            outcome: Box::new(Outcome {
                result,
                attempts,
                elapsed_ms,
            }),
        });
    }

    /// A group is over: nothing of it is left, and the one behind it starts.
    pub(super) fn end(&mut self, shared: &mut Shared, id: Id, at: Moment) {
        self.unlist(id);
        let Some(group) = self.groups.remove(id) else {
            return;
        };
        match group.stage {
            // What has come to its end is not given up.
            Stage::Sent { send, .. } if self.sends.remove(send).is_some() => self.cancel(send),
            Stage::Sleep {
                number: Some(number),
                ..
            } => self.give_up(shared, number, at),
            _ => {}
        }
        if let Some(kept) = group.beside {
            self.commands.push_back(Command::Forget { id: kept });
        }
        if let Some(behind) = group.behind {
            self.start_behind(shared, behind, at);
        }
    }

    /// The group behind another one starts; equal calls join it from now on.
    pub(super) fn start_behind(&mut self, shared: &mut Shared, id: Id, at: Moment) {
        if self.groups.get(id).is_some() {
            self.list(id);
            self.proceed(shared, id, at);
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
