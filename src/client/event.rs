use std::time::Duration;

use super::duration;
use crate::{
    engine::{self, What},
    error::Error,
    threads::shared,
};

/// What happens to a call. Nothing in it is a secret: URLs have no query.
///
/// `call` tells the calls of a client apart; later ones have higher numbers,
/// with gaps. Where equal calls share a request, its attempts are told once, as
/// the first caller's; the end is told of each but those that were dropped.
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
        /// Where to, without the query.
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
    /// The attempt failed, another follows.
    #[non_exhaustive]
    Retry {
        /// The call.
        call: u64,
        /// Counts from 1.
        attempt: usize,
        /// How long the client waits before it, as far as is known.
        wait: Duration,
        /// Why it failed.
        error: &'a Error,
    },
    /// The call has its usage.
    #[non_exhaustive]
    Success {
        /// The call.
        call: u64,
        /// How many there were.
        attempts: usize,
        /// How long the call took.
        elapsed: Duration,
    },
    /// The call failed.
    #[non_exhaustive]
    Error {
        /// The call.
        call: u64,
        /// How many there were.
        attempts: usize,
        /// How long the call took.
        elapsed: Duration,
        /// Why it failed.
        error: &'a Error,
    },
}

impl<'a> Event<'a> {
    /// `url`: where the client's requests go.
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
