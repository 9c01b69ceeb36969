//! The attempts of a group: it is sent, fails, sleeps and is sent again.

use std::sync::Arc;

use super::{
    Command, Engine, Id, Moment, Shared, Success, What,
    calls::Told,
    group::{Group, Stage},
    outcome::judge,
    pauses::{LONGEST_WAIT_MS, Pause},
    retry::{Backoff, spread},
};
use crate::{
    error::{Error, Phase, TimeoutError},
    transport::{Body, HttpResponse},
    wire::encode::{self, Envelope},
};

impl Engine {
    /// The headers of a reply arrived; its body is still to come.
    pub fn handle_headers(&mut self, send: Id, head: HttpResponse) {
        if let Some(mut group) = self.take_sent(send) {
            group.stage = Stage::Body;
            group.head = Some(head);
            self.put_back(group);
        }
    }

    /// The body of a reply arrived, as far as it could be read.
    #[cfg(feature = "npm")]
    pub fn handle_body(&mut self, send: Id, body: Body, at: Moment) {
        self.begin(at);
        if let Some(mut group) = self.take_sent(send) {
            match group.head.take() {
                Some(head) => self.replied(group, HttpResponse { body, ..head }),
                None => self.put_back(group),
            }
        }
        self.finish();
    }

    /// A reply arrived, as far as it could be read.
    pub fn handle_reply(&mut self, send: Id, reply: HttpResponse, at: Moment) {
        self.begin(at);
        if let Some(group) = self.take_sent(send) {
            self.replied(group, reply);
        }
        self.finish();
    }

    fn replied(&mut self, mut group: Box<Group>, mut reply: HttpResponse) {
        let redactor = self.redactor(Some(&group));
        let mut is_redacted = false;
        for (name, value) in &mut reply.headers {
            is_redacted |= redactor.redact(name);
            is_redacted |= redactor.redact(value);
        }
        if let Some(url) = &mut reply.url {
            redactor.redact(url);
        }
        if let Body::Broken(_, error) = &mut reply.body {
            redactor.redact_network(error);
        }
        let config = &self.config;
        let result = judge(
            &reply,
            &group.request,
            &config.base_url,
            config.integers,
            &redactor,
        );
        let status = reply.status;
        let error = result.as_ref().err().map(Error::code);
        group.record(Some(status), error, self.at.now);
        self.emit(group.first, group.attempts.len(), What::Response { status });
        match result {
            Ok(data) => {
                let success = Success {
                    data,
                    send: group.send,
                    response: reply,
                    is_redacted,
                };
                let told = Told::Usage(Arc::new(success));
                self.settle(&mut group, f64::INFINITY, &told);
                if group.revision == self.shared.tokens.revision() {
                    self.shared.tokens.accepted();
                }
                if group.is_listed && group.fresh {
                    self.unlist_older(&group);
                }
                self.put_back(group);
                self.serve(1.0);
            }
            Err(error) => self.attempt_failed(group, Arc::new(error)),
        }
    }

    /// No reply arrived, or the function that sends failed by itself.
    pub fn handle_send_error(&mut self, send: Id, mut error: Error, at: Moment) {
        self.begin(at);
        if let Some(mut group) = self.take_sent(send) {
            self.redactor(Some(&group)).redact_error(&mut error);
            group.record(None, Some(error.code()), at.now);
            self.attempt_failed(group, Arc::new(error));
        }
        self.finish();
    }

    /// A deadline of a caller or an attempt passed, or a sleep ended.
    pub(super) fn handle_due(&mut self, mut group: Box<Group>) {
        // A refusal is decided by its status and headers once nobody has time left
        // to wait for its body.
        let now = self.at.now;
        if group.stage == Stage::Body
            && (group.wake_at <= now || !group.has_time(now))
            && let Some(head) = group.head.take_if(|head| head.status >= 400)
        {
            self.cancel(group.send);
            self.replied(group, head);
            return;
        }
        let until = group.wake_at.min(self.at.now);
        self.settle_expired(&mut group, until);
        let is_due = !group.calls.is_empty() && group.wake_at <= self.at.now;
        if is_due && group.is_sent() {
            let mut error = TimeoutError::in_phase(match group.stage {
                Stage::Headers => Phase::Headers,
                _ => Phase::Body,
            });
            error.timeout_ms = group.key.attempt_timeout;
            let error = Error::from(error);
            group.record(None, Some(error.code()), self.at.now);
            self.cancel(group.send);
            self.attempt_failed(group, Arc::new(error));
            return;
        }
        match group.stage {
            _ if !is_due => {}
            Stage::Token => self.proceed(&mut group),
            _ => self.handle_sleeper(&mut group),
        }
        self.put_back(group);
    }

