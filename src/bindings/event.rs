//! Events for a JavaScript listener.

use std::time::Duration;

use js_sys::Function;
use serde::Serialize;

use super::{options::tell, response::shown};
use crate::{client::Event, error::Error};

/// The event as the npm package has it.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Told<'a> {
    r#type: &'a str,
    call_id: u64,
    attempt: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    elapsed_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
}

pub(super) fn told(listener: Function) -> impl Fn(&Event<'_>) {
    move |event| {
        if let Ok(event) = shown(&Told::of(event)) {
            tell(&listener, &event);
        }
    }
}

impl<'a> Told<'a> {
    fn of(event: &'a Event<'a>) -> Self {
        match *event {
            Event::Attempt { call, attempt, url } => Self {
                url: Some(url),
                ..Self::new("attempt", call, attempt)
            },
            Event::Response {
                call,
                attempt,
                status,
            } => Self {
                status: Some(status),
                ..Self::new("response", call, attempt)
            },
            Event::Retry {
                call,
                attempt,
                wait,
                error,
            } => Self {
                wait_ms: Some(milliseconds(wait)),
                ..Self::failed("retry", call, attempt, error)
            },
            Event::Success {
                call,
                attempts,
                elapsed,
            } => Self {
                elapsed_ms: Some(milliseconds(elapsed)),
                ..Self::new("success", call, attempts)
            },
            Event::Error {
                call,
                attempts,
                elapsed,
                error,
            } => Self {
                elapsed_ms: Some(milliseconds(elapsed)),
                ..Self::failed("error", call, attempts, error)
            },
        }
    }

    fn new(r#type: &'a str, call_id: u64, attempt: usize) -> Self {
        Self {
            r#type,
            call_id,
            attempt,
            ..Self::default()
        }
    }

    fn failed(r#type: &'a str, call: u64, attempt: usize, error: &Error) -> Self {
        Self {
            code: Some(error.code()),
            status: error.status(),
            ..Self::new(r#type, call, attempt)
        }
    }
}

/// Whole milliseconds, rounded up, so that no wait appears shorter than it is.
pub(super) fn milliseconds(time: Duration) -> f64 {
    time.as_nanos().div_ceil(1_000_000) as f64
}
