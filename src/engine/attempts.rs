//! Groups are sent, fail, sleep and are sent again.

use std::sync::Arc;

use super::{
    Command, Engine, Id, Moment, Shared, Stage, Success, What,
    outcome::judge,
    pauses::{LONGEST_WAIT_MS, Pause},
    retry::{Backoff, spread, total_timeout},
};
use crate::{
    error::{Error, Phase, TimeoutError},
    transport::{Body, HttpResponse},
    wire::encode::{self, Envelope},
};

impl Engine {
    /// The headers of a reply have come, its body has not.
    pub fn handle_headers(&mut self, send: Id) {
        let group = self.sends.get(send).copied();
        if let Some(group) = group.and_then(|group| self.groups.get_mut(group))
            && let Stage::Sent { has_headers, .. } = &mut group.stage
        {
            *has_headers = true;
        }
    }

    /// A reply has come, as far as it could be read.
    pub fn handle_reply(&mut self, send: Id, mut reply: HttpResponse, at: Moment) {
        self.input(at, |engine, shared| {
            let Some(id) = engine.sends.remove(send) else {
                return;
            };
            let redactor = engine.redactor(shared, Some(id));
            let Some(group) = engine.groups.get_mut(id) else {
                return;
            };
            let mut is_redacted = false;
            for (_, value) in &mut reply.headers {
                is_redacted |= redactor.redact(value);
            }
            if let Some(url) = &mut reply.url {
                redactor.redact(url);
            }
            if let Body::Broken(_, error) = &mut reply.body {
                redactor.redact_network(error);
            }
            let config = &engine.config;
            let result = judge(
                &reply,
                &group.request,
                &config.base_url,
                config.integers,
                &redactor,
            );
            let status = reply.status;
            let error = result.as_ref().err().map(Error::code);
            group.record(Some(status), error, engine.at.now);
            let (first, attempt) = (group.first, group.attempts.len());
            engine.emit(first, attempt, What::Response { status });
            match result {
                Ok(data) => {
                    let success = Success {
                        data,
                        send,
                        response: reply,
                        is_redacted,
                    };
                    engine.settle_all(shared, id, Ok(Arc::new(success)));
                    engine.serve(shared, 1.0);
                }
                Err(error) => engine.failed(shared, id, send, Arc::new(error)),
            }
        });
    }

    /// No reply came, or what was given to send with failed by itself.
    pub fn handle_send_error(&mut self, send: Id, mut error: Error, at: Moment) {
        self.input(at, |engine, shared| {
            let Some(id) = engine.sends.remove(send) else {
                return;
            };
            engine.redactor(shared, Some(id)).redact_error(&mut error);
            if let Some(group) = engine.groups.get_mut(id) {
                group.record(None, Some(error.code()), engine.at.now);
                engine.failed(shared, id, send, Arc::new(error));
            }
        });
    }

