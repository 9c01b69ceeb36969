//! Every decision of a client, for all of its calls together, without I/O: no
//! clock, timer, promise or executor. A driver tells it what happens (`call`,
//! `abandon`, `set_bearer_token`, `handle_…`), takes the commands out one by
//! one (`poll_command`) and carries them out, and comes back at
//! `poll_timeout`. The drivers are `client/` for Rust and `pkg/src/driver.ts`
//! for the npm package.
//!
//! A command is carried out after the engine has been let go of: a provider, a
//! listener or a `fetch` may call the client at once.
//!
//! - A *call* is what the application waits for, with a deadline of its own.
//! - A *group* is one request on behalf of equal calls, with its retries. It
//!   lives as long as one of them waits.
//! - A *send* is one attempt of a group, a *question* one of the token provider.

mod attempts;
mod calls;
#[cfg(test)]
mod check;
mod group;
mod outcome;
mod pauses;
mod questions;
mod redact;
mod retry;
mod retry_after;
#[cfg(test)]
mod simulation;
mod table;
mod tickets;
mod timers;
mod tokens;

use std::{
    collections::VecDeque,
    mem::take,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use group::{Call, Group, Stage};
use pauses::Pauses;
use questions::Question;
use table::Table;
use tickets::Tickets;
use timers::Timers;
use tokens::Tokens;

pub(crate) use group::{Attempt, Options};
pub(crate) use redact::Redactor;
pub(crate) use retry::Limits;
pub(crate) use table::Id;

use crate::{
    dto::AiChatUsageResponse,
    error::Error,
    transport::{HttpRequest, HttpResponse},
    wire::{base_url::BaseUrl, decode::Integers},
};

/// The time and the chance of an input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Milliseconds of a clock that never goes back.
    pub now: f64,
    /// Milliseconds since 1970. NaN where nothing needs it: see
    /// [`Engine::wants_wall`].
    pub wall: f64,
    /// A number from 0 to 1, without 1; anything else counts as a half.
    pub random: f64,
}

/// What a client is made of.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub base_url: BaseUrl,
    pub api_key: Option<String>,
    pub integers: Integers,
    /// Whether retries draw numbers.
    pub paces_retries: bool,
    /// Whether anybody listens to events.
    pub listens: bool,
    /// Whether equal calls, and calls that wait for a token, share what is in
    /// flight.
    pub shares: bool,
}

/// What is shared by all calls of a client, even where nothing in flight is.
#[derive(Default)]
struct Shared {
    tokens: Tokens,
    tickets: Tickets,
    pauses: Pauses,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send a request; then [`Engine::handle_headers`] and
    /// [`Engine::handle_reply`], or [`Engine::handle_send_error`].
    Send { send: Id, request: HttpRequest },
    /// Ask the token provider; then [`Engine::handle_token`].
    Ask { question: Id, force_refresh: bool },
    /// Nobody waits for this send or question any more, or its time is over.
    Cancel { id: Id },
    /// What came with this send or question, beside the engine, is not needed
    /// any more.
    Forget { id: Id },
    /// Tell the listener.
    Emit(Event),
    /// The call is over.
    Settle { call: Id, outcome: Box<Outcome> },
}

/// What a call came to.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub result: Result<Success, Error>,
    /// Every attempt of the call.
    pub attempts: Vec<Attempt>,
    /// How long the call took, in milliseconds.
    pub elapsed_ms: f64,
}

#[derive(Debug, Clone)]
pub(crate) struct Success {
    pub data: AiChatUsageResponse,
    /// The send that brought it.
    pub send: Id,
    pub response: Arc<HttpResponse>,
    /// Whether its headers quoted a secret.
    pub is_redacted: bool,
}

/// What happens to a call.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub call: Id,
    /// Counts from 1.
    pub attempt: usize,
    pub what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Attempt { url: String },
    Response { status: u16 },
    Retry { wait_ms: f64, error: Error },
    Success { elapsed_ms: f64 },
    Error { elapsed_ms: f64, error: Error },
}

/// The engine of one client.
pub(crate) struct Engine {
    config: Config,
    shared: Arc<Mutex<Shared>>,
    /// The last id that was given.
    last_id: Id,
    calls: Table<Call>,
    groups: Table<Box<Group>>,
    /// The group of each send in flight.
    sends: Table<Id>,
    /// The groups that an equal call joins, by company.
    listed: Vec<(u128, Id)>,
    question: Option<Question>,
    /// The groups that wait for their numbers, in the order of these.
    line: VecDeque<(f64, Id)>,
    timers: Timers,
    commands: VecDeque<Command>,
    /// The last redactor, and the secrets that it knows.
    redactor: (Vec<String>, Arc<Redactor>),
    /// How often chance was asked for since the last input.
    draws: f64,
}

impl Engine {
    pub fn new(config: Config) -> Self {
        Self::over(config, Arc::default())
    }

    /// An engine with nothing in flight that shares the tokens, the pauses and
    /// the pace of retries with this one.
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
    pub fn fork(&self) -> Self {
        Self::over(self.config.clone(), Arc::clone(&self.shared))
    }

