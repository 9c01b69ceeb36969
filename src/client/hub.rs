//! Which tasks want to be polled, and which calls can poll them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard},
    task::Waker,
};

use crate::{engine::Id, threads::lock};

/// Whichever call is polled next polls every task that is ready, and nobody
/// knows which one that will be: a call may wait in a queue that nobody looks at
/// just now. So a ready task wakes all calls, or for a reply those that share
/// its request. They are woken once, until no task is left.
///
/// No lock is held while a waker is used or dropped: each may run any code.
#[derive(Default)]
pub(super) struct Hub(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Id>,
    calls: BTreeMap<Id, Waker>,
    /// Whether the calls were woken for the tasks.
    are_woken: bool,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.0)
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

    /// `call` is over.
    pub fn leave(&self, call: Id) {
        let waker = self.lock().calls.remove(&call);
        drop(waker);
    }

    /// Whether nobody polls.
    #[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
    pub fn is_deserted(&self) -> bool {
        self.lock().calls.is_empty()
    }

    /// A task wants to be polled. Whoever adds it is about to, or [calls](Self::call).
    pub fn add(&self, task: Id) {
        self.lock().tasks.push_back(task);
    }

    /// A task that wants to be polled.
    pub fn next(&self) -> Option<Id> {
        let mut waiting = self.lock();
        let task = waiting.tasks.pop_front();
        waiting.are_woken &= task.is_some();
        task
    }

    /// Wakes `some` calls, or all where there are none of those, unless all are
    /// woken already.
    pub fn call(&self, some: &[Id]) {
        let wakers: Vec<_> = {
            let mut waiting = self.lock();
            if waiting.are_woken {
                return;
            }
            let own = some.iter().filter_map(|call| waiting.calls.get(call));
            let own: Vec<_> = own.cloned().collect();
            if own.is_empty() {
                waiting.are_woken = true;
                waiting.calls.values().cloned().collect()
            } else {
                own
            }
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    pub fn wake(&self, call: Id) {
        let waker = self.lock().calls.get(&call).cloned();
        waker.inspect(Waker::wake_by_ref);
    }

    /// For as long as it lives somebody is at the tasks; then whoever is left
    /// with some is woken, also where the code of others has panicked.
    pub fn attend(&self) -> impl Sized {
        Attended(self)
    }
}

struct Attended<'a>(&'a Hub);

impl Drop for Attended<'_> {
    fn drop(&mut self) {
        let is_any_left = {
            let mut waiting = self.0.lock();
            waiting.are_woken = false;
            !waiting.tasks.is_empty()
        };
        if is_any_left {
            self.0.call(&[]);
        }
    }
}
