use std::time::Duration;

use super::duration;
use crate::{
    engine::{self, What},
    error::Error,
    threads::shared,
};

/// An event of a call. It contains no secret: URLs have no query.
///
/// `call` identifies a call of the client; later calls have higher numbers, with
/// gaps. When equal calls share a request, its attempts are reported once, for
/// the first caller, and the end for each call that was not dropped.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A request is about to be sent.
    #[non_exhaustive]
    Attempt {
        /// The call.
        call: u64,
        /// Counts from 1.
        attempt: usize,
        /// The URL, without the query.
        url: &'a str,
    },
    /// A reply came.
    #[non_exhaustive]
    Response {
        /// The call.
        call: u64,
        /// Counts from 1.
        attempt: usize,
        /// The HTTP status.
        status: u16,
    },
    /// The attempt failed, and another will follow.
    #[non_exhaustive]
    Retry {
        /// The call.
        call: u64,
        /// Counts from 1.
        attempt: usize,
        /// How long the client waits before the next attempt, at most.
        wait: Duration,
        /// Why it failed.
        error: &'a Error,
    },
    /// The call succeeded.
    #[non_exhaustive]
    Success {
        /// The call.
        call: u64,
        /// The number of attempts.
        attempts: usize,
        /// How long the call took.
        elapsed: Duration,
    },
    /// The call failed.
    #[non_exhaustive]
    Error {
        /// The call.
        call: u64,
        /// The number of attempts.
        attempts: usize,
        /// How long the call took.
        elapsed: Duration,
        /// Why it failed.
        error: &'a Error,
    },
}

impl<'a> Event<'a> {
    /// `url`: the URL of the client's requests.
    pub(super) fn of(event: &'a engine::Event, url: &'a str) -> Self {
        let &engine::Event {
            call,
            attempt,
            ref what,
        } = event;
        match what {
            What::Attempt { .. } => Self::Attempt { call, attempt, url },
            &What::Response { status } => Self::Response {
                call,
                attempt,
                status,
            },
            What::Retry { wait_ms, error } => Self::Retry {
                call,
                attempt,
                wait: duration(*wait_ms),
                error,
            },
            &What::Success { elapsed_ms } => Self::Success {
                call,
                attempts: attempt,
                elapsed: duration(elapsed_ms),
            },
            What::Error { elapsed_ms, error } => Self::Error {
                call,
                attempts: attempt,
                elapsed: duration(*elapsed_ms),
                error,
            },
        }
    }
}

pub(super) type Listener = shared!(dyn Fn(&Event<'_>));
