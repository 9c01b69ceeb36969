//! The futures that the calls of a client drive together.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, Weak,
        atomic::{AtomicBool, Ordering},
    },
    task::Wake,
};

use super::{bearer_token::BearerToken, hub::Hub, running::Whose, state::State};
use crate::{
    engine::Id,
    error::Error,
    threads::{BoxFuture, Local, lock},
    transport::{HttpRequest, HttpResponse},
};

/// The work of a task. The application's and the transport's code first runs when
/// the task is polled.
pub(super) enum Work {
    Send(HttpRequest),
    Ask {
        force_refresh: bool,
    },
    SleepUntil(f64),
    Running {
        future: BoxFuture<Done>,
        whose: Whose,
    },
}

/// The result of a task.
pub(super) enum Done {
    Reply(Result<HttpResponse, Error>),
    Token(Result<BearerToken, Error>),
    Slept,
}

/// The tasks of a client.
#[derive(Default)]
pub(super) struct Pool(BTreeMap<Id, Task>);

struct Task {
    alarm: Arc<Alarm>,
    /// `None` while it is being polled.
    work: Option<Work>,
    /// Whether it was woken while it was being polled.
    is_missed: bool,
}

/// A task taken out to be polled.
pub(super) struct Taken {
    pub alarm: Arc<Alarm>,
    pub work: Work,
}

impl Pool {
    pub fn insert(&mut self, id: Id, at: &Place, work: Work) {
        let alarm = Arc::new(Alarm {
            at: at.clone(),
            task: id,
            rings: AtomicBool::new(true),
        });
        let task = Task {
            alarm,
            work: Some(work),
            is_missed: false,
        };
        self.0.insert(id, task);
        at.hub.add(id);
    }

    /// Takes a task out, because no lock is held while a future is polled.
    pub fn take_out(&mut self, id: Id) -> Option<Taken> {
        let task = self.0.get_mut(&id)?;
        let work = task.work.take();
        task.is_missed = work.is_none();
        Some(Taken {
            work: work?,
            alarm: Arc::clone(&task.alarm),
        })
    }

    /// Puts back an unfinished task; returns it if nobody waits for it any more.
    #[must_use = "what is given back is to be dropped after the lock"]
    pub fn put_back(&mut self, id: Id, taken: Taken) -> Option<Taken> {
        match self.0.get_mut(&id) {
            Some(task) if Arc::ptr_eq(&task.alarm, &taken.alarm) => {
                task.work = Some(taken.work);
                if task.is_missed {
                    task.alarm.at.hub.add(id);
                }
                None
            }
            _ => Some(taken),
        }
    }

    /// Ends a task; `false` if nobody waits for it any more.
    pub fn finish(&mut self, id: Id, alarm: &Arc<Alarm>) -> bool {
        let is_own = |task: &Task| Arc::ptr_eq(&task.alarm, alarm);
        let is_wanted = self.0.get(&id).is_some_and(is_own);
        if is_wanted {
            self.0.remove(&id);
        }
        is_wanted
    }

    #[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Removes a task that nobody waits for any more.
    #[must_use = "what is given back is to be dropped after the lock"]
    pub fn remove(&mut self, id: Id) -> Option<impl Sized + use<>> {
        self.0.remove(&id)
    }
}

/// The owner of tasks.
#[derive(Clone)]
pub(super) struct Place {
    pub hub: Arc<Hub>,
    pub state: Local<Weak<Mutex<State>>>,
}

/// The waker of a task.
pub(super) struct Alarm {
    at: Place,
    task: Id,
    /// Whether the task is queued already.
    rings: AtomicBool,
}

impl Alarm {
    /// Notes that the task is about to be polled.
    pub fn stop(&self) {
        self.rings.store(false, Ordering::Release);
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if !self.rings.swap(true, Ordering::AcqRel) {
            self.at.hub.add(self.task);
            let state = self.at.state.upgrade();
            let callers =
                state.map_or_else(Vec::new, |state| lock(&state).engine.callers_of(self.task));
            self.at.hub.call(&callers);
        }
    }
}
