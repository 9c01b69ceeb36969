//! Whose code of others runs on this thread just now.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex},
};

use super::state::State;

/// A driver is known by its state.
type Driver = Arc<Mutex<State>>;

thread_local! {
    /// The drivers whose code of others runs, the innermost last, and whether it
    /// is their provider's.
    static RUNNING: RefCell<Vec<(usize, bool)>> = const { RefCell::new(Vec::new()) };
}

/// Whether the provider of this driver runs: a call that it makes cannot wait
/// for its answer.
pub(super) fn asks(driver: &Driver) -> bool {
    let own = Arc::as_ptr(driver).addr();
    RUNNING.with_borrow(|running| {
        let mut inner_first = running.iter().rev();
        inner_first
            .find(|(driver, _)| *driver == own)
            .is_some_and(|(_, asks)| *asks)
    })
}

/// Runs code of others for a driver. `asks`: whether it is the provider's.
pub(super) fn outside<R>(driver: &Driver, asks: bool, run: impl FnOnce() -> R) -> R {
    /// Also where the code panics.
    struct Leave;

    impl Drop for Leave {
        fn drop(&mut self) {
            RUNNING.with_borrow_mut(Vec::pop);
        }
    }

    RUNNING.with_borrow_mut(|running| running.push((Arc::as_ptr(driver).addr(), asks)));
    let _leave = Leave;
    run()
}
