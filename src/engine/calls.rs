//! The life of a call: it begins, joins a group, and is settled.

use std::sync::Arc;

use super::{
    Attempt, Command, Engine, Id, Moment, Options, Outcome, Success, What,
    group::{Call, Group, Key, Stage},
    retry::total_timeout,
    swap,
};
use crate::{
    dto::GetAiChatUsage,
    error::{Error, Phase},
    wire::{encode::check_company_id, guid},
};

/// What callers are settled with.
pub(super) enum Told {
    Usage(Arc<Success>),
    /// With the time at which their turn would have come, in milliseconds since
    /// 1970.
    Failure(Arc<Error>, Option<f64>),
    /// Their total timeout passed, or leaves no time to retry the failure, whose
    /// retry would have come then, in milliseconds since 1970.
    Limit(Phase, Option<Arc<Error>>, Option<f64>),
}

impl Engine {
    /// A call begins; its [`Command::Settle`] will name the id.
    pub fn call(&mut self, request: GetAiChatUsage, options: Options, at: Moment) -> Id {
        self.begin(at);
        let id = self.next_id();
        let started_at = at.now - options.waited_ms;
        let call = Call {
            id,
            started_at,
            deadline: started_at + options.limits.total_timeout,
            total_timeout: options.limits.total_timeout,
        };
        if let Some(Err(error)) = request.company_id.as_deref().map(check_company_id) {
            self.settle_call(&call, Err(Arc::new(error)), None, Vec::new());
        } else {
            self.join(call, request, options);
        }
        self.finish();
        id
    }

    /// The caller no longer waits.
    pub fn abandon(&mut self, call: Id, at: Moment) {
        self.begin(at);
        // Withdraw its outcome, if it was already settled.
        self.withdraw(call);
        for place in 0..self.groups.len() {
            let waits = |group: &Group| group.calls.iter().any(|own| own.id == call);
            if let Some(mut group) = self.take_at(place, waits) {
                group.calls.retain(|own| own.id != call);
                self.put_back(group);
            }
        }
        self.finish();
    }

    /// Adds the call to an equal call's group, or to a new one.
    fn join(&mut self, call: Call, request: GetAiChatUsage, options: Options) {
        let company = request.company_id.as_deref().and_then(guid::number);
        let is_shared = self.config.shares && options.coalesce && !options.nested;
        let mut group = Box::new(Group {
            id: 0,
            place: 0,
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
            is_listed: false,
            calls: Vec::new(),
            first: call.id,
            behind: None,
            stage: Stage::Behind,
            since: 0.0,
            wake_at: f64::INFINITY,
            send: 0,
            head: None,
            ready_at: 0.0,
            number: 0.0,
            failure: None,
            attempts: Vec::new(),
            wait_ms: 0.0,
            retries: 0,
            asked: None,
            revision: 0,
            identity: self.shared.identity,
            renewed: None,
            refused: None,
            tokens: Vec::new(),
            failed_send: None,
        });
        if is_shared && let Some(mut equal) = self.take_listed(&group.key) {
            if !options.fresh || equal.is_unsent() {
                equal.fresh |= options.fresh;
                self.enter(equal, call);
                return;
            }
            // A fresh request is in flight. The next one starts when it is over,
            // and serves all who arrive in the meantime.
            if equal.fresh {
                // All its callers may have left.
                if let Some(behind) = equal.behind.and_then(|id| self.take(id)) {
                    group = behind;
                } else {
                    self.insert(&mut group);
                    equal.behind = Some(group.id);
                }
                self.put_back(equal);
                self.enter(group, call);
                return;
            }
            // Where all callers of the new one leave, this one is shared again.
            self.put_back(equal);
        }
        group.is_listed = is_shared;
        group.calls.push(call);
        self.insert(&mut group);
        self.proceed(&mut group);
        self.put_back(group);
    }

    /// Adds a caller to a group that exists already.
    fn enter(&mut self, mut group: Box<Group>, call: Call) {
        group.calls.push(call);
        match group.stage {
            Stage::Token => self.await_token(&mut group, false),
            Stage::Sleep | Stage::Behind => self.settle_hurried(&mut group),
            Stage::Headers | Stage::Body => {}
        }
        self.put_back(group);
    }