    /// Sends the group, unless it must wait for a pause or the provider.
    pub(super) fn proceed(&mut self, group: &mut Group) {
        self.settle_expired(group, self.at.now);
        if group.calls.is_empty() {
            return;
        }
        let pause = self.shared.pauses.of(group.key.company, self.at.now);
        if let Some(pause) = pause.cloned() {
            self.wait_out_pause(group, &pause);
        } else if !self.has_to_wait_for_token(group) {
            self.send(group);
        }
    }

    fn send(&mut self, group: &mut Group) {
        let send = self.next_id();
        let token = self.shared.tokens.current();
        let envelope = Envelope {
            base_url: &self.config.base_url,
            format: group.key.format,
            bearer_token: token.as_ref().map(|token| token.text()),
            api_key: self.config.api_key.as_deref(),
            extra: &group.key.headers,
        };
        let request = encode::request(&group.request, &envelope);
        if let Some(token) = token
            && group.revision != self.shared.tokens.revision()
        {
            group.tokens.push(Arc::clone(token));
        }
        group.revision = self.shared.tokens.revision();
        group.identity = self.shared.identity;
        group.stage = Stage::Headers;
        group.head = None;
        group.send = send;
        group.since = self.at.now;
        group.wake_at = self.at.now + group.key.attempt_timeout;
        let attempt = group.attempts.len() + 1;
        self.emit(group.first, attempt, What::Attempt { send });
        self.sends.push((send, group.id));
        self.command(Command::Send { send, request });
    }

    /// An attempt failed: renew the token, retry, or settle.
    fn attempt_failed(&mut self, mut group: Box<Group>, error: Arc<Error>) {
        group.wait_ms = 0.0;
        if let Some(old) = group.failed_send.replace(group.send) {
            self.command(Command::Forget { id: old });
        }
        let tokens = &mut self.shared.tokens;
        let source = Some(tokens.source());
        let is_refused = error.status() == Some(401);
        if is_refused && group.renewed == source {
            // The renewed token was refused as well.
            tokens.renewal_failed(self.at.now);
        } else if is_refused && !group.nested && group.has_time(self.at.now) {
            let is_current = group.revision == tokens.revision();
            let is_new = !is_current && group.may_try(tokens);
            if is_new || is_current && tokens.has_provider() {
                if is_current {
                    group.renewed = source;
                    group.refused = Some((group.revision, error));
                } else {
                    // There is another token by now, or one can be requested.
                    group.ask_again(tokens);
                }
                self.proceed(&mut group);
                self.put_back(group);
                return;
            }
        }
        let (company, now) = (group.key.company, self.at.now);
        let is_pause = self.is_own(&group) && self.shared.pauses.ask(&error, company, now);
        self.backoff(&mut group, error);
        self.put_back(group);
        if is_pause {
            self.wait_out_pauses();
        }
    }

    /// Sleeps before a retry, if there is to be one.
    fn backoff(&mut self, group: &mut Group, error: Arc<Error>) {
        let random = self.random();
        let now = self.at.now;
        let asked = error.retry_after_ms().filter(|_| self.is_own(group));
        let is_over = f64::from(group.retries) >= group.key.max_retries
            || !error.is_retryable()
            || asked.is_some_and(|ms| ms > LONGEST_WAIT_MS);
        if is_over {
            self.settle_all(group, error);
            return;
        }
        let backoff = Backoff::of(group.retries, asked, random);
        self.settle_paused(group);
        // A wait that the server requested is reported with the server's error.
        let hurried = match asked {
            Some(ms) if ms >= backoff.least => Told::Failure(Arc::clone(&error), None),
            _ => Told::Limit(
                Phase::Backoff,
                Some(Arc::clone(&error)),
                Some(self.at.wall + backoff.least),
            ),
        };
        let earliest = self.settle(group, now + backoff.least, &hurried);
        let ready_at = now + backoff.within(earliest - now);
        self.shared.tickets.serve(0.0, now);
        let number = if self.config.paces_retries {
            self.shared.tickets.next()
        } else {
            0.0
        };
        let turn = turn(&self.shared, ready_at, number, now);
        let is_far = turn > ready_at && turn - now > LONGEST_WAIT_MS;
        let by = if is_far { f64::INFINITY } else { turn };
        let turn_at = Some(self.at.wall + turn - now);
        self.settle(group, by, &Told::Failure(Arc::clone(&error), turn_at));
        if group.calls.is_empty() {
            return;
        }
        group.retries += 1;
        group.ask_again(&self.shared.tokens);
        if number > 0.0 {
            self.shared.tickets.draw();
        }
        let what = What::Retry {
            wait_ms: turn - now,
            error: Arc::clone(&error),
        };
        self.emit(group.first, group.attempts.len(), what);
        self.sleep(group, ready_at, number, error);
    }

    fn sleep(&mut self, group: &mut Group, ready_at: f64, number: f64, failure: Arc<Error>) {
        group.stage = Stage::Sleep;
        group.since = self.at.now;
        group.wake_at = ready_at;
        group.ready_at = ready_at;
        group.number = number;
        if number > 0.0 {
            self.lowest = self.lowest.min(number);
        }
        group.failure = Some(failure);
    }

