//! Bounds and wrappers for threads. On a host any thread may use a client, so
//! everything it holds is `Send`. On wasm32, JavaScript values stay on their
//! thread.

use std::{
    future::Future,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
};

#[cfg(target_arch = "wasm32")]
mod bounds {
    /// Any type; on hosts, any `Send` type. So on wasm32 a future may hold
    /// JavaScript values, as those of `fetch` do, and on a host any thread may
    /// own a client.
    pub trait MaybeSend {}

    impl<T: ?Sized> MaybeSend for T {}

    /// Any type; on hosts, any `Sync` type.
    pub trait MaybeSync {}

    impl<T: ?Sized> MaybeSync for T {}
}

#[cfg(not(target_arch = "wasm32"))]
mod bounds {
    /// Any `Send` type; on wasm32, any type. So on wasm32 a future may hold
    /// JavaScript values, as those of `fetch` do, and on a host any thread may
    /// own a client.
    pub trait MaybeSend: Send {}

    impl<T: Send + ?Sized> MaybeSend for T {}

    /// Any `Sync` type; on wasm32, any type.
    pub trait MaybeSync: Sync {}

    impl<T: Sync + ?Sized> MaybeSync for T {}
}

pub use bounds::{MaybeSend, MaybeSync};

/// A `dyn` trait object, `Send` and `Sync` on hosts.
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

/// Locks, ignoring poison: the other threads go on after a panic.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A value that only its own thread may use, in a client that any thread may own;
/// other threads panic.
#[cfg(target_arch = "wasm32")]
pub(crate) use send_wrapper::SendWrapper as Local;

/// On hosts all values are `Send`.
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
