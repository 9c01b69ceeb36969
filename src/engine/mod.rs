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
mod scenarios;
#[cfg(test)]
mod simulation;
mod table;
mod tickets;
mod timers;
mod tokens;

use std::{collections::VecDeque, mem::take, sync::Arc};

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
    pub result: Result<Arc<Success>, Arc<Error>>,
    /// When its turn would have been, in milliseconds since 1970, where the call
    /// could not wait for it.
    pub turn_at: Option<f64>,
    /// Every attempt of the call.
    pub attempts: Vec<Attempt>,
    /// How long the call took, in milliseconds.
    pub elapsed_ms: f64,
}

impl Outcome {
    /// When asking again is useful, in milliseconds since 1970.
    pub fn retry_at(&self) -> Option<f64> {
        let said = || self.result.as_ref().err()?.retry_at();
        self.turn_at.or_else(said)
    }
}

#[derive(Debug)]
pub(crate) struct Success {
    pub data: AiChatUsageResponse,
    /// The send that brought it.
    pub send: Id,
    pub response: HttpResponse,
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
    Attempt { send: Id },
    Response { status: u16 },
    Retry { wait_ms: f64, error: Arc<Error> },
    Success { elapsed_ms: f64 },
    Error { elapsed_ms: f64, error: Arc<Error> },
}

/// The engine of one client.
pub(crate) struct Engine {
    config: Config,
    shared: SharedCell,
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
    line: Vec<(f64, Id)>,
    timers: Timers,
    commands: VecDeque<Option<Command>>,
    /// The last one that was needed.
    redactor: Arc<Redactor>,
    /// How often chance was asked for since the last input.
    draws: f64,
    /// When the input came.
    at: Moment,
}

impl Engine {
    pub fn new(config: Config) -> Self {
        Self::over(config, SharedCell::default())
    }

    /// An engine with nothing in flight that shares the tokens, the pauses and
    /// the pace of retries with this one.
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
    pub fn fork(&self) -> Self {
        Self::over(self.config.clone(), self.shared.clone())
    }

    fn over(config: Config, shared: SharedCell) -> Self {
        Self {
            config,
            shared,
            last_id: 0,
            calls: Table::default(),
            groups: Table::default(),
            sends: Table::default(),
            listed: Vec::new(),
            question: None,
            line: Vec::new(),
            timers: Timers::default(),
            commands: VecDeque::new(),
            redactor: Default::default(),
            draws: 0.0,
            at: Moment {
                now: 0.0,
                wall: f64::NAN,
                random: 0.0,
            },
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
        loop {
            if let Some(command) = self.commands.pop_front()? {
                return Some(command);
            }
        }
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
        self.input(at, |engine, shared| {
            while let (calls, groups) = (&engine.calls, &engine.groups)
                && let Some((due, id)) = engine
                    .timers
                    .next(|id, at| wants_look(calls, groups, id) == Some(at))
                && due <= at.now
            {
                if engine.calls.get(id).is_some() {
                    engine.deadline(shared, id);
                } else {
                    engine.wake(shared, id);
                }
            }
        });
    }

    /// Everything that comes in goes through here.
    fn input<R>(&mut self, at: Moment, act: impl FnOnce(&mut Self, &mut Shared) -> R) -> R {
        let shared = self.shared.clone();
        let mut shared = lock(&shared);
        (self.at, self.draws) = (at, 0.0);
        let result = act(self, &mut shared);
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
    fn random(&mut self) -> f64 {
        let first = match self.at.random {
            given if (0.0..1.0).contains(&given) => given,
            _ => 0.5,
        };
        let number = first + self.draws * 0.618_033_988_749_895;
        self.draws += 1.0;
        number - number.floor()
    }

    fn emit(&mut self, call: Id, attempt: usize, what: What) {
        if self.config.listens {
            self.command(Command::Emit(Event {
                call,
                attempt,
                what,
            }));
        }
    }

    /// Text that came with a send or a question, without the secrets.
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
    pub fn redact(&mut self, id: Id, text: &mut String) {
        let shared = self.shared.clone();
        let group = self.sends.get(id).copied();
        self.redactor(&lock(&shared), group).redact(text);
    }

    /// Knows the API key, the tokens of a group, and the current one.
    fn redactor(&mut self, shared: &Shared, group: Option<Id>) -> Arc<Redactor> {
        let mut secrets: Vec<&str> = Vec::new();
        if let Some(group) = group.and_then(|id| self.groups.get(id)) {
            for token in &group.tokens {
                secrets.push(token);
            }
        }
        for secret in [shared.tokens.current(), self.config.api_key.as_deref()] {
            secrets.extend(secret);
        }
        if !self.redactor.knows(&secrets) {
            self.redactor = Arc::new(Redactor::new(&secrets));
        }
        Arc::clone(&self.redactor)
    }

    /// Gives up a send or a question.
    fn cancel(&mut self, id: Id) {
        // What nobody has begun need not be ended.
        if !self.withdraw(id) {
            self.command(Command::Cancel { id });
        }
    }

    fn command(&mut self, command: Command) {
        self.commands.push_back(Some(command));
    }

    /// Takes back the command to begin a send or a question, if it is still
    /// there, or what a call came to.
    fn withdraw(&mut self, id: Id) -> bool {
        let mut is_withdrawn = false;
        for command in &mut self.commands {
            let of = match command {
                Some(Command::Send { send, .. }) => *send,
                Some(Command::Ask { question, .. }) => *question,
                Some(Command::Settle { call, .. }) => *call,
                // The listener is told right before.
                Some(Command::Emit(Event {
                    what: What::Attempt { send },
                    ..
                })) => *send,
                _ => continue,
            };
            if of == id {
                *command = None;
                is_withdrawn = true;
            }
        }
        is_withdrawn
    }
}

/// When the owner of `id` wants to be looked at.
fn wants_look(calls: &Table<Call>, groups: &Table<Box<Group>>, id: Id) -> Option<f64> {
    calls
        .get(id)
        .map(|call| call.deadline)
        .or_else(|| groups.get(id).map(|group| group.wake_at))
}

/// The npm package has one thread, and no room for what a mutex brings along.
#[cfg(feature = "npm")]
type SharedCell = std::rc::Rc<std::cell::RefCell<Shared>>;
#[cfg(not(feature = "npm"))]
type SharedCell = Arc<std::sync::Mutex<Shared>>;

#[cfg(feature = "npm")]
fn lock(shared: &SharedCell) -> std::cell::RefMut<'_, Shared> {
    shared.borrow_mut()
}

#[cfg(not(feature = "npm"))]
fn lock(shared: &SharedCell) -> std::sync::MutexGuard<'_, Shared> {
    shared
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}
