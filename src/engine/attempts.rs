//! Groups are sent, fail, sleep and are sent again.

use std::sync::Arc;

use super::{
    Command, Engine, Id, Moment, Shared, Stage, Success, What,
    outcome::judge,
    pauses::{LONGEST_WAIT_MS, Pause, Pauses},
    retry::{Backoff, spread, total_timeout},
};
use crate::{
    error::{Error, Phase, TimeoutError},
    transport::{Body, HttpResponse},
    wire::{
        base_url::without_query,
        encode::{self, Envelope},
    },
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
        self.input(at, |engine, shared, at| {
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
            group.record(Some(status), error, at.now);
            let (first, attempt) = (group.first, group.attempts.len());
            engine.emit(first, attempt, || What::Response { status });
            match result {
                Ok(data) => {
                    let success = Success {
                        data,
                        send,
                        response: Arc::new(reply),
                        is_redacted,
                    };
                    engine.settle_all(shared, id, &Ok(success), at);
                    engine.serve(shared, 1.0, at);
                }
                Err(error) => engine.failed(shared, id, send, error, at),
            }
        });
    }

    /// No reply came, or what was given to send with failed by itself.
    pub fn handle_send_error(&mut self, send: Id, mut error: Error, at: Moment) {
        self.input(at, |engine, shared, at| {
            let Some(id) = engine.sends.remove(send) else {
                return;
            };
            engine.redactor(shared, Some(id)).redact_error(&mut error);
            if let Some(group) = engine.groups.get_mut(id) {
                group.record(None, Some(error.code()), at.now);
                engine.failed(shared, id, send, error, at);
            }
        });
    }

    /// A group's time has come: an attempt's limit, or the end of a sleep.
    pub(super) fn wake(&mut self, shared: &mut Shared, id: Id, at: Moment) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.wake_at = f64::INFINITY;
        match group.stage {
            Stage::Sleep { .. } => {
                self.serve(shared, 0.0, at);
                self.look_at_sleeper(shared, id, at);
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
                group.record(None, Some(error.code()), at.now);
                self.sends.remove(send);
                self.cancel(send);
                self.failed(shared, id, send, error, at);
            }
            Stage::Behind | Stage::Token => {}
        }
    }

    /// Sends the group, unless a pause or the provider has to be waited for.
    pub(super) fn proceed(&mut self, shared: &mut Shared, id: Id, at: Moment) {
        let Some(group) = self.groups.get(id) else {
            return;
        };
        if let Some(pause) = shared.pauses.of(group.key.company, at.now).cloned() {
            self.keep_pause(shared, id, &pause, at);
        } else if !self.has_to_wait_for_token(shared, id, at) {
            self.send(shared, id, at);
        }
    }

    fn send(&mut self, shared: &mut Shared, id: Id, at: Moment) {
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
            at: at.now,
            revision: shared.tokens.revision(),
            has_headers: false,
        };
        group.wake_at = at.now + group.key.attempt_timeout;
        self.timers.set(group.wake_at, id);
        let (first, attempt) = (group.first, group.attempts.len() + 1);
        self.sends.insert(send, id);
        self.emit(first, attempt, || What::Attempt {
            url: without_query(&request.url).to_owned(),
        });
        self.commands.push_back(Command::Send { send, request });
    }

    /// An attempt failed, which may be renewed, retried, or the end.
    fn failed(&mut self, shared: &mut Shared, id: Id, send: Id, error: Error, at: Moment) {
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        group.wait_ms = 0.0;
        if let Some(old) = group.beside.replace(send) {
            self.commands.push_back(Command::Forget { id: old });
        }
        let company = group.key.company;
        if error.status() == Some(401)
            && !group.renewed
            && !group.nested
            && let Stage::Sent { revision, .. } = group.stage
        {
            let is_current = revision == shared.tokens.revision();
            if !is_current || shared.tokens.has_provider() {
                group.renewed = true;
                if is_current {
                    group.refused = Some((revision, error));
                } else {
                    // Another token is there by now, or can be asked for.
                    group.asked &= !shared.tokens.expires();
                }
                self.proceed(shared, id, at);
                return;
            }
        }
        if let Some(pause) = Pauses::asked(&error, company, at.now) {
            shared.pauses.keep(pause.clone(), at.now);
            self.backoff(shared, id, error, at);
            self.keep_pause_everywhere(shared, &pause, at);
        } else {
            self.backoff(shared, id, error, at);
        }
    }

    /// Sleeps before a retry, as far as there is to be one.
    fn backoff(&mut self, shared: &mut Shared, id: Id, error: Error, at: Moment) {
        let random = self.random(at);
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        let asked = error.retry_after_ms();
        let is_over = f64::from(group.retries) >= group.key.max_retries
            || !error.is_retryable()
            || asked.is_some_and(|ms| ms > LONGEST_WAIT_MS);
        if is_over {
            self.settle_all(shared, id, &Err(error), at);
            return;
        }
        let backoff = Backoff::of(group.retries, asked, random);
        // Whoever has no time for the shortest wait fails at once.
        let hurried = self.hurried(id, at.now + backoff.least);
        for (call, total_timeout_ms) in hurried {
            let error = if asked.is_some_and(|ms| ms >= backoff.least) {
                error.clone()
            } else {
                total_timeout(total_timeout_ms, Phase::Backoff, Some(error.clone()))
            };
            self.settle_one(id, call, error, at);
        }
        let ready_at = at.now + backoff.within(self.earliest_deadline(id) - at.now);
        shared.tickets.serve(0.0, at.now);
        let number = shared.tickets.next();
        let turn = if self.config.paces_retries {
            ready_at.max(at.now + shared.tickets.wait_ms(number))
        } else {
            ready_at
        };
        let latest = if turn - at.now > LONGEST_WAIT_MS {
            f64::INFINITY
        } else {
            turn
        };
        for (call, _) in self.hurried(id, latest) {
            let mut error = error.clone();
            error.set_retry_at(at.wall + turn - at.now);
            self.settle_one(id, call, error, at);
        }
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        if group.waiting.is_empty() {
            self.end(shared, id, at);
            return;
        }
        group.retries += 1;
        // A token without an end stays for the whole call.
        group.asked &= !shared.tokens.expires();
        let (first, attempt) = (group.first, group.attempts.len());
        let number = self.config.paces_retries.then_some(number);
        if let Some(number) = number {
            shared.tickets.draw();
            self.line.push_back((number, id));
        }
        self.emit(first, attempt, || What::Retry {
            wait_ms: turn - at.now,
            error: error.clone(),
        });
        self.sleep(id, ready_at, number, error, at);
    }

    fn sleep(&mut self, id: Id, ready_at: f64, number: Option<f64>, error: Error, at: Moment) {
        if let Some(group) = self.groups.get_mut(id) {
            group.stage = Stage::Sleep {
                ready_at,
                number,
                error,
                since: at.now,
            };
            group.wake_at = ready_at;
            self.timers.set(ready_at, id);
        }
    }

    /// A group that sleeps goes on, or sleeps on.
    fn look_at_sleeper(&mut self, shared: &mut Shared, id: Id, at: Moment) {
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
        let turn = match number {
            Some(number) => ready_at.max(at.now + shared.tickets.wait_ms(number)),
            None => ready_at,
        };
        if turn <= at.now {
            group.wait_ms += at.now - since;
            // Timers can be late: nothing is sent for whose time is over.
            for (call, _) in self.hurried(id, at.now) {
                self.deadline(shared, call, at);
            }
            self.proceed(shared, id, at);
        } else {
            group.wake_at = turn;
            self.timers.set(turn, id);
        }
    }

    /// Numbers are served: by time, by successes, and by those given up.
    pub(super) fn serve(&mut self, shared: &mut Shared, more: f64, at: Moment) {
        shared.tickets.serve(more, at.now);
        while let Some(&(own, id)) = self.line.front() {
            if shared.tickets.wait_ms(own) > 0.0 {
                break;
            }
            self.line.pop_front();
            if let Some(group) = self.groups.get_mut(id)
                && let Stage::Sleep { number, .. } = &mut group.stage
                && *number == Some(own)
            {
                *number = None;
                self.look_at_sleeper(shared, id, at);
            }
        }
    }

    /// A number that nobody waits for any more counts as served.
    pub(super) fn give_up(&mut self, shared: &mut Shared, number: f64, at: Moment) {
        let place = self.line.partition_point(|(own, _)| *own < number);
        self.line.remove(place);
        shared.tickets.serve(0.0, at.now);
        let is_served = shared.tickets.wait_ms(number) == 0.0;
        self.serve(shared, if is_served { 0.0 } else { 1.0 }, at);
    }

    /// A group waits for the end of a pause.
    fn keep_pause(&mut self, shared: &mut Shared, id: Id, pause: &Pause, at: Moment) {
        for (call, _) in self.hurried(id, pause.until) {
            self.settle_one(id, call, pause.error.clone(), at);
        }
        let left = (self.earliest_deadline(id) - pause.until) / 2.0;
        let random = self.random(at);
        let ready_at = pause.until + spread(pause.wait_ms, random).min(left);
        let Some(group) = self.groups.get_mut(id) else {
            return;
        };
        if group.waiting.is_empty() {
            self.end(shared, id, at);
            return;
        }
        self.sleep(id, ready_at, None, pause.error.clone(), at);
    }

    /// Those whom a new pause keeps waiting, and who cannot, fail now.
    fn keep_pause_everywhere(&mut self, shared: &mut Shared, pause: &Pause, at: Moment) {
        let groups: Vec<Id> = self.groups.iter().map(|(id, _)| id).collect();
        for id in groups {
            let Some(group) = self.groups.get(id) else {
                continue;
            };
            let is_meant = pause.company.is_none_or(|company| company == group.key.company);
            match group.stage {
                Stage::Token if is_meant => self.keep_pause(shared, id, pause, at),
                Stage::Sleep { ready_at, .. } if is_meant && ready_at < pause.until => {
                    for (call, _) in self.hurried(id, pause.until) {
                        self.settle_one(id, call, pause.error.clone(), at);
                    }
                    if self.groups.get(id).is_some_and(|group| group.waiting.is_empty()) {
                        self.end(shared, id, at);
                    }
                }
                _ => {}
            }
        }
    }

    /// The callers of a group that sleeps who cannot wait until it wakes fail.
    pub(super) fn fail_the_hurried(&mut self, shared: &mut Shared, id: Id, at: Moment) {
        shared.tickets.serve(0.0, at.now);
        let Some(group) = self.groups.get(id) else {
            return;
        };
        let Stage::Sleep {
            ready_at,
            number,
            error,
            ..
        } = &group.stage
        else {
            return;
        };
        let turn = match number {
            Some(number) => ready_at.max(at.now + shared.tickets.wait_ms(*number)),
            None => *ready_at,
        };
        let mut error = error.clone();
        if error.retry_at().is_none() {
            error.set_retry_at(at.wall + turn - at.now);
        }
        for (call, _) in self.hurried(id, turn) {
            self.settle_one(id, call, error.clone(), at);
        }
    }

    /// The callers whose own time is over by then, with their total limits.
    fn hurried(&self, group: Id, by: f64) -> Vec<(Id, f64)> {
        let Some(group) = self.groups.get(group) else {
            return Vec::new();
        };
        let calls = group.waiting.iter();
        calls
            .filter_map(|&id| Some((id, self.calls.get(id)?)))
            .filter(|(_, call)| call.deadline <= by)
            .map(|(id, call)| (id, call.total_timeout))
            .collect()
    }

    fn earliest_deadline(&self, group: Id) -> f64 {
        let Some(group) = self.groups.get(group) else {
            return f64::INFINITY;
        };
        let calls = group.waiting.iter();
        calls
            .filter_map(|&id| self.calls.get(id))
            .map(|call| call.deadline)
            .fold(f64::INFINITY, f64::min)
    }
}
