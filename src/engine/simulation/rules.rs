//! Invariants of everything that a client does.

use std::{collections::BTreeMap, ops::Range};

use super::{
    super::{Command, Engine, Event, Id, Moment, Options, Outcome, What, lock},
    tickets::Tickets,
    world::Token,
};
use crate::{
    error::{Error, Phase, Scope},
    transport::HttpRequest,
};

/// An id within one of the engines.
pub type Ref = (usize, Id);

/// All ids of an engine.
fn of(number: usize) -> Range<Ref> {
    (number, 0)..(number + 1, 0)
}

struct Call {
    deadline: f64,
    started_at: f64,
    started: u64,
    identity: u64,
    options: Options,
    /// What makes calls equal.
    key: String,
    company: u128,
    /// `None` if it ended at once.
    group: Option<Ref>,
    /// By both clocks.
    over_at: Option<(f64, f64)>,
    /// See [`hurried`](Rules::hurried).
    turn: Option<f64>,
    /// Whether a provider could be asked for another token then.
    may_renew: bool,
    /// The send whose good reply it has to get.
    good: Option<Id>,
    /// Whether it settled with a usage, or with an error.
    settled: Option<bool>,
    /// The listener was told of it.
    told: bool,
    done: bool,
}

#[derive(Default)]
struct Group {
    started: u64,
    started_at: f64,
    sends: u32,
    retries: u32,
    number: Option<f64>,
    /// The wait that the last failure asked for.
    asked_ms: f64,
    /// Whether the retry to come waits for as long as the server asked.
    is_asked: bool,
    not_before: f64,
    /// The end of its sleep, apart from its ticket.
    not_after: f64,
    /// When it last failed.
    failed: u64,
    /// Whose failure that was.
    identity: u64,
    nested: bool,
    refusals: u32,
    /// The provider that was to renew the token.
    renewed: Option<u64>,
    /// The token that was refused.
    refused: Option<Option<String>>,
    /// Statuses and durations.
    attempts: Vec<(Option<u16>, f64)>,
}

struct Send {
    token: Option<String>,
    /// How many tokens there had been.
    changes: u64,
    group: Ref,
    company: u128,
    at: f64,
    order: u64,
    identity: u64,
    state: State,
}

struct Question {
    forced: bool,
    source: u64,
    /// How many tokens there had been when it was asked.
    changes: u64,
    at: f64,
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum State {
    InFlight,
    Failed,
    Good,
    Cancelled,
    Forgotten,
}

pub struct Rules {
    calls: BTreeMap<Ref, Call>,
    groups: BTreeMap<Ref, Group>,
    sends: BTreeMap<Ref, Send>,
    questions: BTreeMap<Ref, Question>,
    tickets: Tickets,
    /// Of one company or of all, and until when.
    pauses: Vec<(Option<u128>, f64)>,
    /// The end of the last one.
    paused_until: f64,
    /// The last identity that the server asked to wait.
    asked: Option<u64>,
    /// Counts all that happens.
    order: u64,
    has_provider: bool,
    token: Option<Token>,
    /// How often it changed.
    changes: u64,
    source: u64,
    identity: u64,
    /// When the current provider answered last; 0 where it has not.
    answered: u64,
    renew_after: f64,
    /// Whether a renewal brought the token, and no request has succeeded with it.
    is_untried: bool,
    /// The tokens that were replaced.
    pub earlier: Vec<String>,
    /// Every form of every secret.
    pub secrets: Vec<String>,
    /// Whether the wall clock keeps up with the monotonic one.
    pub wall_is_steady: bool,
}

impl Rules {
    pub fn new(wall_is_steady: bool) -> Self {
        Self {
            calls: BTreeMap::new(),
            groups: BTreeMap::new(),
            sends: BTreeMap::new(),
            questions: BTreeMap::new(),
            tickets: Tickets::default(),
            pauses: Vec::new(),
            paused_until: 0.0,
            asked: None,
            order: 0,
            has_provider: false,
            token: None,
            changes: 0,
            source: 0,
            identity: 0,
            answered: 0,
            renew_after: 0.0,
            is_untried: false,
            earlier: Vec::new(),
            secrets: Vec::new(),
            wall_is_steady,
        }
    }

    pub fn token(&self) -> Option<&Token> {
        self.token.as_ref()
    }

    pub fn sent_with(&self, send: Ref) -> Option<&str> {
        self.sends.get(&send)?.token.as_deref()
    }