    /// A group's time has come: an attempt's limit, or the end of a sleep.
    pub(super) fn wake(&mut self, shared: &mut Shared, id: Id) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.wake_at = f64::INFINITY;
        match group.stage {
            Stage::Sleep { .. } => {
                self.serve(shared, 0.0);
                self.look_at_sleeper(shared, id);
            }
            Stage::Sent {
                send, has_headers, ..
            } => {
                let mut error = TimeoutError::in_phase(if has_headers {
                    Phase::Body
                } else {
                    Phase::Headers
                });
                error.timeout_ms = group.key.attempt_timeout;
                let error = Error::from(error);
                group.record(None, Some(error.code()), self.at.now);
                self.sends.remove(send);
                self.cancel(send);
                self.failed(shared, id, send, Arc::new(error));
            }
            Stage::Behind | Stage::Token => {}
        }
    }

    /// Sends the group, unless a pause or the provider has to be waited for.
    pub(super) fn proceed(&mut self, shared: &mut Shared, id: Id) {
        self.fail_late(shared, id);
        let Some(group) = self.groups.get(id) else {
            return;
        };
        if let Some(pause) = shared.pauses.of(group.key.company, self.at.now).cloned() {
            self.keep_pause(shared, id, &pause);
        } else if !self.has_to_wait_for_token(shared, id) {
            self.send(shared, id);
        }
    }

    fn send(&mut self, shared: &mut Shared, id: Id) {
        let send = self.next_id();
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let token = shared.tokens.current();
        let envelope = Envelope {
            base_url: &self.config.base_url,
            format: group.key.format,
            bearer_token: token,
            api_key: self.config.api_key.as_deref(),
            extra: &group.key.headers,
        };
        let request = encode::request(&group.request, &envelope);
        if let Some(token) = token
            && group.tokens.last().is_none_or(|last| last != token)
        {
            group.tokens.push(token.to_owned());
        }
        group.stage = Stage::Sent {
            send,
            at: self.at.now,
            has_headers: false,
        };
        group.revision = shared.tokens.revision();
        group.wake_at = self.at.now + group.key.attempt_timeout;
        self.timers.set(group.wake_at, id);
        let (first, attempt) = (group.first, group.attempts.len() + 1);
        self.sends.insert(send, id);
        self.emit(first, attempt, What::Attempt { send });
        self.command(Command::Send { send, request });
    }

    /// An attempt failed, which may be renewed, retried, or the end.
    fn failed(&mut self, shared: &mut Shared, id: Id, send: Id, error: Arc<Error>) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.wait_ms = 0.0;
        if let Some(old) = group.beside.replace(send) {
            self.commands.push_back(Some(Command::Forget { id: old }));
        }
        let company = group.key.company;
        if error.status() == Some(401) && !group.renewed && !group.nested {
            let revision = group.revision;
            let is_current = revision == shared.tokens.revision();
            if !is_current || shared.tokens.has_provider() {
                group.renewed = true;
                if is_current {
                    group.refused = Some((revision, error));
                } else {
                    // Another token is there by now, or can be asked for.
                    group.ask_again(&shared.tokens);
                }
                self.proceed(shared, id);
                return;
            }
        }
        let is_pause = shared.pauses.ask(&error, company, self.at.now);
        self.backoff(shared, id, error);
        if is_pause {
            self.keep_pauses(shared);
        }
    }

    /// Sleeps before a retry, as far as there is to be one.
    fn backoff(&mut self, shared: &mut Shared, id: Id, error: Arc<Error>) {
        let random = self.random();
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let asked = error.retry_after_ms();
        let is_over = f64::from(group.retries) >= group.key.max_retries
            || !error.is_retryable()
            || asked.is_some_and(|ms| ms > LONGEST_WAIT_MS);
        if is_over {
            self.settle_all(shared, id, Err(error));
            return;
        }
        let backoff = Backoff::of(group.retries, asked, random);
        self.fail_the_paused(shared, id);
        // A wait that the server asked for is told with its own words.
        let is_asked = asked.is_some_and(|ms| ms >= backoff.least);
        let least = Hurry {
            by: self.at.now + backoff.least,
            is_timeout: !is_asked,
            turn_at: None,
        };
        let earliest = self.fail_hurried(shared, id, &error, least);
        let ready_at = self.at.now + backoff.within(earliest - self.at.now);
        shared.tickets.serve(0.0, self.at.now);
        let number = self.config.paces_retries.then(|| shared.tickets.next());
        let turn = turn(shared, ready_at, number, self.at.now);
        let is_far = turn > ready_at && turn - self.at.now > LONGEST_WAIT_MS;
        let hurry = Hurry {
            by: if is_far { f64::INFINITY } else { turn },
            is_timeout: false,
            turn_at: Some(self.at.wall + turn - self.at.now),
        };
        self.fail_hurried(shared, id, &error, hurry);
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.retries += 1;
        group.ask_again(&shared.tokens);
        let (first, attempt) = (group.first, group.attempts.len());
        if let Some(number) = number {
            shared.tickets.draw();
            self.line.push((number, id));
        }
        let what = What::Retry {
            wait_ms: turn - self.at.now,
            error: Arc::clone(&error),
        };
        self.emit(first, attempt, what);
        self.sleep(id, ready_at, number, error);
    }

    fn sleep(&mut self, id: Id, ready_at: f64, number: Option<f64>, error: Arc<Error>) {
        if let Some(group) = self.groups.get_mut(id) {
            group.stage = Stage::Sleep {
                ready_at,
                number,
                error,
                since: self.at.now,
            };
            group.wake_at = ready_at;
            self.timers.set(ready_at, id);
        }
    }

    /// A group that sleeps goes on, or sleeps on.
    fn look_at_sleeper(&mut self, shared: &mut Shared, id: Id) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let Stage::Sleep {
            ready_at,
            number,
            since,
            ..
        } = group.stage
        else {
            return;
        };
        let turn = turn(shared, ready_at, number, self.at.now);
        if turn <= self.at.now {
            group.wait_ms += self.at.now - since;
            // Timers can be late: nothing is sent for whose time is over.
            self.proceed(shared, id);
        } else {
            group.wake_at = turn;
            self.timers.set(turn, id);
        }
    }

    /// Numbers are served: by time, by successes, and by those given up.
    pub(super) fn serve(&mut self, shared: &mut Shared, more: f64) {
        shared.tickets.serve(more, self.at.now);
        while let Some(&(own, id)) = self.line.first() {
            if shared.tickets.wait_ms(own) > 0.0 {
                break;
            }
            self.leave_line(own);
            if let Some(group) = self.groups.get_mut(id)
                && let Stage::Sleep { number, .. } = &mut group.stage
                && *number == Some(own)
            {
                *number = None;
                self.look_at_sleeper(shared, id);
            }
        }
    }

    /// A number that nobody waits for any more counts as served.
    pub(super) fn give_up(&mut self, shared: &mut Shared, number: f64) {
        self.leave_line(number);
        shared.tickets.serve(0.0, self.at.now);
        let is_served = shared.tickets.wait_ms(number) == 0.0;
        self.serve(shared, if is_served { 0.0 } else { 1.0 });
    }

    fn leave_line(&mut self, number: f64) {
        self.line.retain(|(own, _)| *own != number);
    }

    /// A group waits for the end of a pause.
    fn keep_pause(&mut self, shared: &mut Shared, id: Id, pause: &Pause) {
        let earliest = self.fail_the_paused(shared, id);
        let random = self.random();
        let late = spread(pause.wait_ms, random).min((earliest - pause.until) / 2.0);
        self.sleep(id, pause.until + late, None, Arc::clone(&pause.error));
    }

    /// All who have nothing in flight keep a new pause.
    fn keep_pauses(&mut self, shared: &mut Shared) {
        for id in self.groups.ids() {
            let Some(group) = self.groups.get(id) else {
                continue;
            };
            let Some(pause) = shared.pauses.of(group.key.company, self.at.now).cloned() else {
                continue;
            };
            match group.stage {
                Stage::Token => self.keep_pause(shared, id, &pause),
                Stage::Sleep { .. } | Stage::Behind => {
                    self.fail_the_paused(shared, id);
                }
                Stage::Sent { .. } => {}
            }
        }
    }

    /// Callers who cannot wait for the end of a pause fail at once, as the one
    /// did that asked for it. Gives the earliest limit of those who are left.
    fn fail_the_paused(&mut self, shared: &mut Shared, id: Id) -> f64 {
        let Some(group) = self.groups.get(id) else {
            return f64::INFINITY;
        };
        let pause = shared.pauses.of(group.key.company, self.at.now);
        let Some(pause) = pause.cloned() else {
            return f64::INFINITY;
        };
        let hurry = Hurry {
            by: pause.until,
            is_timeout: false,
            turn_at: None,
        };
        self.fail_hurried(shared, id, &pause.error, hurry)
    }

    /// Callers fail at once who join a group that waits and cannot wait as long.
    pub(super) fn fail_who_cannot_sleep(&mut self, shared: &mut Shared, id: Id) {
        self.fail_the_paused(shared, id);
        shared.tickets.serve(0.0, self.at.now);
        if let Some(group) = self.groups.get(id)
            && let Stage::Sleep {
                ready_at,
                number,
                error,
                ..
            } = &group.stage
        {
            let error = Arc::clone(error);
            let by = turn(shared, *ready_at, *number, self.at.now);
            let hurry = Hurry {
                by,
                is_timeout: false,
                turn_at: Some(self.at.wall + by - self.at.now),
            };
            self.fail_hurried(shared, id, &error, hurry);
        }
    }

    /// The callers of a group who have no time until then fail with `error`.
    /// Gives the earliest limit of those who are left; a group with none is over.
    fn fail_hurried(
        &mut self,
        shared: &mut Shared,
        id: Id,
        error: &Arc<Error>,
        hurry: Hurry,
    ) -> f64 {
        let mut earliest = f64::INFINITY;
        let Some(group) = self.groups.get(id) else {
            return earliest;
        };
        for call_id in group.waiting.clone() {
            let Some(call) = self.calls.get(call_id) else {
                continue;
            };
            if call.deadline > hurry.by {
                earliest = earliest.min(call.deadline);
                continue;
            }
            let error = if hurry.is_timeout {
                let last = Some(Arc::clone(error));
                Arc::new(total_timeout(call.total_timeout, Phase::Backoff, last))
            } else {
                Arc::clone(error)
            };
            self.settle_one(id, call_id, error, hurry.turn_at);
        }
        self.end_if_left(shared, id);
        earliest
    }
}

/// Who fails because of a wait, and with what.
struct Hurry {
    /// Those whose time is over by then.
    by: f64,
    /// Whether it is their limit that fails them.
    is_timeout: bool,
    /// When their turn would have been, in milliseconds since 1970.
    turn_at: Option<f64>,
}

/// When a retry is sent at the latest: after its backoff, and when its number
/// is served.
fn turn(shared: &Shared, ready_at: f64, number: Option<f64>, now: f64) -> f64 {
    let wait_ms = number.map_or(0.0, |number| shared.tickets.wait_ms(number));
    ready_at.max(now + wait_ms)
}
