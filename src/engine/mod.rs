//! The sans-I/O core: it makes every decision for all calls of a client, and has
//! no clock, timer, promise or executor. A driver reports what happens (`call`,
//! `abandon`, `set_bearer_token`, `handle_…`), takes commands one at a time
//! (`poll_command`) and executes them, and calls `handle_timeout` at
//! `poll_timeout`. The drivers are `client/` for Rust and `pkg/src/driver.ts`
//! for the npm package.
//!
//! A command is executed only after the borrow of the engine has ended, because a
//! provider, a listener or a `fetch` may call the client synchronously.
//!
//! - A *call* is what the application waits for, with its own deadline.
//! - A *group* is one request on behalf of equal calls, with its retries. It
//!   lives as long as one of them waits.
//! - A *send* is one attempt of a group; a *question* is one call of the token
//!   provider.

mod attempts;
mod calls;
#[cfg(test)]
mod check;
#[cfg(test)]
mod edges;
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
mod secret;
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
#[cfg(target_arch = "wasm32")]
pub(crate) use outcome::{MAX_BODY_BYTES, has_words};
pub(crate) use redact::Redactor;
pub(crate) use retry::Limits;
pub(crate) use secret::Secret;

use crate::{
    dto::AiChatUsageResponse,
    error::Error,
    transport::{HttpRequest, HttpResponse},
    wire::{base_url::BaseUrl, decode::Integers},
};

/// Identifies a call, group, send or question; all share one sequence.
pub(crate) type Id = u64;

/// The time and the random number that come with an input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Moment {
    /// Milliseconds of the monotonic clock.
    pub now: f64,
    /// Milliseconds since 1970. Prerendered pages may read neither the wall clock
    /// nor a random number before their first request. So it is NaN when a call
    /// begins or ends or a token is set or given, unless
    /// [`Engine::wants_wall`].
    pub wall: f64,
    /// A number in [0, 1); NaN for the same inputs as `wall`.
    pub random: f64,
}

/// The configuration of a client.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub base_url: BaseUrl,
    pub api_key: Option<String>,
    pub integers: Integers,
    /// Whether retries are paced by tickets.
    pub paces_retries: bool,
    /// Whether there is an event listener.
    pub listens: bool,
    /// Whether equal calls share requests, and calls that wait for a token share
    /// the question.
    pub shares: bool,
}

/// State shared by all calls of a client, even those that share nothing in
/// flight.
#[derive(Default)]
struct Shared {
    api_key: Option<Arc<Secret>>,
    tokens: Tokens,
    tickets: Tickets,
    pauses: Pauses,
    /// Counts the identities that the tokens stood for.
    identity: u64,
    /// The last id that was assigned.
    last_id: Id,
    /// The wall clock minus the monotonic clock, when both were last read.
    wall_ahead: f64,
    /// The last random number, and how many were derived from it.
    random: f64,
    draws: f64,
}

/// What the driver has to do next.
#[derive(Debug)]
pub(crate) enum Command {
    /// Send a request; then [`Engine::handle_headers`] and the body or the whole
    /// reply, or [`Engine::handle_send_error`].
    Send { send: Id, request: HttpRequest },
    /// Ask the token provider; then [`Engine::handle_token`].
    Ask { question: Id, force_refresh: bool },
    /// This send or question timed out, or its result is not wanted any more.
    Cancel { id: Id },
    /// What the driver kept for this send is no longer needed.
    Forget {
        #[cfg_attr(not(feature = "npm"), allow(dead_code))]
        id: Id,
    },
    /// Notify the listener.
    Emit(Event),
    /// The call is over.
    Settle { call: Id, outcome: Box<Outcome> },
}

/// The outcome of a call.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub result: Result<Arc<Success>, Arc<Error>>,
    /// When its turn would have come, in milliseconds since 1970, if the call
    /// could not wait for it.
    pub turn_at: Option<f64>,
    /// Every attempt of the call.
    pub attempts: Vec<Attempt>,
    /// How long the call took, in milliseconds.
    pub elapsed_ms: f64,
}

