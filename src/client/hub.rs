//! Which tasks are ready to be polled, and which calls can poll them.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Mutex, MutexGuard},
    task::Waker,
};

use crate::{engine::Id, threads::lock};

/// Whichever call is polled next polls every ready task, and it is unknown which
/// one that will be: a call may sit in a queue that is not being polled. So a
/// ready task wakes all calls, or for a reply those that share its request. They
/// are woken once, until no task is left.
///
/// No lock is held while a waker is used or dropped, because it may run any code.
#[derive(Default)]
pub(super) struct Hub(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    tasks: VecDeque<Id>,
    calls: BTreeMap<Id, Waker>,
    /// Whether the calls have been woken for these tasks.
    are_woken: bool,
}

impl Hub {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        lock(&self.0)
    }

    /// Notes that `call` is being polled.
    pub fn enter(&self, call: Id, waker: &Waker) {
        let is_known = |own: &Waker| own.will_wake(waker);
        if !self.lock().calls.get(&call).is_some_and(is_known) {
            let waker = waker.clone();
            let old = self.lock().calls.insert(call, waker);
            drop(old);
        }
    }

    /// Forgets `call`, which is over.
    pub fn leave(&self, call: Id) {
        let waker = self.lock().calls.remove(&call);
        drop(waker);
    }

    /// Whether no call is polling.
    #[cfg(all(target_arch = "wasm32", not(feature = "npm")))]
    pub fn is_deserted(&self) -> bool {
        self.lock().calls.is_empty()
    }

    /// Adds a ready task. The caller then polls it, or [wakes](Self::call) others.
    pub fn add(&self, task: Id) {
        self.lock().tasks.push_back(task);
    }

    /// Takes a ready task.
    pub fn next(&self) -> Option<Id> {
        let mut waiting = self.lock();
        let task = waiting.tasks.pop_front();
        waiting.are_woken &= task.is_some();
        task
    }

    /// Wakes `some` calls, or all if there are none of those, unless all have been
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

    /// While this guard lives, somebody is polling the tasks. When it is dropped,
    /// even by a panic in foreign code, the calls are woken for the tasks left.
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
