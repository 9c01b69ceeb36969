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
mod tickets;
mod tokens;
pub(crate) mod watch;

use std::{mem::swap, sync::Arc};

use group::Group;
use pauses::Pauses;
use questions::Question;
use tickets::Tickets;
use tokens::Tokens;

pub(crate) use group::{Attempt, Options};
#[cfg_attr(
    any(not(target_arch = "wasm32"), feature = "npm"),
    allow(unused_imports)
)]
pub(crate) use redact::{Redactor, Secret};
pub(crate) use retry::Limits;

use crate::{
    dto::AiChatUsageResponse,
    error::Error,
    transport::{HttpRequest, HttpResponse},
    wire::{base_url::BaseUrl, decode::Integers},
};

/// Numbers calls, groups, sends and questions, all in one row.
pub(crate) type Id = u64;

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
    api_key: Option<Arc<Secret>>,
    tokens: Tokens,
    tickets: Tickets,
    pauses: Pauses,
    /// Counts the users that the tokens stand for.
    identity: u64,
    /// The last id that was given.
    last_id: Id,
    /// How often chance was asked for where none came with the input.
    draws: f64,
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
    config: Arc<Config>,
    /// In here while an input is handled, otherwise with the forks.
    shared: Box<Shared>,
    forks: Forks,
    /// In the order of their ids, each with the time at which it is
    /// [due](Group::due). Where one is over, or [taken](Self::take_at) to be
    /// looked at, there is a gap.
    groups: Vec<(f64, Option<Box<Group>>)>,
    question: Option<Question>,
    /// Those that were carried out or withdrawn are gaps.
    commands: Vec<Option<Command>>,
    /// How many commands were taken.
    taken: usize,
    /// How often chance was asked for since the last input.
    draws: f64,
    /// When the input came.
    at: Moment,
}

impl Engine {
    // One thread, one way of sharing: see `Forks`.
    #[cfg_attr(feature = "npm", allow(clippy::arc_with_non_send_sync))]
    pub fn new(config: Config) -> Self {
        let api_key = config.api_key.clone();
        let shared = Shared {
            api_key: api_key.map(Secret::new).map(Arc::new),
            ..Shared::default()
        };
        Self::over(Arc::new(config), Forks::new(Box::new(shared).into()))
    }

    /// An engine with nothing in flight that shares the tokens, the pauses and
    /// the pace of retries with this one.
    #[cfg(any(feature = "npm", test))]
    pub fn fork(&self) -> Self {
        Self::over(self.config.clone(), self.forks.clone())
    }