impl Outcome {
    /// The earliest useful time to ask again, in milliseconds since 1970.
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

/// An event of a call.
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
    /// Taken from the forks while an input is handled.
    shared: Box<Shared>,
    forks: Forks,
    /// Ordered by id.
    groups: Vec<Slot>,
    /// How many of the slots are empty.
    gaps: usize,
    /// Sends and the group of each, ordered by id.
    sends: Vec<(Id, Id)>,
    /// When the first group is due; infinite if there is none.
    due: f64,
    /// Whether `due` may be too early, because that group has changed or ended.
    is_late: bool,
    /// A lower bound for the ticket numbers of waiting groups.
    lowest: f64,
    question: Option<Question>,
    /// How many questions in a row were superseded by another provider.
    superseded: u32,
    /// Commands that were taken or withdrawn are gaps.
    commands: Vec<Option<Command>>,
    /// How many commands have been taken.
    taken: usize,
    /// The last send or question that the driver began.
    begun: Id,
    /// The moment of the current input.
    at: Moment,
}

impl Engine {
    // See `Forks`.
    #[cfg_attr(feature = "npm", allow(clippy::arc_with_non_send_sync))]
    pub fn new(config: Config) -> Self {
        let api_key = config.api_key.clone();
        let shared = Shared {
            api_key: api_key.map(Secret::new).map(Arc::new),
            random: 0.5,
            ..Shared::default()
        };
        Self::over(Arc::new(config), Forks::new(Box::new(shared).into()))
    }

    /// Makes ids go on after those of an engine that this one stands in for.
    #[cfg(feature = "npm")]
    pub fn with_ids_after(self, last: Id) -> Self {
        if let Some(mut shared) = lock(&self.forks) {
            shared.last_id = last;
        }
        self
    }

    /// A new engine that shares tokens, pauses and retry pacing with this one, and
    /// has nothing in flight.
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

    /// Whether the wall clock matters for the next request, because a token has an
    /// expiry.
    pub fn wants_wall(&self) -> bool {
        lock(&self.forks).is_some_and(|shared| shared.tokens.expires())
    }

    /// Whether no call is in progress.
    #[cfg(any(feature = "npm", test))]
    pub fn is_idle(&self) -> bool {
        self.gaps == self.groups.len()
    }