    /// The group that a call with this key joins.
    fn take_listed(&mut self, key: &Key) -> Option<Box<Group>> {
        self.take_newest(|group| group.is_listed && group.key == *key)
    }

    /// A fresh reply has come: what was sent before it is not shared any more.
    pub(super) fn unlist_older(&mut self, fresh: &Group) {
        for slot in &mut self.groups {
            if let Some(older) = &mut slot.group
                && older.key == fresh.key
            {
                older.is_listed = false;
            }
        }
    }

    /// Timers can be late: calls past their deadline fail before anything is done
    /// for them.
    pub(super) fn settle_expired(&mut self, group: &mut Group, until: f64) {
        let phase = match group.stage {
            Stage::Token => Phase::Token,
            Stage::Headers => Phase::Headers,
            Stage::Body => Phase::Body,
            Stage::Behind | Stage::Sleep => Phase::Backoff,
        };
        self.settle(group, until, &Told::Limit(phase, None, None));
    }

    /// Fails all callers of a group.
    pub(super) fn settle_all(&mut self, group: &mut Group, error: Arc<Error>) {
        self.settle(group, f64::INFINITY, &Told::Failure(error, None));
    }

    /// Settles the callers of a group whose deadline is not after `by`. Returns the
    /// earliest deadline of the others.
    pub(super) fn settle(&mut self, group: &mut Group, by: f64, told: &Told) -> f64 {
        let mut earliest = f64::INFINITY;
        let mut calls = Vec::new();
        swap(&mut calls, &mut group.calls);
        for call in calls {
            if call.deadline > by {
                earliest = earliest.min(call.deadline);
                group.calls.push(call);
                continue;
            }
            let mut attempts = group.attempts.clone();
            let (result, turn_at) = match told {
                Told::Usage(success) => (Ok(Arc::clone(success)), None),
                Told::Failure(error, turn_at) => (Err(Arc::clone(error)), *turn_at),
                Told::Limit(phase, last, turn_at) => {
                    let error = total_timeout(call.total_timeout, *phase, last.clone());
                    if group.is_sent() {
                        attempts.push(group.attempt(None, Some(error.code()), self.at.now));
                    }
                    (Err(Arc::new(error)), *turn_at)
                }
            };
            self.settle_call(&call, result, turn_at, attempts);
        }
        earliest
    }

    fn settle_call(
        &mut self,
        call: &Call,
        result: Result<Arc<Success>, Arc<Error>>,
        turn_at: Option<f64>,
        attempts: Vec<Attempt>,
    ) {
        let elapsed_ms = self.at.now - call.started_at;
        let what = match &result {
            Ok(_) => What::Success { elapsed_ms },
            Err(error) => What::Error {
                elapsed_ms,
                error: Arc::clone(error),
            },
        };
        let attempt = attempts.len();
        let outcome = Outcome {
            result,
            turn_at,
            attempts,
            elapsed_ms,
        };
        // First, so that whoever leaves when the listener is told keeps it.
        self.command(Command::Settle {
            call: call.id,
            outcome: Box::new(outcome),
        });
        self.emit(call.id, attempt, what);
    }

    /// Ends a group, and starts the one behind it.
    pub(super) fn end(&mut self, group: &Group) {
        if group.is_sent() {
            self.cancel(group.send);
        }
        if group.number > 0.0 {
            self.give_up(group.number);
        }
        if let Some(kept) = group.failed_send {
            self.command(Command::Forget { id: kept });
        }
        if let Some(behind) = group.behind {
            self.start_behind(behind);
        }
    }

    /// Starts a group that waited behind another one. From now on equal calls join
    /// it, as the newest.
    pub(super) fn start_behind(&mut self, id: Id) {
        if let Some(mut group) = self.take(id) {
            group.is_listed = true;
            self.proceed(&mut group);
            self.put_back(group);
        }
    }
}
