//! What may go from thread to thread. On a host any thread may use a client, so
//! all that it holds can go along. On wasm32 there is one thread, and the values
//! of JavaScript stay on it.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

#[cfg(target_arch = "wasm32")]
mod bounds {
    /// Anything; on hosts what is `Send`. A future that holds JavaScript's
    /// values, as those of `fetch` do, can be given on wasm32, and any thread
    /// may own a client on a host.
    pub trait MaybeSend {}

    impl<T: ?Sized> MaybeSend for T {}

    /// Anything; on hosts what is `Sync`.
    pub trait MaybeSync {}

    impl<T: ?Sized> MaybeSync for T {}
}

#[cfg(not(target_arch = "wasm32"))]
mod bounds {
    /// What is `Send`; on wasm32 anything. A future that holds JavaScript's
    /// values, as those of `fetch` do, can be given on wasm32, and any thread
    /// may own a client on a host.
    pub trait MaybeSend: Send {}

    impl<T: Send + ?Sized> MaybeSend for T {}

    /// What is `Sync`; on wasm32 anything.
    pub trait MaybeSync: Sync {}

    impl<T: Sync + ?Sized> MaybeSync for T {}
}

pub use bounds::{MaybeSend, MaybeSync};

/// `dyn` of a trait, `Send` and `Sync` on hosts.
#[cfg(not(target_arch = "wasm32"))]
macro_rules! shared {
    (dyn $($of:tt)+) => { dyn $($of)+ + Send + Sync };
}
#[cfg(target_arch = "wasm32")]
macro_rules! shared {
    (dyn $($of:tt)+) => { dyn $($of)+ };
}
pub(crate) use shared;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
#[cfg(target_arch = "wasm32")]
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T>>>;

/// Locks also what was locked when a thread panicked: the others go on.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A value of one thread in a client that any thread may own: others panic.
#[cfg(target_arch = "wasm32")]
pub(crate) use send_wrapper::SendWrapper as Local;

/// On hosts values go anywhere by themselves.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Clone, Default)]
pub(crate) struct Local<T>(T);

#[cfg(not(target_arch = "wasm32"))]
impl<T> Local<T> {
    pub fn new(value: T) -> Self {
        Self(value)
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl<T> std::ops::Deref for Local<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl<T> std::ops::DerefMut for Local<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
