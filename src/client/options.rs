use std::{fmt, time::Duration};

use super::milliseconds;
use crate::{
    engine::{Limits, Options},
    error::Error,
    transport::names,
    wire::{Format, header},
};

/// Options of a single call. What is not set is as the client has it.
///
/// ```
/// use std::time::Duration;
/// use bookmore_sdk::client::CallOptions;
///
/// CallOptions::new().fresh(true).total_timeout(Duration::from_secs(5));
/// ```
#[derive(Clone, Default)]
pub struct CallOptions {
    format: Option<Format>,
    headers: Vec<(String, String)>,
    max_retries: Option<u32>,
    attempt_timeout: Option<Option<Duration>>,
    total_timeout: Option<Option<Duration>>,
    coalesce: Option<bool>,
    fresh: bool,
}

impl CallOptions {
    /// The client's own options.
    ///
    /// ```
    /// # use bookmore_sdk::client::CallOptions;
    /// CallOptions::new();
    /// ```
    pub fn new() -> Self {
        Self::default()
    }

    /// The format requested from the server.
    ///
    /// ```
    /// # use bookmore_sdk::client::CallOptions;
    /// # use bookmore_sdk::Format;
    /// CallOptions::new().format(Format::Jsonl);
    /// ```
    #[must_use]
    pub fn format(mut self, format: Format) -> Self {
        self.format = Some(format);
        self
    }

    /// Adds a header to the client's own, or replaces the one of the same name.
    ///
    /// ```
    /// # use bookmore_sdk::client::CallOptions;
    /// CallOptions::new().header("x-reason", "dashboard");
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    /// How many times a failed attempt is retried: 0 to 10.
    ///
    /// ```
    /// # use bookmore_sdk::client::CallOptions;
    /// CallOptions::new().max_retries(0);
    /// ```
    #[must_use]
    pub fn max_retries(mut self, retries: u32) -> Self {
        self.max_retries = Some(retries);
        self
    }

    /// How long one attempt may take; `None` for no limit.
    ///
    /// ```
    /// # use bookmore_sdk::client::CallOptions;
    /// # use std::time::Duration;
    /// CallOptions::new().attempt_timeout(Duration::from_secs(3));
    /// ```
    #[must_use]
    pub fn attempt_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.attempt_timeout = Some(limit.into());
        self
    }

    /// How long the call may take; `None` for no limit.
    ///
    /// ```
    /// # use bookmore_sdk::client::CallOptions;
    /// # use std::time::Duration;
    /// CallOptions::new().total_timeout(Duration::from_secs(5));
    /// ```
    #[must_use]
    pub fn total_timeout(mut self, limit: impl Into<Option<Duration>>) -> Self {
        self.total_timeout = Some(limit.into());
        self
    }

    /// Whether the call may share the request of an equal call.
    ///
    /// ```
    /// # use bookmore_sdk::client::CallOptions;
    /// CallOptions::new().coalesce(false);
    /// ```
    #[must_use]
    pub fn coalesce(mut self, coalesce: bool) -> Self {
        self.coalesce = Some(coalesce);
        self
    }

    /// Whether the call needs a request that is sent after it was made, for
    /// example to see the cost of a message just sent. Default: false.
    ///
    /// ```
    /// # use bookmore_sdk::client::CallOptions;
    /// CallOptions::new().fresh(true);
    /// ```
    #[must_use]
    pub fn fresh(mut self, fresh: bool) -> Self {
        self.fresh = fresh;
        self
    }

    /// `client`: its headers are in [one form](header::in_one_form) already.
    ///
    /// # Errors
    /// An invalid option.
    pub(super) fn over(&self, client: &Options) -> Result<Options, Error> {
        for (name, value) in &self.headers {
            header::check_extra(name, value)?;
        }
        let own = header::in_one_form(&self.headers);
        let is_kept = |(name, _): &&(String, String)| !own.iter().any(|(other, _)| other == name);
        let kept = client.headers.iter().filter(is_kept);
        let mut headers: Vec<_> = kept.chain(&own).cloned().collect();
        headers.sort();
        let of_client = &client.limits;
        let limits = Limits {
            max_retries: self.max_retries.map_or(of_client.max_retries, f64::from),
            attempt_timeout: self
                .attempt_timeout
                .map_or(of_client.attempt_timeout, milliseconds),
            total_timeout: self
                .total_timeout
                .map_or(of_client.total_timeout, milliseconds),
        };
        limits.check()?;
        Ok(Options {
            format: self.format.unwrap_or(client.format),
            headers,
            limits,
            waited_ms: 0.0,
            coalesce: self.coalesce.unwrap_or(client.coalesce),
            fresh: self.fresh,
            nested: false,
        })
    }
}

/// Shows only the names of headers, whose values may be secrets.
impl fmt::Debug for CallOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallOptions")
            .field("format", &self.format)
            .field("headers", &names(&self.headers))
            .field("max_retries", &self.max_retries)
            .field("attempt_timeout", &self.attempt_timeout)
            .field("total_timeout", &self.total_timeout)
            .field("coalesce", &self.coalesce)
            .field("fresh", &self.fresh)
            .finish()
    }
}
