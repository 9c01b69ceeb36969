//! Pure decisions: no timer, no executor, no I/O.

pub(crate) mod outcome;