    fn over(config: Config, shared: Arc<Mutex<Shared>>) -> Self {
        Self {
            config,
            shared,
            last_id: 0,
            calls: Table::default(),
            groups: Table::default(),
            sends: Table::default(),
            listed: Vec::new(),
            question: None,
            line: VecDeque::new(),
            timers: Timers::default(),
            commands: VecDeque::new(),
            redactor: Default::default(),
            draws: 0.0,
        }
    }

    /// Whether the wall clock decides something before a reply has come: the
    /// end of a token.
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
    pub fn wants_wall(&self) -> bool {
        lock(&self.shared).tokens.expires()
    }

    /// Whether no call is under way.
    pub fn is_idle(&self) -> bool {
        self.calls.len() == 0
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The next command. They are taken one at a time, because carrying one
    /// out may bring others.
    pub fn poll_command(&mut self) -> Option<Command> {
        self.commands.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called;
    /// infinite for never.
    pub fn poll_timeout(&mut self) -> f64 {
        let (calls, groups) = (&self.calls, &self.groups);
        let next = self
            .timers
            .next(|id, at| wants_look(calls, groups, id) == Some(at));
        next.map_or(f64::INFINITY, |(at, _)| at)
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, at: Moment) {
        self.input(at, |engine, shared, at| {
            while let (calls, groups) = (&engine.calls, &engine.groups)
                && let Some((due, id)) = engine
                    .timers
                    .next(|id, at| wants_look(calls, groups, id) == Some(at))
                && due <= at.now
            {
                if engine.calls.get(id).is_some() {
                    engine.deadline(shared, id, at);
                } else {
                    engine.wake(shared, id, at);
                }
            }
        });
    }

    /// Everything that comes in goes through here.
    fn input<R>(&mut self, at: Moment, act: impl FnOnce(&mut Self, &mut Shared, Moment) -> R) -> R {
        let shared = Arc::clone(&self.shared);
        let mut shared = lock(&shared);
        self.draws = 0.0;
        let result = act(self, &mut shared, at);
        self.drop_question_without_group();
        let (calls, groups) = (&self.calls, &self.groups);
        self.timers.tidy(calls.len() + groups.len(), |id, at| {
            wants_look(calls, groups, id) == Some(at)
        });
        result
    }

    fn next_id(&mut self) -> Id {
        self.last_id += 1;
        self.last_id
    }

    /// A number from 0 to 1, without 1: the one that came with the input, then
    /// others, spread evenly by the golden ratio.
    fn random(&mut self, at: Moment) -> f64 {
        let first = match at.random {
            given if (0.0..1.0).contains(&given) => given,
            _ => 0.5,
        };
        let number = first + self.draws * 0.618_033_988_749_895;
        self.draws += 1.0;
        number - number.floor()
    }

    fn emit(&mut self, call: Id, attempt: usize, what: impl FnOnce() -> What) {
        if self.config.listens {
            let what = what();
            self.commands.push_back(Command::Emit(Event {
                call,
                attempt,
                what,
            }));
        }
    }

    /// Text that came with a send or a question, without the secrets.
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
    pub fn redact(&mut self, id: Id, text: &mut String) {
        let shared = Arc::clone(&self.shared);
        let group = self.sends.get(id).copied();
        self.redactor(&lock(&shared), group).redact(text);
    }

    /// Knows the API key, the tokens of a group, and the current one.
    fn redactor(&mut self, shared: &Shared, group: Option<Id>) -> Arc<Redactor> {
        let tokens = group.and_then(|id| self.groups.get(id)).map(|group| &group.tokens);
        let secrets = tokens.into_iter().flatten().map(String::as_str);
        let secrets = secrets.chain(shared.tokens.current()).chain(self.config.api_key.as_deref());
        let (known, redactor) = &mut self.redactor;
        if !secrets.clone().eq(known.iter()) {
            *known = secrets.map(str::to_owned).collect();
            *redactor = Arc::new(Redactor::new(known));
        }
        Arc::clone(redactor)
    }

    /// Gives up a send or a question.
    fn cancel(&mut self, id: Id) {
        // What nobody has begun need not be ended.
        if !self.withdraw(id) {
            self.commands.push_back(Command::Cancel { id });
        }
    }

    /// Takes back the command to begin a send or a question, if it is still
    /// there.
    fn withdraw(&mut self, id: Id) -> bool {
        let place = self.commands.iter().position(|command| {
            matches!(command, Command::Send { send: own, .. } | Command::Ask { question: own, .. } if *own == id)
        });
        let Some(place) = place else {
            return false;
        };
        self.commands.remove(place);
        // The listener is told right before.
        let before = place.wrapping_sub(1);
        if let Some(Command::Emit(event)) = self.commands.get(before)
            && matches!(event.what, What::Attempt { .. })
        {
            self.commands.remove(before);
        }
        true
    }
}

/// When the owner of `id` wants to be looked at.
fn wants_look(calls: &Table<Call>, groups: &Table<Box<Group>>, id: Id) -> Option<f64> {
    calls
        .get(id)
        .map(|call| call.deadline)
        .or_else(|| groups.get(id).map(|group| group.wake_at))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
