//! Tracks which foreign code (transport or provider) runs on this thread.

use std::{
    cell::RefCell,
    sync::{Arc, Mutex},
};

use super::state::State;

/// Whose code runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Provider,
    Transport,
    Listener,
}

/// A driver is identified by its state.
type Driver = Arc<Mutex<State>>;

thread_local! {
    /// The drivers that run foreign code, innermost last, and whose code it is.
    static RUNNING: RefCell<Vec<(usize, Whose)>> = const { RefCell::new(Vec::new()) };
}

/// Whose code this driver is running.
pub(super) fn running(driver: &Driver) -> Option<Whose> {
    let own = Arc::as_ptr(driver).addr();
    RUNNING.with_borrow(|running| {
        let mut inner_first = running.iter().rev();
        let found = inner_first.find(|(driver, _)| *driver == own);
        found.map(|(_, whose)| *whose)
    })
}

/// Runs foreign code for a driver.
pub(super) fn outside<R>(driver: &Driver, whose: Whose, run: impl FnOnce() -> R) -> R {
    /// Even if the code panics.
    struct Leave;

    impl Drop for Leave {
        fn drop(&mut self) {
            RUNNING.with_borrow_mut(Vec::pop);
        }
    }

    RUNNING.with_borrow_mut(|running| running.push((Arc::as_ptr(driver).addr(), whose)));
    let _leave = Leave;
    run()
}