    pub fn is_waiting(&self, call: Ref) -> bool {
        self.calls.get(&call).is_some_and(|call| !call.done)
    }

    pub fn counts(&self) -> [usize; 3] {
        [self.calls.len(), self.sends.len(), self.questions.len()]
    }

    fn next(&mut self) -> u64 {
        self.order += 1;
        self.order
    }

    fn replace(&mut self, token: Option<Token>) {
        let old = std::mem::replace(&mut self.token, token);
        self.earlier.extend(old.map(|token| token.text));
    }

    pub fn set_token(&mut self, token: Option<Token>, has_provider: bool, same_identity: bool) {
        self.next();
        self.source += 1;
        self.identity += u64::from(!same_identity);
        // What the server asked of one identity does not bind another.
        if !same_identity {
            self.pauses.clear();
            self.paused_until = 0.0;
            for group in self.groups.values_mut().filter(|group| group.is_asked) {
                group.not_before = 0.0;
                group.not_after = 0.0;
            }
        }
        self.replace(token);
        self.changes += 1;
        self.has_provider = has_provider;
        self.answered = 0;
        self.renew_after = 0.0;
        self.is_untried = false;
    }

    /// A call begins, before the engine's own view of it is looked at.
    pub fn begin(&mut self, id: Ref, engine: &Engine, company: u128, options: Options, at: Moment) {
        let started = self.next();
        let group = engine.group_of(id.1).map(|group| (id.0, group));
        if let Some(group) = group {
            self.groups.entry(group).or_insert(Group {
                started,
                started_at: at.now,
                nested: options.nested,
                ..Group::default()
            });
        }
        let limits = options.limits;
        let key = format!(
            "{company} {:?} {:?} {} {}",
            options.format, options.headers, limits.max_retries, limits.attempt_timeout
        );
        let call = Call {
            deadline: at.now - options.waited_ms + limits.total_timeout,
            started_at: at.now - options.waited_ms,
            started,
            identity: self.identity,
            options,
            key,
            company,
            group,
            over_at: None,
            turn: None,
            may_renew: false,
            good: None,
            settled: None,
            told: false,
            done: false,
        };
        self.check_sharing(id.0, engine, &call);
        let turn = match group {
            None => self.hurried(id.0, &call, engine, at.now),
            Some(_) => None,
        };
        self.calls.insert(id, Call { turn, ..call });
    }

    /// Equal calls of one identity are in one group, as long as none wants a
    /// fresh reply.
    fn check_sharing(&self, number: usize, engine: &Engine, new: &Call) {
        let shares = |call: &Call| call.options.coalesce && !call.options.nested;
        if !engine.config.shares || !shares(new) || new.options.fresh {
            return;
        }
        let is_equal = |call: &Call| shares(call) && call.key == new.key;
        let Some(group) = new.group else { return };
        let mut own = self.calls.range(of(number));
        if own.any(|(_, call)| is_equal(call) && call.options.fresh) {
            return;
        }
        // This input may have ended some.
        for (id, call) in self.calls.range(of(number)) {
            let is_own = call.over_at.is_none() && call.identity == self.identity;
            if is_own && is_equal(call) && engine.group_of(id.1).is_some() {
                assert_eq!(call.group, Some(group), "equal calls share");
            }
        }
    }

    /// The send failed, or its reply is none that a call waits for.
    pub fn fails(&mut self, id: Ref, status: Option<u16>, asked_ms: Option<f64>, now: f64) {
        let order = self.next();
        let Some(send) = self.sends.get_mut(&id) else {
            return;
        };
        if send.state != State::InFlight {
            return;
        }
        send.state = State::Failed;
        let group = self
            .groups
            .get_mut(&send.group)
            .expect("a send has a group");
        group.attempts.push((status, now - send.at));
        group.failed = order;
        group.identity = send.identity;
        if asked_ms.is_some() {
            self.asked = self.asked.max(Some(send.identity));
        }
        // What the server asked of another user counts no more.
        let asked_ms = asked_ms.filter(|_| send.identity == self.identity);
        group.asked_ms = asked_ms.unwrap_or(0.0);
        group.is_asked = asked_ms.is_some();
        if status == Some(401) {
            group.refusals += 1;
            group.refused = Some(send.token.clone());
            if group.renewed == Some(self.source) {
                // Another token did not help.
                self.renew_after = now + 5_000.0;
                self.is_untried = false;
                group.refusals = 0;
            } else if send.changes == self.changes && self.has_provider && !group.nested {
                group.renewed = Some(self.source);
            }
        }
        if let Some(ms) = asked_ms
            && ms > 0.0
            && ms <= 60_000.0
        {
            match status {
                Some(429) => self.pauses.push((None, now + ms)),
                Some(503) => self.pauses.push((Some(send.company), now + ms)),
                _ => return,
            }
            self.paused_until = self.paused_until.max(now + ms);
        }
    }

