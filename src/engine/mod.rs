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
mod many;
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
pub(crate) use many::{Came, Many, asked_wait};
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
    /// Milliseconds of the monotonic clock.
    pub now: f64,
    /// Milliseconds since 1970. Pages that are rendered ahead may not look at
    /// it, nor at chance, before they have sent something. So it is NaN where a
    /// call begins or ends, or a token is set or given, unless
    /// [`Engine::wants_wall`].
    pub wall: f64,
    /// A number from 0 to 1, without 1; NaN with the same inputs.
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
    /// How far the wall clock was ahead of the monotonic one when it was last
    /// read.
    wall_ahead: f64,
    /// The chance that came last, and how often it was asked for.
    chance: f64,
    draws: f64,
}

/// What to do next.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send a request; then [`Engine::handle_headers`] and the body or the whole
    /// reply, or [`Engine::handle_send_error`].
    Send { send: Id, request: HttpRequest },
    /// Ask the token provider; then [`Engine::handle_token`].
    Ask { question: Id, force_refresh: bool },
    /// Nobody waits for this send or question any more, or its time is over.
    Cancel { id: Id },
    /// What came with this send, beside the engine, is not needed any more.
    Forget {
        #[cfg_attr(not(feature = "npm"), allow(dead_code))]
        id: Id,
    },
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
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
    pub send: Id,
    pub response: HttpResponse,
    /// Whether its headers quoted a secret.
    #[cfg_attr(not(feature = "npm"), allow(dead_code))]
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
    /// In the order of their ids.
    groups: Vec<Slot>,
    /// How many of them are over.
    gaps: usize,
    /// Sends, in the order of their ids, and the group of each.
    sends: Vec<(Id, Id)>,
    /// When the first group is due; infinite where there is none.
    due: f64,
    /// Whether the group that was the first is due later by now, or over.
    is_late: bool,
    /// No group that waits has a lower number.
    lowest: f64,
    question: Option<Question>,
    /// How many in a row were superseded by another provider.
    superseded: u32,
    /// Those that were carried out or withdrawn are gaps.
    commands: Vec<Option<Command>>,
    /// How many commands were taken.
    taken: usize,
    /// The last send or question that was begun.
    begun: Id,
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
            chance: 0.5,
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
            gaps: 0,
            sends: Vec::new(),
            due: f64::INFINITY,
            is_late: false,
            lowest: f64::INFINITY,
            question: None,
            superseded: 0,
            commands: Vec::new(),
            taken: 0,
            begun: 0,
            at: Moment {
                now: 0.0,
                wall: f64::NAN,
                random: 0.0,
            },
        }
    }

    /// Whether the wall clock decides what to send: a token tells its end.
    pub fn wants_wall(&self) -> bool {
        lock(&self.forks).is_some_and(|shared| shared.tokens.expires())
    }

    /// Whether no call is under way.
    #[cfg(any(feature = "npm", test))]
    pub fn is_idle(&self) -> bool {
        self.gaps == self.groups.len()
    }

    /// When the latest 429 came that may pass, and until when all calls pause.
    pub fn limit(&self) -> (f64, f64) {
        lock(&self.forks).map_or((0.0, 0.0), |shared| shared.pauses.limit())
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
                if let Command::Send { send: id, .. } | Command::Ask { question: id, .. } = command
                {
                    self.begun = id;
                }
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
        self.due
    }

    /// Time has passed.
    pub fn handle_timeout(&mut self, at: Moment) {
        self.begin(at);
        self.serve(0.0);
        for place in 0..self.groups.len() {
            if let Some(group) = self.take_at(place, |group| group.due() <= at.now) {
                self.handle_due(group);
            }
        }
        self.finish();
    }

    /// Called first by every input.
    fn begin(&mut self, at: Moment) {
        self.exchange();
        let shared = &mut self.shared;
        self.at = at;
        if at.wall.is_nan() {
            self.at.wall = at.now + shared.wall_ahead;
        }
        shared.wall_ahead = self.at.wall - at.now;
        if (0.0..1.0).contains(&at.random) {
            (shared.chance, shared.draws) = (at.random, 0.0);
        }
        self.follow_the_provider();
    }

    /// Called last by every input.
    fn finish(&mut self) {
        self.drop_question_without_group();
        // Seldom, so that many calls at once do not all pass over each other.
        if self.gaps * 2 > self.groups.len() {
            self.close_gaps();
        }
        if self.is_late {
            self.is_late = false;
            self.due = f64::INFINITY;
            for slot in &self.groups {
                self.due = self.due.min(slot.due);
            }
        }
        self.exchange();
    }

    fn close_gaps(&mut self) {
        self.groups.retain(|slot| slot.group.is_some());
        self.gaps = 0;
        let groups = &self.groups;
        self.sends
            .retain(|(_, group)| place_of(groups, *group).is_some());
    }

    /// Takes what is shared with the forks, or gives it back.
    fn exchange(&mut self) {
        if let Some(mut kept) = lock(&self.forks) {
            swap(&mut self.shared, &mut kept);
        }
    }

    fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter_map(|slot| slot.group.as_deref())
    }

    /// Takes a group out, to be looked at and [put back](Self::put_back), if it
    /// is the one that is looked for. Places change between inputs only.
    fn take_at(&mut self, place: usize, is_it: impl Fn(&Group) -> bool) -> Option<Box<Group>> {
        let slot = self.groups.get_mut(place)?;
        let mut group = slot.group.take_if(|group| is_it(group))?;
        group.place = place;
        Some(group)
    }

    fn take_first(&mut self, is_it: impl Fn(&Group) -> bool) -> Option<Box<Group>> {
        (0..self.groups.len()).find_map(|place| self.take_at(place, &is_it))
    }

    fn take(&mut self, id: Id) -> Option<Box<Group>> {
        let place = place_of(&self.groups, id)?;
        self.take_at(place, |_| true)
    }

    /// The group of a send in flight.
    fn take_sent(&mut self, send: Id) -> Option<Box<Group>> {
        let place = self.place_of_send(send)?;
        self.take_at(place, |group| group.is_sent_as(send))
    }

    fn place_of_send(&self, send: Id) -> Option<usize> {
        let at = self.sends.binary_search_by_key(&send, |(send, _)| *send);
        let (_, group) = self.sends.get(at.ok()?)?;
        place_of(&self.groups, *group)
    }

    /// Gives the group an id and a place, to be [put back](Self::put_back) in.
    fn insert(&mut self, group: &mut Group) {
        group.id = self.next_id();
        group.place = self.groups.len();
        self.groups.push(Slot {
            id: group.id,
            due: f64::INFINITY,
            group: None,
        });
    }

    /// A group for which nobody waits any more is over.
    fn put_back(&mut self, group: Box<Group>) {
        let is_over = group.calls.is_empty();
        if let Some(slot) = self.groups.get_mut(group.place) {
            self.is_late |= slot.due <= self.due;
            slot.due = if is_over { f64::INFINITY } else { group.due() };
            self.due = self.due.min(slot.due);
            if !is_over {
                slot.group = Some(group);
                return;
            }
        }
        self.gaps += 1;
        self.end(&group);
    }

    fn next_id(&mut self) -> Id {
        self.shared.last_id += 1;
        self.shared.last_id
    }

    /// A number from 0 to 1, without 1: the one that came last, then others,
    /// spread evenly by the golden ratio.
    fn random(&mut self) -> f64 {
        let Shared { chance, draws, .. } = &mut *self.shared;
        let number = *chance + *draws * 0.618_033_988_749_895;
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
    #[cfg(feature = "npm")]
    pub fn redact(&mut self, id: Id, text: &mut String) {
        self.exchange();
        let slot = self
            .place_of_send(id)
            .and_then(|place| self.groups.get(place));
        let group = slot.and_then(|slot| slot.group.as_deref());
        self.redactor(group).redact(text);
        self.exchange();
    }

    /// Knows what a token provider may quote.
    #[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
    pub fn redactor_of_tokens(&mut self) -> Redactor {
        self.exchange();
        let redactor = self.redactor(None);
        self.exchange();
        redactor
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

    /// Who waits for the reply to a send, as a caller or behind it.
    pub fn callers_of(&self, send: Id) -> Vec<Id> {
        let at = |place: usize| self.groups.get(place)?.group.as_deref();
        let group = self.place_of_send(send).and_then(at);
        let behind = group.and_then(|group| at(place_of(&self.groups, group.behind?)?));
        let calls = [group, behind].into_iter().flatten();
        let calls = calls.flat_map(|group| &group.calls);
        calls.map(|call| call.id).collect()
    }

    /// Gives up a send or a question.
    fn cancel(&mut self, id: Id) {
        if self.is_begun(id) {
            self.command(Command::Cancel { id });
        } else {
            self.withdraw(id);
        }
    }

    fn command(&mut self, command: Command) {
        self.commands.push(Some(command));
    }

    /// Whether the command to begin a send or a question was taken.
    fn is_begun(&self, id: Id) -> bool {
        id <= self.begun
    }

    /// Takes back the command to begin a send or a question, or what a call came
    /// to.
    fn withdraw(&mut self, id: Id) {
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
            }
        }
    }
}

/// Where a group is kept. It is not there where it is over, or
/// [taken](Engine::take_at) to be looked at.
struct Slot {
    id: Id,
    /// When the group is [due](Group::due); infinite where it is over.
    due: f64,
    group: Option<Box<Group>>,
}

fn place_of(groups: &[Slot], id: Id) -> Option<usize> {
    groups.binary_search_by_key(&id, |slot| slot.id).ok()
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