    /// Whether the group's last attempt was sent as the identity that is logged in
    /// now.
    fn is_own(&self, group: &Group) -> bool {
        group.identity == self.shared.identity
    }

    /// Wakes a group that sleeps only because the server asked `identity` to wait.
    pub(super) fn wake_from_pause(&mut self, group: &mut Group, identity: u64) {
        let is_asleep = group.stage == Stage::Sleep && group.identity == identity;
        let failure = group.failure.as_ref().filter(|_| is_asleep);
        if failure.is_some_and(|error| error.retry_after_ms().is_some()) {
            group.ready_at = self.at.now;
            self.handle_sleeper(group);
        }
    }

    /// Wakes a sleeping group, or lets it sleep on.
    fn handle_sleeper(&mut self, group: &mut Group) {
        let turn = turn(&self.shared, group.ready_at, group.number, self.at.now);
        if turn <= self.at.now {
            group.number = 0.0;
            group.wait_ms += self.at.now - group.since;
            self.proceed(group);
        } else {
            group.wake_at = turn;
        }
    }

    /// Serves ticket numbers: by time, by successes, and for those given up.
    pub(super) fn serve(&mut self, more: f64) {
        self.shared.tickets.serve(more, self.at.now);
        while let Some(mut group) = self.take_served() {
            group.number = 0.0;
            self.handle_sleeper(&mut group);
            self.put_back(group);
        }
    }

    /// The group with the lowest ticket number, if that number is served.
    fn take_served(&mut self) -> Option<Box<Group>> {
        let is_served = |number| self.shared.tickets.wait_ms(number) == 0.0;
        if !is_served(self.lowest) {
            return None;
        }
        let mut first = (f64::INFINITY, 0);
        for group in self.groups() {
            if group.number > 0.0 && group.number < first.0 {
                first = (group.number, group.id);
            }
        }
        let is_served = is_served(first.0);
        self.lowest = first.0;
        if is_served { self.take(first.1) } else { None }
    }

    /// Counts a ticket number that nobody waits for any more as served.
    pub(super) fn give_up(&mut self, number: f64) {
        self.shared.tickets.serve(0.0, self.at.now);
        let is_served = self.shared.tickets.wait_ms(number) == 0.0;
        self.serve(if is_served { 0.0 } else { 1.0 });
    }

    /// Makes a group wait for the end of a pause.
    fn wait_out_pause(&mut self, group: &mut Group, pause: &Pause) {
        let earliest = self.settle_paused(group);
        let random = self.random();
        group.identity = self.shared.identity;
        let late = spread(pause.wait_ms, random).min((earliest - pause.until) / 2.0);
        self.sleep(group, pause.until + late, 0.0, Arc::clone(&pause.error));
    }

    /// Applies a new pause to all groups with nothing in flight.
    fn wait_out_pauses(&mut self) {
        for place in 0..self.groups.len() {
            let Some(mut group) = self.take_at(place, |group| !group.is_sent()) else {
                continue;
            };
            let pause = self.shared.pauses.of(group.key.company, self.at.now);
            if group.stage == Stage::Token
                && let Some(pause) = pause.cloned()
            {
                self.wait_out_pause(&mut group, &pause);
            } else {
                self.settle_paused(&mut group);
            }
            self.put_back(group);
        }
    }

    /// Fails the callers who cannot wait for the end of a pause, with the error
    /// that asked for it. Returns the earliest deadline of the others.
    fn settle_paused(&mut self, group: &mut Group) -> f64 {
        let pause = self.shared.pauses.of(group.key.company, self.at.now);
        match pause.cloned() {
            Some(pause) => self.settle(group, pause.until, &Told::Failure(pause.error, None)),
            None => f64::INFINITY,
        }
    }

    /// Fails the callers who join a waiting group and cannot wait as long as it
    /// will.
    pub(super) fn settle_hurried(&mut self, group: &mut Group) {
        self.settle_paused(group);
        self.shared.tickets.serve(0.0, self.at.now);
        if group.stage == Stage::Sleep
            && let Some(error) = group.failure.clone()
        {
            let by = turn(&self.shared, group.ready_at, group.number, self.at.now);
            let turn_at = Some(self.at.wall + by - self.at.now);
            let told = if self.is_own(group) {
                Told::Failure(error, turn_at)
            } else {
                // An error of another identity is not for this one.
                Told::Limit(Phase::Backoff, None, turn_at)
            };
            self.settle(group, by, &told);
        }
    }
}

/// The latest time at which a retry is sent: after its backoff, and when its
/// ticket number is served.
fn turn(shared: &Shared, ready_at: f64, number: f64, now: f64) -> f64 {
    ready_at.max(now + shared.tickets.wait_ms(number))
}
