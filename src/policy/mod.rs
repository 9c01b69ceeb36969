//! Pure decisions: no timer, no executor, no I/O.

pub(crate) mod call;
pub(crate) mod outcome;
pub(crate) mod retry;
pub(crate) mod retry_after;
pub(crate) mod token;