    /// The reply is a usage.
    pub fn succeeds(&mut self, id: Ref, engine: &Engine, now: f64) {
        self.next();
        let Some(send) = self.sends.get_mut(&id) else {
            return;
        };
        if send.state != State::InFlight {
            return;
        }
        send.state = State::Good;
        let group = self
            .groups
            .get_mut(&send.group)
            .expect("a send has a group");
        group.attempts.push((Some(200), now - send.at));
        if self.is_untried && send.changes == self.changes {
            self.is_untried = false;
            self.renew_after = 0.0;
        }
        for (own, call) in self.calls.range_mut(of(id.0)) {
            if call.group == Some(send.group) && engine.group_of(own.1).is_some() {
                call.good = Some(id.1);
            }
        }
        self.tickets.pass(now);
        self.tickets.success();
    }

    /// The provider answers: a token, or a failure.
    pub fn answers(&mut self, id: Ref, answer: Result<Option<Token>, ()>, now: f64) {
        let order = self.next();
        let Some(question) = self.questions.get_mut(&id) else {
            return;
        };
        if question.state != State::InFlight {
            return;
        }
        question.state = State::Good;
        let Question {
            forced,
            source,
            changes,
            ..
        } = *question;
        if source != self.source {
            return;
        }
        let changed = match answer {
            Ok(token) => {
                let text = |token: &Option<Token>| token.as_ref().map(|token| token.text.clone());
                if text(&token) != text(&self.token) {
                    self.changes += 1;
                    self.replace(token);
                } else {
                    self.token = token;
                }
                self.answered = order;
                self.changes != changes
            }
            Err(()) => false,
        };
        if forced {
            self.renew_after = now + 5_000.0;
            self.is_untried = changed;
        }
    }

    /// Something came into an engine. `retries`: the first calls of the groups
    /// that are to be retried.
    pub fn after_input(&mut self, number: usize, engine: &mut Engine, retries: &[Id], at: Moment) {
        engine.check(at.now);
        let ends = self.token.as_ref().and_then(|token| token.left(at));
        assert_eq!(engine.wants_wall(), ends.is_some(), "the end of a token");
        self.tickets.pass(at.now);
        for &call in retries {
            let mut groups = engine.groups();
            let id = groups
                .find(|group| group.first == call)
                .expect("who sleeps is there")
                .id;
            let group = self.groups.get_mut(&(number, id)).expect("it began");
            let least = 250.0 * f64::from(1 << group.retries.min(4));
            group.retries += 1;
            group.not_before = at.now + least.max(group.asked_ms);
            // No jitter and no spread is longer.
            group.not_after = at.now + (2.0 * least).max(group.asked_ms) + 1_000.0;
            group.asked_ms = 0.0;
            if engine.config.paces_retries {
                let number = self.tickets.draw();
                let minute = self.tickets.served() + 120.0;
                assert!(number <= minute + 1e-6, "nobody waits for more than 60 s");
                group.number = Some(number);
            }
        }
        self.end_calls(number, engine, at);
        let mut given_up = Vec::new();
        for (id, group) in self.groups.range_mut(of(number)) {
            if engine.group(id.1).is_none() {
                given_up.extend(group.number.take());
            }
        }
        let counts = lock(&engine.forks)
            .expect("nobody else looks")
            .tickets
            .counts_at(at.now);
        self.tickets.given_up(&given_up, counts.1);
        self.tickets.check(counts);
        let mut calls = self.calls.range(of(number));
        let is_idle = calls.all(|(_, call)| call.over_at.is_some());
        assert_eq!(engine.is_idle(), is_idle, "whether a call is under way");
    }

    fn end_calls(&mut self, number: usize, engine: &Engine, at: Moment) {
        let next = engine.poll_timeout();
        for (id, call) in self.calls.range_mut(of(number)) {
            if call.over_at.is_some() {
                continue;
            }
            if engine.group_of(id.1).is_some() {
                assert!(next <= call.deadline, "call {id:?} has a deadline");
                assert!(call.good.is_none(), "call {id:?} has a reply");
                continue;
            }
            call.over_at = Some((at.now, at.wall));
            call.may_renew = self.has_provider && at.now >= self.renew_after;
        }
    }