    /// When the latest retryable 429 arrived, and until when all calls pause.
    pub fn limit(&self) -> (f64, f64) {
        lock(&self.forks).map_or((0.0, 0.0), |shared| shared.pauses.limit())
    }

    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The next command. Commands are taken one at a time, because executing one
    /// may produce others.
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
        // Gives back what the most at once have taken.
        self.commands = Vec::new();
        self.taken = 0;
        None
    }

    /// When to call [`handle_timeout`](Self::handle_timeout); infinite for never.
    pub fn poll_timeout(&self) -> f64 {
        let asked = self.question.as_ref();
        asked.map_or(self.due, |asked| self.due.min(asked.hung_at))
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

    /// Begins every input.
    fn begin(&mut self, at: Moment) {
        self.exchange();
        let shared = &mut self.shared;
        self.at = at;
        if at.wall.is_nan() {
            self.at.wall = at.now + shared.wall_ahead;
        }
        shared.wall_ahead = self.at.wall - at.now;
        if (0.0..1.0).contains(&at.random) {
            (shared.random, shared.draws) = (at.random, 0.0);
        }
        shared.pauses.pass(at.now);
        self.supersede_useless_question();
    }

    /// Ends every input.
    fn finish(&mut self) {
        self.leave_question();
        // Rarely, so that compaction stays cheap with many concurrent calls.
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
        if self.groups.is_empty() {
            // Gives back what the most at once have taken.
            self.groups = Vec::new();
            self.sends = Vec::new();
        }
    }

    /// Takes the state shared with the forks, or gives it back.
    fn exchange(&mut self) {
        if let Some(mut kept) = lock(&self.forks) {
            swap(&mut self.shared, &mut kept);
        }
    }

    fn groups(&self) -> impl Iterator<Item = &Group> {
        self.groups.iter().filter_map(|slot| slot.group.as_deref())
    }

    /// Takes the group at `place` out if it is the wanted one; it must be
    /// [put back](Self::put_back). Places change only between inputs.
    fn take_at(&mut self, place: usize, is_it: impl Fn(&Group) -> bool) -> Option<Box<Group>> {
        let slot = self.groups.get_mut(place)?;
        let mut group = slot.group.take_if(|group| is_it(group))?;
        group.place = place;
        Some(group)
    }

    fn take_newest(&mut self, is_it: impl Fn(&Group) -> bool) -> Option<Box<Group>> {
        let mut places = (0..self.groups.len()).rev();
        places.find_map(|place| self.take_at(place, &is_it))
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

    /// Assigns the group an id and a place; it is still to be
    /// [put back](Self::put_back).
    fn insert(&mut self, group: &mut Group) {
        group.id = self.next_id();
        group.place = self.groups.len();
        self.groups.push(Slot {
            id: group.id,
            due: f64::INFINITY,
            group: None,
        });
    }

    /// Puts a group back, or ends it if nobody waits for it any more.
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

    /// A number in [0, 1): the input's own, then more, spread evenly by the golden
    /// ratio.
    fn random(&mut self) -> f64 {
        let Shared { random, draws, .. } = &mut *self.shared;
        let number = *random + *draws * 0.618_033_988_749_895;
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

    /// Redacts text that came with a send or a question.
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

    /// A redactor for what a token provider may quote.
    #[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
    pub fn redactor_of_tokens(&mut self) -> Redactor {
        self.exchange();
        let redactor = self.redactor(None);
        self.exchange();
        redactor
    }

    /// A redactor for the API key, the tokens of a group, and the client's own.
    fn redactor(&self, group: Option<&Group>) -> Redactor {
        let mut redactor = Redactor::default();
        if let Some(group) = group {
            for token in &group.tokens {
                redactor.add(token);
            }
        }
        for token in self.shared.tokens.known() {
            redactor.add(token);
        }
        if let Some(key) = &self.shared.api_key {
            redactor.add(key);
        }
        redactor
    }

    /// The calls that wait for the reply to a send, or behind it.
    pub fn callers_of(&self, send: Id) -> Vec<Id> {
        let at = |place: usize| self.groups.get(place)?.group.as_deref();
        let group = self.place_of_send(send).and_then(at);
        let behind = group.and_then(|group| at(place_of(&self.groups, group.behind?)?));
        let calls = [group, behind].into_iter().flatten();
        let calls = calls.flat_map(|group| &group.calls);
        calls.map(|call| call.id).collect()
    }

    /// Cancels a send or a question.
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

    /// Whether the driver has taken the command for a send or a question.
    fn is_begun(&self, id: Id) -> bool {
        id <= self.begun
    }

    /// Withdraws the command for a send or a question, or the outcome of a call.
    fn withdraw(&mut self, id: Id) {
        for command in &mut self.commands {
            let of = match command {
                Some(Command::Send { send, .. }) => *send,
                Some(Command::Ask { question, .. }) => *question,
                Some(Command::Settle { call, .. }) => *call,
                // What the listener is told of it.
                Some(Command::Emit(event)) => match event.what {
                    What::Attempt { send } => send,
                    What::Success { .. } | What::Error { .. } => event.call,
                    _ => continue,
                },
                _ => continue,
            };
            if of == id {
                *command = None;
            }
        }
    }
}

/// The place of a group. Empty if the group is over, or has been
/// [taken](Engine::take_at).
struct Slot {
    id: Id,
    /// When the group is [due](Group::due); infinite if it is over.
    due: f64,
    group: Option<Box<Group>>,
}

fn place_of(groups: &[Slot], id: Id) -> Option<usize> {
    groups.binary_search_by_key(&id, |slot| slot.id).ok()
}

/// The state that an engine and its forks share between inputs. The npm package
/// has one thread, and a mutex would add too much code.
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