    fn over(config: Arc<Config>, forks: Forks) -> Self {
        Self {
            config,
            shared: Box::default(),
            forks,
            groups: Vec::new(),
            question: None,
            commands: Vec::new(),
            taken: 0,
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
        lock(&self.forks).is_some_and(|shared| shared.tokens.expires())
    }

    /// Whether no call is under way.
    pub fn is_idle(&self) -> bool {
        self.groups.iter().all(|(_, group)| group.is_none())
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The next command. They are taken one at a time, because carrying one
    /// out may bring others.
    pub fn poll_command(&mut self) -> Option<Command> {
        while let Some(command) = self.commands.get_mut(self.taken) {
            self.taken += 1;
            if let Some(command) = command.take() {
                return Some(command);
            }
        }
        self.commands.clear();
        self.taken = 0;
        None
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called;
    /// infinite for never.
    pub fn poll_timeout(&self) -> f64 {
        let mut next = f64::INFINITY;
        for (due, _) in &self.groups {
            next = next.min(*due);
        }
        next
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, at: Moment) {
        self.begin(at);
        self.serve(0.0);
        for place in 0..self.groups.len() {
            if let Some(group) = self.take_at(place, |group| group.due() <= at.now) {
                self.look(group);
            }
        }
        self.finish();
    }

    /// Everything that comes in begins so,
    fn begin(&mut self, at: Moment) {
        self.exchange();
        (self.at, self.draws) = (at, 0.0);
    }

    /// and finishes so.
    fn finish(&mut self) {
        self.drop_question_without_group();
        self.groups.retain(|(_, group)| group.is_some());
        self.exchange();
    }

    /// Takes what is shared with the forks, or gives it back.
    fn exchange(&mut self) {
        if let Some(mut kept) = lock(&self.forks) {
            swap(&mut self.shared, &mut kept);
        }
    }

    /// Takes a group out, to be looked at and [put back](Self::put_back), if it
    /// is the one that is looked for. Places change between inputs only.
    fn take_at(&mut self, place: usize, is_it: impl Fn(&Group) -> bool) -> Option<Box<Group>> {
        let (_, slot) = self.groups.get_mut(place)?;
        let mut group = slot.take_if(|group| is_it(group))?;
        group.place = place;
        Some(group)
    }

    fn take_first(&mut self, is_it: impl Fn(&Group) -> bool) -> Option<Box<Group>> {
        (0..self.groups.len()).find_map(|place| self.take_at(place, &is_it))
    }

    fn take(&mut self, id: Id) -> Option<Box<Group>> {
        self.take_first(|group| group.id == id)
    }

    /// The group of a send in flight.
    fn take_sent(&mut self, send: Id) -> Option<Box<Group>> {
        self.take_first(|group| group.is_sent_as(send))
    }

    /// A group for which nobody waits any more is over.
    fn put_back(&mut self, group: Box<Group>) {
        if group.calls.is_empty() {
            self.end(&group);
        } else if let Some(slot) = self.groups.get_mut(group.place) {
            *slot = (group.due(), Some(group));
        }
    }

    fn next_id(&mut self) -> Id {
        self.shared.last_id += 1;
        self.shared.last_id
    }

    /// A number from 0 to 1, without 1: the one that came with the input, then
    /// others, spread evenly by the golden ratio.
    fn random(&mut self) -> f64 {
        let (first, draws) = match self.at.random {
            given if (0.0..1.0).contains(&given) => (given, &mut self.draws),
            _ => (0.5, &mut self.shared.draws),
        };
        let number = first + *draws * 0.618_033_988_749_895;
        *draws += 1.0;
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
        self.exchange();
        let mut groups = self.groups.iter().filter_map(|(_, group)| group.as_ref());
        let group = groups.find(|group| group.is_sent_as(id));
        self.redactor(group.map(|group| &**group)).redact(text);
        self.exchange();
    }

    /// Knows the API key, the tokens of a group, and the current one.
    fn redactor(&self, group: Option<&Group>) -> Redactor {
        let mut redactor = Redactor::default();
        if let Some(group) = group {
            for token in &group.tokens {
                redactor.add(token);
            }
        }
        if let Some(token) = self.shared.tokens.current() {
            redactor.add(token);
        }
        if let Some(token) = self.shared.tokens.previous() {
            redactor.add(token);
        }
        if let Some(key) = &self.shared.api_key {
            redactor.add(key);
        }
        redactor
    }

    /// Gives up a send or a question.
    fn cancel(&mut self, id: Id) {
        // What nobody has begun need not be ended.
        if !self.withdraw(id) {
            self.command(Command::Cancel { id });
        }
    }

    fn command(&mut self, command: Command) {
        self.commands.push(Some(command));
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

/// Where an engine and its forks keep what they share between two inputs. The
/// npm package has one thread, and no room for what a mutex brings along.
#[cfg(feature = "npm")]
type Forks = std::rc::Rc<std::cell::RefCell<Box<Shared>>>;
#[cfg(not(feature = "npm"))]
type Forks = Arc<std::sync::Mutex<Box<Shared>>>;

#[cfg(feature = "npm")]
fn lock(forks: &Forks) -> Option<std::cell::RefMut<'_, Box<Shared>>> {
    forks.try_borrow_mut().ok()
}

#[cfg(not(feature = "npm"))]
fn lock(forks: &Forks) -> Option<std::sync::MutexGuard<'_, Box<Shared>>> {
    forks.lock().ok()
}