    /// Until when the retry sleeps at the latest that a call of another identity
    /// joined, and left at once because it cannot wait for it.
    fn hurried(&self, number: usize, new: &Call, engine: &Engine, now: f64) -> Option<f64> {
        let mut turns = Vec::new();
        for (id, call) in self.calls.range(of(number)) {
            let Some(group) = engine.group_of(id.1) else {
                continue;
            };
            let group = &self.groups[&(number, group)];
            if call.key == new.key && group.identity != new.identity {
                let number = group.number.unwrap_or(0.0);
                let served_at = now + 500.0 * (number - self.tickets.served()).max(0.0);
                let spread = self.paused_until + 1_000.0;
                turns.push(group.not_after.max(served_at).max(spread));
            }
        }
        turns.into_iter().reduce(f64::max)
    }

    /// Timers were handled.
    pub fn after_timeout(&self, number: usize, engine: &mut Engine, now: f64) {
        assert!(engine.poll_timeout() > now, "timers go on");
        for (id, call) in self.calls.range(of(number)) {
            assert!(
                call.over_at.is_some() || call.deadline > now,
                "call {id:?} is over"
            );
        }
    }

    /// The calls that have not settled.
    pub fn under_way(&self, number: usize) -> Vec<Id> {
        let calls = self.calls.range(of(number));
        let calls = calls.filter(|(_, call)| !call.done);
        calls.map(|(id, _)| id.1).collect()
    }

    pub fn abandoned(&mut self, id: Ref) {
        self.next();
        if let Some(call) = self.calls.get_mut(&id) {
            call.done = true;
        }
    }

    /// `engine` is carrying out a command.
    pub fn command(&mut self, number: usize, engine: &Engine, command: &Command, at: Moment) {
        match command {
            Command::Send { send, request } => self.sent((number, *send), engine, request, at),
            Command::Ask {
                question,
                force_refresh,
            } => {
                self.asked((number, *question), *force_refresh, at.now);
            }
            Command::Cancel { id } => self.cancelled((number, *id), engine, at.now),
            Command::Forget { id } => {
                let send = self.sends.get_mut(&(number, *id)).expect("it was sent");
                assert!(
                    matches!(send.state, State::Failed | State::Cancelled),
                    "{:?}",
                    send.state
                );
                send.state = State::Forgotten;
            }
            Command::Emit(event) => self.emitted(number, engine, event),
            Command::Settle { call, outcome } => self.settled((number, *call), outcome),
        }
    }

    fn sent(&mut self, id: Ref, engine: &Engine, request: &HttpRequest, at: Moment) {
        let order = self.next();
        let mut groups = engine.groups();
        let inner = groups
            .find(|group| group.is_sent_as(id.1))
            .expect("nothing is sent for nobody");
        let group_id = inner.id;
        let company = inner.key.company;
        let bearer = |(name, value): &(String, String)| {
            (name == "Authorization").then(|| value["Bearer ".len()..].to_owned())
        };
        let token = request.headers.iter().find_map(bearer);
        let group = self.groups.get_mut(&(id.0, group_id)).expect("it began");

        assert_eq!(
            token,
            self.token.as_ref().map(|token| token.text.clone()),
            "the current token"
        );
        if self.has_provider && !inner.nested {
            assert!(self.answered > 0, "the provider is asked first");
            let left = self.token.as_ref().and_then(|token| token.left(at));
            assert!(
                self.answered > group.started.max(group.failed)
                    || match left {
                        Some(left) => left >= 30_000.0,
                        None => self.answered > group.started,
                    },
                "the token is fresh: {left:?}"
            );
        }
        let is_refused = token.is_some() && group.refused.as_ref() == Some(&token);
        assert!(!is_refused, "a refused token does not go twice");
        for (paused, until) in &self.pauses {
            let keeps = paused.is_none_or(|paused| paused == company);
            assert!(!keeps || *until <= at.now + 1e-6, "a pause until {until}");
        }
        if let Some(number) = group.number.take() {
            assert!(
                number <= self.tickets.served() + 1e-6,
                "{number} is not served"
            );
        }
        assert!(
            at.now >= group.not_before - 1e-6,
            "backoff until {}",
            group.not_before
        );
        group.sends += 1;
        let most = 1 + group.retries + group.refusals;
        assert!(group.sends <= most && f64::from(group.retries) <= inner.key.max_retries);
        self.sends.insert(
            id,
            Send {
                token,
                changes: self.changes,
                group: (id.0, group_id),
                company,
                at: at.now,
                order,
                identity: self.identity,
                state: State::InFlight,
            },
        );
    }

