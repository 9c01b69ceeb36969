//! The state that a driver keeps behind its lock.

use std::{collections::BTreeMap, sync::Arc};

use super::{
    bearer_token::Provider,
    pool::{Place, Pool, Work},
};
use crate::{
    engine::{Command, Engine, Event, Id, Outcome},
    threads::Local,
};

/// The timer's id; the engine's ids start at 1.
const TIMER: Id = 0;

pub(super) struct State {
    pub engine: Engine,
    pub provider: Option<Local<Arc<Provider>>>,
    pub pool: Local<Pool>,
    pub outcomes: BTreeMap<Id, Box<Outcome>>,
    /// When the timer ends; infinite where there is none.
    pub timer_at: f64,
    /// The time of the last input. Another thread may arrive with an earlier one.
    pub now: f64,
}

/// What has to be done outside the lock.
pub(super) enum Step<Task> {
    /// To be dropped.
    Over(Task),
    Tell(Event),
    Settled(Id),
}

impl State {
    pub fn new(engine: Engine) -> Self {
        Self {
            engine,
            provider: None,
            pool: Local::new(Pool::default()),
            outcomes: BTreeMap::new(),
            timer_at: f64::INFINITY,
            now: f64::NEG_INFINITY,
        }
    }

    /// Executes commands until there is something to do outside the lock; `None`
    /// when no command is left. Holding the lock keeps commands and tasks in step.
    pub fn step(&mut self, own: &Place) -> Option<Step<impl Sized + use<>>> {
        loop {
            match self.engine.poll_command() {
                Some(Command::Send { send, request }) => {
                    self.pool.insert(send, own, Work::Send(request));
                }
                Some(Command::Ask {
                    question,
                    force_refresh,
                }) => self.pool.insert(question, own, Work::Ask { force_refresh }),
                Some(Command::Cancel { id }) => return Some(Step::Over(self.pool.remove(id))),
                // In Rust an error holds its own cause.
                Some(Command::Forget { .. }) => {}
                Some(Command::Emit(event)) => return Some(Step::Tell(event)),
                Some(Command::Settle { call, outcome }) => {
                    self.outcomes.insert(call, outcome);
                    return Some(Step::Settled(call));
                }
                None => {
                    // A timer that fires too early is kept, and set again when it fires.
                    let at = self.engine.poll_timeout();
                    if at == self.timer_at || (at > self.timer_at && at.is_finite()) {
                        return None;
                    }
                    self.timer_at = at;
                    let old = self.pool.remove(TIMER);
                    if at.is_finite() {
                        self.pool.insert(TIMER, own, Work::SleepUntil(at));
                    }
                    return Some(Step::Over(old));
                }
            }
        }
    }
}
