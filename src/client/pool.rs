//! The futures that calls drive together, and who is woken for them.

use std::{
    collections::{BTreeMap, VecDeque},
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    task::{Wake, Waker},
};

use super::bearer_token::BearerToken;
use crate::{
    engine::Id,
    error::Error,
    transport::{HttpRequest, HttpResponse},
};

/// Something to wait for. What the application or the transport brought is
/// first run when the task is polled.
pub(super) enum Work {
    Send(HttpRequest),
    Ask {
        force_refresh: bool,
    },
    SleepUntil(f64),
    Running {
        future: Running,
        /// Whether it is the token provider's.
        asks: bool,
    },
}

pub(super) type Running = Pin<Box<dyn Future<Output = Done>>>;

/// What a task came to.
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
}

/// A task that was taken out to be polled.
pub(super) struct Taken {
    pub alarm: Arc<Alarm>,
    pub work: Work,
}

impl Pool {
    pub fn insert(&mut self, id: Id, hub: &Arc<Hub>, work: Work) {
        let alarm = Arc::new(Alarm {
            hub: Arc::clone(hub),
            task: id,
            poller: AtomicU64::new(0),
            rings: AtomicBool::new(true),
        });
        self.0.insert(
            id,
            Task {
                alarm,
                work: Some(work),
            },
        );
        hub.lock().ready.push_back(id);
    }

    /// Nothing is locked while a future is polled, so it is taken out.
    pub fn take_out(&mut self, id: Id) -> Option<Taken> {
        let task = self.0.get_mut(&id)?;
        Some(Taken {
            work: task.work.take()?,
            alarm: Arc::clone(&task.alarm),
        })
    }

    /// It is not over; given back where nobody waits for it any more.
    #[must_use = "what is given back is to be dropped after the lock"]
    pub fn put_back(&mut self, id: Id, taken: Taken) -> Option<Taken> {
        match self.0.get_mut(&id) {
            Some(task) if Arc::ptr_eq(&task.alarm, &taken.alarm) => {
                task.work = Some(taken.work);
                None
            }
            _ => Some(taken),
        }
    }

    /// It is over. `false`: nobody waits for it any more.
    pub fn finish(&mut self, id: Id, alarm: &Arc<Alarm>) -> bool {
        let is_own = |task: &Task| Arc::ptr_eq(&task.alarm, alarm);
        let is_wanted = self.0.get(&id).is_some_and(is_own);
        if is_wanted {
            self.0.remove(&id);
        }
        is_wanted
    }

    #[cfg(target_arch = "wasm32")]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Nobody waits for it any more.
    #[must_use = "what is given back is to be dropped after the lock"]
    pub fn remove(&mut self, id: Id) -> Option<impl Sized + use<>> {
        self.0.remove(&id)
    }
}

/// Which tasks want to be polled, and which calls can poll them. No lock is
/// held while a waker is used or dropped: each may run any code.
#[derive(Default)]
pub(super) struct Hub(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    ready: VecDeque<Id>,
    calls: BTreeMap<Id, Waker>,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `call` is being polled.
    pub fn enter(&self, call: Id, waker: &Waker) {
        let is_known = |own: &Waker| own.will_wake(waker);
        if !self.lock().calls.get(&call).is_some_and(is_known) {
            let waker = waker.clone();
            let old = self.lock().calls.insert(call, waker);
            drop(old);
        }
    }

    /// Whether nobody polls.
    #[cfg(target_arch = "wasm32")]
    pub fn is_deserted(&self) -> bool {
        self.lock().calls.is_empty()
    }

    /// `call` is over: whatever it was woken for is another one's to do.
    pub fn leave(&self, call: Id) {
        let own = self.lock().calls.remove(&call);
        drop(own);
        self.hand_over();
    }

    /// A call has to poll what is ready.
    pub fn hand_over(&self) {
        let next = {
            let waiting = self.lock();
            let is_ready = !waiting.ready.is_empty();
            waiting
                .calls
                .values()
                .next_back()
                .filter(|_| is_ready)
                .cloned()
        };
        next.inspect(Waker::wake_by_ref);
    }

    pub fn wake(&self, call: Id) {
        let waker = self.lock().calls.get(&call).cloned();
        waker.inspect(Waker::wake_by_ref);
    }

    /// A task that wants to be polled.
    pub fn next(&self) -> Option<Id> {
        self.lock().ready.pop_front()
    }
}

/// The waker of a task. It wakes the call that polled the task last, or
/// another one where that call is over.
pub(super) struct Alarm {
    hub: Arc<Hub>,
    task: Id,
    poller: AtomicU64,
    /// Whether the task waits to be polled already.
    rings: AtomicBool,
}

impl Alarm {
    /// The task is about to be polled.
    pub fn stop(&self, poller: Id) {
        self.poller.store(poller, Ordering::Relaxed);
        self.rings.store(false, Ordering::Release);
    }
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.rings.swap(true, Ordering::AcqRel) {
            return;
        }
        let waker = {
            let mut waiting = self.hub.lock();
            waiting.ready.push_back(self.task);
            let poller = waiting.calls.get(&self.poller.load(Ordering::Relaxed));
            poller
                .or_else(|| waiting.calls.values().next_back())
                .cloned()
        };
        waker.inspect(Waker::wake_by_ref);
    }
}