    fn asked(&mut self, id: Ref, forced: bool, now: f64) {
        assert!(self.has_provider, "there is a provider");
        let mut own = self.questions.range(of(id.0));
        assert!(
            own.all(|(_, question)| question.state != State::InFlight),
            "one question at a time"
        );
        assert!(
            !forced || now >= self.renew_after,
            "renewals until {}",
            self.renew_after
        );
        let question = Question {
            forced,
            source: self.source,
            changes: self.changes,
            at: now,
            state: State::InFlight,
        };
        self.questions.insert(id, question);
    }

    fn cancelled(&mut self, id: Ref, engine: &Engine, now: f64) {
        let state = if let Some(send) = self.sends.get_mut(&id) {
            let group = self
                .groups
                .get_mut(&send.group)
                .expect("a send has a group");
            group.attempts.push((None, now - send.at));
            group.failed = self.order;
            group.identity = send.identity;
            &mut send.state
        } else {
            let question = self.questions.get_mut(&id).expect("it was begun");
            // The provider goes on, whether its answer is wanted or not.
            let is_useless = question.source != self.source || !engine.config.shares;
            assert!(
                is_useless || now >= question.at + 10_000.0,
                "a provider that does not hang is not asked twice at once"
            );
            &mut question.state
        };
        assert_eq!(
            *state,
            State::InFlight,
            "only what is in flight is cancelled"
        );
        *state = State::Cancelled;
    }

    fn emitted(&mut self, number: usize, engine: &Engine, event: &Event) {
        let call = self
            .calls
            .get_mut(&(number, event.call))
            .expect("a call's event");
        let text = match &event.what {
            What::Attempt { send } => {
                let mut groups = engine.groups();
                let group = groups
                    .find(|group| group.is_sent_as(*send))
                    .expect("no attempt is told of that is not made");
                let group = &self.groups[&(number, group.id)];
                assert_eq!(event.attempt, group.attempts.len() + 1);
                return;
            }
            What::Response { .. } => return,
            What::Retry { error, .. } => words(error),
            What::Success { .. } => {
                call.tell(true);
                return;
            }
            What::Error { error, .. } => {
                call.tell(false);
                words(error)
            }
        };
        self.check_words(&text);
    }

    fn settled(&mut self, id: Ref, outcome: &Outcome) {
        let call = self.calls.get_mut(&id).expect("a call settles");
        assert!(!call.done, "a call settles once");
        call.done = true;
        call.settled = Some(outcome.result.is_ok());
        let (over_at, wall) = call.over_at.expect("it is over");
        assert_eq!(outcome.elapsed_ms, over_at - call.started_at);
        let call = self.calls.get(&id).expect("a call settles");
        self.check_attempts(call, outcome, over_at);
        match &outcome.result {
            Ok(success) => {
                assert_eq!(call.good, Some(success.send), "the reply of its group");
                let send = &self.sends[&(id.0, success.send)];
                assert!(send.identity >= call.identity, "no other identity's reply");
                assert!(
                    !call.options.fresh || send.order > call.started,
                    "a fresh reply"
                );
                assert_eq!(send.company, call.company);
                let mut is_redacted = false;
                for (name, value) in &success.response.headers {
                    let header = format!("{name}: {value}");
                    self.check_words(&header);
                    is_redacted |= header.contains("[REDACTED]");
                }
                assert_eq!(success.is_redacted, is_redacted);
                self.check_words(&format!("{:?} {:?}", success.data, success.response.url));
            }
            Err(error) => {
                assert_eq!(call.good, None, "a good reply reaches its callers");
                self.check_error(call, outcome.retry_at(), error, over_at, wall);
                self.check_words(&words(error));
            }
        }
    }

    fn check_attempts(&self, call: &Call, outcome: &Outcome, over_at: f64) {
        let Some(group_id) = call.group else { return };
        let group = &self.groups[&group_id];
        let is_in_flight = |send: &&Send| send.group == group_id && send.state == State::InFlight;
        let in_flight = self.sends.values().find(is_in_flight);
        let mut expected = group.attempts.clone();
        expected.extend(in_flight.map(|send| (None, over_at - send.at)));
        let told: Vec<_> = outcome
            .attempts
            .iter()
            .map(|attempt| (attempt.status, attempt.ms))
            .collect();
        assert_eq!(told, expected, "the attempts");
        let sum: f64 = outcome
            .attempts
            .iter()
            .map(|attempt| attempt.ms + attempt.wait_ms)
            .sum();
        assert!(
            sum <= over_at - group.started_at + 1e-6,
            "attempts and waits took {sum}"
        );
        let failed = outcome
            .attempts
            .iter()
            .filter(|attempt| attempt.error.is_some())
            .count();
        assert_eq!(failed, expected.len() - usize::from(outcome.result.is_ok()));
    }

    /// No call fails too early.
    fn check_error(
        &self,
        call: &Call,
        retry_at: Option<f64>,
        error: &Error,
        over_at: f64,
        wall: f64,
    ) {
        if let Error::Timeout(timeout) = error
            && timeout.scope == Scope::Total
        {
            assert_eq!(timeout.timeout_ms, call.options.limits.total_timeout);
            // No backoff is longer than 8 s.
            let latest = if timeout.last.is_some() {
                over_at + 4_000.0
            } else if timeout.phase == Phase::Backoff && call.deadline > over_at {
                call.turn.expect("it joined a retry of another identity")
            } else {
                over_at
            };
            assert!(call.deadline <= latest, "its time is over");
            return;
        }
        if retry_at.is_some() && error.retry_after_ms().is_some() {
            assert!(
                self.asked >= Some(call.identity),
                "another user was asked to wait"
            );
        }
        let group = call.group.map(|group| &self.groups[&group]);
        if error.status() == Some(401) && !call.options.nested {
            let has_time = call.deadline > over_at;
            // A request does not follow other tokens without end.
            let is_tired = group.is_some_and(|group| group.attempts.len() > 16);
            assert!(
                !(has_time && call.may_renew) || is_tired,
                "the provider is told of the refusal first"
            );
        }
        let retries = group.map_or(0, |group| group.retries);
        if error.is_retryable()
            && f64::from(retries) < call.options.limits.max_retries
            && self.wall_is_steady
        {
            let wait = retry_at.expect("it can be asked again") - wall;
            assert!(
                wait > 60_000.0 - 1e-3 || over_at + wait >= call.deadline - 1e-3,
                "who can wait for {wait} does"
            );
        }
    }

    fn check_words(&self, text: &str) {
        for secret in &self.secrets {
            assert!(!text.contains(secret.as_str()), "{secret} in {text}");
        }
    }

    /// All commands of `engine` have been carried out.
    pub fn after_commands(&self, number: usize, engine: &Engine) {
        let in_flight = |state: State| state == State::InFlight;
        let in_engine = engine.groups().filter(|group| group.is_sent());
        let mut in_engine: Vec<Id> = in_engine.map(|group| group.send).collect();
        in_engine.sort_unstable();
        let sends = self.sends.range(of(number));
        let sends = sends
            .filter(|(_, send)| in_flight(send.state))
            .map(|(id, _)| id.1);
        assert!(sends.eq(in_engine), "sends in flight");
        let questions = self.questions.range(of(number));
        let questions = questions
            .filter(|(_, asked)| in_flight(asked.state))
            .map(|(id, _)| id.1);
        assert!(
            questions.eq(engine.question.iter().map(|asked| asked.id)),
            "the question in flight"
        );
        for (id, call) in self.calls.range(of(number)) {
            assert!(call.done || call.over_at.is_none(), "call {id:?} settles");
        }
    }

    pub fn at_the_end(&self) {
        for call in self.calls.values() {
            assert!(call.done);
            let settled = call.settled.is_some();
            assert_eq!(
                call.told, settled,
                "the listener is told of each that settles"
            );
        }
        let kept = |send: &&Send| send.state == State::Failed;
        assert_eq!(
            self.sends.values().filter(kept).count(),
            0,
            "what failed is forgotten"
        );
    }
}

impl Call {
    fn tell(&mut self, is_usage: bool) {
        assert!(!self.told, "the listener is told once");
        assert_eq!(self.settled, Some(is_usage), "what it settled with");
        self.told = true;
    }
}

/// Everything that an error says.
fn words(error: &Error) -> String {
    let mut text = format!("{error} {error:?}");
    if let Error::Api(error) = error
        && let Some(status) = &error.response_status
    {
        text.push_str(&format!(" {:?}", status.stack_trace));
    }
    let mut link = std::error::Error::source(error);
    while let Some(cause) = link {
        text.push_str(&format!(" {cause}"));
        link = cause.source();
    }
    text
}
